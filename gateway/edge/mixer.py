"""Several tracks into one stream of frames, with saturation. Pure: time is an argument.

The SFU's tracks all tick alike, so a frame is complete once each track that is heard now has brought one. A track that
pauses or is slow holds the others up by PATIENCE at most, and is then left out until it brings frames again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

import numpy as np

from gateway.rtp import Samples

PATIENCE = 0.03
"""Seconds a track may lag behind before the others go on without it."""
LONGEST = 3
"""Frames (60 ms) that a track may be ahead; older ones are stale and thrown away."""


class Mixer:
    """Give it every frame of every track; take what `add` returns, in order."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[Samples]] = {}
        self._heard: dict[Hashable, float] = {}

    def add(self, track: Hashable, frame: Samples, now: float) -> list[Samples]:
        """A frame of one track came at `now`; the mixed frames that are complete by it. All frames are of one size."""
        queue = self._waiting.setdefault(track, deque(maxlen=LONGEST))
        queue.append(frame)
        self._heard[track] = now
        if len(self._waiting) == 1:
            return [queue.popleft() for _ in range(len(queue))]
        mixed = []
        while queue and self._complete(now):
            mixed.append(self._mix())
        return mixed

    def remove(self, track: Hashable) -> None:
        """The track ended."""
        self._waiting.pop(track, None)
        self._heard.pop(track, None)

    def _complete(self, now: float) -> bool:
        return all(queue or now - self._heard[track] > PATIENCE for track, queue in self._waiting.items())

    def _mix(self) -> Samples:
        frames = [queue.popleft() for queue in self._waiting.values() if queue]
        if len(frames) == 1:
            return frames[0]
        total = np.sum(frames, axis=0, dtype=np.int32)
        return np.clip(total, -32768, 32767).astype(np.int16)
