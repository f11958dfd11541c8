"""The sentences about a caller's place in a line, by language. All of them can be listed, to be rendered ahead. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MOST = 20
"""The last place that is told by its number."""
MINUTES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 30, 45, 60)
"""Waits are told to the nearest of these."""


@dataclass(frozen=True, slots=True)
class Words:
    """One language's sentences; `{}` stands for the number in words."""

    next: str
    place: str
    far: str
    """Beyond MOST."""
    short: str
    """A wait of less than a minute."""
    minute: str
    minutes: str
    hour: str
    """About an hour, or longer."""
    numbers: Mapping[int, str]
    """Those of 2 to MOST and of MINUTES."""


_ENGLISH_NUMBERS = (
    *("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen"),
    *("fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)
_ENGLISH = Words(
    next="You are next in line.",
    place="You are number {} in line.",
    far="There are {} callers or more ahead of you.",
    short="Your wait is less than a minute.",
    minute="Your wait is about one minute.",
    minutes="Your wait is about {} minutes.",
    hour="Your wait is about an hour or longer.",
    numbers=dict(enumerate(_ENGLISH_NUMBERS, start=2)) | {30: "thirty", 45: "forty-five"},
)
_BY_LANGUAGE: Mapping[str, Words] = {"en": _ENGLISH}


def _words(language: str) -> Words:
    return _BY_LANGUAGE.get(language.partition("-")[0].lower(), _ENGLISH)


def place_sentence(position: int, language: str) -> str:
    """Where the caller stands. `position`: 1 for the next. `language`: a BCP 47 tag; English where it isn't known."""
    words = _words(language)
    if position <= 1:
        return words.next
    return words.place.format(words.numbers[position]) if position <= MOST else words.far.format(words.numbers[MOST])


def wait_sentence(wait: float, language: str) -> str:
    """How long it will take. `wait`: seconds, more than 0."""
    words = _words(language)
    if wait < 45:
        return words.short
    minutes = min(MINUTES, key=lambda one: (abs(one - wait / 60), -one))
    if minutes in (1, 60):
        return words.minute if minutes == 1 else words.hour
    return words.minutes.format(words.numbers[minutes])


def sentences(language: str) -> Iterator[str]:
    """Every sentence that `place_sentence` and `wait_sentence` can give."""
    yield from (place_sentence(position, language) for position in range(1, MOST + 2))
    yield from (wait_sentence(seconds, language) for seconds in (1, *(60 * minutes for minutes in MINUTES)))
