"""What a caller wants otherwise than it was noted. Pure."""

from __future__ import annotations

import re

from gateway.speech.dialogue import values
from gateway.speech.dialogue.talk import Talk
from gateway.speech.dialogue.tools import Property
from gateway.speech.dialogue.values import Value


def corrections(talk: Talk, words: str) -> dict[str, Value]:
    """What the caller wants otherwise: told outright, or after naming what it is about."""
    told = dict(values.told(talk.properties, words))
    one = named(talk, words)
    if one is not None and one.name not in told:
        after = re.split(rf"\b(?:{_topics(one)})\b(?: is| was| should be| to)*", words)[-1].strip()
        value = values.answer(one, after) if after else None
        if value is not None:
            told[one.name] = value
    return {name: value for name, value in told.items() if talk.facts.get(name) != value}


def named(talk: Talk, words: str) -> Property | None:
    """The property that the words speak of."""
    return next((one for one in talk.properties if re.search(rf"\b(?:{_topics(one)})\b", words)), None)


def _topics(one: Property) -> str:
    parts = [part for part in one.name.split("_") if part not in ("the", "of")]
    return "|".join(re.escape(part) for part in [" ".join(parts), *parts])
