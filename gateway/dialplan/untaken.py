"""What the plan says of callers whom nobody took, by how that ended. Pure.

A route's `instead` and a team's `untaken` hold it by these words, what counts for all others under UNANSWERED; their `says` holds what
the caller is told first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.dialplan.actions import Route
from gateway.dialplan.model import Callback, Ref
from gateway.dialplan.people import Team
from gateway.terms.handoff import NOBODY, Tried

UNANSWERED = "unanswered"
CLOSED = "closed"
"""The team is, and its agent looked before it promised anybody."""
ENDINGS: Mapping[str, str] = {
    Tried.BUSY: "busy",
    Tried.DECLINED: "declined",
    Tried.NO_ANSWER: "no_answer",
    Tried.UNREACHABLE: "unreachable",
    Tried.MACHINE: "mailbox",
    Tried.HUNG_UP: "hung_up",
    Tried.UNDECIDED: "undecided",
    CLOSED: "closed",
    NOBODY: "nobody",
}
"""The plan's words, by what is told of whoever was asked (see `gateway.terms.handoff.told`)."""
BEFORE = ("busy", "closed", "nobody")
"""Those by which an agent may find, before it promises anybody, that nobody can be had."""


@dataclass(frozen=True, slots=True)
class Next:
    """What follows."""

    to: Ref | Callback | None
    """None where the caller's agent goes on."""
    say: str = ""
    """What the caller is told first; "" for nothing but what is said there anyway."""


def word_of(ending: str) -> str:
    """The word under which an ending's own step is kept."""
    return f"{UNANSWERED}: {ending}"


def after(route: Route, team: Team | None, why: str) -> Next | None:
    """What follows where nobody took a caller of the route, whose `team` was rung; None where neither says anything of it. The
    route counts for more than the team."""
    words = (word_of(ENDINGS.get(why, "")), UNANSWERED)
    said = [(route.instead, route.says), *([(team.untaken, team.says)] if team is not None else [])]
    for leads, says in said:
        for word in words:
            if word in leads or word in says:
                return Next(leads.get(word), says.get(word, ""))
    return None


def before(route: Route, team: Team | None) -> tuple[str, ...]:
    """The endings of BEFORE of which route or team say something of their own."""
    if team is None:
        return ()
    said = {*route.instead, *route.says}
    if UNANSWERED not in said:
        said |= {*team.untaken, *team.says}
    return tuple(one for one in BEFORE if word_of(one) in said)
