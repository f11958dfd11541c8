"""A caller whom nobody can take the call of is told so, and called back: on the number they call from, or on one that
they key in where that is withheld. Pure.

| state | ends by | then |
| --- | --- | --- |
| OFFERING | a key of one of the times, or none in time | BOOKING |
| BOOKING | Booked | CLOSING, with words by whether it is booked |
| ASKING | a number that can be called | OFFERING, where there are times to choose from, else BOOKING |
| ASKING | no such number, after all tries | CLOSING |
| CLOSING | its words' end | over |
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from gateway.callbacks.said import told
from gateway.callbacks.times import choices, clock_of, zones_of
from gateway.calls.acts.cues import Begun, Booked, Event, Heard, Key, Resumed
from gateway.calls.acts.deeds import Book, Effect, Finish, Hush, Say
from gateway.calls.acts.digits import Collector, Gathered, Missed, Rules, Step
from gateway.calls.words import word
from gateway.calls.words.house import HouseWord
from gateway.terms.act import Over, Promise
from gateway.terms.callback import ANYBODY, Terms
from gateway.terms.emergency import callable_number
from gateway.terms.number import e164
from gateway.terms.personal import Number

CHOOSE_WITHIN = 8.0
"""Seconds to choose a time, once all of them were said; then it is the first."""
SAID_WITHIN = 30.0
"""Seconds after which words count as heard though nobody told so."""
BOOKED_WITHIN = 5.0
TRIES = 3
"""Numbers that a caller may key in."""


class State(StrEnum):
    """Where the act stands."""

    NEW = "new"
    OFFERING = "offering"
    BOOKING = "booking"
    ASKING = "asking"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Callback:
    """One callback being booked (see gateway.calls.acts.machine.Machine)."""

    reason: str
    own: bool
    """Whether the caller's own number can be called."""
    country: str
    """ISO 3166 code by which the keyed number is read."""
    language: str
    terms: Terms = ANYBODY
    """When somebody can call."""
    caller: str = field(default="", repr=False)
    """The caller's own number, where it is known."""
    state: State = State.NEW
    asking: Collector | None = None
    """The number that is being keyed in."""
    number: str = field(default="", repr=False)
    offers: tuple[tuple[float, str], ...] = ()
    """The times that may be chosen, the first by key 1, each as it is told; "" for now."""
    chosen: int = 0
    """The key that chose one; 0 for none."""
    tried: int = 0
    until: float | None = None
    ended: str = ""
    """How it has ended, for the record."""
    said: str = ""
    """The last words."""

    @classmethod
    def start(cls, act: Promise, language: str, *, own: bool, country: str, caller: str = "") -> Callback:
        """The act before its first event. `language`: BCP 47 tag of the house's words; `caller`: their number."""
        return cls(act.reason, own, country, language, act.terms, caller)

    @property
    def deadline(self) -> float:
        """When `due` must be called; infinity for never."""
        return float("inf") if self.until is None else self.until

    def on(self, event: Event, now: float) -> tuple[Callback, tuple[Effect, ...]]:
        """What follows from an event."""
        match self.state, event:
            case State.NEW, Begun() | Resumed():
                return self._offer("", now) if self.own else self._ask(HouseWord.WHICH_NUMBER, now)
            case State.OFFERING, Key(key) if key in "123"[: len(self.offers)]:
                return replace(self, chosen=int(key))._book(self.number, now, Hush())
            case State.OFFERING, Heard():
                return replace(self, until=now + CHOOSE_WITHIN), ()
            case State.OFFERING, Resumed():
                return self._offer(self.number, now)
            case State.BOOKING, Resumed():
                return self._book(self.number, now)
            case State.BOOKING, Booked():
                return self._booked(event, now)
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
            case State.OFFERING:
                return self._book(self.number, now)
            case State.BOOKING:
                return self._close(HouseWord.NOT_BOOKED, "no callback could be booked", now)
        return replace(self, until=None), (Finish(Over(self.ended)),)

    def _offer(self, number: str, now: float) -> tuple[Callback, tuple[Effect, ...]]:
        """Let the caller choose a time, where there are several."""
        zones = zones_of(Number(number or self.caller), self.terms.zone)
        times = choices(self.terms, zones, now) if self.terms.team else ()
        if len(times) < 2:
            return self._book(number, now)
        clock = clock_of(zones, self.terms.zone, now)
        offers = tuple((at, "" if at <= now else told(at, now, clock.zone, ours=not clock.theirs)) for at in times)
        said = [word(HouseWord.OFFER, self.language)]
        for key, (_, when) in enumerate(offers, 1):
            which = HouseWord.OFFER_TIME if when else HouseWord.OFFER_SOON
            said.append(word(which, self.language, when=when, key=key))
        said.append(word(HouseWord.OFFER_CONSENT, self.language, whose="that" if number else "this"))
        offering = replace(
            self, state=State.OFFERING, number=number, asking=None, offers=offers, said=" ".join(said),
            until=now + SAID_WITHIN + CHOOSE_WITHIN,
        )  # fmt: skip
        return offering, tuple(Say(text) for text in said)

    def _book(self, number: str, now: float, *before: Effect) -> tuple[Callback, tuple[Effect, ...]]:
        booking = replace(self, state=State.BOOKING, number=number, asking=None, until=now + BOOKED_WITHIN)
        if not self.offers:
            return booking, (*before, Book(number, self.reason))
        at, _ = self.offers[max(self.chosen, 1) - 1]
        consent = f"{self.said} [{self.chosen}]" if self.chosen else ""
        return booking, (*before, Book(number, self.reason, at, consent))

    def _booked(self, booked: Booked, now: float) -> tuple[Callback, tuple[Effect, ...]]:
        if booked.unwanted:
            return self._close(HouseWord.UNWANTED, "the caller's number is never called", now)
        if not booked.done:
            return self._close(HouseWord.NOT_BOOKED, "no callback could be booked", now)
        if self.offers:
            _, when = self.offers[max(self.chosen, 1) - 1]
            which = HouseWord.BOOKED_FOR if when else HouseWord.BOOKED_SOON
            return self._close_with(word(which, self.language, when=when), "a callback was booked", now)
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
            return self._offer(number, now)
        if self.tried >= TRIES:
            return self._close(HouseWord.NO_NUMBER, "no number to call back was given", now)
        return self._ask(HouseWord.NOT_A_NUMBER, now)

    def _close(self, words: HouseWord, ended: str, now: float) -> tuple[Callback, tuple[Effect, ...]]:
        return self._close_with(word(words, self.language), ended, now)

    def _close_with(self, said: str, ended: str, now: float) -> tuple[Callback, tuple[Effect, ...]]:
        closing = replace(self, state=State.CLOSING, asking=None, ended=ended, said=said, until=now + SAID_WITHIN)
        return closing, (Say(said),)
