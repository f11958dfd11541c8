"""Several tracks into one stream of frames, with saturation. Pure: time is an argument.

The SFU's tracks all tick alike, so a frame is complete once each track that is present has brought one. A frame waits
PATIENCE at most: a track that pauses is then absent, and the others go on without it, at once, until it is back. Who is
silent isn't waited for while somebody else speaks: whoever has just been connected is heard beside the silent track of who
has connected them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

import numpy as np

from gateway.rtp import Samples

PATIENCE = 0.03
"""Seconds a frame waits for the other tracks'."""
SILENT = 8
"""Of 32,768: what the loudest sample of a silent frame is at most; codecs make that of nothing."""
SILENT_AFTER = 0.05
"""Seconds after its latest sound from which a track is silent."""
LEADS = 0.25
"""Seconds without a frame of who is waited for until everybody is."""
LONGEST = 3
"""Frames (60 ms) that a track may be ahead; older ones are stale and thrown away."""


class Mixer:
    """Give it every frame of every track; take what `add` returns, in order."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[tuple[Samples, float]]] = {}
        self._present: set[Hashable] = set()
        self._speaks: dict[Hashable, float] = {}
        """When each track was last not silent; those that never were aren't there."""
        self._passed: set[Hashable] = set()
        """Those who aren't waited for, until they speak."""
        self._led = 0.0
        """When a track came that is waited for."""
        self.begins = False
        """Whether what was given out latest begins with the first words of a track, before which everybody was silent: what
        went before may be left out."""

    def add(self, track: Hashable, frame: Samples, now: float) -> list[Samples]:
        """A frame of one track came at `now`; the mixed frames that are complete by it. All frames are of one size."""
        queue = self._waiting.setdefault(track, deque(maxlen=LONGEST))
        back = track not in self._present
        self._present.add(track)
        self._attend(track, frame, now)
        if back and len(self._waiting) > 1 and not any(self._waiting.values()) and not self.begins:
            # The others' frames of this moment have gone out already. Kept for their next ones, this frame and all
            # that follow would be late by its length.
            return []
        queue.append((frame, now))
        mixed = []
        while self._complete(now):
            mixed.append(self._mix())
        return mixed

    def silent(self, track: Hashable, now: float) -> bool:
        """Whether nothing has sounded of the track of late."""
        return now - self._speaks.get(track, -1.0) >= SILENT_AFTER

    def remove(self, track: Hashable) -> None:
        """The track ended."""
        self._waiting.pop(track, None)
        self._present.discard(track)
        self._speaks.pop(track, None)
        self._passed.discard(track)

    def _attend(self, track: Hashable, frame: Samples, now: float) -> None:
        """Take note of whether the track speaks, and so of who is waited for."""
        silent = int(frame.max()) <= SILENT and int(frame.min()) >= -SILENT
        others = self._present - {track}
        alone = all(now - self._speaks.get(other, -1.0) >= SILENT_AFTER for other in others)
        self.begins = not silent and track not in self._speaks and alone
        if self.begins:
            self._passed = others
        elif track in self._passed:
            self._waiting[track].clear()  # its silence may come late, its words mustn't
            if not silent:
                self._passed.discard(track)
            elif now - self._led > LEADS:
                self._passed = set()
        if not silent:
            self._speaks[track] = now
        if track not in self._passed:
            self._led = now

    def _complete(self, now: float) -> bool:
        wanted = self._present - self._passed or self._present
        fronts = [self._waiting[track][0][1] for track in wanted if self._waiting[track]]
        return bool(fronts) and (now - min(fronts) > PATIENCE or len(fronts) == len(wanted))

    def _mix(self) -> Samples:
        frames = []
        for track, queue in self._waiting.items():
            if queue:
                frames.append(queue.popleft()[0])
            elif track not in self._passed:
                self._present.discard(track)
        if len(frames) == 1:
            return frames[0]
        total = np.sum(frames, axis=0, dtype=np.int32)
        return np.clip(total, -32768, 32767).astype(np.int16)
