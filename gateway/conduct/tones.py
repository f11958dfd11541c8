"""Tones the house makes itself. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gateway.conduct.port import Pcm

LEVEL = 8000
"""Peak of all tones together, of 32767."""
_RAMP = 0.005
"""Seconds to fade in and out: a tone that starts at once clicks."""


def tone(frequencies: Sequence[float], seconds: float, rate: int) -> Pcm:
    """Sines together. `frequencies`: Hz."""
    time = np.arange(int(seconds * rate)) / rate
    wave = sum((np.sin(2 * np.pi * frequency * time) for frequency in frequencies), np.zeros(len(time)))
    ramp = np.minimum(1.0, np.minimum(time, seconds - time) / _RAMP)
    return Pcm(rate, (wave * ramp * LEVEL / max(len(frequencies), 1)).astype("<i2").tobytes())


def melody(notes: Sequence[float], seconds: float, rate: int) -> Pcm:
    """Tones one after the other, `seconds` each."""
    return Pcm(rate, b"".join(tone([note], seconds, rate).data for note in notes))


def reorder(rate: int) -> Pcm:
    """The fast busy of North America (480 and 620 Hz, 0.25 s on and off): the call can't go on."""
    beat = tone((480.0, 620.0), 0.25, rate).data + bytes(int(0.25 * rate) * 2)
    return Pcm(rate, beat * 4)
