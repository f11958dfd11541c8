"""Sound at another sample rate."""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.typing import NDArray

from gateway.rtp import RATE

_TAPS = 32
"""Half the length of the filter, in periods of the lower rate."""


def resampled(sound: NDArray[np.float64], rate: int, wanted: int) -> NDArray[np.float64]:
    """The same sound at another sample rate, by a windowed sinc; nothing above half the lower rate is left."""
    if rate == wanted or not len(sound):
        return sound
    divisor = gcd(rate, wanted)
    up, down = wanted // divisor, rate // divisor
    cutoff = 0.95 * min(1.0, wanted / rate)
    reach = int(np.ceil(_TAPS / cutoff))
    offsets = np.arange(1 - reach, reach + 1)
    distance = np.arange(up)[:, None] / up - offsets
    filters = cutoff * np.sinc(cutoff * distance) * (0.5 + 0.5 * np.cos(np.pi * np.clip(distance / reach, -1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(sound, reach), 2 * reach)
    steps = np.arange(len(sound) * up // down) * down
    parts = np.array_split(steps, len(steps) // RATE + 1)
    return np.concatenate([np.einsum("ij,ij->i", windows[part // up + 1], filters[part % up]) for part in parts])
