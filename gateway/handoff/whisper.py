"""What a human who answers hears before they take the call: who is on the line, what they need, what they would pay, why they
come. Short enough to decide by. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.terms.sealed import is_sealed

LONGEST = 10.0
"""Seconds that all of it takes at the most, the choice of keys included."""
_PACE, _PAUSE = 2.9, 0.2
"""Words a second of a voice that reads, and seconds between its sentences: as slow as flite's."""
_LONGEST_VALUE = 12
"""Words of one fact at the most."""
_LONGEST_NAME = 5
"""Words of a name, and of a company: the two of them are said in any case, and leave time for what the caller needs."""


def seconds_of(text: str) -> float:
    """How long it takes to say about."""
    return len(text.split()) / _PACE + _PAUSE


def whisper(facts: Mapping[str, object], reason: str, language: str) -> tuple[str, ...]:
    """The sentences: what fits, in the order of what helps most to decide. `facts`: the lead's, by their names; what is
    sealed isn't said. `reason`: why the caller is handed over, in a few words; "" for nothing that needs to be said."""
    found = {name: _said(value) for name, value in facts.items()}
    name, company = (_cut(found.get(key, ""), _LONGEST_NAME) for key in ("name", "company"))
    first = (
        HandoffWord.FROM_COMPANY if name and company
        else HandoffWord.FROM if name
        else HandoffWord.OF_COMPANY if company
        else HandoffWord.FROM_NOBODY
    )  # fmt: skip
    said = [word(first, language, name=name, company=company)]
    for which, key, value in (
        (HandoffWord.NEED, "need", found.get("need", "") or found.get("topic", "")),
        (HandoffWord.BUDGET, "budget", found.get("budget", "")),
        (HandoffWord.REASON, "reason", _cut(reason)),
    ):
        sentence = word(which, language, **{key: value}) if value else ""
        left = LONGEST - sum(map(seconds_of, (*said, word(HandoffWord.CHOOSE, language))))
        if sentence and seconds_of(sentence) <= left:
            said.append(sentence)
    return tuple(said)


def name_of(facts: Mapping[str, object]) -> str:
    """The caller's name, to be said; "" where it isn't known."""
    return _said(facts.get("name"))


def _said(value: object) -> str:
    if value is None or isinstance(value, bool | Mapping) or is_sealed(value):
        return ""
    return _cut(", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))


def _cut(text: str, most: int = _LONGEST_VALUE) -> str:
    """The beginning of what is too long to be said."""
    words = text.split()
    return " ".join(words[:most]).rstrip(" .,;:!?")
