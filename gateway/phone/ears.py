"""What was heard: tones, and speech that is like a reference (gateway.rtp.likeness). Pure.

`find_tone` and `find_like` look through sound as a whole, `Tone` and `Words` through sound that grows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gateway.rtp import RATE, Samples
from gateway.rtp.likeness import LIKE, WHOLE, Found, Words, find_like

__all__ = ["LIKE", "WHOLE", "Found", "Tone", "Words", "find_like", "find_tone"]

_BLOCK, _STEP = RATE // 25, RATE // 100
"""40 ms, which tell tones 50 Hz apart, each 10 ms."""
_QUIET = 60.0
"""Root mean square below which nothing is a tone (−55 dBFS)."""
_PURE, _EACH = 0.6, 0.05
"""Share of the energy that the tones must have together, and each of them."""


def find_tone(samples: Samples, frequencies: Sequence[float], seconds: float = 0.06) -> Found | None:
    """The first time that all the frequencies (Hz) sound at once, and little else does, for `seconds`."""
    if len(samples) < _BLOCK:
        return None
    window = np.hanning(_BLOCK).astype(np.float32)
    blocks = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float32), _BLOCK)[::_STEP] * window
    probe = np.exp(-2j * np.pi * np.outer(np.arange(_BLOCK), frequencies) / RATE).astype(np.complex64)
    energy = np.einsum("ij,ij->i", blocks, blocks)
    strength = float(2 * np.sum(window**2) / np.sum(window) ** 2)
    share = strength * np.abs(blocks @ probe) ** 2 / np.maximum(energy, 1.0)[:, None]
    loud = energy > _QUIET**2 * np.sum(window**2)
    hits = loud & (share.sum(axis=1) > _PURE) & (share.min(axis=1) > _EACH)
    least = max(1, -(-round(seconds * RATE - _BLOCK) // _STEP) + 1)
    for begin, end in _runs(hits):
        if end - begin >= least:
            score = min(1.0, float(share[begin:end].sum(axis=1).mean()))
            return Found(begin * _STEP / RATE, ((end - 1) * _STEP + _BLOCK) / RATE, score)
    return None


class Tone:
    """A tone that is looked for in sound that grows; nothing is listened to again without need."""

    def __init__(self, frequencies: Sequence[float], seconds: float = 0.06) -> None:
        """As in `find_tone`."""
        self._frequencies, self._seconds = frequencies, seconds
        self.begin = 0.0
        """Seconds from the beginning of the sound, from which `look` needs it."""

    def look(self, samples: Samples) -> Found | None:
        """Look at the sound from `begin` on; what is found counts from its beginning."""
        found = find_tone(samples, self._frequencies, self._seconds)
        if found is None:  # one that began before is too short, or sounds still
            self.begin += max(0.0, len(samples) / RATE - self._seconds - 2 * _BLOCK / RATE)
            return None
        return replace(found, start=self.begin + found.start, end=self.begin + found.end)


def _runs(hits: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], hits.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
