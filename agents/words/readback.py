"""Reading back what must be right to the letter: an e-mail address, a number, a name. Pure.

| the caller | what follows |
| --- | --- |
| says yes, or presses 1 | it is CONFIRMED, as it was last read back |
| spells it, keys it in, or corrects a letter ("B as in bravo, not D", "the third letter is B", "the last four are …") | it is read back anew, slower |
| says no, or presses 2 | they are asked to spell it |
| says it isn't needed ("skip") | it is LEFT, as it is, not confirmed |
| says something else | it is read back once more |

Two failures – a no to what was spelled anew, something that can't be understood – lead to a PERSON, and so does what is
corrected again and again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gateway.terms import spelling

FAILURES = 2
"""After which a person is to help."""
ROUNDS = 6
"""Times that one thing is read back at the most."""


class Exact(StrEnum):
    """What is read back."""

    NAME = "name"
    EMAIL = "email"
    NUMBER = "number"


class Then(StrEnum):
    """What comes next."""

    ASK = "ask"
    """`say` is said, and the caller answers."""
    CONFIRMED = "confirmed"
    LEFT = "left"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Readback:
    """One thing that is being read back. Begin with `begun`."""

    kind: Exact
    noun: str
    """"your email address"."""
    value: str = field(repr=False)
    spelling: bool = False
    """Whether they were asked to spell it; else whether it is right."""
    failures: int = 0
    rounds: int = 1
    then: Then = Then.ASK

    @property
    def say(self) -> str:
        """What the caller is told now; "" once it is over."""
        if self.then is not Then.ASK:
            return ""
        if self.spelling:
            return _SPELL[self.kind]
        return f"I have {read_out(self.kind, self.value, slow=self.rounds > 1)}. {RIGHT}"

    def heard(self, said: str) -> Readback:
        """The caller has said something."""
        words = spelling.tokens(said)
        text = " ".join(words)
        if re.search(_SKIP, text):
            return replace(self, then=Then.LEFT)
        corrected = _corrected(self, words)
        if corrected is not None and corrected != self.value:
            return self._anew(corrected)
        if not self.spelling and re.search(_YES, text) or (self.spelling and corrected == self.value):
            return replace(self, then=Then.CONFIRMED)
        if not self.spelling and re.search(_NO, text):
            return self._refused()
        return self._failed()

    def keyed(self, digits: str) -> Readback:
        """The caller has keyed something in."""
        if self.kind is Exact.NUMBER and len(digits) >= _LEAST_DIGITS:
            return self._anew(digits)
        if digits == "1" and not self.spelling:
            return replace(self, then=Then.CONFIRMED)
        return self._refused() if digits == "2" and not self.spelling else self._failed()

    def _refused(self) -> Readback:
        """They say no to what was read back: the first time they are asked to spell it, the second it has failed."""
        failed = replace(self, failures=self.failures + 1, spelling=True)
        return replace(failed, then=Then.PERSON) if failed.failures >= FAILURES else failed

    def _failed(self) -> Readback:
        failed = replace(self, failures=self.failures + 1)
        return replace(failed, then=Then.PERSON) if failed.failures >= FAILURES else failed

    def _anew(self, value: str) -> Readback:
        told = replace(self, value=value, spelling=False, rounds=self.rounds + 1)
        return replace(told, then=Then.PERSON) if told.rounds > ROUNDS else told


RIGHT = "Is that right? Say yes or no, or press 1 or 2."
_SPELL = {
    Exact.NAME: "Please spell it letter by letter. You can say, for example, B as in bravo.",
    Exact.EMAIL: "Please spell the whole address, letter by letter. You can say, for example, B as in bravo.",
    Exact.NUMBER: "Please key in the number, then press the hash key, or say it digit by digit.",
}
_YES = r"^(?:yes|yep|yeah|yup|ya|sure|correct|right|exactly|absolutely|okay|ok|perfect|that's (?:right|it|correct)|it is)\b"
_NO = r"\b(?:no|nope|nah|not|wrong|incorrect|isn't)\b"
_SKIP = r"^(?:skip|never mind|forget it|leave it|it doesn't matter)\b"
_LEAST_DIGITS = 7
_ORDINALS = {word: place for place, word in enumerate(
    ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"])}  # fmt: skip
_AFFIRMING = re.compile(_YES)


def begun(kind: Exact, noun: str, value: str) -> Readback:
    """Begin to read a value back."""
    return Readback(kind, noun, value.strip())


def read_out(kind: Exact, value: str, *, slow: bool = False) -> str:
    """A value as it is read back, in groups. `slow`: with a word for each letter."""
    match kind:
        case Exact.NUMBER:
            return spelling.digits(value)
        case Exact.EMAIL:
            return spelling.address(value, slow=slow)
        case Exact.NAME:
            return f"{value}, that is {spelling.letters(value, slow=slow)}"


def _corrected(one: Readback, words: Sequence[str]) -> str | None:
    """The value as the caller corrects it; None when they don't."""
    if _AFFIRMING.match(" ".join(words)) and len(words) <= 2:
        return None
    match one.kind:
        case Exact.NUMBER:
            return _number(one.value, words)
        case Exact.EMAIL:
            return _swapped(one, words) or spelling.email(_told(words)) or _email_part(one.value, words)
        case Exact.NAME:
            return _swapped(one, words) or _name(words)


def _number(value: str, words: Sequence[str]) -> str | None:
    if "last" in words:
        rest = list(words[words.index("last") + 1 :])
        said = spelling.number(rest[1:] if rest[1:2] and rest[1] in {"are", "is", "digits", "numbers"} else rest)
        plain = re.sub(r"\D", "", value)
        kept = plain[: -len(said)] if 2 <= len(said) < len(plain) else ""
        return f"{'+' * value.startswith('+')}{kept}{said}" if kept else None
    said = spelling.number(words)
    return said if len(said) >= _LEAST_DIGITS else None


_AFTER_NO = re.compile(r"^(?:no|nope|nah|wrong|it's|its|it is|that's wrong|sorry)$")


def _told(words: Sequence[str]) -> list[str]:
    """The words without those that only lead to what follows."""
    rest = list(words)
    while rest and (
        _AFTER_NO.match(rest[0]) or rest[0] in {"is", "my", "the", "email", "address", "name", "should", "be"}
    ):
        rest = rest[1:]
    return rest


def _email_part(value: str, words: Sequence[str]) -> str | None:
    """The part before the @, or after it, spelled anew."""
    local, _, domain = value.partition("@")
    rest = _told(words)
    if rest[:1] == ["at"] and (whole := spelling.email(["x", *rest])):
        return f"{local}@{whole.partition('@')[2]}"
    found = spelling.spelled(rest)
    if not found or len(found) < 2 or not domain:  # one letter says not where it belongs
        return None
    return f"{found}@{domain}" if "@" not in found else None


def _name(words: Sequence[str]) -> str | None:
    found = spelling.spelled(_told(words))
    return " ".join(part.capitalize() for part in found.split()) if found and len(found.replace(" ", "")) >= 2 else None


def _swapped(one: Readback, words: Sequence[str]) -> str | None:
    """One letter put right: "B as in bravo, not D", "not D but B", "the third letter is B"."""
    value, rest = one.value, list(words)
    if rest and rest[0] == "no":
        rest = rest[1:]
    for place, word in enumerate(rest):
        if word in _ORDINALS and "letter" in rest:
            right = spelling.spelled([each for each in rest[place + 1 :] if each not in {"letter", "should", "be"}])
            at = _ORDINALS[word]
            if right and len(right) == 1 and at < len(value):
                return _put(value, at, right)
    if "not" not in rest:
        return None
    at = rest.index("not")
    before, after = rest[:at], rest[at + 1 :]
    if "but" in after:
        before, after = after[after.index("but") + 1 :], after[: after.index("but")]
    right, wrong = spelling.spelled(before or ["?"]), spelling.spelled(after or ["?"])
    if right and wrong and len(right) == len(wrong) == 1 and value.lower().count(wrong) == 1:
        return _put(value, value.lower().index(wrong), right)
    return None


def _put(value: str, at: int, letter: str) -> str:
    return value[:at] + (letter.upper() if value[at].isupper() else letter) + value[at + 1 :]
