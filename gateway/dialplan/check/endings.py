"""No caller may be lost: a person can always be had, nothing goes round for ever, every wait ends. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from gateway.dialplan.actions import UNREADABLE, Agent, Dial, Message, Queue, Reject, Route
from gateway.dialplan.check.ways import Way, rings, shown, ways
from gateway.dialplan.model import Finding, Ref
from gateway.dialplan.plan import Plan, talks
from gateway.dialplan.untaken import UNANSWERED, word_of


def endings(plan: Plan, today: datetime) -> list[Finding]:
    """A finding for each caller who would be lost. `today`: aware; hours are looked at for a year from then."""
    found: list[Finding] = []
    for route in plan.routes.values():
        if route.action is UNREADABLE:
            continue
        found += _said_nothing_for(plan, route)
        found += _nobody(plan, route)
    return [*found, *_rounds(plan, today)]


def _said_nothing_for(plan: Plan, route: Route) -> Iterator[Finding]:
    if route.hours is not None and "closed" not in route.instead:
        what = f"'{route.name}' has hours, and nothing for callers outside them."
        yield Finding(route.place, what, "Add closed: with a route's name, such as closed: take-message.")
    if isinstance(route.action, Queue | Dial):
        team = plan.team_of(route)
        if UNANSWERED not in route.instead and (team is None or UNANSWERED not in team.untaken):
            wait = (
                "waits for minutes without an ending" if isinstance(route.action, Queue) else "rings without an ending"
            )
            what = f"A caller whom nobody takes on '{route.name}' {wait}."
            remedy = "Add unanswered: with a route's name, such as unanswered: take-message."
            if any(word.startswith(word_of("")) for word in route.instead):
                remedy = "Add otherwise: with a route's name to its unanswered."
            yield Finding(route.place, what, remedy)
    if talks(route) and route.human is None:
        what = f"A caller of '{route.name}' who asks for a person gets nowhere."
        yield Finding(
            route.place, what, "Add human: with a route's name, or human: callback, here or at the plan's top."
        )


def _nobody(plan: Plan, route: Route) -> Iterator[Finding]:
    """Asking for a person must lead to one, a message or a callback, whatever is closed, full or unanswered."""
    if not talks(route) or not isinstance(route.human, Ref):
        return
    asked = [route.name]
    at: Route | None = route
    while at is not None and talks(at) and isinstance(at.human, Ref):
        name = at.human.name
        if name in asked:
            what = f"A caller of '{route.name}' who asks for a person gets nowhere: {shown([*asked, name])} goes round."
            yield Finding(route.human.place, what, "Let one of them lead to a team, a person, a message or a callback.")
            return
        asked.append(name)
        at = plan.routes.get(name)
    if at is not None and (path := _to_nobody(plan, at)):
        last = plan.routes[path[-1]].action
        how = f"is the agent '{last.name}', who doesn't talk" if isinstance(last, Agent) else "rejects"
        what = f"A caller of '{route.name}' who asks for a person gets nowhere: {shown([route.name, *path])} {how}."
        yield Finding(route.human.place, what, "Let it lead to a team, a person, a message or a callback.")


def _to_nobody(plan: Plan, start: Route) -> list[str]:
    """The way, without anything that the caller does, to a route where nobody is; [] for none."""
    ahead, known = [[start.name]], {start.name}
    while ahead:
        path = ahead.pop()
        route = plan.routes[path[-1]]
        if route.action is UNREADABLE:
            return []
        if isinstance(route.action, Reject) or (isinstance(route.action, Agent) and not route.action.talks):
            return path
        for way in ways(plan, route):
            if way.alone and way.to.name not in known and way.to.name in plan.routes:
                known.add(way.to.name)
                ahead.append([*path, way.to.name])
    return []


def _rounds(plan: Plan, today: datetime) -> Iterator[Finding]:
    if next(_cycles(plan, _at_any_time), None) is None:
        return
    told: set[frozenset[str]] = set()
    for closed in _times(plan, today):
        for ring in _cycles(plan, partial(_goes_on, closed)):
            names = frozenset(name for name, _ in ring)
            if names not in told:
                told.add(names)
                yield _round(plan, ring, waiting=any(not way.before for _, way in ring))


def _times(plan: Plan, today: datetime) -> Iterator[frozenset[str]]:
    """Which hours are closed at once, at any time of a year: each set that comes about, once."""
    hours = {one.hours.name: plan.hours[one.hours.name] for one in plan.routes.values() if one.hours is not None}
    end = today + timedelta(days=366)
    edges = (edge for one in hours.values() for span in one.spans(today, end) for edge in span)
    moments = sorted({today.astimezone(UTC), *(edge.astimezone(UTC) for edge in edges if edge < end)})
    yield from {frozenset(name for name, one in hours.items() if not one.is_open(at)): None for at in moments}


def _round(plan: Plan, ring: Sequence[tuple[str, Way]], *, waiting: bool) -> Finding:
    path = shown([*(f"{name} ({way.why})" for name, way in ring), ring[0][0]])
    what = f"Calls go round and never reach a person, an agent, a message or a rejection: {path}."
    if waiting:
        what = f"A caller waits for minutes without an ending: {path}."
    return Finding(ring[0][1].to.place, what, "Let one of these ways lead to a message or an agent.")


def _at_any_time(route: Route, way: Way) -> bool:
    """Whether a caller with whom nobody talks can be led on that way. An operator's closing is not the plan's."""
    if way.why in ("closed", "full"):
        return route.hours is not None if way.why == "closed" else bool(route.limits.calls)
    return way.alone and (way.before or rings(route)) and not isinstance(route.action, Agent | Message)


def _goes_on(closed: Collection[str], route: Route, way: Way) -> bool:
    """The same while those hours are closed, and no others."""
    shut = route.hours is not None and route.hours.name in closed
    return _at_any_time(route, way) and (way.why == "closed") == shut


def _cycles(plan: Plan, follows: Callable[[Route, Way], bool]) -> Iterator[list[tuple[str, Way]]]:
    """A round for each set of routes that lead to one another by the ways that count."""
    done: set[str] = set()
    for start in plan.routes:
        stack = {} if start in done else {start: _Visit(plan, start, follows)}
        while stack:
            name = next(reversed(stack))
            way = stack[name].way = next(stack[name].left, None)
            if way is None:
                del stack[name]
                done.add(name)
            elif way.to.name in stack:
                names = list(stack)
                ring = names[names.index(way.to.name) :]
                yield [(one, way) for one in ring if (way := stack[one].way) is not None]
            elif way.to.name in plan.routes and way.to.name not in done:
                stack[way.to.name] = _Visit(plan, way.to.name, follows)


class _Visit:
    """A route on the way of a search, and the step that was taken from it last."""

    def __init__(self, plan: Plan, name: str, follows: Callable[[Route, Way], bool]) -> None:
        route = plan.routes[name]
        self.left = iter([way for way in ways(plan, route) if follows(route, way)])
        self.way: Way | None = None
