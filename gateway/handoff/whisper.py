"""What a human who answers hears before they take the call: who is on the line, what they need, what they would pay, why they
come. Short enough to decide by. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.terms.english import number
from gateway.terms.sealed import is_sealed

LONGEST = 10.0
"""Seconds that all of it takes at the most, the choice of keys included."""
_PACE, _PAUSE, _COMMA, _COLON = 16.5, 0.25, 0.15, 0.3
"""Signs a second of a voice that reads, and seconds around each sentence, at each comma and at each colon: as slow as flite's."""
_SPARE = 0.5
"""Seconds that must be left over for the keys to be told whole."""
_DIGITS = re.compile(r"\d[\d,]*")
_LONGEST_COUNT = 9
"""Digits of what is read as one number; more are read one by one."""
_LONGEST_VALUE = 24
"""Words of one fact at the most."""
_SHORTEST_VALUE = 3
"""Words of which at least that many are said, or nothing."""
_LONGEST_LINK = 4
"""Signs of a word that links two parts of a value, at the most: it is cut before such a word."""
_LONGEST_NAME, _LONGEST_SIGNS = 5, 38
"""Words, and what takes as long to say as so many signs, of a name, and of a company: the two of them are said in any case, and leave
time for what the caller needs."""
_SLOW = re.compile(r"[\d,:]")


def seconds_of(text: str) -> float:
    """How long it takes to say about."""
    read = _DIGITS.sub(_in_words, text)
    return len(read) / _PACE + _PAUSE + _COMMA * read.count(",") + _COLON * read.count(":")


def whisper(facts: Mapping[str, object], reason: str, language: str, *, after: str = "") -> tuple[str, ...]:
    """The sentences: what fits, in the order of what helps most to decide. `facts`: the lead's, by their names; what is
    sealed isn't said. `reason`: why the caller is handed over, in a few words; "" for nothing that needs to be said.
    `after`: what is said before them."""
    found = {name: _said(value) for name, value in facts.items()}
    name, company = (_name(found.get(key, "")) for key in ("name", "company"))
    first = (
        HandoffWord.FROM_COMPANY if name and company
        else HandoffWord.FROM if name
        else HandoffWord.OF_COMPANY if company
        else HandoffWord.FROM_NOBODY
    )  # fmt: skip
    who = word(first, language, name=name, company=company)
    left = LONGEST - _seconds((after, who, word(HandoffWord.CHOOSE_BRIEFLY, language)))
    said = (who, *_wanted(found, left, language))
    why = word(HandoffWord.REASON, language, reason=_cut(reason)) if _cut(reason) else ""
    fits = _seconds((after, *said, why, word(HandoffWord.CHOOSE_BRIEFLY, language))) <= LONGEST
    return (*said, why) if why and fits else said


def _wanted(found: Mapping[str, str], left: float, language: str) -> tuple[str, ...]:
    """What they need, and what they would pay: a long need is cut rather than that the budget isn't told."""
    asked = (
        (HandoffWord.NEED, "need", found.get("need", "") or found.get("topic", "")),
        (HandoffWord.PROBLEM, "problem", found.get("problem", "")),
    )
    which, key, need = next((one for one in asked if one[2]), asked[0])
    budget = found.get("budget", "")
    pays = (word(HandoffWord.BUDGET, language, budget=budget),) if budget else ()
    for also in (pays, ()) if need else (pays,):
        rest = left - _seconds(also)
        wants = _fitting(need, rest, lambda cut: word(which, language, **{key: cut}))
        if wants or (not need and rest >= 0):
            return (*wants, *also)
    return ()


def keys_told(said: Sequence[str], language: str) -> str:
    """The keys, to be said after these sentences: in brief where the whole would take too long."""
    whole = word(HandoffWord.CHOOSE, language)
    return whole if _seconds((*said, whole)) <= LONGEST - _SPARE else word(HandoffWord.CHOOSE_BRIEFLY, language)


def _seconds(sentences: Iterable[str]) -> float:
    return sum(seconds_of(one) for one in sentences if one)


def _fitting(value: str, left: float, sentence: Callable[[str], str]) -> tuple[str, ...]:
    """The sentence with as much of the value as there is time for; nothing where that says too little."""
    words = value.split()
    ends = [most for most in range(_SHORTEST_VALUE, len(words)) if _ends(words, most)]
    for most in (len(words), *reversed(ends)) if words else ():
        if seconds_of(said := sentence(_cut(value, most))) <= left:
            return (said,)
    return ()


def _ends(words: Sequence[str], most: int) -> bool:
    """Whether something ends after so many words: a word as short as "for" or "with" begins what follows, and none is last."""
    return len(words[most]) <= _LONGEST_LINK < len(words[most - 1])


def _name(text: str) -> str:
    """What is said of a name."""
    words = _cut(text, _LONGEST_NAME).split()
    while words and seconds_of(" ".join(words)) - _PAUSE > _LONGEST_SIGNS / _PACE:
        words.pop()
    return " ".join(words) or _SLOW.sub("", _cut(text, 1))[:_LONGEST_SIGNS]


def _in_words(found: re.Match[str]) -> str:
    digits = found.group().replace(",", "")
    return number(int(digits)) if len(digits) <= _LONGEST_COUNT else " ".join(number(int(one)) for one in digits)


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
