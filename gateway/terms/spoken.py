"""What a voice is given: words, and in place of them sounds by their address. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_ADDRESS = re.compile(r"wav:[0-9a-f]{64}")
"""A WAV of the plan, by its content."""
LONGEST_SOUND = 600.0
"""Seconds that a WAV of the plan may last."""
_LETTERS = 8.0
"""Letters that a slow voice says in a second."""
_HANGS = 60.0
"""Seconds that a voice may take besides, to begin and to tell that it has ended."""
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")
_CUT = re.compile(r"(wav:[0-9a-f]{64})|\n")


def is_sound(text: str) -> bool:
    """Whether the text is the address of a sound."""
    return _ADDRESS.fullmatch(text) is not None


def parts(text: str) -> list[str]:
    """What is said by itself, in order: each line, each address of a sound."""
    return [part.strip() for part in _CUT.split(text) if part and part.strip()]


def choices(text: str, keys: Collection[str]) -> str:
    """A menu's prompt from the first sentence on that names one of its keys, or is a sound; all of it where none does."""
    lines = parts(text)
    for number, line in enumerate(lines):
        sentences = [line] if is_sound(line) else _SENTENCE.split(line)
        for at, sentence in enumerate(sentences):
            if is_sound(sentence) or any(key in sentence for key in keys):
                return "\n".join((" ".join(sentences[at:]), *lines[number + 1 :]))
    return text


def said_within(text: str) -> float:
    """Seconds after which all of it counts as heard though nobody told so: a voice that hangs mustn't hold the caller,
    nor may one that speaks on be taken for one that hangs."""
    return _HANGS + sum(LONGEST_SOUND if is_sound(part) else len(part) / _LETTERS for part in parts(text))


def pronounced(text: str, pronounce: Mapping[str, str]) -> str:
    """Put the sounds of `pronounce` in place of its words: whole words, in any case, the longest first."""
    if not pronounce:
        return text
    sounds = {word.casefold(): sound for word, sound in pronounce.items()}
    words = "|".join(re.escape(word) for word in sorted(pronounce, key=len, reverse=True))
    return re.sub(rf"(?<!\w)(?:{words})(?!\w)", lambda hit: sounds[hit.group().casefold()], text, flags=re.IGNORECASE)
