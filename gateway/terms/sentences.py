"""Numbers, times and variables in the sentences that callers hear, by language. Pure.

A language is one module (gateway.terms.english) and one line of LANGUAGES; whatever isn't there yet is said in English,
as the agents' own lines are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.terms import english


@dataclass(frozen=True, slots=True)
class Language:
    """How a language says things."""

    number: Callable[[int], str]
    """A whole number in words."""
    ordinal: Callable[[int], str]
    """The same as a place in a row."""
    duration: Callable[[float], str]
    """About how long; seconds."""
    when: Callable[[datetime, datetime], str]
    """A time to come (aware, in the zone of whoever is there), as one says it at another; "later" for what is past."""
    later: str
    """When nobody knows the time."""


LANGUAGES: Mapping[str, Language] = {
    "en": Language(english.number, english.ordinal, english.duration, english.when, english.LATER),
}
"""By the first part of a BCP 47 tag."""
_VARIABLE = re.compile(r"\{([^{}]*)\}")


def of(tag: str) -> Language:
    """The language of a BCP 47 tag; English when there is none yet."""
    return LANGUAGES.get(tag.partition("-")[0].lower(), LANGUAGES["en"])


def reopens(at: datetime | None, now: datetime, tag: str) -> str:
    """What `{reopens}` stands for: the time, as one says it now in that language. `at`: None where nobody knows."""
    language = of(tag)
    return language.later if at is None else language.when(at, now)


def variables(template: str) -> list[str]:
    """The names in braces, in order."""
    return [name.strip() for name in _VARIABLE.findall(template)]


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with the values in place of its variables; one that has no value stays as it is written."""
    return _VARIABLE.sub(lambda found: values.get(found[1].strip(), found[0]), template)
