"""Where a call may go on to from a route. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.dialplan.actions import Dial, Goto, Menu, Queue, Route, Split
from gateway.dialplan.model import Ref
from gateway.dialplan.plan import Plan
from gateway.dialplan.untaken import UNANSWERED


@dataclass(frozen=True, slots=True)
class Way:
    """A step from one route to another."""

    why: str
    """`closed`, `full`, `unanswered`, `unanswered: busy`, `no_agent`, `dead_air`, `silence`, `split`, `route`, `human`, `declined`, or a key."""
    to: Ref
    before: bool
    """The call goes on before the route's action has begun."""
    alone: bool
    """It goes on without the caller doing anything."""


def ways(plan: Plan, route: Route) -> Iterator[Way]:
    """Every step that a call may take from the route."""
    for word, onward in route.instead.items():
        if isinstance(onward, Ref):
            yield Way(word, onward, before=word in ("closed", "full"), alone=True)
    action = route.action
    match action:
        case Goto():
            yield Way("route", action.route, before=True, alone=True)
        case Split():
            for _, ref in action.shares:
                yield Way("split", ref, before=True, alone=True)
        case Menu():
            if action.silence is not None:
                yield Way("silence", action.silence, before=False, alone=True)
            for word, said in (*action.keys.items(), ("speech", action.speech)):
                if said is not None:
                    yield Way(word, said, before=False, alone=False)
        case Queue():
            for word, ref in action.press.items():
                yield Way(word, ref, before=False, alone=False)
        case _:
            pass
    team = plan.team_of(route)
    for word, onward in team.untaken.items() if team is not None and UNANSWERED not in route.instead else ():
        if isinstance(onward, Ref):
            yield Way(word, onward, before=False, alone=True)
    if isinstance(route.human, Ref):
        yield Way("human", route.human, before=False, alone=False)
    if route.privacy.declined is not None:
        yield Way("declined", route.privacy.declined, before=False, alone=False)


def rings(route: Route) -> bool:
    """Whether people are rung there, or the caller is asked, without anybody having to come."""
    return isinstance(route.action, Queue | Dial | Menu | Goto | Split)


def shown(path: Sequence[str]) -> str:
    """Names of routes as a way."""
    return " → ".join(path)
