"""Music for callers who wait: a quiet piece that is made here, so that nobody has to be asked for it. Pure.

Composed for the telephone: everything lies between 300 and 3400 Hz, attacks are soft and the level is steady, so that
neither G.711 nor Opus makes noise of it. Its end runs into its beginning.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gateway.conduct.talk.port import Pcm

LEVEL = -24.0
"""dBFS (RMS) of the whole: well below a voice, which is to be heard over the end of it."""
BEAT = 60 / 76
"""Seconds."""
_CHORDS = (
    ("E4", "G4", "C5", "E5"), ("E4", "A4", "C5", "E5"), ("F4", "A4", "C5", "F5"), ("F4", "G4", "B4", "D5"),
    ("E4", "G4", "C5", "G5"), ("E4", "G4", "B4", "E5"), ("F4", "A4", "C5", "A5"), ("G4", "B4", "D5", "G5"),
    ("E4", "A4", "C5", "A5"), ("E4", "G4", "B4", "G5"), ("F4", "A4", "C5", "F5"), ("E4", "G4", "C5", "E5"),
    ("F4", "A4", "D5", "F5"), ("G4", "B4", "D5", "G5"), ("E4", "G4", "C5", "E5"), ("F4", "G4", "B4", "D5"),
)  # fmt: skip
"""A bar of four beats each; the lowest note is E4, 330 Hz."""
_PATTERN = (0, 2, 1, 3, 2, 1, 2, 3)
"""Which of a chord's notes each eighth plucks."""
_TUNE = ((0, "G5", 3), (4, "E5", 3), (8, "A5", 2), (10, "G5", 2), (12, "D5", 3), (16, "G5", 2), (18, "C6", 2),
         (20, "B5", 3), (24, "A5", 2), (26, "C6", 2), (28, "D6", 3), (32, "C6", 3), (36, "B5", 2), (38, "G5", 2),
         (40, "A5", 3), (44, "G5", 3), (48, "F5", 2), (50, "A5", 2), (52, "B5", 3), (56, "C6", 4))  # fmt: skip
"""Beat, note, beats."""
_HARMONICS = ((1, 1.0), (2, 0.28), (3, 0.08))
_NAMES = {"C": -9, "D": -7, "E": -5, "F": -4, "G": -2, "A": 0, "B": 2}
_Wave = NDArray[np.float64]


@lru_cache(maxsize=2)
def default(rate: int) -> Pcm:
    """The piece, 50 seconds of it; kept, half a megabyte at 8 kHz. Play it again and again."""
    bar = 4 * BEAT
    whole = np.zeros(round(len(_CHORDS) * bar * rate))
    for number, chord in enumerate(_CHORDS):
        for note in chord[:3]:
            _add(whole, number * bar, _pad(_hertz(note), bar * 1.25, rate), 0.10, rate)
        for eighth, place in enumerate(_PATTERN):
            _add(whole, number * bar + eighth * BEAT / 2, _pluck(_hertz(chord[place]), 1.4, rate), 0.16, rate)
    for beat, note, beats in _TUNE:
        _add(whole, beat * BEAT, _pluck(_hertz(note), beats * BEAT + 0.6, rate), 0.24, rate)
    whole *= 10 ** (LEVEL / 20) / np.sqrt(np.mean(whole**2))
    return Pcm(rate, np.rint(whole * 32767).clip(-32768, 32767).astype("<i2").tobytes())


def _hertz(note: str) -> float:
    return float(440 * 2 ** (_NAMES[note[0]] / 12 + int(note[1]) - 4))


def _add(whole: _Wave, at: float, sound: _Wave, gain: float, rate: int) -> None:
    """Mix a sound in; what runs over the end goes on at the beginning."""
    start = round(at * rate) % len(whole)
    first = min(len(sound), len(whole) - start)
    whole[start : start + first] += gain * sound[:first]
    whole[: len(sound) - first] += gain * sound[first:]


def _tone(frequency: float, time: _Wave) -> _Wave:
    parts = (share * np.sin(2 * np.pi * number * frequency * time) for number, share in _HARMONICS)
    return np.asarray(sum(parts, np.zeros(len(time))), np.float64)


def _pluck(frequency: float, seconds: float, rate: int) -> _Wave:
    time = np.arange(round(seconds * rate)) / rate
    shape = np.minimum(time / 0.012, 1.0) * np.exp(-2.6 * time) * np.minimum((seconds - time) / 0.05, 1.0)
    return np.asarray(_tone(frequency, time) * shape, np.float64)


def _pad(frequency: float, seconds: float, rate: int) -> _Wave:
    time = np.arange(round(seconds * rate)) / rate
    return np.asarray(np.sin(2 * np.pi * frequency * time) * np.sin(np.pi * time / seconds) ** 2, np.float64)
