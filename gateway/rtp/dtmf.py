"""Keys as tones (ITU-T Q.23): making them, and finding them in audio (Goertzel; the limits of Q.24)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gateway.rtp import FRAME, RATE, Samples
from gateway.rtp.halfband import Down
from gateway.rtp.telephone_event import GAP, KEYS, ON, event_codes

LOW = (697.0, 770.0, 852.0, 941.0)
HIGH = (1209.0, 1336.0, 1477.0, 1633.0)
_PAD = ("123A", "456B", "789C", "*0#D")
FREQUENCIES = {key: (LOW[row], HIGH[column]) for row, keys in enumerate(_PAD) for column, key in enumerate(keys)}
"""Low and high tone (Hz) of each key."""
LEVEL = 6000
"""Peak of each of the two tones: −12 dBm0 or so each, as phones send them."""

_GRID = "".join(_PAD)
_BLOCK, _STEP = 205, 80
"""Samples of a block, which the eight frequencies divide best, and from one to the next."""
_LEAST = 3
"""Blocks in a row that make a key: 45 ms, of which half a block at either end may be silent."""
_APART = 5
"""Blocks in a row without a key that end it: a pause of 40 ms always does, one of 25 ms, as of a packet lost, never (Q.24)."""
_QUIET = 60.0
"""Root mean square (−55 dBFS) below which nothing is a key."""
_PURE = 0.75
"""Share of the energy that the two tones must have; speech has less."""
_TWIST = 10.0
"""How much stronger one tone may be than the other (10 dB)."""
_PROBE = np.exp(-2j * np.pi * np.outer(np.arange(_BLOCK), (*LOW, *HIGH)) / RATE).astype(np.complex64)


def tones(keys: str, rate: int = RATE) -> Samples:
    """The keys' tones, 160 ms each and 100 ms of silence after it, at `rate` samples a second. Raises PeerFault when one
    is no key."""
    size = FRAME * rate // RATE
    time = np.arange(ON * size) / rate
    out = np.zeros((len(keys), (ON + GAP) * size), np.int16)
    for index, code in enumerate(event_codes(keys)):
        low, high = FREQUENCIES[KEYS[code]]
        wave = np.sin(2 * np.pi * low * time) + np.sin(2 * np.pi * high * time)
        out[index, : len(time)] = (LEVEL * wave).astype(np.int16)
    return out.reshape(-1)


@dataclass(frozen=True, slots=True)
class ToneKey:
    """A key found in audio. `start` and `end` are seconds from its beginning, good to 10 ms or so."""

    key: str = field(repr=False)
    start: float
    end: float


def find(samples: Samples) -> list[ToneKey]:
    """The keys whose tones are in the audio for 40 ms or more, in order. Speech and music are none."""
    if len(samples) < _BLOCK:
        return []
    blocks = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float32), _BLOCK)[::_STEP]
    return [
        ToneKey(_GRID[code], begin * _STEP / RATE, ((end - 1) * _STEP + _BLOCK) / RATE)
        for code, begin, end in _runs(_codes(blocks))
        if end - begin >= _LEAST
    ]


def _runs(codes: NDArray[np.intp]) -> list[tuple[int, int, int]]:
    """Which keys are down, from which block until before which. A crack in a key that is down isn't the next one (Q.24)."""
    found: list[tuple[int, int, int]] = []
    edges = (np.flatnonzero(np.diff(codes)) + 1).tolist()
    for begin, end in zip([0, *edges], [*edges, len(codes)], strict=True):
        code = int(codes[begin])
        if code < 0:
            continue
        if found and found[-1][0] == code and begin - found[-1][2] < _APART:
            begin = found.pop()[1]
        found.append((code, begin, end))
    return found


class Ear:
    """Finds keys in a line's audio as it comes, each told once, 50 ms or so after its beginning. `rate`: samples a second,
    8,000 or 16,000."""

    def __init__(self, rate: int = RATE) -> None:
        self._narrow = None if rate == RATE else Down()
        self._rest: NDArray[np.float32] = np.zeros(0, np.float32)
        self._code, self._blocks, self._others = -1, 0, 0
        self._told = False

    def hear(self, samples: Samples) -> str:
        """The keys of which the line's next samples complete the beginning."""
        heard = samples if self._narrow is None else self._narrow(samples)
        self._rest = np.concatenate((self._rest, heard.astype(np.float32)))
        count = (len(self._rest) - _BLOCK) // _STEP + 1
        if count < 1:
            return ""
        blocks = np.lib.stride_tricks.sliding_window_view(self._rest, _BLOCK)[: count * _STEP : _STEP]
        found = "".join(map(self._take, _codes(blocks)))
        self._rest = self._rest[count * _STEP :]
        return found

    def _take(self, code: np.intp) -> str:
        """The next block's."""
        if code != self._code:
            self._others += 1
            if self._told and self._others < _APART:
                return ""  # a crack, as in _runs
            self._code, self._blocks, self._told = int(code), 0, False
        self._others = 0
        self._blocks += 1
        if self._code < 0 or self._told or self._blocks < _LEAST:
            return ""
        self._told = True
        return _GRID[self._code]


def _codes(blocks: NDArray[np.float32]) -> NDArray[np.intp]:
    """For each block of samples the key's place in _GRID, -1 for none."""
    power = np.abs(blocks @ _PROBE) ** 2 * (2 / _BLOCK)  # each tone's share of the block's energy
    low, high = power[:, :4], power[:, 4:]
    row, column = low.argmax(axis=1), high.argmax(axis=1)
    strongest_low, strongest_high = low.max(axis=1), high.max(axis=1)
    energy = np.einsum("ij,ij->i", blocks, blocks)
    pair = strongest_low + strongest_high
    good = (
        (energy > _BLOCK * _QUIET**2)
        & (pair > _PURE * energy)
        & (strongest_low < _TWIST * strongest_high)
        & (strongest_high < _TWIST * strongest_low)
    )
    return np.where(good, row * 4 + column, -1)
