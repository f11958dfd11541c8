"""What waits to be sent: bounded, in frames, and kept short for live sources."""

from __future__ import annotations

from collections import deque

import numpy as np

from gateway.rtp import FRAME, FRAME_SECONDS, Samples

_WATCH = 250
"""Takes (5 s) over which a live queue's lowest depth is watched."""
_SPARE = 2
"""Frames that may lie in a live queue at every take: the one to be sent, and one for the producer's jitter."""
_QUIET = 656
"""Peak to peak (−40 dBFS) up to which a frame can be left out unheard."""


class SendQueue:
    """A queue of samples that gives out whole frames.

    `seconds`: what it holds at most; more pushes the oldest out, so that a stuck call never speaks of the past.
    `live`: the producer runs at real time. A frame that lay in the queue through 5 s is only delay then: a quiet one is
    left out, or any if the delay is five frames. Set it False for a file that is queued at once.
    """

    def __init__(self, seconds: float, *, live: bool) -> None:
        self._limit = max(1, round(seconds / FRAME_SECONDS))
        self.live = live
        self._frames: deque[Samples] = deque()
        self._rest = np.zeros(0, np.int16)
        self._fresh = False
        self._takes = 0
        self._lowest = self._limit
        self.dropped = 0
        """Frames pushed or left out."""

    @property
    def seconds(self) -> float:
        """How much waits."""
        return len(self._frames) * FRAME_SECONDS + len(self._rest) / FRAME * FRAME_SECONDS

    def push(self, samples: Samples) -> None:
        """Add any number of samples. They aren't copied when they make whole frames: don't change them afterwards."""
        if len(self._rest):
            samples = np.concatenate((self._rest, samples))
        whole = len(samples) // FRAME * FRAME
        self._frames.extend(samples[:whole].reshape(-1, FRAME))
        self._rest = samples[whole:].copy()
        self._fresh = True
        while len(self._frames) > self._limit:
            self._frames.popleft()
            self.dropped += 1

    def take(self) -> Samples | None:
        """The next frame; None when nothing waits. A last part of a frame is filled up with silence, for a live
        source only when nothing has come to complete it since the take before.
        """
        if self.live:
            self._trim()
        if self._frames:
            return self._frames.popleft()
        waiting, self._fresh = self.live and self._fresh, False
        if not len(self._rest) or waiting:
            return None
        frame = np.zeros(FRAME, np.int16)
        frame[: len(self._rest)] = self._rest
        self._rest = self._rest[:0]
        return frame

    def clear(self) -> float:
        """Forget everything; returns how many seconds that was."""
        forgotten = self.seconds
        self._frames.clear()
        self._rest = self._rest[:0]
        return forgotten

    def _trim(self) -> None:
        depth = len(self._frames)
        self._lowest = min(self._lowest, depth)
        self._takes += 1
        if self._takes < _WATCH:
            return
        if self._lowest > _SPARE:
            if self._lowest <= 2 * _SPARE and np.ptp(self._frames[0].astype(np.int32)) > _QUIET:
                return  # wait for a quiet frame; the next take looks again
            self._frames.popleft()
            self.dropped += 1
        self._takes, self._lowest = 0, self._limit
