"""What a caller's line may carry, made here: text telephones, music, tones, voices, noise. 8,000 samples a second."""

from __future__ import annotations

import subprocess
import tempfile
import wave
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.rtp.resample import resampled

RATE = 8000
Sound = NDArray[np.float64]
BIT = 1 / 45.45
"""Seconds of a bit of a text telephone (TIA-825)."""
LEVEL = 6000.0
LETTERS = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ ",
        (3, 25, 14, 9, 1, 13, 26, 20, 6, 11, 15, 18, 28, 12, 24, 22, 23, 10, 5, 16, 7, 30, 19, 29, 21, 17, 4),
        strict=True,
    )
)
"""ITA2, the first bit sent is the lowest."""
VOICES = ("slt", "rms", "awb", "kal")
CHORDS = ((262, 330, 392, 523), (220, 262, 330, 440), (175, 220, 262, 349), (196, 247, 294, 392))
UTTERANCES = (
    "We need a new phone system for our office, because the old one drops calls all day long and nobody knows why.",
    "My internet connection is not working since yesterday evening, I have restarted the router twice.",
    "My name is John Smith and I work for Acme Software, we are about twenty five people in two offices.",
    "Ohhh, well, about fifty thousand dollars, and we would like to move everybody over until the summer.",
    "There is a charge on my bill that I do not understand at all, for a service that we have never ordered.",
    "Mmm hmm. Yes. No. Hello? Are you there? My number is five one zero, five five five, zero one seven seven.",
)


def silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * RATE))


def tone(hertz: float, seconds: float, level: float = LEVEL) -> Sound:
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)


def tty(text: str, gap: float = 0.0) -> Sound:
    """What a text telephone sends for it; `gap`: seconds between two keys, in which its carrier goes on."""
    bits = [(True, 0.15)]
    for letter in text:
        bits += [
            (False, BIT),
            *((bool(LETTERS[letter] >> place & 1), BIT) for place in range(5)),
            (True, 1.5 * BIT + gap),
        ]
    hertz = np.concatenate(
        [np.full(round(seconds * RATE), 1400.0 if one else 1800.0) for one, seconds in [*bits, (True, 0.3)]]
    )
    return LEVEL * np.sin(2 * np.pi * np.cumsum(hertz) / RATE)


def note(hertz: float, seconds: float, fades: float) -> Sound:
    time = np.arange(round(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * hertz * times * time) / times**1.5 for times in (1, 2, 3, 4, 5))
    return np.asarray(wave * np.exp(-time / fades) * np.minimum(1.0, time / 0.01))


def chords(seconds: float) -> Sound:
    parts = [sum(note(hertz, 2.0, 3.0) for hertz in CHORDS[place % 4]) for place in range(round(seconds / 2))]
    return np.concatenate(parts) * LEVEL / 3


def arpeggio(seconds: float) -> Sound:
    """A note each fifth of a second, that rings on."""
    out = silence(seconds + 2.0)
    for place in range(round(seconds / 0.2)):
        played = note(CHORDS[place // 16 % 4][place % 4] * 2, 1.6, 0.5)
        out[place * RATE // 5 :][: len(played)] += played
    return out[: round(seconds * RATE)] * LEVEL / 2


def noisy(sound: Sound, decibels: float | None, random: np.random.Generator) -> Sound:
    """With white noise that many decibels below it; None for none."""
    if decibels is None:
        return sound
    return sound + random.normal(0.0, np.sqrt((sound**2).mean()) * 10 ** (-decibels / 20), len(sound))


@cache
def spoken(text: str, voice: str) -> Sound:
    """The words by flite."""
    with tempfile.TemporaryDirectory() as where:
        path = Path(where) / "said.wav"
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], check=True, timeout=30)
        with wave.open(str(path)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
            return resampled(samples, file.getframerate(), RATE).astype(np.float64)


def pcm(sound: Sound) -> bytes:
    return np.clip(sound, -32768, 32767).astype(np.int16).tobytes()
