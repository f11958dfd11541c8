"""The collector of digits: a number that the caller keys in. Pure.

It takes the caller's keys only: who feeds it must have left out what others in the room send (by their identity).

| what happens | what follows |
| --- | --- |
| a digit | silence at once; the last one that fits ends the entry |
| `#`, or no digit for `between` seconds | the entry ends; what can't be is told, and the prompt comes again |
| `*` | what was keyed in is forgotten |
| the caller talks before the first digit, where talking leads somewhere | silence at once, SPEECH |
| nothing for `first` seconds after the prompt | the prompt again |
| another job goes on in the middle | it tells how many digits are known, with those that came while no job listened; the caller keys in the rest |
| either of those that ask again, for the last of `tries` | WRONG or SILENCE |
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from gateway.calls.acts.cues import Begun, Event, Heard, Key, Resumed, Spoke
from gateway.calls.acts.deeds import Hush, Say
from gateway.calls.words import word
from gateway.calls.words.menu import MenuWord
from gateway.errors import OurFault
from gateway.terms.personal import Digits
from gateway.terms.spoken import said_within

LONGEST = 32
"""Digits of one entry, where nobody says."""
CLEARS = 3
"""Times that one try may be begun anew by `*`; more use it up."""
_ASCII = frozenset("0123456789")


class Fault(StrEnum):
    """Why an entry can't be."""

    NONE = "none"
    """There are no digits in it."""
    SHORT = "short"
    RANGE = "range"
    CHECK = "check"
    """Its check digit is wrong (Luhn; ISO/IEC 7812-1, annex B)."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What an entry may be. Raises OurFault when there is none that can be."""

    least: int = 1
    """Digits at the least."""
    most: int = LONGEST
    """Digits at the most: the last of them ends the entry."""
    lowest: int | None = None
    highest: int | None = None
    luhn: bool = False
    """Whether its last digit is a check digit, as a payment card's is."""

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most:
            raise OurFault(f"Digits of {self.least} to {self.most} can't be entered.")
        if self.lowest is not None and self.highest is not None and self.lowest > self.highest:
            raise OurFault(f"No number lies between {self.lowest} and {self.highest}.")

    def fault(self, keys: str) -> Fault | None:
        """What is wrong with an entry that has ended; None when it is whole."""
        if not keys:
            return Fault.NONE
        if len(keys) < self.least:
            return Fault.SHORT
        value = int(keys)
        if (self.lowest is not None and value < self.lowest) or (self.highest is not None and value > self.highest):
            return Fault.RANGE
        return Fault.CHECK if self.luhn and not luhn(keys) else None


def luhn(digits: str) -> bool:
    """Whether the last of the digits is the check digit of those before it."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        double = int(digit) * (1 + place % 2)
        total += double - 9 * (double > 9)
    return total % 10 == 0


def is_digit(key: str) -> bool:
    """Whether the key is one of 0 to 9."""
    return key in _ASCII


class Failure(StrEnum):
    """Why no digits were collected."""

    SILENCE = "silence"
    WRONG = "wrong"
    SPEECH = "speech"


@dataclass(frozen=True, slots=True)
class Gathered:
    """The collector has ended: the digits are whole."""

    digits: Digits


@dataclass(frozen=True, slots=True)
class Missed:
    """The collector has ended without digits."""

    because: Failure


Step = Say | Hush | Gathered | Missed
"""What is to be done; the last two come once, at the end, and again to a job that resumes an ended collector."""

_TOLD = {
    Fault.NONE: MenuWord.NO_DIGITS,
    Fault.SHORT: MenuWord.TOO_SHORT,
    Fault.RANGE: MenuWord.NOT_VALID,
    Fault.CHECK: MenuWord.NOT_VALID,
}
_WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Collector:
    """One entry in progress; `on` and `due` as in gateway.calls.acts.machine, in seconds since the epoch.

    Its fields as JSON carry it from a job that died to the next, in the middle of an entry too.
    """

    say: str
    language: str
    """BCP 47 tag of the house's words."""
    rules: Rules = Rules()
    first: float = 8.0
    """Seconds for the first digit, once the prompt has ended."""
    between: float = 3.0
    """Seconds without another digit that end an entry."""
    tries: int = 3
    speech: bool = False
    """Whether a caller who talks gets somewhere."""
    keys: str = field(default="", repr=False)
    playing: bool = False
    tried: int = 0
    cleared: int = 0
    """Times that this try was begun anew."""
    until: float | None = None
    ended: str = ""

    @property
    def deadline(self) -> float:
        """When `due` must be called; infinity for never."""
        return float("inf") if self.until is None else self.until

    def on(self, event: Event, now: float) -> tuple[Collector, tuple[Step, ...]]:
        """What follows from an event."""
        if self.ended:
            return self, (self._outcome(),) if isinstance(event, Resumed) else ()
        match event:
            case Resumed() if self.keys:
                return self._go_on(now)
            case Begun() | Resumed():
                return self._prompt(now)
            case Key(key, missed=True) if self.keys and is_digit(key) and len(self.keys) + 1 < self.rules.most:
                told, steps = replace(self, keys=self.keys + key)._go_on(now)
                return told, (Hush(), *steps)
            case Key("*"):
                return self._clear(now)
            case Key("#"):
                return self._whole(now)
            case Key(key) if is_digit(key):
                return self._digit(key, now)
            case Spoke() if self.speech and not self.keys:
                return self._end(Failure.SPEECH.value)
            case Heard() if self.playing:
                return replace(self, playing=False, until=now + self.first), ()
        return self, ()

    def due(self, now: float) -> tuple[Collector, tuple[Step, ...]]:
        """What follows from the deadline having passed; nothing before it."""
        if now < self.deadline:
            return self, ()
        if self.playing:
            return replace(self, playing=False, until=now + self.first), ()
        return self._whole(now) if self.keys else self._again(None, Failure.SILENCE, now)

    def _go_on(self, now: float) -> tuple[Collector, tuple[Step, ...]]:
        """Digits that came while no job listened may be lost: the caller is told how many are known."""
        count = len(self.keys)
        said = word(MenuWord.FIRST_DIGITS if count > 1 else MenuWord.FIRST_DIGIT, self.language, count=count)
        return replace(self, playing=True, until=now + said_within(said)), (Say(said),)

    def _digit(self, key: str, now: float) -> tuple[Collector, tuple[Step, ...]]:
        hush = (Hush(),) if self.playing else ()
        entered = replace(self, keys=self.keys + key, playing=False, until=now + self.between)
        if len(entered.keys) < self.rules.most:
            return entered, hush
        after, steps = entered._whole(now)
        return after, (*hush, *steps)

    def _clear(self, now: float) -> tuple[Collector, tuple[Step, ...]]:
        if self.cleared >= CLEARS:
            return self._again(MenuWord.BEGIN_ANEW, Failure.WRONG, now)
        anew = replace(self, keys="", playing=False, cleared=self.cleared + 1, until=now + self.first)
        return anew, (Hush(),) if self.playing else ()

    def _whole(self, now: float) -> tuple[Collector, tuple[Step, ...]]:
        fault = self.rules.fault(self.keys)
        return self._end(_WHOLE) if fault is None else self._again(_TOLD[fault], Failure.WRONG, now)

    def _again(self, told: MenuWord | None, failure: Failure, now: float) -> tuple[Collector, tuple[Step, ...]]:
        """A try is used up; `told`: what was wrong, None for silence."""
        after = replace(self, keys="", tried=self.tried + 1, cleared=0)
        if after.tried >= self.tries:
            return after._end(failure.value)
        prompted, said = after._prompt(now)
        return prompted, (Hush(), Say(word(told, self.language)), *said) if told else said

    def _prompt(self, now: float) -> tuple[Collector, tuple[Step, ...]]:
        return replace(self, playing=True, until=now + said_within(self.say)), (Say(self.say),)

    def _end(self, ended: str) -> tuple[Collector, tuple[Step, ...]]:
        over = replace(self, playing=False, until=None, ended=ended)
        return over, (Hush(), over._outcome())

    def _outcome(self) -> Gathered | Missed:
        return Gathered(Digits(self.keys)) if self.ended == _WHOLE else Missed(Failure(self.ended))
