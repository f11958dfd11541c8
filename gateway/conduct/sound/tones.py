"""Tones the house makes itself. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from gateway.conduct.sound.ringback import Cadence
from gateway.conduct.talk.port import Pcm

LEVEL = 8000
"""Peak of all tones together, of 32767."""
_RAMP = 0.005
"""Seconds to fade in and out: a tone that starts at once clicks."""
RINGING = 6000
"""Peak of the ringing: a caller may listen to it for half a minute."""
MOMENT = 2500
"""Peak of the notes that fill a moment."""
BEEP = (1000.0, 0.4)
"""Hz and seconds of the tone after which a message is spoken."""
COMFORT = -58.0
"""dBFS of the noise that tells a waiting caller that the line isn't dead."""


def tone(frequencies: Sequence[float], seconds: float, rate: int, level: float = LEVEL) -> Pcm:
    """Sines together. `frequencies`: Hz. `level`: their peak."""
    time = np.arange(int(seconds * rate)) / rate
    wave = sum((np.sin(2 * np.pi * frequency * time) for frequency in frequencies), np.zeros(len(time)))
    ramp = np.minimum(1.0, np.minimum(time, seconds - time) / _RAMP)
    return Pcm(rate, (wave * ramp * level / max(len(frequencies), 1)).astype("<i2").tobytes())


def melody(notes: Sequence[float], seconds: float, rate: int) -> Pcm:
    """Tones one after the other, `seconds` each."""
    return Pcm(rate, b"".join(tone([note], seconds, rate).data for note in notes))


def reorder(rate: int) -> Pcm:
    """The fast busy of North America (480 and 620 Hz, 0.25 s on and off): the call can't go on."""
    beat = tone((480.0, 620.0), 0.25, rate).data + bytes(int(0.25 * rate) * 2)
    return Pcm(rate, beat * 4)


@lru_cache(maxsize=4)
def ringing(cadence: Cadence, rate: int) -> Pcm:
    """One beat of a country's ringing; play it again and again."""
    on, off = cadence.beat[::2], cadence.beat[1::2]
    sounds = (tone(cadence.frequencies, seconds, rate, RINGING).data for seconds in on)
    return Pcm(rate, b"".join(sound + bytes(2 * round(rest * rate)) for sound, rest in zip(sounds, off, strict=True)))


@lru_cache(maxsize=4)
def beep(rate: int) -> Pcm:
    """Speak after the tone."""
    frequency, seconds = BEEP
    return tone((frequency,), seconds, rate)


@lru_cache(maxsize=4)
def moment(rate: int) -> Pcm:
    """Two soft notes: somebody is there and speaks in a moment."""
    return Pcm(rate, tone((330.0,), 0.15, rate, MOMENT).data + tone((392.0,), 0.2, rate, MOMENT).data)


@lru_cache(maxsize=4)
def comfort(rate: int) -> Pcm:
    """A second of faint noise, the same each time; play it again and again."""
    noise = np.random.default_rng(0).normal(0.0, 10 ** (COMFORT / 20) * 32767, rate)
    return Pcm(rate, np.rint(noise).astype("<i2").tobytes())
