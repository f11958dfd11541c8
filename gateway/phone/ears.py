"""What was heard: tones, and speech that is like a reference. Pure functions of samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.rtp import RATE, Samples

LIKE = 0.5
"""Score from which speech counts as the reference. Measured: 1.0 through G.711, 0.85 through Opus, 0.6 at the least
where jitter buffers left out and repeated parts; other words of the same voice have 0.3, 0.4 with a sentence in common.
"""

_BLOCK, _STEP = RATE // 25, RATE // 100
"""40 ms, which tell tones 50 Hz apart, each 10 ms."""
_QUIET = 60.0
"""Root mean square below which nothing is a tone (−55 dBFS)."""
_PURE, _EACH = 0.6, 0.05
"""Share of the energy that the tones must have together, and each of them."""
_PIECE = RATE
"""Samples of the reference that are looked for as a whole."""
_DRIFT = 8
"""Steps (80 ms) by which jitter buffers on the way may have moved a piece against the others."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something that was looked for, in seconds from the samples' beginning; `score` is 0 to 1."""

    start: float
    end: float
    score: float


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


def find_like(samples: Samples, reference: Samples) -> Found:
    """Where the samples are most like the reference, by normalised cross-correlation of pieces of a second.

    Gain and delay don't matter, nor that jitter buffers and codecs on the way moved its pieces a little. A score of 0
    comes with samples or a reference that hold nothing.
    """
    spoken = _trimmed(_shaped(reference))
    pieces = [spoken[at : at + _PIECE] for at in range(0, len(spoken), _PIECE)]
    pieces = [piece for piece in pieces if len(piece) >= _PIECE // 4 or len(pieces) == 1]
    heard = _shaped(np.concatenate([samples, np.zeros(len(spoken), np.int16)]))
    if not len(spoken):
        return Found(0.0, 0.0, 0.0)
    weights = np.array([float(np.sqrt(np.sum(piece**2))) for piece in pieces])
    places = (len(heard) - len(spoken)) // _STEP + 1
    total = np.zeros(places)
    for number, (piece, weight) in enumerate(zip(pieces, weights / weights.sum(), strict=True)):
        fit = _spread(_fit(heard, piece))
        offset = number * _PIECE // _STEP
        total += weight * np.pad(fit, (0, places + offset))[offset : offset + places]
    best = int(total.argmax())
    start = best * _STEP / RATE
    return Found(start, start + len(spoken) / RATE, max(0.0, float(total[best])))


def _fit(heard: NDArray[np.float64], piece: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normalised cross-correlation at each place, the best of each 10 ms."""
    size = 1 << (len(heard) + len(piece) - 1).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(piece, size)), size)
    places = len(heard) - len(piece) + 1
    running = np.concatenate([[0.0], np.cumsum(heard**2)])
    energy = (running[len(piece) :] - running[: -len(piece)]) * np.sum(piece**2)
    # Near-silence fits anything: it has to hold a ten-thousandth of the loudest place's energy.
    fit = product[:places] / np.sqrt(np.maximum(energy, max(energy.max() * 1e-4, 1.0)))
    return np.asarray(np.pad(fit, (0, -places % _STEP)).reshape(-1, _STEP).max(axis=1), np.float64)


def _spread(fit: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.pad(fit, _DRIFT)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 2 * _DRIFT + 1).max(axis=1), np.float64)


def _shaped(samples: Samples) -> NDArray[np.float64]:
    """With the highs lifted as speech has them weak, so that words count for more than the voice's pitch."""
    wave = samples.astype(np.float64)
    return np.asarray(np.append(wave[:1], wave[1:] - 0.9 * wave[:-1]), np.float64)


def _trimmed(wave: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without the silence around it."""
    loud = np.flatnonzero(np.abs(wave) > 0.02 * np.abs(wave).max(initial=0.0))
    return wave[loud[0] : loud[-1] + 1] if len(loud) else wave[:0]


def _runs(hits: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], hits.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
