"""No caller may be lost: a person can always be had, nothing goes round for ever, every wait ends. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from gateway.dialplan.actions import Agent, Dial, Message, Queue, Reject, Route
from gateway.dialplan.check.ways import Way, rings, shown, ways
from gateway.dialplan.model import Finding, Ref
from gateway.dialplan.plan import Plan, talks


def endings(plan: Plan, today: datetime) -> list[Finding]:
    """A finding for each caller who would be lost. `today`: aware; hours are looked at for a year from then."""
    found: list[Finding] = []
    for route in plan.routes.values():
        found += _said_nothing_for(plan, route)
        found += _nobody(plan, route)
    return [*found, *_rounds(plan, today)]


def _said_nothing_for(plan: Plan, route: Route) -> Iterator[Finding]:
    if route.hours is not None and "closed" not in route.instead:
        what = f"'{route.name}' has hours, and nothing for callers outside them."
        yield Finding(route.place, what, "Add closed: with a route's name, such as closed: take-message.")
    if isinstance(route.action, Queue | Dial):
        team = plan.teams.get(route.action.team.name) if isinstance(route.action, Queue) else None
        if "unanswered" not in route.instead and (team is None or team.unanswered is None):
            wait = (
                "waits for minutes without an ending" if isinstance(route.action, Queue) else "rings without an ending"
            )
            what = f"A caller whom nobody takes on '{route.name}' {wait}."
            yield Finding(route.place, what, "Add unanswered: with a route's name, such as unanswered: take-message.")
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
    if at is not None and (path := _to_rejection(plan, at)):
        what = f"A caller of '{route.name}' who asks for a person gets nowhere: {shown([route.name, *path])} rejects."
        yield Finding(route.human.place, what, "Let it lead to a team, a person, a message or a callback.")


def _to_rejection(plan: Plan, start: Route) -> list[str]:
    """The way, without anything that the caller does, to a route that rejects; [] for none."""
    ahead, known = [[start.name]], {start.name}
    while ahead:
        path = ahead.pop()
        route = plan.routes[path[-1]]
        if isinstance(route.action, Reject) and route.action.status:
            return path
        for way in ways(plan, route):
            if way.alone and way.to.name not in known and way.to.name in plan.routes:
                known.add(way.to.name)
                ahead.append([*path, way.to.name])
    return []


def _rounds(plan: Plan, today: datetime) -> Iterator[Finding]:
    told: set[frozenset[str]] = set()
    for kind, follows in (("before", _before), ("waiting", _waiting)):
        for ring in _cycles(plan, follows):
            names = frozenset(name for name, _ in ring)
            if names in told or (kind == "before" and not _ever(plan, ring, today)):
                continue
            told.add(names)
            yield _round(plan, ring, waiting=any(not way.before for _, way in ring))


def _round(plan: Plan, ring: Sequence[tuple[str, Way]], *, waiting: bool) -> Finding:
    path = shown([*(f"{name} ({way.why})" for name, way in ring), ring[0][0]])
    what = f"Calls go round and never reach a person, an agent, a message or a rejection: {path}."
    if waiting:
        what = f"A caller waits for minutes without an ending: {path}."
    return Finding(ring[0][1].to.place, what, "Let one of these ways lead to a message or an agent.")


def _happens(route: Route, way: Way) -> bool:
    """Whether the plan itself can take that way: without hours a route is closed only when an operator says so."""
    return (way.why != "closed" or route.hours is not None) and (way.why != "full" or bool(route.limits.calls))


def _before(route: Route, way: Way) -> bool:
    return way.before and _happens(route, way)


def _waiting(route: Route, way: Way) -> bool:
    """Ways on which nobody has been reached: people who are rung may all be away, an agent and a message are there."""
    passed = way.alone and (way.before or rings(route)) and _happens(route, way)
    return passed and not isinstance(route.action, Agent | Message)


def _cycles(plan: Plan, follows: Callable[[Route, Way], bool]) -> Iterator[list[tuple[str, Way]]]:
    """A round for each set of routes that lead to one another by the ways that count."""
    done: set[str] = set()
    for start in plan.routes:
        stack = [] if start in done else [_Visit(plan, start, follows)]
        while stack:
            visit = stack[-1]
            way = visit.way = next(visit.left, None)
            if way is None:
                done.add(stack.pop().name)
            elif way.to.name in (names := [one.name for one in stack]):
                ring = stack[names.index(way.to.name) :]
                yield [(one.name, one.way) for one in ring if one.way is not None]
            elif way.to.name in plan.routes and way.to.name not in done:
                stack.append(_Visit(plan, way.to.name, follows))


class _Visit:
    """A route on the way of a search, and the step that was taken from it last."""

    def __init__(self, plan: Plan, name: str, follows: Callable[[Route, Way], bool]) -> None:
        route = plan.routes[name]
        self.name = name
        self.left = iter([way for way in ways(plan, route) if follows(route, way)])
        self.way: Way | None = None


def _ever(plan: Plan, ring: Sequence[tuple[str, Way]], today: datetime) -> bool:
    """Whether a time comes at which every route of the round passes the call on; only hours can tell it never does."""
    names = {plan.routes[name].hours for name, way in ring if way.why == "closed"}
    hours = [plan.hours[ref.name] for ref in names if ref is not None and ref.name in plan.hours]
    end = today + timedelta(days=366)
    moments = [today, *(edge for one in hours for span in one.spans(today, end) for edge in span)]
    return not hours or any(all(not one.is_open(at) for one in hours) for at in moments if at < end)
