"""Several tracks into one stream of frames, with saturation. Pure: time is an argument.

The SFU's tracks all tick alike, so a frame is complete once each track that is present has brought one. A frame waits
PATIENCE at most: a track that pauses is then absent, and the others go on without it, at once, until it is back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

import numpy as np

from gateway.rtp import Samples

PATIENCE = 0.03
"""Seconds a frame waits for the other tracks'."""
LONGEST = 3
"""Frames (60 ms) that a track may be ahead; older ones are stale and thrown away."""


class Mixer:
    """Give it every frame of every track; take what `add` returns, in order."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[tuple[Samples, float]]] = {}
        self._present: set[Hashable] = set()

    def add(self, track: Hashable, frame: Samples, now: float) -> list[Samples]:
        """A frame of one track came at `now`; the mixed frames that are complete by it. All frames are of one size."""
        queue = self._waiting.setdefault(track, deque(maxlen=LONGEST))
        back = track not in self._present
        self._present.add(track)
        if back and len(self._waiting) > 1 and not any(self._waiting.values()):
            # The others' frames of this moment have gone out already. Kept for their next ones, this frame and all
            # that follow would be late by its length.
            return []
        queue.append((frame, now))
        mixed = []
        while self._complete(now):
            mixed.append(self._mix())
        return mixed

    def remove(self, track: Hashable) -> None:
        """The track ended."""
        self._waiting.pop(track, None)
        self._present.discard(track)

    def _complete(self, now: float) -> bool:
        fronts = [queue[0][1] for queue in self._waiting.values() if queue]
        if not fronts:
            return False
        return now - min(fronts) > PATIENCE or all(self._waiting[track] for track in self._present)

    def _mix(self) -> Samples:
        frames = []
        for track, queue in self._waiting.items():
            if queue:
                frames.append(queue.popleft()[0])
            else:
                self._present.discard(track)
        if len(frames) == 1:
            return frames[0]
        total = np.sum(frames, axis=0, dtype=np.int32)
        return np.clip(total, -32768, 32767).astype(np.int16)
