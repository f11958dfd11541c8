"""What is spoken how: text cut into pieces that can be spoken one by one, and the voices' names. Pure."""

from __future__ import annotations

import re

VOICES = {
    "alloy": "slt", "ash": "rms", "ballad": "rms", "cedar": "rms", "coral": "slt", "echo": "rms", "fable": "awb",
    "marin": "slt", "nova": "slt", "onyx": "rms", "sage": "slt", "shimmer": "slt", "verse": "rms",
    "slt": "slt", "rms": "rms", "awb": "awb", "kal16": "kal16",
}  # fmt: skip
"""OpenAI's names and flite's own → flite's voice."""
FIRST = 60
"""Characters from which the first piece is cut at a comma too, so that speech begins soon."""
LONGEST = 300
"""Characters of a piece; a longer sentence is cut at a space."""

_SENTENCE = re.compile(r"(?<=[.!?…])[\"')\]]*\s+|\n+")
_CLAUSE = re.compile(r"(?<=[,;:–])\s+")


def pieces(text: str) -> list[str]:
    """The text in pieces, in order: sentences, the first one shorter if it is long."""
    found = [part.strip() for part in _SENTENCE.split(text)]
    sentences = [short for part in found if _speakable(part) for short in _short(part)]
    if sentences and len(sentences[0]) > FIRST:
        head, *rest = _CLAUSE.split(sentences[0], maxsplit=1)
        if rest and _speakable(head) and _speakable(rest[0]):
            sentences[:1] = [head, rest[0]]
    return sentences


def _short(sentence: str) -> list[str]:
    parts = []
    while len(sentence) > LONGEST:
        cut = sentence.rfind(" ", 0, LONGEST)
        cut = cut if cut > 0 else LONGEST
        parts.append(sentence[:cut])
        sentence = sentence[cut:].strip()
    return [*parts, sentence]


def _speakable(text: str) -> bool:
    return any(sign.isalnum() for sign in text)
