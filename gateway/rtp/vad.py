"""Who is talking when: an energy detector for telephone audio, without I/O.

It works on levels of 10 ms. Speech is what lies 15 dB above the line's noise, but at least at −50 and surely at
−35 dBFS; 30 ms of it begin a stretch, 300 ms without it end one. A stretch begins and ends where the sound does, not
where that became certain.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from gateway.rtp import RATE, Samples

HOP = RATE // 100
"""Samples of one level."""
HOP_SECONDS = HOP / RATE
NOTHING = -96.0
"""Level of digital silence, dBFS."""
ATTACK = 3
"""Loud levels in a row that begin a stretch."""
RELEASE = 0.3
"""Seconds of quiet that end one."""
ABSENT = 0.06
"""Seconds without any packet that count as quiet."""

_ABOVE_NOISE, _LOWEST, _HIGHEST = 15.0, -50.0, -35.0
_RISE = 0.03
"""dB by which the noise's estimate creeps up each 10 ms, so that a louder line is learned in some seconds."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Somebody was heard from `start` to `end`, seconds. `end` is None while it goes on."""

    start: float
    end: float | None = None

    def covers(self, at: float) -> bool:
        """Whether it goes on at that time."""
        return self.start <= at and (self.end is None or at < self.end)


def levels(samples: Samples) -> list[float]:
    """The level of each 10 ms, dBFS (a full-scale square wave has 0). A rest shorter than that is left out."""
    whole = len(samples) // HOP * HOP
    if not whole:
        return []
    blocks = samples[:whole].reshape(-1, HOP).astype(np.float64)
    power = np.mean(blocks * blocks, axis=1) / 32768**2
    decibels: list[float] = (10 * np.log10(np.maximum(power, 10 ** (NOTHING / 10)))).tolist()
    return decibels


class Activity:
    """Finds the stretches in which one side is heard. Feed it in the order of time."""

    def __init__(self) -> None:
        self.stretches: list[Stretch] = []
        """All so far; the last one may still go on."""
        self._noise = NOTHING
        self._loud: deque[float] = deque(maxlen=ATTACK)
        self._last_loud = float("-inf")
        self._until = float("-inf")

    @property
    def talking(self) -> bool:
        """Whether the side is heard now."""
        return bool(self.stretches) and self.stretches[-1].end is None

    def hear(self, samples: Samples, at: float) -> None:
        """Take in audio that begins at `at`."""
        if at - self._until > ABSENT:
            self._loud.clear()
        for index, level in enumerate(levels(samples)):
            self._level(level, at + index * HOP_SECONDS)
        self._until = at + len(samples) / RATE

    def pass_time(self, now: float) -> None:
        """Let a stretch end although no audio comes."""
        if self.talking and now - self._last_loud >= RELEASE + ABSENT:
            self._end()

    def quiet_since(self, start: float) -> float:
        """From when on the side has been quiet, `start` at the earliest; infinite while it is heard."""
        if self.talking:
            return float("inf")
        last = self.stretches[-1].end if self.stretches else None
        return start if last is None else max(start, last)

    def _level(self, level: float, at: float) -> None:
        self._noise = min(level, self._noise + _RISE)
        threshold = min(max(self._noise + _ABOVE_NOISE, _LOWEST), _HIGHEST)
        if level > threshold:
            self._loud.append(at)
            self._last_loud = at + HOP_SECONDS
            if not self.talking and len(self._loud) == ATTACK:
                self._begin(self._loud[0])
            return
        self._loud.clear()
        if self.talking and at + HOP_SECONDS - self._last_loud >= RELEASE:
            self._end()

    def _begin(self, at: float) -> None:
        self.stretches.append(Stretch(at))

    def _end(self) -> None:
        self.stretches[-1] = Stretch(self.stretches[-1].start, self._last_loud)
        self._loud.clear()
