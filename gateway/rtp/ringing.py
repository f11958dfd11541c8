"""The tone that a caller hears while a phone rings elsewhere (ITU-T E.180): 425 Hz, a second on and four off. Pure."""

from __future__ import annotations

import numpy as np

from gateway.rtp import RATE, Samples

_TONE, _ON, _EVERY = 425.0, 1.0, 5.0
_LEVEL = 6000
_RAMP = 0.005
"""Seconds to fade in and out: a tone that starts at once clicks."""


def ringing(start: int, count: int, rate: int = RATE) -> Samples:
    """`count` samples of it from sample number `start` on, at `rate` samples a second."""
    time = (np.arange(start, start + count) / rate) % _EVERY
    ramp = np.clip(np.minimum(time, _ON - time) / _RAMP, 0.0, 1.0)
    return (_LEVEL * ramp * np.sin(2 * np.pi * _TONE * time)).astype(np.int16)
