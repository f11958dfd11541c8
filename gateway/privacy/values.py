"""Named values in loose text, `key="…"`, `'key': […]`, `key: …`, escaped JSON too, judged by their names. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.privacy.fields import Field, field

_KEY = re.compile(r"(?<![\w.])(?P<key>[A-Za-z_][\w.-]*+)\\*+[\"']?+\s*+(?:=(?!=)|:(?![:/]))\s*+")
_PLAIN = re.compile(r"(?:-?\d{1,4}(?:\.\d+)?|None|null|[Tt]rue|[Ff]alse)(?![\w.])")
_AFTER_PLAIN = ",;:)}] \t\n"
_MASK = re.compile(r"\\*[\"']?(?:<words>|<digits>|<secret>)\\*[\"']?")
_MEASURE = re.compile(r"-?\d[\d.:-]*")
_NEXT_FIELD = re.compile(r"\s[A-Za-z_][\w.-]*=|[\t\n]")
_SECRET_END = re.compile(r"[&\n\t,;]")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"|\'(?:[^\'\\]|\\.)*+\'', re.DOTALL)
_ESCAPED_QUOTE = re.compile(r"\\+[\"']")
_BRACKET = re.compile(r'[\[\]{}()]|"(?:[^"\\]|\\.)*+"|\'(?:[^\'\\]|\\.)*+\'', re.DOTALL)


def mask_values(text: str) -> Iterator[tuple[str, bool]]:
    """`text` in parts: (part, True) is final, a mask or a measurement; (part, False) is yet to be searched."""
    done = 0
    found = _KEY.search(text) if "=" in text or ":" in text else None
    while found:
        start, kind = found.end(), field(found["key"])
        end = _value_end(text, start, kind)
        if end > start:
            yield text[done:start], False
            value = text[start:end]
            yield (value if kind is Field.MEASURE or _MASK.fullmatch(value) else kind.value), True
            done = end
        found = _KEY.search(text, end)
    yield text[done:], False


def _value_end(text: str, start: int, kind: Field) -> int:
    """Where the value that begins at `start` ends; `start` when it is none to mask or to keep."""
    if kind is Field.TEXT or start >= len(text):
        return start
    if kind is Field.MEASURE:
        measure = _MEASURE.match(text, start)
        return measure.end() if measure else start
    plain = _PLAIN.match(text, start) if kind is Field.WORDS else None
    if plain and text[plain.end() : plain.end() + 1] in _AFTER_PLAIN:
        return start
    if whole := _MASK.match(text, start) or _QUOTED.match(text, start):
        return whole.end()
    if mark := _ESCAPED_QUOTE.match(text, start):
        return _escaped_end(text, mark)
    return _balanced_end(text, start) if text[start] in "[{(" else _bare_end(text, start, kind)


def _escaped_end(text: str, mark: re.Match[str]) -> int:
    # A quote within the value has more backslashes than the one that ends it.
    closing = re.compile(r"(?<!\\)" + re.escape(mark[0])).search(text, mark.end())
    return closing.end() if closing else len(text)


def _bare_end(text: str, start: int, kind: Field) -> int:
    following = (_SECRET_END if kind is Field.SECRET else _NEXT_FIELD).search(text, start)
    return following.start() if following else len(text)


def _balanced_end(text: str, start: int) -> int:
    depth = 0
    for found in _BRACKET.finditer(text, start):
        if found[0] in "[{(":
            depth += 1
        elif found[0] in "]})":
            depth -= 1
            if depth == 0:
                return found.end()
    return len(text)
