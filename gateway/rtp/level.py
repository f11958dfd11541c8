"""Loudness for the telephone: recordings and voices as loud as each other, and never distorted. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gateway.rtp import RATE, Samples

TARGET = -20.0
"""dBFS of what is not silence: what callers' own voices have, on the average (ITU-T P.56's −20 dBm0 or so)."""
PEAK = -3.0
"""dBFS that no sample exceeds."""
MOST = 20.0
"""dB by which something faint is raised: beyond that it would be its noise that is heard."""
_KNEE = -9.0
"""dBFS above which samples are pressed together instead of cut."""
_BLOCK = RATE // 50
_SILENT = 30.0
"""dB below the loudest block at which a block counts as silence."""


def levelled(sound: NDArray[np.float64]) -> Samples:
    """8 kHz samples between −1 and 1 at TARGET, as 16 bit. Silence stays silence."""
    loud = active_level(sound)
    if loud is None:
        return np.zeros(len(sound), np.int16)
    gain = 10 ** (min(TARGET - loud, MOST) / 20)
    return np.rint(_limited(sound * gain) * 32767).astype(np.int16)


def active_level(sound: NDArray[np.float64]) -> float | None:
    """dBFS of the blocks of 20 ms that aren't silence; None when all of them are."""
    whole = np.pad(sound, (0, -len(sound) % _BLOCK)).reshape(-1, _BLOCK)
    power = np.mean(whole**2, axis=1)
    top = float(power.max(initial=0.0))
    if top < 1e-9:  # −90 dBFS: dither
        return None
    return float(10 * np.log10(power[power > top / 10 ** (_SILENT / 10)].mean()))


def _limited(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    knee, peak = 10 ** (_KNEE / 20), 10 ** (PEAK / 20)
    size = np.abs(sound)
    pressed = knee + (peak - knee) * np.tanh((size - knee) / (peak - knee))
    return np.where(size > knee, np.sign(sound) * pressed, sound)
