"""A caller whom nobody can take the call of is told so, and called back: on the number they call from, or on one that
they key in where that is withheld. Pure.

| state | ends by | then |
| --- | --- | --- |
| BOOKING | Booked | CLOSING, with words by whether it is booked |
| ASKING | a number that can be called | BOOKING |
| ASKING | no such number, after all tries | CLOSING |
| CLOSING | its words' end | over |
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from gateway.calls.acts.cues import Begun, Book, Booked, Effect, Event, Finish, Heard, Resumed, Say
from gateway.calls.acts.digits import Collector, Gathered, Missed, Rules, Step
from gateway.calls.words import word
from gateway.calls.words.house import HouseWord
from gateway.terms.act import Over, Promise
from gateway.terms.emergency import callable_number
from gateway.terms.number import e164
from gateway.terms.personal import Number

SAID_WITHIN = 30.0
"""Seconds after which words count as heard though nobody told so."""
BOOKED_WITHIN = 5.0
TRIES = 3
"""Numbers that a caller may key in."""


class State(StrEnum):
    """Where the act stands."""

    NEW = "new"
    BOOKING = "booking"
    ASKING = "asking"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Callback:
    """One callback being booked (see gateway.calls.acts.cues.Machine)."""

    reason: str
    own: bool
    """Whether the caller's own number can be called."""
    country: str
    """ISO 3166 code by which the keyed number is read."""
    language: str
    state: State = State.NEW
    asking: Collector | None = None
    """The number that is being keyed in."""
    number: str = field(default="", repr=False)
    tried: int = 0
    until: float | None = None
    ended: str = ""
    """How it has ended, for the record."""
    said: str = ""
    """The last words."""

    @classmethod
    def start(cls, act: Promise, language: str, *, own: bool, country: str) -> Callback:
        """The act before its first event. `language`: BCP 47 tag of the house's words."""
        return cls(act.reason, own, country, language)

    @property
    def deadline(self) -> float:
        """When `due` must be called; infinity for never."""
        return float("inf") if self.until is None else self.until

    def on(self, event: Event, now: float) -> tuple[Callback, tuple[Effect, ...]]:
        """What follows from an event."""
        match self.state, event:
            case State.NEW, Begun() | Resumed():
                return self._book("", now) if self.own else self._ask(HouseWord.WHICH_NUMBER, now)
            case State.BOOKING, Resumed():
                return self._book(self.number, now)
            case State.BOOKING, Booked(done):
                return self._booked(done, now)
            case State.ASKING, _ if self.asking is not None:
                return self._asked(*self.asking.on(event, now), now)
            case State.CLOSING, Heard():
                return replace(self, until=None), (Finish(Over(self.ended)),)
            case State.CLOSING, Resumed() if self.until is not None:  # perhaps the caller has heard nothing of them
                return replace(self, until=now + SAID_WITHIN), (Say(self.said),)
            case State.CLOSING, Resumed():
                return self, (Finish(Over(self.ended)),)
        return self, ()

    def due(self, now: float) -> tuple[Callback, tuple[Effect, ...]]:
        """What follows from the deadline having passed; nothing before it."""
        if now < self.deadline:
            return self, ()
        match self.state:
            case State.ASKING if self.asking is not None:
                return self._asked(*self.asking.due(now), now)
            case State.BOOKING:
                return self._close(HouseWord.NOT_BOOKED, "no callback could be booked", now)
        return replace(self, until=None), (Finish(Over(self.ended)),)

    def _book(self, number: str, now: float) -> tuple[Callback, tuple[Effect, ...]]:
        booking = replace(self, state=State.BOOKING, number=number, asking=None, until=now + BOOKED_WITHIN)
        return booking, (Book(number, self.reason),)

    def _booked(self, done: bool, now: float) -> tuple[Callback, tuple[Effect, ...]]:
        if not done:
            return self._close(HouseWord.NOT_BOOKED, "no callback could be booked", now)
        words = HouseWord.BOOKED if self.number else HouseWord.CALL_BACK
        return self._close(words, "a callback was booked", now)

    def _ask(self, words: HouseWord, now: float) -> tuple[Callback, tuple[Effect, ...]]:
        said = word(HouseWord.WHICH_NUMBER, self.language)
        if words is not HouseWord.WHICH_NUMBER:
            said = f"{word(words, self.language)} {said}"
        collector = Collector(said, self.language, Rules(least=3, most=16), first=10.0, between=4.0, tries=2)
        asking = replace(self, state=State.ASKING, tried=self.tried + 1)
        return asking._asked(*collector.on(Begun(), now), now)

    def _asked(self, collector: Collector, steps: tuple[Step, ...], now: float) -> tuple[Callback, tuple[Effect, ...]]:
        """What the collector says is done; what has ended it is ours to judge."""
        asking = replace(self, asking=collector, until=collector.until)
        effects: list[Effect] = []
        for step in steps:
            match step:
                case Gathered(digits):
                    after, more = asking._judge(digits.reveal(), now)
                    return after, (*effects, *more)
                case Missed():
                    after, more = asking._close(HouseWord.NO_NUMBER, "no number to call back was given", now)
                    return after, (*effects, *more)
                case _:
                    effects.append(step)
        return asking, tuple(effects)

    def _judge(self, keyed: str, now: float) -> tuple[Callback, tuple[Effect, ...]]:
        number = e164(keyed, self.country)
        if number is not None and callable_number(Number(number)):
            return self._book(number, now)
        if self.tried >= TRIES:
            return self._close(HouseWord.NO_NUMBER, "no number to call back was given", now)
        return self._ask(HouseWord.NOT_A_NUMBER, now)

    def _close(self, words: HouseWord, ended: str, now: float) -> tuple[Callback, tuple[Effect, ...]]:
        said = word(words, self.language)
        closing = replace(self, state=State.CLOSING, asking=None, ended=ended, said=said, until=now + SAID_WITHIN)
        return closing, (Say(said),)
