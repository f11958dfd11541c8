"""The machine of `Recall`: somebody of the team is rung and hears whom they are to talk with; once they take it the callee is
rung, and then the two talk. Pure.

    asking ─a member takes it─▶ calling ─the callee answers─▶ talking ─either hangs up─▶ over
       └── nobody does ─▶ over     │ └── they don't ─▶ parting ─the human has heard so─▶ over
                                   └── the human hangs up ─▶ over
                                             talking ─a machine has answered─▶ parting

Asking is a handoff's (`gateway.handoff`): the same strategies, whisper and keys. There is no caller yet who could hear music,
so what is for them alone is left out. The callee never hears ringing without a human who waits for them, and no human is left
in silence: whoever waits is told what comes of it. A machine that answers is nobody reached (`gateway.handoff.screening`): the
two aren't kept waiting until that is sure.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from gateway.callbacks.told import CALLEE
from gateway.calls.acts import cues, deeds
from gateway.calls.acts.cues import Event
from gateway.calls.acts.deeds import Effect
from gateway.calls.acts.rung import LATE, RESUME_WITHIN
from gateway.calls.words import word
from gateway.calls.words.menu import MenuWord
from gateway.calls.words.recall import RecallWord
from gateway.donotcall.wish import no_more_calls
from gateway.handoff.machine import Transfer
from gateway.handoff.screening import NOBODY, Screening
from gateway.terms import codes
from gateway.terms.act import TALKED, Callee, Handoff, Over, Recall
from gateway.terms.entry import Entry, entry
from gateway.terms.handoff import Tried, by_status, told

TELL_WITHIN = 8.0
"""Seconds that telling the human may take."""
_APART = deeds.Converse((), caller=False)
"""The two don't talk: the record must not say that the callee was reached."""
_UNREACHED = {
    (False, False): RecallWord.NO_ANSWER,
    (False, True): RecallWord.GIVEN_UP,
    (True, False): RecallWord.MAILBOX,
    (True, True): RecallWord.MAILBOX_GIVEN_UP,
}
"""What the human hears, by whether a machine has answered, and nobody calls again."""


class Stage(StrEnum):
    """Where the machine stands."""

    ASKING = "asking"
    CALLING = "calling"
    TALKING = "talking"
    PARTING = "parting"
    """The human hears that the callee can't be reached."""
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Recalling:
    """One callback's call (see `machine.Machine`). Times are seconds since the epoch; 0 for never."""

    act: Recall
    number: str = field(repr=False)
    """Whom to call back: E.164."""
    language: str
    asking: Transfer
    stage: Stage = Stage.ASKING
    until: float = 0.0
    """When something must have happened."""
    why: str = ""
    """Why it ended, or the line was left, for the record."""
    resumed: float = 0.0
    """Until when the connected legs must be told of, after another job took over."""
    again: frozenset[str] = frozenset()
    """Those of them that were."""
    screening: Screening = NOBODY
    """The callee, while they may be a machine."""
    star: float = 0.0
    """Until when a key of the human's makes the `*` before it a code."""
    entry: Entry = Entry.NONE
    """Whether the callee is never to be called again."""

    @classmethod
    def start(cls, act: Recall, number: str, language: str) -> Self:
        """The act before its first event. `number`: whom to call back, E.164; `language`: BCP 47 tag."""
        handoff = Handoff(act.team, at_most=act.at_most, introduce=False)
        whisper = (word(RecallWord.CALLBACK, language), *act.whisper)
        return cls(act, number, language, Transfer(handoff, language, whisper=whisper))

    @property
    def human(self) -> str:
        """The leg of whoever has taken it; "" for nobody yet."""
        return self.asking.talking

    @property
    def talks_with(self) -> str:
        """Whose that is, once the two talk."""
        return self.asking.talks_with if self.stage is Stage.TALKING else ""

    @property
    def deadline(self) -> float:
        """See `machine.Machine`."""
        if self.stage is Stage.ASKING:
            return self.asking.deadline
        if self.stage is Stage.TALKING:
            return min(self.resumed or float("inf"), self.screening.until)
        return float("inf") if self.stage is Stage.OVER else self.until

    def on(self, event: Event, now: float) -> tuple[Self, tuple[Effect, ...]]:
        """See `machine.Machine`."""
        match self.stage:
            case Stage.ASKING if isinstance(event, cues.Gone):
                return self, ()
            case Stage.ASKING:
                return self._asked(*self.asking.on(event, now), now)
            case Stage.CALLING:
                return self._while_calling(event, now)
            case Stage.TALKING:
                return self._while_talking(event, now)
            case Stage.PARTING:
                return self._while_parting(event)
        return self._while_over(event)

    def due(self, now: float) -> tuple[Self, tuple[Effect, ...]]:
        """See `machine.Machine`."""
        if now < self.deadline:
            return self, ()
        match self.stage:
            case Stage.ASKING:
                return self._asked(*self.asking.due(now), now)
            case Stage.CALLING:
                return self._unreached(Tried.NO_ANSWER, now, drop=True)
            case Stage.PARTING:
                return self._over(self.why, deeds.Drop(self.human))
            case Stage.TALKING if now >= self.screening.until:
                return replace(self, screening=NOBODY), (deeds.Listen(CALLEE, on=False),)
            case Stage.TALKING:
                return self._parted(frozenset({self.human, CALLEE}) - self.again)
        return self, ()

    # While the team is rung.

    def _asked(self, asking: Transfer, effects: tuple[Effect, ...], now: float) -> tuple[Self, tuple[Effect, ...]]:
        """What the handoff says is done, but for what its caller would hear; nor is anybody remembered, to be rung back."""
        after = replace(self, asking=asking)
        done: list[Effect] = []
        for effect in effects:
            match effect:
                case deeds.Say() | deeds.Sound() | deeds.Hush() | deeds.Remember():
                    pass
                case deeds.Connect():
                    after = replace(after, stage=Stage.CALLING, why=asking.why)
                case deeds.Finish():
                    why = f"nobody took the callback: {told(tuple(asking.tried.values()))}"
                    after = replace(after, stage=Stage.OVER, why=why)
                    done.append(deeds.Finish(Over(why)))
                case _:
                    done.append(effect)
        if after.stage is not Stage.CALLING:
            return after, tuple(done)
        ringing = deeds.Whisper(after.human, (after._says(RecallWord.RINGING),))
        return after._call(now, [*done, *(() if after._too_late(now) else (ringing,))])

    # While the callee is rung.

    def _call(self, now: float, before: list[Effect]) -> tuple[Self, tuple[Effect, ...]]:
        if self._too_late(now):
            return self._parting(RecallWord.TOO_LATE, "it was too late in the day to call them", now, *before)
        dial = deeds.Dial(CALLEE, Callee("", self.number), self.act.ring_for)
        return replace(self, until=now + self.act.ring_for + LATE), (*before, dial)

    def _too_late(self, now: float) -> bool:
        """Whether the callee's day is over: whoever took it has needed its last minutes."""
        return bool(self.act.until) and now >= self.act.until

    def _while_calling(self, event: Event, now: float) -> tuple[Self, tuple[Effect, ...]]:
        match event:
            case cues.LegAnswered(leg) if leg == CALLEE:
                screening = Screening(CALLEE, now)
                talking = replace(self, stage=Stage.TALKING, screening=screening)
                return talking, (deeds.Connect(self.human), *screening.heard())
            case cues.LegFailed(leg, status) if leg == CALLEE:
                return self._unreached(by_status(status), now)
            case cues.LegLeft(leg) if leg == CALLEE:
                return self._unreached(Tried.HUNG_UP, now)
            case cues.LegLeft(leg) | cues.LegFailed(leg) if leg == self.human:
                return self._over("whoever took it hung up while the callee was rung", deeds.Drop(CALLEE))
            case cues.LegAnswered(leg) if leg != self.human:
                return self, (deeds.Drop(leg),)
            case cues.Offered():
                return self, self._back(event)
            case cues.Resumed(legs) if self.human not in legs:
                drops = (deeds.Drop(leg) for leg in sorted(legs))
                return self._over("whoever took it was lost", *drops)
            case cues.Resumed(legs):
                strangers = sorted(legs - {self.human, CALLEE})
                left: list[Effect] = [*(deeds.Drop(leg) for leg in strangers), deeds.Exit(self.act.team)]
                return (self, tuple(left)) if CALLEE in legs else self._call(now, left)
        return self, ()

    def _unreached(self, tried: Tried, now: float, *, drop: bool = False) -> tuple[Self, tuple[Effect, ...]]:
        """The human is told, and goes."""
        words = _UNREACHED[tried is Tried.MACHINE, self.act.last]
        drops = (deeds.Drop(CALLEE),) if drop else ()
        return self._parting(words, f"the callee wasn't reached: {tried}", now, *drops)

    def _parting(self, words: RecallWord, why: str, now: float, *before: Effect) -> tuple[Self, tuple[Effect, ...]]:
        parting = replace(self, stage=Stage.PARTING, until=now + TELL_WITHIN, why=why, screening=NOBODY, resumed=0.0)
        return parting, (*before, deeds.Whisper(self.human, (self._says(words),)))

    def _while_parting(self, event: Event) -> tuple[Self, tuple[Effect, ...]]:
        match event:
            case cues.LegHeard(leg) if leg == self.human:
                return self._over(self.why, deeds.Drop(self.human))
            case cues.LegLeft(leg) | cues.LegFailed(leg) if leg == self.human:
                return self._over(self.why)
            case cues.LegAnswered(leg) if leg != self.human:
                return self, (deeds.Drop(leg),)
            case cues.Offered():
                return self, self._back(event)
            case cues.Resumed(legs):
                return self._over(self.why, *(deeds.Drop(leg) for leg in sorted(legs)))
        return self, ()

    # Once they talk.

    def _while_talking(self, event: Event, now: float) -> tuple[Self, tuple[Effect, ...]]:
        match event:
            case cues.LegSaid(leg, text) if leg == self.screening.leg and self._may_enter and no_more_calls(text):
                return self._entering()
            case cues.LegKey(leg, "*") if leg == self.human:
                return replace(self, star=now + codes.HELD), ()
            case cues.LegKey(leg, key) if leg == self.human:
                asks = now < self.star and key == codes.NO_CALLS
                plain = replace(self, star=0.0)
                return plain._entering() if asks else (plain, ())
            case cues.NoCalls() if self.resumed:
                return self, ()  # nobody could be told yet: it is done once more when both are there
            case cues.NoCalls(entered):
                said = word(MenuWord.NO_CALLS if entered else MenuWord.NO_CALLS_FAILED, self.language)
                return replace(self, entry=entry(entered)), (deeds.Announce(said),)
            case cues.LegSaid() | cues.LegSounds():
                screening, machine = self.screening.on(event, now)
                heard = replace(self, screening=screening)
                return heard._machine(now, drop=True) if machine else (heard, ())
            case cues.LegLeft(leg) | cues.LegFailed(leg) if leg == CALLEE and self.screening.suspect:
                return self._machine(now)
            case cues.LegLeft(leg) | cues.LegFailed(leg) if leg == self.human and self.screening.suspect:
                return self._over(f"the callee wasn't reached: {Tried.MACHINE}", _APART, deeds.Drop(CALLEE))
            case cues.LegLeft(leg) | cues.LegFailed(leg) if leg in (self.human, CALLEE):
                return self._parted(frozenset({leg}))
            case cues.LegAnswered(leg) if leg in (self.human, CALLEE):
                again = self.again | {leg}
                both = again >= {self.human, CALLEE}
                there = replace(self, again=frozenset() if both else again, resumed=0.0 if both else self.resumed)
                connected = (deeds.Connect(self.human), *self.screening.heard(), *self._entered)
                return there, connected if both and self.resumed else ()
            case cues.LegAnswered(leg):
                return self, (deeds.Drop(leg),)
            case cues.Offered():
                return self, self._back(event)
            case cues.Resumed(legs):
                drops = (deeds.Drop(leg) for leg in sorted(legs - {self.human, CALLEE}))
                return replace(self, resumed=now + RESUME_WITHIN, again=frozenset()), (
                    *drops,
                    deeds.Exit(self.act.team),
                    *self._entered,
                )
        return self, ()

    @property
    def _may_enter(self) -> bool:
        return self.entry in (Entry.NONE, Entry.FAILED)

    def _entering(self) -> tuple[Self, tuple[Effect, ...]]:
        """The callee is never to be called again, as they have said, or the human for them."""
        asked = replace(self, entry=Entry.ASKED)
        return asked, asked._entered

    @property
    def _entered(self) -> tuple[Effect, ...]:
        """What is still to be done about it."""
        return (deeds.NeverCall(),) if self.entry is Entry.ASKED else ()

    def _machine(self, now: float, *, drop: bool = False) -> tuple[Self, tuple[Effect, ...]]:
        """A machine has answered: nobody was reached, and the human, who talks with nobody any more, is told so."""
        parting, effects = self._unreached(Tried.MACHINE, now, drop=drop)
        return parting, (_APART, *effects)

    def _parted(self, gone: frozenset[str]) -> tuple[Self, tuple[Effect, ...]]:
        """One of the two has hung up, or isn't there any more."""
        left = sorted({self.human, CALLEE} - gone)
        over = replace(self, stage=Stage.OVER, why=TALKED.reason, resumed=0.0, screening=NOBODY)
        return over, (*(deeds.Drop(leg) for leg in left), self._free(took=True), deeds.Finish(over._outcome))

    # In the end.

    def _over(self, why: str, *drops: Effect) -> tuple[Self, tuple[Effect, ...]]:
        over = replace(self, stage=Stage.OVER, why=why)
        return over, (*drops, self._free(took=False), deeds.Finish(over._outcome))

    def _while_over(self, event: Event) -> tuple[Self, tuple[Effect, ...]]:
        match event:
            case cues.Resumed(legs):
                drops = (deeds.Drop(leg) for leg in sorted(legs))
                return self, (*drops, *self._freed, deeds.Finish(self._outcome))
            case cues.LegAnswered(leg):
                return self, (deeds.Drop(leg),)
            case cues.Offered():
                return self, self._back(event)
        return self, ()

    @property
    def _outcome(self) -> Over:
        return TALKED if self.why == TALKED.reason else Over(self.why)

    @property
    def _freed(self) -> tuple[Effect, ...]:
        if self.human:
            return (deeds.Exit(self.act.team), self._free(took=self.why == TALKED.reason))
        return (deeds.Exit(self.act.team), *(self.asking.release(name) for name in self.asking.lost))

    def _free(self, *, took: bool) -> deeds.Release:
        return deeds.Release(self.act.team, self.asking.talks_with, took=took)

    def _back(self, offered: cues.Offered) -> tuple[Effect, ...]:
        """Reserved just before the line was left."""
        names = (one.name for one in offered.callees if one.name != self.asking.talks_with)
        return tuple(self.asking.release(name) for name in names)

    def _says(self, which: RecallWord) -> str:
        return word(which, self.language)
