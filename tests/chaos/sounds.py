"""What on a tape is speech, and where given words are on it. Pure functions of samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.phone.ears import find_like
from gateway.rtp import RATE, Samples
from tests.chaos.judge import Span

_BLOCK = RATE // 25
_SECONDS = _BLOCK / RATE
_STEADY = 15
"""Blocks of 40 ms, alike one another, from which on it is a tone."""
_LEVEL, _SYLLABLES = 3.0, 15.0
"""dB that a tone's level moves at most, and that speech's does within 0.4 s, somewhere in a stretch."""
_WITHIN = 10
"""Blocks of those 0.4 s."""
_LONG = 125
"""Blocks for which nobody speaks with so little change."""
SURE = 0.6
"""Score from which words are surely the reference: more than `LIKE`, since nobody looks at what is told twice."""


def speech(samples: Samples, begun: float, heard: Sequence[Span]) -> list[Span]:
    """Those of the stretches heard, or parts of them, that are words: where ringing stays the same, and music goes on
    and its level moves little, theirs falls and rises with the syllables. `begun`: the time of the first sample."""
    found: list[Span] = []
    for start, end in heard:
        part = samples[max(0, round((start - begun) * RATE)) : round((end - begun) * RATE)]
        steady, loud = _looked_at(part)
        for begin, over in _between(steady):
            if len(loud) < _LONG or _moves(loud[begin + 1 : over - 1]):
                found.append((start + begin * _SECONDS, min(end, start + over * _SECONDS)))
    return found


def _moves(loud: NDArray[np.float64]) -> bool:
    """Whether the level goes up and down as in speech; its beginning and end aren't looked at."""
    if len(loud) <= _WITHIN:
        return bool(len(loud) > _WITHIN // 2 and np.ptp(loud) > _SYLLABLES)
    windows = np.lib.stride_tricks.sliding_window_view(loud, _WITHIN)
    return bool(np.ptp(windows, axis=1).max() > _SYLLABLES)


def _looked_at(samples: Samples) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Of each 40 ms whether it is of a tone, and its level, dB."""
    blocks = samples[: len(samples) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).astype(np.float64)
    power = np.abs(np.fft.rfft(blocks * np.hanning(_BLOCK), axis=1)) ** 2
    loud = 10 * np.log10(np.maximum((blocks**2).mean(axis=1), 1.0))
    steady = np.zeros(len(blocks), np.bool_)
    peaks = power.argmax(axis=1) if len(blocks) else np.zeros(0, np.int64)
    for at in range(len(blocks) - _STEADY + 1):
        run = slice(at, at + _STEADY)
        # Two tones of one strength beat, and either may be the stronger: a few bins are one.
        if np.ptp(peaks[run]) <= 3 and np.ptp(loud[run]) <= _LEVEL:
            steady[run] = True
    return steady, loud


def _between(steady: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The runs that aren't steady."""
    edges = np.flatnonzero(np.diff(np.concatenate([[1], steady.astype(np.int8), [1]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def times(samples: Samples, words: Samples, sure: float = SURE) -> list[float]:
    """When the words begin, each time, in seconds from the first sample."""
    found: list[float] = []
    at = 0.0
    while len(rest := samples[round(at * RATE) :]) > len(words) // 2:
        hit = find_like(rest, words)
        if hit.score < sure:
            break
        found.append(at + hit.start)
        # The best fit may be the second: what lies before it is looked at as well.
        if hit.start > len(words) / RATE:
            found[-1:-1] = [at + each for each in times(rest[: round(hit.start * RATE)], words, sure)]
        at += hit.end
    return found
