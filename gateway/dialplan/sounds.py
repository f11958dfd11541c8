"""WAV files that stand in a plan in place of words. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from gateway.rtp import wav
from gateway.terms.spoken import LONGEST_SOUND

LARGEST = 32 * 1024 * 1024
"""Bytes: ten minutes of mono at 16 kHz are 19 million, and every version of the plan keeps its files."""
DEFAULT_MUSIC = "default"
_RECIPE = "telephone 1"
"""Part of the address: sound that is prepared in another way is another sound."""


@dataclass(frozen=True, slots=True)
class Sound:
    """One WAV of a plan."""

    address: str
    """`wav:` and a hash of the content: what an act carries in place of words."""
    data: bytes = field(repr=False)
    """The file as it is."""


def names_wav(text: str) -> bool:
    """Whether a text of the plan is the name of a WAV file."""
    return text.casefold().endswith(".wav") and "\n" not in text


def sound_of(data: bytes) -> Sound:
    """The sound. Raises ValueError with what is wrong and the remedy, two sentences."""
    try:
        found = wav.read(data)
    except ValueError as bad:
        raise ValueError(f"can't be played: {bad}. Save it as a PCM WAV file, mono or stereo.") from None
    if found.seconds > LONGEST_SOUND:
        minutes = f"{found.seconds / 60:.0f}"
        raise ValueError(f"lasts {minutes} minutes; at most {LONGEST_SOUND / 60:.0f} are played. Cut it shorter.")
    return Sound(f"wav:{hashlib.sha256(_RECIPE.encode() + data).hexdigest()}", data)
