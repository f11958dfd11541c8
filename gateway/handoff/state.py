"""How far a handoff is: the values that its machine keeps, and what they say. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

from gateway.calls.acts import cues, deeds
from gateway.calls.acts.cues import Event
from gateway.calls.acts.deeds import Effect
from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.handoff.asked import Asked, At
from gateway.handoff.screening import NOBODY, Screening
from gateway.terms.act import TALKED, Because, Handoff, Onward, Over
from gateway.terms.ending import Party
from gateway.terms.entry import Entry
from gateway.terms.handoff import Tried, told

SETTLE = 2.0
"""Seconds for which nobody must be left to ring until the caller, for whom nobody was rung yet, hears so: a roster that
changes may be empty for a moment."""
HOLD_EVERY = 25.0
"""Seconds of music until the caller hears that somebody is still being looked for."""
LEFT = Over("the caller has hung up", Party.CALLER)
TOOK, ALONE = "was put through", "nobody took the call"
"""Why the line was left, for the record."""


class Phase(StrEnum):
    """Where the handoff stands."""

    NEW = "new"
    OFFERING = "offering"
    RINGING = "ringing"
    WHISPERING = "whispering"
    DECIDING = "deciding"
    BRIDGED = "bridged"
    PARTING = "parting"
    """The caller has gone, and somebody who had answered is told so."""
    OVER = "over"


class Feature(StrEnum):
    """What a human may ask for while they talk with the caller."""

    BACK = "back"
    """Give the caller back to the agent."""
    THIRD = "third"
    """Bring a third in, or let them go."""
    ASIDE = "aside"
    """Ask a third in private, or come back from it."""
    NO_CALLS = "no calls"
    """Have the caller's number never called again, as the caller has asked."""


class Third(StrEnum):
    """Whether a third is asked, or talks with the two."""

    NOBODY = "nobody"
    RUNG_ASIDE = "rung aside"
    """Their phone rings, to be asked in private; the caller hears music."""
    ASIDE = "aside"
    RUNG_IN = "rung in"
    """Their phone rings, while the two talk on."""
    THREE = "three"
    LEFT = "left"
    """Whoever was aside is leaving the room; the caller hears music until they are out."""


ASKING = (Phase.OFFERING, Phase.RINGING, Phase.WHISPERING, Phase.DECIDING)
"""The caller waits."""
_STAGES = {At.RINGING: Phase.RINGING, At.WHISPERING: Phase.WHISPERING, At.DECIDING: Phase.DECIDING}


@dataclass(frozen=True, slots=True)
class State:
    """How far it is with one caller who is to be given to a human. Times are seconds since the epoch; 0 for never."""

    act: Handoff
    language: str = "en-US"
    """BCP 47 tag."""
    whisper: tuple[str, ...] = field(default=(), repr=False)
    """Whose call it is, sentence by sentence."""
    caller: str = field(default="", repr=False)
    """The caller's name, where it is known."""
    promise: str = ""
    """By which words the caller is to hear that they are put through; "" where they have, or needn't."""
    promising: float = 0.0
    """Until when they hear those at the latest."""
    begun: bool = False
    over: bool = False
    since: float = 0.0
    """Since when the caller waits."""
    asked: tuple[Asked, ...] = ()
    """Who rings, or has answered."""
    legs: int = 0
    """Legs that were dialed so far."""
    tried: Mapping[str, Tried] = field(default_factory=dict)
    """By member: what came of each who was rung and isn't any more."""
    lost: tuple[str, ...] = ()
    """Who of those is to be given back with the end."""
    talking: str = ""
    """The leg that is connected, or was."""
    talks_with: str = ""
    """Whose that is, in the plan's `people`."""
    taken: float = 0.0
    """When they took the call."""
    reach: str = field(default="", repr=False)
    """Their address, while they may be rung back; "" for who took it in a browser."""
    hold: str = ""
    """Whether they have put the caller on hold: one of `gateway.terms.hold`."""
    held: float = 0.0
    """Since when."""
    caller_held: float = 0.0
    """Since when the caller has put them on hold."""
    remembered: str = ""
    """The leg whose last words are remembered, while whoever leaves without a goodbye is rung back; "" for none."""
    rung_back: str = ""
    """Who was rung back, their line having been cut."""
    star: float = 0.0
    """Until when a key of the human's makes the `*` before it a code."""
    third: Third = Third.NOBODY
    third_leg: str = ""
    third_until: float = 0.0
    """When a third must have answered."""
    screening: Screening = NOBODY
    """The third, while they may be a machine."""
    mailbox: bool = False
    """It was one, and the human is told so once they talk with the caller again."""
    asides: int = 0
    """Times that the human has left the caller for a third since all could be heard anew (see `deeds.Renew`)."""
    entry: Entry = Entry.NONE
    """Whether the caller is never to be called again."""
    passed_on: str = ""
    """Who has talked with the caller first, and left them to a third."""
    returned: bool = False
    """The human has given the caller back."""
    resumed: float = 0.0
    """Until when the connected leg must be told of, after another job took over."""
    free: int | None = None
    """Who is left to ring, as the line last told."""
    alone: float = 0.0
    """Since when nobody is."""
    announce: float = 0.0
    why: str = ""
    """Why the line was left, for the record; "" while it isn't."""

    @property
    def phase(self) -> Phase:
        """Where it stands."""
        if not self.begun:
            return Phase.NEW
        if self.over:
            return Phase.OVER
        if self.talking:
            return Phase.BRIDGED
        if any(one.at is At.PARTING for one in self.asked):
            return Phase.PARTING
        found = {_STAGES[one.at] for one in self.asked}
        return next((one for one in reversed(ASKING) if one in found), Phase.OFFERING)

    @property
    def deadline(self) -> float:
        """See `machine.Machine`."""
        never = float("inf")
        match self.phase:
            case Phase.NEW | Phase.OVER:
                return never
            case Phase.BRIDGED:
                early = self.early_until if self.remembered else never
                times = (self.resumed, self.star, self.third_until, self.screening.until, early)
                return min(one or never for one in times)
            case Phase.PARTING:
                return min(one.until for one in self.asked)
        if self.promising:
            return min((self.promising, *(one.until for one in self.asked)))
        alone = self.alone + SETTLE if self.alone and not self.asked else never
        until = never if self.consults else self.since + self.act.at_most
        return min(until, alone, self.announce or never, *(one.until for one in self.asked))

    @property
    def early_until(self) -> float:
        """Until when it is early for whoever took the call to be gone."""
        return self.taken + self.act.ring_back

    @property
    def consults(self) -> bool:
        """Whether somebody has answered, who may take the call."""
        return any(one.answered for one in self.asked)

    @property
    def rings_back(self) -> bool:
        """Whether whoever was cut off is asked, and nobody else may be: the call isn't in the team's line meanwhile."""
        return any(one.name == self.rung_back for one in self.asked)

    @property
    def held_on(self) -> str:
        """Whom the call holds as one who talks with its caller: who does, or is rung back."""
        return self.rung_back if self.rings_back else self.talks_with

    def named(self, leg: str) -> Asked | None:
        """Whose leg it is, of those who ring or have answered."""
        return next((one for one in self.asked if one.leg == leg), None)

    def leg_name(self, number: int) -> str:
        """The name of the leg that is dialed as the call's `number`-th."""
        return f"{self.act.team}-{round(self.since * 1000):x}-{number}"

    @property
    def music(self) -> deeds.Sound:
        """What the caller hears while they wait."""
        return deeds.Sound(f"music:{self.act.music}")

    def parted(self) -> State:
        """Without whoever talked with the caller."""
        return replace(
            self, talking="", talks_with="", reach="", hold="", held=0.0, star=0.0, resumed=0.0, screening=NOBODY
        )

    def put(self, one: Asked) -> State:
        """With a member as they are now."""
        return replace(self, asked=tuple(one if each.leg == one.leg else each for each in self.asked))

    def release(self, name: str) -> deeds.Release:
        """Give back a member who didn't take the call, or not again."""
        if name == self.rung_back:
            return deeds.Release(self.act.team, name, took=True)
        missed = self.tried.get(name) is Tried.NO_ANSWER
        return deeds.Release(self.act.team, name, took=False, missed=missed)

    def enter(self) -> deeds.Enter:
        """Wait in the team's line."""
        act = self.act
        past = tuple(dict.fromkeys((*self.tried, *((self.rung_back,) if self.rung_back else ()))))
        return deeds.Enter(act.team, self.since, once=True, past=past, browsers=act.browsers)

    def says(self, which: HandoffWord) -> str:
        """Words of the table."""
        return word(which, self.language)

    def ending(self) -> tuple[Effect, ...]:
        """How it ends, told again where another job goes on amid it."""
        team = self.act.team
        if self.talking:
            back = Onward(Because.RETURNED, why=Tried.GAVE_BACK.value)
            outcome = back if self.returned else TALKED
            done = (deeds.Release(team, self.talks_with, took=True),) if self.talks_with else ()
            return *done, deeds.Finish(outcome)
        ended = LEFT if self.why == LEFT.reason else Onward(Because.UNANSWERED, why=told(tuple(self.tried.values())))
        return deeds.Exit(team), *(self.release(name) for name in self.lost), deeds.Finish(ended)


Then: TypeAlias = tuple[State, tuple[Effect, ...]]
Step = Callable[[State, Event, float], Then]


def nothing(state: State, _: Event, __: float) -> Then:
    """It can't happen then, or means nothing."""
    return state, ()


def too_late(state: State, event: Event, _: float) -> Then:
    """Somebody was reserved just before the line was left."""
    assert isinstance(event, cues.Offered)
    return state, tuple(state.release(one.name) for one in event.callees if one.name != state.talks_with)
