"""What a caller hears while nobody is there to speak to them, so that the line isn't dead: two soft notes, and again every
two seconds. Pure."""

from __future__ import annotations

import numpy as np

from gateway.rtp import RATE, Samples

_NOTES = ((330.0, 0.0, 0.15), (392.0, 0.15, 0.35))
"""Hz, and from when to when, in seconds."""
_EVERY = 2.0
_LEVEL = 2500
_RAMP = 0.02
"""Seconds to fade in and out."""


def waiting(start: int, count: int, rate: int = RATE) -> Samples:
    """`count` samples of it from sample number `start` on, at `rate` samples a second."""
    time = (np.arange(start, start + count) / rate) % _EVERY
    wave = np.zeros(count)
    for frequency, begins, ends in _NOTES:
        ramp = np.clip(np.minimum(time - begins, ends - time) / _RAMP, 0.0, 1.0)
        wave += ramp * np.sin(2 * np.pi * frequency * time)
    return (_LEVEL * wave).astype(np.int16)
