"""What fits into an SMS. Pure.

A text is sent in segments that the phone puts together again: of 153 characters of GSM's alphabet (3GPP TS 23.038), or of 67 in
UTF-16 where one sign isn't in it. So typographic signs are written plainly; and where there is too much, the longest lines are
cut until all is short enough. A line with a link is never touched.
"""

from __future__ import annotations

SEGMENTS = 6
"""At most, as carriers like it; of texts that GSM's alphabet can't write, WIDE_SEGMENTS: they would hold too little."""
WIDE_SEGMENTS = 9
_SEPTETS, _UNITS = 153, 67
"""Of each segment, without the header that puts them together."""
_CUT = "..."
_PLAIN = str.maketrans({
    "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00ab": '"',
    "\u00bb": '"', "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2026": "...", "\u00a0": " ",
    "\u2009": " ", "\u202f": " ", "\u2022": "-", "\u00b7": "-", "\t": " ", "`": "'", "\u00b4": "'",
})  # fmt: skip
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_TWICE = frozenset("^{}\\[~]|€\f")
"""Signs of GSM's alphabet that take two."""


def fitted(text: str) -> str:
    """The text as it is sent: whole where it fits, else with its longest lines cut, but for those with a link."""
    lines = [line.rstrip() for line in text.translate(_PLAIN).splitlines()]
    low, high = 0, max(map(len, lines), default=0)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if segments(_cut(lines, middle)) <= _most(lines) else (low, middle - 1)
    return _cut(lines, low)


def segments(text: str) -> int:
    """Segments that the text takes, as one of several."""
    return -(-_size(text) // (_SEPTETS if _is_gsm(text) else _UNITS))


def _most(lines: list[str]) -> int:
    return SEGMENTS if _is_gsm("\n".join(lines)) else WIDE_SEGMENTS


def _cut(lines: list[str], longest: int) -> str:
    cut = (line if len(line) <= longest or "://" in line else _short(line, longest) for line in lines)
    return "\n".join(line for line in cut if line)


def _short(line: str, longest: int) -> str:
    return line[: max(longest - len(_CUT), 0)].rstrip() + _CUT[:longest]


def _is_gsm(text: str) -> bool:
    return all(sign in _GSM or sign in _TWICE for sign in text)


def _size(text: str) -> int:
    if not _is_gsm(text):
        return len(text.encode("utf-16-le", "replace")) // 2
    return len(text) + sum(sign in _TWICE for sign in text)
