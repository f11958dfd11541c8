"""What works, and perhaps not as it was meant. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from gateway.dialplan.actions import Agent, Queue, Reject, Route
from gateway.dialplan.check.dialed import dialed
from gateway.dialplan.check.outward import open_wide, transfers
from gateway.dialplan.check.references import everything
from gateway.dialplan.check.unkept import unkept
from gateway.dialplan.check.untold import unmade, untold
from gateway.dialplan.check.ways import ways
from gateway.dialplan.model import Finding, Ref, Severity
from gateway.dialplan.numbers import Pattern
from gateway.dialplan.people import Person, Rotation, Team
from gateway.dialplan.plan import CallerRule, Plan
from gateway.dialplan.trunks import Trunks

_LOOKED_AT = timedelta(days=14)
_YEAR = timedelta(days=366)
_RULES = 300
"""Rules of callers that are compared with each other."""
ONLY_STATUS = 486
"""What a livekit-sip rejects with, whatever the plan says."""


def warnings(plan: Plan, today: datetime, trunks: Trunks | None) -> list[Finding]:
    """The warnings and notes of a plan without errors. `today`: aware. `trunks`: None when they aren't known."""
    return [
        *_unreached(plan),
        *_unused(plan),
        *_twice(plan),
        *_ourselves(plan),
        *_shadowed(plan),
        *untold(plan),
        *unmade(plan),
        *_uncovered(plan, today),
        *_shut(plan, today),
        *(_uncarried(plan, trunks.carried) if trunks else ()),
        *(dialed(plan, trunks) if trunks else ()),
        *open_wide(plan),
        *transfers(plan),
        *_never(plan),
        *_notes(plan),
        *unkept(plan),
    ]


def _warn(ref: Ref | Route | Team | Person | Rotation, what: str, remedy: str) -> Finding:
    return Finding(ref.place, what, remedy, Severity.WARNING)


def _unreached(plan: Plan) -> Iterator[Finding]:
    ahead = [
        *(entry.route for entry in plan.numbers.entries),
        *(name for table in plan.tables for name in table.routes),
        *(rule.route.name for rule in plan.callers),
        *([plan.human.name] if plan.human else []),
    ]
    reached: set[str] = set()
    while ahead:
        name = ahead.pop()
        if name in reached or name not in plan.routes:
            continue
        reached.add(name)
        route = plan.routes[name]
        ahead += [way.to.name for way in ways(plan, route)]
    for route in plan.routes.values():
        if route.name not in reached:
            yield _warn(
                route, f"No call ever reaches the route '{route.name}'.", "Let a number lead to it, or remove it."
            )


def _unused(plan: Plan) -> Iterator[Finding]:
    """Teams and people to whom nothing leads: a call that was to ring them rings nobody, or somebody else."""
    meant = {(kind, ref.name) for _, kind, ref in everything(plan)}
    for team in plan.teams.values():
        if ("team", team.name) not in meant:
            what = f"No call ever comes to the team '{team.name}'."
            yield Finding(team.place, what, "Let a route lead to it, or remove it.", Severity.NOTE)
    for person in plan.people.values():
        if ("person", person.name) not in meant:
            what = f"No call ever rings '{person.name}'."
            remedy = "Add them to a team, or let a route dial them, or remove them."
            yield Finding(person.place, what, remedy, Severity.NOTE)


def _twice(plan: Plan) -> Iterator[Finding]:
    for team in plan.teams.values():
        for place, ref in enumerate(team.members):
            if ref in team.members[:place]:
                yield _warn(ref, f"'{ref.name}' is a member of '{team.name}' twice.", "Keep one of them.")


def _ourselves(plan: Plan) -> Iterator[Finding]:
    """People whose number leads back here: who is to ring them calls the plan anew, without an end."""
    for person in plan.people.values():
        entry = plan.numbers.find(person.call) if isinstance(person, Person) and person.call else None
        if entry is not None and not (entry.pattern.prefix and not entry.pattern.text):
            what = f"'{person.name}' is called on a number of this plan, which leads to '{entry.route}': a call goes round."
            yield _warn(person, what, "Write the number of their own phone.")


def _shadowed(plan: Plan) -> Iterator[Finding]:
    rules = plan.callers[:_RULES]
    for place, rule in enumerate(rules):
        first = next((other for other in rules[:place] if _takes_all(other, rule)), None)
        if first is not None:
            what = f"The rule is never looked at: the one in {first.place} is for all of its calls, and comes first."
            yield Finding(rule.place, what, "Put it above that one, or remove it.", Severity.WARNING)


def _takes_all(wide: CallerRule, rule: CallerRule) -> bool:
    """Whether every call that `rule` is for, `wide` is for."""
    anybody = not (wide.callers or wide.anonymous or wide.listed is not None)
    somebody = rule.callers or rule.anonymous or rule.listed is not None
    callers = anybody or (
        bool(somebody)
        and _all_covered(wide.callers, rule.callers)
        and (wide.anonymous or not rule.anonymous)
        and (rule.listed is None or rule.listed is wide.listed)
    )
    diverted = wide.diverted_from and not rule.diverted and rule.diverted_from
    return bool(
        callers
        and wide.hours in ("", rule.hours)
        and (not wide.dialed or (rule.dialed and _all_covered(wide.dialed, rule.dialed)))
        and (not wide.diverted or rule.diverted or rule.diverted_from)
        and (not wide.diverted_from or (diverted and _all_covered(wide.diverted_from, rule.diverted_from)))
        and (not wide.attestations or (rule.attestations and {*rule.attestations} <= {*wide.attestations}))
    )


def _all_covered(wide: Sequence[Pattern], narrow: Sequence[Pattern]) -> bool:
    return all(any(one.covers(other) for one in wide) for other in narrow)


def _uncovered(plan: Plan, today: datetime) -> Iterator[Finding]:
    end = today + _LOOKED_AT
    for team in plan.teams.values():
        routes = [route for route in plan.routes.values() if _gives_to(route, team)]
        if not routes:
            continue
        people = [_hours_of(plan, ref.name) for ref in team.members]
        if any(hours is None for hours in people):
            continue  # somebody is there at any time
        for at in _moments(plan, [*people, team.hours, *(route.hours for route in routes)], today, end):
            wanted = any(_open(plan, route.hours, at) for route in routes) and _open(plan, team.hours, at)
            if wanted and not any(_open(plan, hours, at) for hours in people):
                local = at.astimezone(plan.zone)
                what = f"Nobody of '{team.name}' is there at {local:%a %Y-%m-%d %H:%M}, and calls come to it then."
                yield _warn(team, what, "Add a member for that time, or hours for the team.")
                break


def _shut(plan: Plan, today: datetime) -> Iterator[Finding]:
    """Hours that never come: a slip such as `Mon-Fri 9-9`, or nothing but days that are over."""
    told: set[str] = set()
    for one in (*plan.routes.values(), *plan.teams.values(), *plan.people.values()):
        ref = None if isinstance(one, Rotation) else one.hours
        if ref is None or ref.name in told or any(True for _ in plan.hours[ref.name].spans(today, today + _YEAR)):
            continue
        told.add(ref.name)
        hours = plan.hours[ref.name]
        what = f"'{hours.written}' never opens in the coming year, and '{one.name}' keeps these hours."
        yield _warn(ref, what, "Write when it is open: Mon-Fri 9-17, or 24/7.")


def _gives_to(route: Route, team: Team) -> bool:
    queue = isinstance(route.action, Queue) and route.action.team.name == team.name
    return queue or (route.handoff is not None and route.handoff.name == team.name)


def _hours_of(plan: Plan, name: str) -> Ref | None:
    """The hours of a person; of people by turns, of the first of them that has any."""
    person = plan.people[name]
    if isinstance(person, Rotation):
        found = [_hours_of(plan, ref.name) for ref in person.order if isinstance(plan.people.get(ref.name), Person)]
        return next((hours for hours in found if hours is not None), None)
    return person.hours


def _open(plan: Plan, ref: Ref | None, at: datetime) -> bool:
    return ref is None or plan.hours[ref.name].is_open(at)


def _moments(plan: Plan, refs: Collection[Ref | None], start: datetime, end: datetime) -> list[datetime]:
    """The times at which any of the hours change."""
    names = {ref.name for ref in refs if ref is not None}
    edges = {edge.astimezone(UTC) for name in names for span in plan.hours[name].spans(start, end) for edge in span}
    return sorted(edge for edge in {start, *edges} if edge < end)


def _uncarried(plan: Plan, trunks: Sequence[Pattern] | None) -> Iterator[Finding]:
    if trunks is None:
        return
    carried = {pattern.text for pattern in trunks if not pattern.prefix}
    for entry in plan.numbers.entries:
        pattern = entry.pattern
        if pattern.rank > 1 or not pattern.text.startswith("+") or pattern.text in carried:
            continue
        if not any(trunk.fits(pattern.text) for trunk in trunks):
            what = f"No trunk of the trunk file carries {entry.written}."
            yield Finding(entry.place, what, "Add the number to a trunk, or remove the line.", Severity.WARNING)


def _never(plan: Plan) -> Iterator[Finding]:
    for route in plan.routes.values():
        if "full" in route.instead and not route.limits.calls and not isinstance(route.action, Agent):
            yield _warn(route, f"'{route.name}' is never full: it has no limit.", "Add limits: {calls: 20}.")


def _notes(plan: Plan) -> Iterator[Finding]:
    for route in plan.routes.values():
        if isinstance(route.action, Reject) and route.action.status != ONLY_STATUS:
            what = (
                f"'{route.name}' rejects with {route.action.status} on offhook's own SIP edge; with livekit-sip the "
                f"caller gets {ONLY_STATUS}, and the status in a Reason header."
            )
            yield Finding(route.place, what, "", Severity.NOTE)
