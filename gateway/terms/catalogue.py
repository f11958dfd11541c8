"""What the gateway knows of the agents: their names and what a dial plan may set. `agents.registry` fills it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gateway.terms.call import Brief, Pool
from gateway.terms.handoff import NOBODY, PUT_THROUGH, Tried


class Cue(StrEnum):
    """When a line is said."""

    OPENING = "opening"
    """First, once the caller answers."""
    AGAIN = "again"
    """First, when another job has to take the call over in the middle."""
    BACK = "back"
    """First, when a caller who was cut off has dialed again."""
    AWAY_BUSY = "away_busy"
    """First, to a caller who comes back from a handoff that nobody took; so are the others of AWAY."""
    AWAY_DECLINED = "away_declined"
    AWAY_HUNG_UP = "away_hung_up"
    AWAY_NO_ANSWER = "away_no_answer"
    AWAY_MACHINE = "away_machine"
    AWAY_UNREACHABLE = "away_unreachable"
    AWAY_NOBODY = "away_nobody"
    NOT_FREE = "not_free"
    """First, to a caller who was put through to somebody and comes back: the same of THROUGH."""
    NOT_TAKEN = "not_taken"
    NOT_ANSWERED = "not_answered"
    NOT_REACHED = "not_reached"
    NOT_THERE = "not_there"
    GIVEN_BACK = "given_back"
    """First, to a caller whom a human has given back."""
    SORRY = "sorry"
    """Last, when no agent can go on."""
    SORRY_CALLBACK = "sorry_callback"
    """The same, after a callback was booked."""


AWAY: Mapping[str, Cue] = {
    Tried.BUSY: Cue.AWAY_BUSY,
    Tried.DECLINED: Cue.AWAY_DECLINED,
    Tried.UNDECIDED: Cue.AWAY_DECLINED,
    Tried.HUNG_UP: Cue.AWAY_HUNG_UP,
    Tried.NO_ANSWER: Cue.AWAY_NO_ANSWER,
    Tried.MACHINE: Cue.AWAY_MACHINE,
    Tried.UNREACHABLE: Cue.AWAY_UNREACHABLE,
    NOBODY: Cue.AWAY_NOBODY,
    Tried.GAVE_BACK: Cue.GIVEN_BACK,
}
"""By what came of a handoff (`gateway.terms.handoff.told`)."""
_THROUGH: Mapping[str, Cue] = {
    Tried.BUSY: Cue.NOT_FREE,
    Tried.NO_ANSWER: Cue.NOT_ANSWERED,
    Tried.UNREACHABLE: Cue.NOT_REACHED,
    NOBODY: Cue.NOT_THERE,
}
"""The same of somebody whom the caller had asked for by name."""


def come_back(why: str) -> Cue:
    """How a caller is told who comes back to their agent (`Talk.back`)."""
    if why.startswith(PUT_THROUGH):
        return _THROUGH.get(why.removeprefix(PUT_THROUGH), Cue.NOT_TAKEN)
    return AWAY.get(why, Cue.AWAY_NOBODY)


@dataclass(frozen=True, slots=True)
class Line:
    """Something an agent says word for word, so that it can be rendered before anybody calls."""

    text: str
    """As it is written: what a record shows."""
    spoken: str
    """As the voice is given it: `text` after the route's `pronounce`."""
    language: str
    """BCP 47 tag."""
    cue: Cue | None = None
    """When it is said; None when the agent decides."""


@dataclass(frozen=True, slots=True)
class SettingFault:
    """One thing that is wrong with a route's `settings`."""

    path: tuple[str | int, ...]
    """Keys and indices below `settings` that lead to it; () for the whole."""
    what: str
    """One sentence for the operator."""


Settle = Callable[[Mapping[str, object], Path], tuple[Mapping[str, object], Sequence[SettingFault]]]
"""Checks a route's `settings` as they stand in a plan of the given directory. Returns them as a Brief carries them,
values in their types and a file's text in place of its name, and what is wrong with them. Scalars may all be text."""

Lines = Callable[[Brief], Sequence[Line]]
"""What the agent says word for word on such a call. () for an agent that doesn't talk."""


@dataclass(frozen=True, slots=True)
class AgentCard:
    """One agent as a dial plan sees it."""

    name: str
    summary: str
    """One line for an operator."""
    pool: Pool
    """HOUSE for an agent that needs no AI engine."""
    settings_schema: Mapping[str, object]
    """JSON Schema (object) of the route's `settings`."""
    record_schema: Mapping[str, object]
    """JSON Schema (object) of the lead or ticket it writes; {} for none."""
    settle: Settle
    lines: Lines


Catalogue = Mapping[str, AgentCard]
