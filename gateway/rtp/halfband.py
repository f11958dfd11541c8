"""Between 8 and 16 kHz, a frame at a time and without a seam: a half-band filter that keeps what both rates can hold.

A frame takes about 20 µs. Sound comes out 1 to 2 ms later than it went in.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gateway.rtp import Samples

_REACH = 23
"""Samples at 16 kHz on each side of the filter's middle."""
_AT = np.arange(-_REACH, _REACH + 1)
_FILTER = (0.5 * np.sinc(_AT / 2) * np.kaiser(2 * _REACH + 1, 6.0)).astype(np.float32)
_FILTER /= _FILTER.sum()
_HELD = 2 * _REACH


class Up:
    """One stream's way from 8 kHz to 16 kHz: twice as many samples."""

    def __init__(self) -> None:
        self._before: NDArray[np.float32] = np.zeros(_HELD, np.float32)

    def __call__(self, samples: Samples) -> Samples:
        """The next samples; any number."""
        spread = np.zeros(_HELD + 2 * len(samples), np.float32)
        spread[:_HELD] = self._before
        spread[_HELD::2] = samples
        self._before = spread[len(spread) - _HELD :]
        return _rounded(2 * np.convolve(spread, _FILTER, "valid"))


class Down:
    """One stream's way from 16 kHz to 8 kHz: half as many samples; nothing above 4 kHz is left."""

    def __init__(self) -> None:
        self._before: NDArray[np.float32] = np.zeros(_HELD, np.float32)

    def __call__(self, samples: Samples) -> Samples:
        """The next samples; an even number."""
        joined = np.concatenate((self._before, samples.astype(np.float32)))
        self._before = joined[len(joined) - _HELD :]
        return _rounded(np.convolve(joined, _FILTER, "valid")[::2])


def _rounded(wave: NDArray[np.float32]) -> Samples:
    return np.clip(np.rint(wave), -32768, 32767).astype(np.int16)
