"""Names, e-mail addresses and numbers letter by letter: how they are read out in groups, and what a caller who spells has
said. Pure. English.

What a recognizer makes of letters is odd: "b as in bravo", "bee", "double s", "at", "dot" and "underscore" are understood,
and of "d as in bravo" the word counts, as the longer sound is heard better.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import phonenumbers

GROUP = 3
"""Letters that are read out in one breath."""
_ALPHABET = [
    "alfa",
    "bravo",
    "charlie",
    "delta",
    "echo",
    "foxtrot",
    "golf",
    "hotel",
    "india",
    "juliett",
    "kilo",
    "lima",
    "mike",
    "november",
    "oscar",
    "papa",
    "quebec",
    "romeo",
    "sierra",
    "tango",
    "uniform",
    "victor",
    "whiskey",
    "xray",
    "yankee",
    "zulu",
]
WORDS = dict(zip("abcdefghijklmnopqrstuvwxyz", _ALPHABET, strict=True))
"""A word for each letter (ICAO)."""
_ALONE = {
    **{word: letter for letter, word in WORDS.items()}, "alpha": "a", "juliet": "j", "whisky": "w", "ex-ray": "x",
}  # fmt: skip
_SOUNDS = {
    "ay": "a", "bee": "b", "be": "b", "see": "c", "sea": "c", "cee": "c", "dee": "d", "ee": "e", "ef": "f", "eff": "f",
    "gee": "g", "aitch": "h", "eye": "i", "jay": "j", "kay": "k", "el": "l", "ell": "l", "em": "m", "en": "n", "oh": "o",
    "pee": "p", "cue": "q", "queue": "q", "ar": "r", "are": "r", "es": "s", "ess": "s", "tee": "t", "tea": "t", "you": "u",
    "vee": "v", "ex": "x", "why": "y", "zee": "z", "zed": "z",
}  # fmt: skip
_DIGITS = {word: str(value) for value, word in enumerate(
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])} | {"for": "4", "to": "2", "too": "2", "won": "1"}  # fmt: skip
_SIGNS = {"dot": ".", "point": ".", "dash": "-", "hyphen": "-", "minus": "-", "underscore": "_", "plus": "+",
          "apostrophe": "'", "space": " "}  # fmt: skip
_SAID = {".": "dot", "-": "dash", "_": "underscore", "+": "plus", "'": "apostrophe", "@": "at", " ": "space"}
_TIMES = {"double": 2, "triple": 3, "treble": 3}
_LIKE = (("as", "in"), ("as",), ("like",), ("for",), ("in",))
_PASSED = frozenset(["and", "then", "it's", "its", "is", "that's", "um", "uh", "the", "letter", "capital", "no", "my", "name",
                     "email", "e-mail", "address", "spelled", "with"])  # fmt: skip
KNOWN = frozenset(["gmail", "yahoo", "hotmail", "outlook", "icloud", "example", "com", "org", "net", "edu", "mail"])
"""Parts of an address that everybody can spell."""


def tokens(said: str) -> list[str]:
    """The words of what was said, lower case; single letters and digits stay words."""
    plain = said.lower().replace("’", "'").replace("double u", "w").replace("double you", "w")
    return re.findall(r"[a-z]+(?:['-][a-z]+)*|\d|[@._+-]", plain)


def spelled(words: Sequence[str], *, digits: bool = False) -> str | None:
    """What the words spell, every one of them; None when one spells nothing. `digits`: "for" and "to" may be digits."""
    out, at, times = "", 0, 1
    while at < len(words):
        word = words[at]
        if word in _TIMES and at + 1 < len(words):
            times, at = _TIMES[word], at + 1
            continue
        found, used = _one(words, at, digits=digits)
        if found is None:
            return None
        out, times, at = out + found * times, 1, at + used
    return out or None


def _one(words: Sequence[str], at: int, *, digits: bool) -> tuple[str | None, int]:
    """What the words at a place spell, and how many of them do."""
    word = words[at]
    for like in _LIKE:
        after = at + 1 + len(like)
        if len(word) <= 4 and tuple(words[at + 1 : after]) == like and len(words) > after and words[after].isalpha():
            return words[after][0], after + 1 - at
    if digits and word in _DIGITS:
        return _DIGITS[word], 1
    if word in _PASSED:
        return "", 1
    if len(word) == 1 and (word.isalnum() or word in "._+-@"):
        return word, 1
    for known in (
        _ALONE,
        _SOUNDS,
        _SIGNS,
        {k: v for k, v in _DIGITS.items() if v and k not in ("for", "to", "too", "won")},
    ):
        if word in known:
            return known[word], 1
    return ("@", 1) if word == "at" else (None, 1)


def email(words: Sequence[str]) -> str | None:
    """The address that the words say, a whole one, in words, letters or both. None when it is none."""
    out, at, times = "", 0, 1
    while at < len(words):
        if words[at] in _TIMES and at + 1 < len(words):
            times, at = _TIMES[words[at]], at + 1
            continue
        found, used = _one(words, at, digits=False)
        out += (words[at] if found is None else found) * times
        times, at = 1, at + used
    return out if re.fullmatch(r"[a-z0-9._+'-]+@[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}", out) else None


def number(words: Sequence[str]) -> str:
    """The digits that the words say; "" for none."""
    out, times = "", 1
    for word in words:
        if word in _TIMES:
            times = _TIMES[word]
            continue
        digit = word if word.isdecimal() else {**_DIGITS, "oh": "0", "o": "0"}.get(word, "")
        out, times = out + digit * times, 1
    return out


def letters(text: str, *, slow: bool = False) -> str:
    """A text as it is spelled out: letters in groups, with a pause between them. `slow`: each with its word."""
    parts: list[str] = []
    for run in re.findall(r"[^\W_]+|.", text):
        if run.isalnum():
            said = [f"{c.upper()} as in {WORDS[c.lower()]}" if slow and c.lower() in WORDS else c.upper() for c in run]
            size = 1 if slow else GROUP
            parts += [" ".join(said[at : at + size]) for at in range(0, len(said), size)]
        else:
            parts.append(_SAID.get(run, run))
    return ", ".join(parts)


def address(text: str, *, slow: bool = False) -> str:
    """An e-mail address as it is read back: what everybody can spell as words, the rest in letters."""
    local, _, domain = text.partition("@")
    parts = [part if part in KNOWN else f"{part}, that is {letters(part, slow=slow)}" for part in domain.split(".")]
    return f"{letters(local, slow=slow)}, at {' dot '.join(parts)}"


def digits(text: str) -> str:
    """A telephone number as it is read back: in the groups that its country writes it in, digit by digit."""
    shown = text
    try:
        parsed = phonenumbers.parse(text, None)
        shown = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        pass
    groups = re.findall(r"\+?\d+", shown)
    if len(groups) == 1 and len(groups[0]) > 4:
        groups = [groups[0][at : at + GROUP] for at in range(0, len(groups[0]), GROUP)]
    return ", ".join(
        " ".join(group.replace("+", "")) if "+" not in group else "plus " + " ".join(group[1:]) for group in groups
    )
