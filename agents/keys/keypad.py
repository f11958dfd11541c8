"""Keys as they come, gathered into what the caller keyed in. Pure: time is told.

An entry ends on the last digit that its field allows, with #, or when no key came for a while; * begins it anew. `0`
alone means a person, unless a telephone number is being asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agents.definition import DigitField
from gateway.calls.acts.digits import Fault, Rules, is_digit
from gateway.terms.keys import PERSON
from gateway.terms.personal import Digits

PAUSE = 2.0
"""Seconds without a key after which what was keyed in is taken as whole."""
AGAIN = 8.0
"""The same for the first key of a caller who is told to go on with what another job has heard the beginning of."""
NUMBER = DigitField("", "phone number", Rules())
"""What is asked for when the caller is to be called back on another number."""
_ANY = Rules()


@dataclass(frozen=True, slots=True)
class Keyed:
    """An entry that has ended."""

    digits: Digits
    asked: DigitField | None
    """What it is for; None when nothing was asked for."""

    @property
    def fault(self) -> Fault | None:
        """What is wrong with it."""
        return (self.asked.rules if self.asked else _ANY).fault(self.digits.reveal())

    @property
    def person(self) -> bool:
        """Whether the caller wants a person."""
        return self.digits == Digits(PERSON) and self.asked is not NUMBER


@dataclass(frozen=True, slots=True)
class Keypad:
    """What was keyed in so far; `press` and `due` return the entry that has ended, if one has."""

    keys: str = field(default="", repr=False)
    deadline: float = float("inf")
    """When `due` must be called, on the clock that `now` is taken from."""
    asked: DigitField | None = None
    """What the entry is for: what was asked for when it began."""

    def press(self, key: str, now: float, asked: DigitField | None = None) -> tuple[Keypad, Keyed | None]:
        """A key; `asked`: what is being asked for, if anything."""
        if key == "*":
            return Keypad(), None
        if key == "#":
            return Keypad(), self._ended()
        if not is_digit(key):
            return self, None
        begun = self if self.keys else Keypad(asked=asked)
        entered = Keypad(begun.keys + key, now + PAUSE, begun.asked)
        alone = entered.keys == PERSON and begun.asked is None
        if alone or len(entered.keys) >= (begun.asked.rules if begun.asked else _ANY).most:
            return Keypad(), entered._ended()
        return entered, None

    def waiting(self, now: float) -> Keypad:
        """The caller knows what was keyed in so far, and is to go on with it."""
        return replace(self, deadline=now + AGAIN)

    def due(self, now: float) -> tuple[Keypad, Keyed | None]:
        """Time has passed."""
        return (Keypad(), self._ended()) if now >= self.deadline else (self, None)

    def _ended(self) -> Keyed | None:
        return Keyed(Digits(self.keys), self.asked) if self.keys else None


def asked_for(said: Sequence[str], fields: Sequence[DigitField], passed_over: frozenset[str]) -> DigitField | None:
    """Which of the fields the agent asks for: the one that its last question names. `said`: its turns, the newest
    first; `passed_over`: lines of the house that ask for nothing new."""
    last = next((text for text in said if text not in passed_over), "").lower()
    question = last.rpartition("?")[0].rpartition(".")[2] or last
    return next((one for one in fields if one.noun in question), None)
