"""What can be heard on a caller's line besides speech: hold music, the tone of a mailbox, a text telephone. Pure: audio
goes in, sounds come out, at a fraction of a thousandth of a core.

Blocks of 110 ms are looked at twice. By their spectrum: the notes of music stay where they are from one block to the
next, those of a voice don't (of the energy of speech at most 0.38 stays in eight seconds, of hold music at least 0.6).
By eighths of a block for two tones: a text telephone (TIA-825, 45.45 baud) sends 1,400 and 1,800 Hz by turns, 22 ms a
bit, and nothing else in nature does.
"""

from __future__ import annotations

from collections import deque
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

RATE = 8000
"""Samples a second."""
BLOCK = 880
_PART = 88
"""Samples of half a bit of a text telephone."""
_QUIET = 60.0
"""Root mean square (-55 dBFS) below which nothing is heard."""

MARK, SPACE = 1400.0, 1800.0
"""Hz of a text telephone's one and zero."""
_PURE = 0.7
"""Share of the energy that the two tones have together, where they are sent."""
_TTY_PARTS = 180
"""Parts that are looked back on: two seconds."""
_TTY_SHARE, _TTY_LEAST, _TTY_TURNS = 0.6, 8, 10
"""Of what is heard, the share that is one of the tones; parts of each; changes from one to the other: three letters."""

_MUSIC_BLOCKS = 72
"""Eight seconds."""
_MUSIC_STAYS = 0.5
"""Share of the energy that stays in its notes."""
_MUSIC_HEARD = 0.85
"""Share of the blocks in which something is heard: whoever talks makes pauses."""
_BEEP = range(3, 15)
"""Blocks that the tone of a mailbox lasts."""
_ALONE, _HIGH_ENOUGH = 0.85, 400.0
"""Share of the energy that a lone tone has, and the least Hz: voices hum below."""

_POINTS = 1024
_LOW, _HIGH = 200 * _POINTS // RATE, 3400 * _POINTS // RATE
_MARGIN = 8
_WINDOW = np.hanning(BLOCK).astype(np.float32)
_PROBE = np.exp(-2j * np.pi * np.outer(np.arange(_PART), (MARK, SPACE)) / RATE).astype(np.complex64)


class Sound(Enum):
    """What was heard."""

    MUSIC = auto()
    """Told about once a second while it lasts."""
    BEEP = auto()
    """A lone tone, of a third of a second to a second and a half, has ended."""
    TTY = auto()
    """A text telephone sends; told about once a second while it does."""


class Ear:
    """Listens to one line."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._block = 0
        self._signs: deque[NDArray[np.int8]] = deque(maxlen=_TTY_PARTS // (BLOCK // _PART))
        self._stays: deque[float] = deque(maxlen=_MUSIC_BLOCKS)
        """For each block the share of its energy that stays; -1 where nothing was heard."""
        self._before = np.zeros(0, np.intp)
        self._tone, self._lasts = -1, 0
        """Where in the spectrum a lone tone is, and for how many blocks."""
        self._next = dict.fromkeys(Sound, 0)
        """From which block on a sound is told again."""

    def feed(self, pcm: bytes) -> tuple[Sound, ...]:
        """The line's next samples, 16 bits at RATE; what they complete."""
        self._bytes += pcm
        found: tuple[Sound, ...] = ()
        while len(self._bytes) >= BLOCK * 2:
            block = np.frombuffer(bytes(self._bytes[: BLOCK * 2]), np.int16).astype(np.float32)
            del self._bytes[: BLOCK * 2]
            found += self._hear(block)
        return found

    def _hear(self, block: NDArray[np.float32]) -> tuple[Sound, ...]:
        self._block += 1
        if float(block @ block) < BLOCK * _QUIET**2:
            self._stays.append(-1.0)
            self._before = self._before[:0]
            self._signs.append(np.zeros(0, np.int8))
            beep = self._lone(-1)
        else:
            self._signs.append(_signs(block))
            beep = self._notes(block)
        heard = {Sound.BEEP: beep, Sound.TTY: self._is_tty(), Sound.MUSIC: self._is_music()}
        return tuple(sound for sound, now in heard.items() if now and self._again(sound))

    def _again(self, sound: Sound) -> bool:
        if self._block < self._next[sound]:
            return False
        self._next[sound] = self._block + RATE // BLOCK
        return True

    def _notes(self, block: NDArray[np.float32]) -> bool:
        """Look for notes; whether a lone tone has just ended."""
        power = np.abs(np.fft.rfft(block * _WINDOW, _POINTS)[_LOW - _MARGIN : _HIGH + _MARGIN]) ** 2
        core, total = power[_MARGIN:-_MARGIN], float(power.sum()) + 1e-9
        beside = (power[3:-13] + power[13:-3]) / 2
        places = np.flatnonzero((core >= power[7:-9]) & (core > power[9:-7]) & (core > 6 * beside))
        if not places.size:
            self._stays.append(0.0)
            self._before = places
            return self._lone(-1)
        sums = np.concatenate(([0.0], np.cumsum(power)))
        energy = (sums[places + _MARGIN + 3] - sums[places + _MARGIN - 2]) / total
        stay = 0.0
        if self._before.size:
            nearest = np.abs(places[:, None] - self._before[None, :]).min(axis=1)
            stay = float(energy[nearest <= 1].sum())
        self._stays.append(stay)
        self._before = places
        strongest = int(energy.argmax())
        place = int(places[strongest])
        alone = energy[strongest] > _ALONE and (place + _LOW) * RATE >= _HIGH_ENOUGH * _POINTS
        return self._lone(place if alone else -1)

    def _lone(self, place: int) -> bool:
        """A block with a lone tone there, or (-1) with none; whether one has ended that lasted as a mailbox's does."""
        if place >= 0 and abs(place - self._tone) <= 1:
            self._lasts += 1
            return False
        ended = self._lasts
        self._tone, self._lasts = place, int(place >= 0)
        return place < 0 and ended in _BEEP

    def _is_music(self) -> bool:
        if len(self._stays) < _MUSIC_BLOCKS:
            return False
        heard = [one for one in self._stays if one >= 0.0]
        return len(heard) >= _MUSIC_HEARD * _MUSIC_BLOCKS and sum(heard) >= _MUSIC_STAYS * len(heard)

    def _is_tty(self) -> bool:
        if not self._signs[-1].any():
            return False
        signs = np.concatenate(self._signs)
        sent = signs[np.abs(signs) == 1]
        return bool(
            np.count_nonzero(signs) >= _TTY_SHARE * signs.size
            and min(np.count_nonzero(sent == 1), np.count_nonzero(sent == -1)) >= _TTY_LEAST
            and np.count_nonzero(np.diff(sent)) >= _TTY_TURNS
        )


def _signs(block: NDArray[np.float32]) -> NDArray[np.int8]:
    """For each part of a block that can be heard: 1 for a mark, -1 for a space, 2 for a change between them, 0 for anything
    else."""
    parts = block.reshape(-1, _PART)
    energy = np.einsum("ij,ij->i", parts, parts)
    share = np.abs(parts @ _PROBE) ** 2 * (2 / _PART) / (energy[:, None] + 1e-9)
    mark, space = share[:, 0], share[:, 1]
    signs = np.where(mark > 2 * space, 1, np.where(space > 2 * mark, -1, 2))
    kept: NDArray[np.int8] = np.where(mark + space > _PURE, signs, 0).astype(np.int8)[energy > _PART * _QUIET**2]
    return kept
