"""A member who takes the call in their browser, by the link of their card: beside the leg that rings them there is then another,
their browser's, in the caller's room. Nothing rings there: who comes has said that they take the call. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.handoff.state import ASKING, Feature, Phase, State, Third
from gateway.handoff.third import offers
from gateway.terms.entry import Entry
from gateway.terms.hold import SILENT

_BROWSER = ".browser"
HOLDS = {"hold": SILENT, "resume": ""}
"""What a page presses in place of keys to put the caller on hold, and to be back, as a phone would by its SIP."""
ANSWERS_WITHIN = 60.0
"""Seconds, at the least, in which somebody may take the call who has no phone: the message has to arrive and be read."""


def browser_leg(leg: str) -> str:
    """The leg of the browser of whoever that leg rings."""
    return leg + _BROWSER


def rung_leg(leg: str) -> str:
    """The leg that rings whoever's browser that leg is; "" where it is no browser's."""
    return leg.removesuffix(_BROWSER) if leg.endswith(_BROWSER) else ""


def may_say_elsewhere(machine: object) -> bool:
    """Whether anybody may say something by a card's link or on a page: not while two talk by their phones alone."""
    if not isinstance(machine, State) or machine.phase is not Phase.BRIDGED:
        return True
    return machine.third is not Third.NOBODY or bool(rung_leg(machine.talking))


class Standing(StrEnum):
    """How the call stands for somebody who may take it in their browser."""

    WAITS = "waits"
    """They may take it."""
    YOURS = "yours"
    """Their browser has it."""
    TAKEN = "taken"
    """Another has it, or they themselves have by their phone."""
    LEFT = "left"
    """The caller has hung up, or the two have talked."""
    OVER = "over"
    """They are asked no more."""
    USED = "used"
    """The link has taken the call in another tab."""


@dataclass(frozen=True, slots=True)
class Stands:
    """How it stands."""

    standing: Standing
    by: str = ""
    """Who has the call, or had it, in the plan's `people`; "" for nobody."""
    name: str = ""
    """Whom the leg rings, while they may take the call."""
    since: float = 0.0
    """Since when the caller waits, while they may take the call; seconds since the epoch."""
    third: Third = Third.NOBODY
    """Where it stands with a third, while their browser has the call."""
    whom: str = ""
    """Who that is, or would be, in the plan's `people`."""
    offers: Mapping[Feature, Third] = field(default_factory=dict)
    """What of a third they may ask for now, and what it would come to."""
    dialed: int = 0
    """How many were dialed in this handoff so far: a third who refuses at once may be gone before anybody has seen them rung."""
    hold: bool = False
    """The caller is on hold, while their browser has the call."""
    entry: Entry = Entry.NONE
    """Whether the caller is never to be called again, as they have asked while their browser has the call."""


def stands(state: State, leg: str) -> Stands:
    """How it stands for whom the leg rings."""
    if state.talking and not state.over:
        if state.talking != browser_leg(leg):
            return Stands(Standing.TAKEN, state.talks_with)
        whom = state.act.third.name if state.act.third is not None else ""
        return Stands(
            Standing.YOURS,
            state.talks_with,
            third=state.third,
            whom=whom,
            offers=offers(state),
            dialed=state.legs,
            hold=bool(state.hold),
            entry=state.entry,
        )
    one = state.named(leg)
    if state.phase in ASKING and one is not None and one.name in state.act.browsers:
        return Stands(Standing.WAITS, name=one.name, since=state.since)
    if state.phase in (Phase.PARTING, Phase.OVER):
        return Stands(
            Standing.LEFT if state.talking or state.phase is Phase.PARTING else Standing.OVER, state.talks_with
        )
    return Stands(Standing.OVER)
