"""What waits to be sent: bounded, in frames, and kept short for live sources."""

from __future__ import annotations

from collections import deque

import numpy as np

from gateway.rtp import FRAME, FRAME_SECONDS, RATE, Samples

_WATCH = 250
"""Takes (5 s) over which a live queue's lowest depth is watched."""
_SPARE = 2
"""Frames that may lie in a live queue at every take: the one to be sent, and one for the producer's jitter."""
_EARLY = 0.008
"""Seconds before its take by which the newest frame must have come, each of a watch, for that second frame to be delay."""
_WATCH_MOST = 60 * _WATCH
"""Takes (5 min) after which the second frame may be left out again, at the most; doubled with each time it was missed."""
_QUIET = 656
"""Peak to peak (−40 dBFS) up to which a frame can be left out unheard."""


class SendQueue:
    """A queue of samples that gives out whole frames.

    `seconds`: what it holds at most; more pushes the oldest out, so that a stuck call never speaks of the past.
    `live`: the producer runs at real time. A frame that lay in the queue through 5 s is only delay then: a quiet one is
    left out, or any if the delay is five frames. The last one goes only where the producer's frames came early enough
    all the while, so that none is missed; where one is, it takes twice as long until that is tried again. Set it False for
    a file that is queued at once. `rate`: samples a second.
    """

    def __init__(self, seconds: float, *, live: bool, rate: int = RATE) -> None:
        self.rate = rate
        self._size = FRAME * rate // RATE
        self._limit = max(1, round(seconds / FRAME_SECONDS))
        self.live = live
        self._frames: deque[Samples] = deque()
        self._rest = np.zeros(0, np.int16)
        self._fresh = False
        self._takes = 0
        self._lowest = self._limit
        self._came = self._took = 0.0
        self._early = float("inf")
        self._lean = False
        self._patience = _WATCH
        self.dropped = 0
        """Frames pushed or left out."""

    @property
    def seconds(self) -> float:
        """How much waits."""
        return len(self._frames) * FRAME_SECONDS + len(self._rest) / self._size * FRAME_SECONDS

    def push(self, samples: Samples, at: float = 0.0) -> None:
        """Add any number of samples, which came `at` (of the clock of `take`). They aren't copied when they make whole
        frames: don't change them afterwards."""
        self._came = at
        if len(self._rest):
            samples = np.concatenate((self._rest, samples))
        whole = len(samples) // self._size * self._size
        self._frames.extend(samples[:whole].reshape(-1, self._size))
        self._rest = samples[whole:].copy()
        self._fresh = True
        while len(self._frames) > self._limit:
            self._frames.popleft()
            self.dropped += 1

    def take(self, now: float = 0.0) -> Samples | None:
        """The next frame; None when nothing waits. A last part of a frame is filled up with silence, for a live
        source only when nothing has come to complete it since the take before.
        """
        self._took = now
        if self.live:
            self._trim(now)
        if self._frames:
            return self._frames.popleft()
        waiting, self._fresh = self.live and self._fresh, False
        if not len(self._rest) or waiting:
            return None
        frame = np.zeros(self._size, np.int16)
        frame[: len(self._rest)] = self._rest
        self._rest = self._rest[:0]
        return frame

    def catch_up(self, now: float) -> None:
        """Somebody begins to speak, whose frames come from `now` on: leave out what waits before them and is quiet. One frame
        stays where the next take is so near that a frame which comes a little late would miss it."""
        keeps = now > self._took + FRAME_SECONDS - _EARLY
        while len(self._frames) > keeps and np.ptp(self._frames[0].astype(np.int32)) <= _QUIET:
            self._frames.popleft()
            self.dropped += 1
        self._takes, self._lowest, self._early = 0, self._limit, float("inf")

    def clear(self) -> float:
        """Forget everything; returns how many seconds that was."""
        forgotten = self.seconds
        self._frames.clear()
        self._rest = self._rest[:0]
        return forgotten

    def _trim(self, now: float) -> None:
        depth = len(self._frames)
        self._lowest = min(self._lowest, depth)
        self._takes += 1
        if depth:
            self._early = min(self._early, now - self._came)
        elif self._lean:
            self._lean, self._patience = False, min(2 * self._patience, _WATCH_MOST)
        if self._takes < _WATCH:
            return
        spare = self._lowest == _SPARE and self._early >= _EARLY
        if spare and self._takes < self._patience:
            return
        if spare or self._lowest > _SPARE:
            if self._lowest <= 2 * _SPARE and np.ptp(self._frames[0].astype(np.int32)) > _QUIET:
                return  # wait for a quiet frame; the next take looks again
            self._frames.popleft()
            self.dropped += 1
            self._lean = spare
        self._takes, self._lowest, self._early = 0, self._limit, float("inf")
