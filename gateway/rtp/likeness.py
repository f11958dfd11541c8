"""Speech that is like a reference, whatever its gain and delay, and though jitter buffers and codecs have moved its
pieces a little. Pure.

`find_like` looks through sound as a whole, `Words` through sound that grows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gateway.rtp import RATE, Samples

LIKE = 0.5
"""Score from which speech counts as the reference. Measured: 1.0 through G.711; 0.83 at the least of 34 first words of
the house, with other work on the machine as well; 0.54 where it was so starved that a listener heard gaps. Other words of
the same voice have 0.4 at most, those that begin alike up to 0.8.
"""
WHOLE = 0.6
"""`Found.beginning` from which nothing of the beginning is missing."""

_STEP = RATE // 100
"""10 ms, by which a place is told."""
_PIECE = RATE // 4
"""Samples of the reference that are looked for as a whole."""
_DRIFT = 4
"""Steps (40 ms) by which a piece may lie nearer to the one before it, or farther: jitter buffers on the way stretch and
shorten what they pass on, most of all in the first half second of a stream, which they begin to get to know."""
_MAY_HAVE_BEGUN = 2.0
"""Seconds before the latest whole length of a reference in which it may have begun, stretched."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something that was looked for, in seconds from the samples' beginning; `score` is 0 to 1."""

    start: float
    end: float
    score: float
    beginning: float = 0.0
    """How loud a reference's first eighth of a second is there, beside its whole: as in the reference for 1, cut off for
    0. Measured: 0.95 at the least of the house's first words; 0.7 with their first 100 ms missing, 0 with 160."""


class Words:
    """Speech like a reference that is looked for in sound that grows; nothing is listened to again without need."""

    def __init__(self, reference: Samples) -> None:
        """As in `find_like`."""
        self._spoken = _trimmed(_shaped(reference))
        self._pieces = np.split(self._spoken, range(_PIECE, len(self._spoken) - _PIECE // 2, _PIECE))
        self._loudest = 0.0
        self._best = Found(0.0, 0.0, 0.0)
        self.begin = 0.0
        """Seconds from the beginning of the sound, from which `look` needs it."""

    def look(self, samples: Samples) -> Found:
        """Look at the sound from `begin` on; where it was most like the reference up to now, counted from its
        beginning."""
        if not len(self._spoken):
            return self._best
        heard = _shaped(np.concatenate([samples, np.zeros(len(self._spoken) + _PIECE, np.int16)]))
        running = np.concatenate([[0.0], np.cumsum(heard**2)])
        self._loudest = max(self._loudest, float((running[_PIECE:] - running[:-_PIECE]).max()))
        found = self._most_like(heard, running)
        if found.score > self._best.score:
            self._best = replace(found, start=self.begin + found.start, end=self.begin + found.end)
        self.begin += max(0.0, (len(samples) - len(self._spoken)) / RATE - _MAY_HAVE_BEGUN)
        return self._best

    def _most_like(self, heard: NDArray[np.float64], running: NDArray[np.float64]) -> Found:
        spoken, places = self._spoken, (len(heard) - len(self._spoken)) // _STEP + 1
        weights = np.array([float(np.sqrt(np.sum(piece**2))) for piece in self._pieces])
        fits = _fits(heard, running, self._pieces, self._loudest)
        # The best way to each place of the last piece; with it comes where it has begun.
        total, begun = weights[0] * fits[0], np.arange(len(fits[0]))
        for fit, weight in zip(fits[1:], weights[1:], strict=True):
            total, begun = _onward(total, begun)
            total = total + weight * fit
        total = total[:places] / weights.sum()
        best = int(total.argmax())
        start = int(begun[best]) * _STEP
        beginning = _loudness(heard[start : start + len(spoken)]) / max(_loudness(spoken), 1e-9)
        return Found(start / RATE, (start + len(spoken)) / RATE, max(0.0, float(total[best])), beginning)


def find_like(samples: Samples, reference: Samples) -> Found:
    """Where the samples are most like the reference, by normalised cross-correlation of its pieces, one after the other.

    Gain and delay don't matter, nor that jitter buffers and codecs on the way moved the pieces a little. A score of 0
    comes with samples or a reference that hold nothing.
    """
    return Words(reference).look(samples)


def _loudness(spoken: NDArray[np.float64]) -> float:
    """Of the beginning, beside the whole."""
    whole = float(np.sqrt(np.mean(spoken**2)))
    return float(np.sqrt(np.mean(spoken[: RATE // 8] ** 2))) / max(whole, 1e-9)


def _onward(total: NDArray[np.float64], begun: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The best way to where the next piece is expected, _DRIFT steps off at most."""
    around = np.lib.stride_tricks.sliding_window_view(np.pad(total, _DRIFT), 2 * _DRIFT + 1)
    chosen = np.clip(np.arange(len(total)) + around.argmax(axis=1) - _DRIFT, 0, len(total) - 1)
    return total[chosen], begun[chosen]


def _fits(
    heard: NDArray[np.float64], running: NDArray[np.float64], pieces: Sequence[NDArray[np.float64]], loudest: float
) -> list[NDArray[np.float64]]:
    """Each piece's normalised cross-correlation with what is heard, the best of each 10 ms; counted from where the
    reference's beginning would be. `running`: the energy up to each sample; `loudest`: of all pieces heard by now."""
    size = _fast_size(len(heard) + max(len(piece) for piece in pieces))
    spectrum = np.fft.rfft(heard, size)
    found = []
    for number, piece in enumerate(pieces):
        product = np.fft.irfft(spectrum * np.conj(np.fft.rfft(piece, size)), size)
        own = float(np.sum(piece**2))
        energy = (running[len(piece) :] - running[: -len(piece)]) * own
        # Near-silence fits anything: it has to hold a ten-thousandth of the loudest place's energy.
        fit = product[: len(energy)] / np.sqrt(np.maximum(energy, max(loudest * own * 1e-4, 1.0)))
        best = np.pad(fit, (0, -len(fit) % _STEP)).reshape(-1, _STEP).max(axis=1)
        offset = number * _PIECE // _STEP
        found.append(np.pad(best, (0, offset))[offset:])
    length = min(len(fit) for fit in found)
    return [np.asarray(fit[:length], np.float64) for fit in found]


def _fast_size(least: int) -> int:
    """A size that the fast Fourier transform is fast at: a power of two, or three quarters of one."""
    power = 1 << (least - 1).bit_length()
    return power * 3 // 4 if power * 3 // 4 >= least else power


def _shaped(samples: Samples) -> NDArray[np.float64]:
    """With the highs lifted as speech has them weak, so that words count for more than the voice's pitch."""
    wave = samples.astype(np.float64)
    return np.asarray(np.append(wave[:1], wave[1:] - 0.9 * wave[:-1]), np.float64)


def _trimmed(wave: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without the silence around it."""
    loud = np.flatnonzero(np.abs(wave) > 0.02 * np.abs(wave).max(initial=0.0))
    return wave[loud[0] : loud[-1] + 1] if len(loud) else wave[:0]
