"""Every name must lead to something. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from gateway.dialplan.actions import Dial, Goto, Menu, Message, Queue, Route, Split
from gateway.dialplan.model import Callback, Finding, Ref
from gateway.dialplan.people import Person, Rotation, Team
from gateway.dialplan.plan import Plan
from gateway.dialplan.reading.words import near

Kind = str
_A = {"route": "a route", "team": "a team", "person": "a person", "hours": "hours"}
_ISNT = {"route": "isn't", "team": "isn't", "person": "isn't", "hours": "aren't"}
_MEANT = {("route", "callback"): "Only human, unanswered, no_agent and dead_air can be a callback; name a route."}
_SUGGESTED = 100
"""Names for which the nearest is looked for: among thousands that takes its time, and nobody reads them all."""
_BELOW = {"route": "routes", "team": "teams", "person": "people", "hours": "hours"}


def references(plan: Plan) -> list[tuple[str, Finding]]:
    """Each name that leads nowhere, with the finding of it."""
    known: dict[Kind, Collection[str]] = {
        "route": plan.routes,
        "team": plan.teams,
        "person": plan.people,
        "hours": plan.hours,
    }
    lost = [(what, kind, ref) for what, kind, ref in everything(plan) if ref.name not in known[kind]]
    missing = [
        (ref.name, _missing(what, kind, ref, known, suggest=number < _SUGGESTED))
        for number, (what, kind, ref) in enumerate(lost)
    ]
    return [*missing, *_turns(plan), *_unsent(plan)]


def _turns(plan: Plan) -> Iterator[tuple[str, Finding]]:
    for person in plan.people.values():
        for ref in person.order if isinstance(person, Rotation) else ():
            if isinstance(plan.people.get(ref.name), Rotation):
                what = f"'{ref.name}' takes turns itself, and can't be one of the turns of '{person.name}'."
                yield ref.name, Finding(ref.place, what, "Name a person.")


def _unsent(plan: Plan) -> Iterator[tuple[str, Finding]]:
    """People who take calls by a link that nobody sends them: neither have they an address, nor has each of their teams."""
    told = {name: all(team.notify for team in teams) for name, teams in _teams_of(plan).items()}
    for person in plan.people.values():
        if isinstance(person, Person) and person.browser and not person.notify and not told.get(person.name):
            yield (
                person.name,
                Finding(
                    person.place,
                    f"'{person.name}' takes calls in a browser, and nobody sends them the link.",
                    "Add notify: with an address, such as mailto:NAME@HOST or sms:+15105550111, here or to their team.",
                ),
            )


def _teams_of(plan: Plan) -> dict[str, list[Team]]:
    """The teams that each person is of, by themselves or by turns."""
    found: dict[str, list[Team]] = {}
    for team in plan.teams.values():
        for ref in team.members:
            one = plan.people.get(ref.name)
            for name in (other.name for other in one.order) if isinstance(one, Rotation) else (ref.name,):
                found.setdefault(name, []).append(team)
    return found


def _missing(what: str, kind: Kind, ref: Ref, known: dict[Kind, Collection[str]], *, suggest: bool) -> Finding:
    told = _MEANT.get((kind, ref.name)) or (near(ref.name, known[kind]) if suggest else "")
    if not told and kind in ("team", "person"):
        told = _address(ref.name)
    parts = re.split(r"[,;\s]+", ref.name)
    if len(parts) > 1 and all(part in known[kind] for part in parts):
        told = f"Write it as a list: [{', '.join(parts)}]."
    other = next((other for other, names in known.items() if other != kind and ref.name in names), "")
    if other:
        told = f"'{ref.name}' is {_A[other]}; here {_A[kind]} is needed."
        if other == "team" and kind == "route":
            told += f" Make a route of it: {ref.name}: {{team: {ref.name}}}."
    write = ", or write the hours themselves: Mon-Fri 9-5, or 24/7" if kind == "hours" else ""
    remedy = told or f"Add it below '{_BELOW[kind]}'{write}."
    return Finding(ref.place, f"{what} leads to {_A[kind]} '{ref.name}' that {_ISNT[kind]} there.", remedy)


def _address(text: str) -> str:
    """What an address that stands for a name lacks."""
    if text.casefold().startswith("sip:"):
        return "Write sip:USER@TRUNK, with the name of an outbound trunk."
    return f"Write mailto:{text}." if re.fullmatch(r"[^@\s:]+@[^@\s]+", text) else ""


def everything(plan: Plan) -> Iterator[tuple[str, Kind, Ref]]:
    """What leads somewhere, to what kind of thing, and by which name."""
    for entry in plan.numbers.entries:
        yield f"'{entry.written}'", "route", Ref(entry.route, entry.place)
    for rule in plan.callers:
        yield "The rule of callers", "route", rule.route
        if rule.hours:
            yield "The rule of callers", "hours", Ref(rule.hours, rule.place)
    if plan.human is not None:
        yield "'human'", "route", plan.human
    for route in plan.routes.values():
        yield from _of_route(route, plan)
    for person in plan.people.values():
        if isinstance(person, Person) and person.hours is not None:
            yield f"hours of '{person.name}'", "hours", person.hours
        elif isinstance(person, Rotation):
            for ref in person.order:
                yield f"A turn of '{person.name}'", "person", ref
    for team in plan.teams.values():
        for ref in team.members:
            yield f"A member of '{team.name}'", "person", ref
        if team.third is not None:
            yield f"third of '{team.name}'", "person", team.third
        if team.hours is not None:
            yield f"hours of '{team.name}'", "hours", team.hours
        for word, onward in team.untaken.items():
            yield from _onward(f"{word} of '{team.name}'", onward)


def _onward(what: str, onward: Ref | Callback | None) -> Iterator[tuple[str, Kind, Ref]]:
    if isinstance(onward, Ref):
        yield what, "route", onward
    elif onward is not None and onward.team is not None:
        yield f"The callback of {what}", "team", onward.team


def _of_route(route: Route, plan: Plan) -> Iterator[tuple[str, Kind, Ref]]:
    own = f"of '{route.name}'"
    for word, onward in route.instead.items():
        yield from _onward(f"'{word}' {own}", onward)
    if route.human is not plan.human:
        yield from _onward(f"'human' {own}", route.human)
    if route.handoff is not None:
        yield f"'handoff' {own}", "team", route.handoff
    for name, target in route.transfer.to.items() if route.transfer else ():
        if target.who is not None:
            yield f"'{name}' in the transfer {own}", "person", target.who
    if route.notify_team is not None:
        yield f"'notify' {own}", "team", route.notify_team
    if route.hours is not None:
        yield f"'hours' {own}", "hours", route.hours
    if route.privacy.declined is not None:
        yield "'declined'", "route", route.privacy.declined
    action = route.action
    match action:
        case Menu():
            for key, ref in action.keys.items():
                yield f"Key {key} {own}", "route", ref
            for word, said in (("speech", action.speech), ("silence", action.silence)):
                if said is not None:
                    yield f"'{word}' {own}", "route", said
        case Queue():
            yield f"'team' {own}", "team", action.team
            for key, ref in action.press.items():
                yield f"Key {key} {own}", "route", ref
        case Dial(who=Ref() as who):
            yield f"'dial' {own}", "person", who
        case Message(team=Ref() as team):
            yield f"'notify' {own}", "team", team
        case Split():
            for _, ref in action.shares:
                yield f"A share {own}", "route", ref
        case Goto():
            yield f"'route' {own}", "route", action.route
        case _:
            pass
