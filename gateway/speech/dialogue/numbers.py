"""Numbers in what people say: amounts in words and figures, and strings of digits. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.terms.english import SMALL, TENS

_UNITS = {word: number for number, word in enumerate(SMALL)}
_TENS = {word: 10 * number for number, word in enumerate(TENS) if number > 1}
_SCALES = {"hundred": 100, "thousand": 1000, "k": 1000, "grand": 1000, "million": 1_000_000, "billion": 10**9}
_ROUND = {"dozen": 12, "couple": 2}
_DIGITS = {**{word: str(value) for word, value in _UNITS.items() if value < 10}, "oh": "0", "o": "0"}
_REPEAT = {"double": 2, "triple": 3}
_FIGURES = re.compile(r"\d[\d,]*(?:\.\d+)?k?$")


def amount(words: Sequence[str]) -> int | None:
    """The first amount in the words: "about fifty thousand dollars" is 50000. None when there is none."""
    for start in range(len(words)):
        if (found := _from(words[start:])) is not None:
            return found
    return None


def digits(words: Sequence[str]) -> str:
    """The longest run of digits: "it's four one double seven" is "4177"; figures count digit by digit."""
    best = run = ""
    times = 1
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word in _REPEAT:
            times = _REPEAT[word]
            continue
        if word in _DIGITS or word.isdecimal():
            run += _DIGITS.get(word, word) * times
        elif word in _TENS and 0 < _UNITS.get(following, 0) < 10:
            run += str(_TENS[word] // 10)
        elif word in _UNITS or word in _TENS:
            run += str(_UNITS.get(word, _TENS.get(word)))
        else:
            run = ""
        times = 1
        best = max(best, run, key=len)
    return best


def _from(words: Sequence[str]) -> int | None:
    """The amount that begins with the first word."""
    total = current = 0
    seen = False
    for place, word in enumerate(words):
        if _FIGURES.match(word) and not seen:
            current, seen = _figures(word), True
        elif word in _UNITS and not (seen and current % 10 and current % 100):
            current, seen = current + _UNITS[word], True
        elif word in _TENS:
            current, seen = current + _TENS[word], True
        elif word == "half" and _next(words, place) == "million":
            return total + 500_000
        elif word in _ROUND:
            return max(1, current) * _ROUND[word]
        elif word in _SCALES and (seen or _SCALES[word] <= 10**9):
            if not seen and place and words[place - 1] not in ("a", "an"):
                return None
            scale = _SCALES[word]
            if scale == 100:
                current = max(1, current) * scale
            else:
                total, current = total + max(1, current) * scale, 0
            seen = True
        elif word not in ("a", "an", "and") or (not seen and word == "and") or word in ("a", "an") and seen:
            break
    return total + current if seen else None


def _figures(word: str) -> int:
    thousand = 1000 if word.endswith("k") else 1
    return int(float(word.rstrip("k").replace(",", "")) * thousand)


def _next(words: Sequence[str], place: int) -> str:
    rest = [word for word in words[place + 1 :] if word != "a"]
    return rest[0] if rest else ""
