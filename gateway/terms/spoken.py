"""What a voice is given: words, and in place of them sounds by their address. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_ADDRESS = re.compile(r"wav:[0-9a-f]{64}")
"""A WAV of the plan, by its content."""
_CUT = re.compile(r"(wav:[0-9a-f]{64})|\n")


def is_sound(text: str) -> bool:
    """Whether the text is the address of a sound."""
    return _ADDRESS.fullmatch(text) is not None


def parts(text: str) -> list[str]:
    """What is said by itself, in order: each line, each address of a sound."""
    return [part.strip() for part in _CUT.split(text) if part and part.strip()]


def pronounced(text: str, pronounce: Mapping[str, str]) -> str:
    """Put the sounds of `pronounce` in place of its words: whole words, in any case, the longest first."""
    if not pronounce:
        return text
    sounds = {word.casefold(): sound for word, sound in pronounce.items()}
    words = "|".join(re.escape(word) for word in sorted(pronounce, key=len, reverse=True))
    return re.sub(rf"(?<!\w)(?:{words})(?!\w)", lambda hit: sounds[hit.group().casefold()], text, flags=re.IGNORECASE)
