"""Finds what a caller says in what is heard of them: phrases, from one pause to the next, that aren't our own words come
back by the line. Pure."""

from __future__ import annotations

from collections import deque

import numpy as np

from gateway.rtp import RATE, Samples
from gateway.rtp.likeness import find_like
from gateway.rtp.vad import Activity

PHRASE = 0.25
"""Seconds of talk that are more than a cough or a click; the line's own noise is learned meanwhile."""
BEFORE = 0.3
"""Seconds before the first sound of a phrase that belong to it: words begin softly."""
LONGEST = 10.0
"""Seconds of a phrase that are kept: its beginning."""
ECHO = 0.45
"""Likeness to what was said from which a phrase is its echo. Measured with ten prompts of flite's through G.711, 20 to
38 dB below what was said: 0.90 at the least of 40 phrases that a line sent back; 0.34 to 0.87 of those that came through
seven milliseconds of a handset, most above 0.5; 0.3 to 0.6 with a room's reverberation, which is often missed. Callers'
own words, in other voices than the prompt's: 0.36 at most of 270."""
_COMPARED = 2.0
"""Seconds of a phrase's beginning, and of its end, that are compared: who talks into an echo isn't one."""


class Phrases:
    """Finds the phrases of one line at RATE. `audio` is what it has heard of the latest, or the one in progress."""

    def __init__(self) -> None:
        self._activity = Activity()
        self._before: deque[bytes] = deque()
        self._held = 0
        self._frames: list[bytes] = []
        self._told = self._at = 0.0

    @property
    def talking(self) -> bool:
        """Whether something is heard now."""
        return self._activity.talking

    @property
    def audio(self) -> bytes:
        """The phrase, from BEFORE seconds before its first sound to the pause that ends it."""
        return b"".join(self._frames)

    def hear(self, frame: bytes) -> bool:
        """The line's next samples, 16 bits; whether a phrase ends with them."""
        stretches, known = self._activity.stretches, len(self._activity.stretches)
        was_talking = self._activity.talking
        self._activity.hear(np.frombuffer(frame, "<i2"), self._at)
        self._at += len(frame) / 2 / RATE
        if len(stretches) > known:
            self._frames = list(self._before)
        self._keep(frame)
        if (was_talking or len(stretches) > known) and len(self._frames) * len(frame) < LONGEST * RATE * 2:
            self._frames.append(frame)
        last = stretches[-1] if stretches else None
        if last is None or last.end is None or last.start < self._told or last.end - last.start < PHRASE:
            return False
        self._told = last.end
        return True

    def _keep(self, frame: bytes) -> None:
        self._before.append(frame)
        self._held += len(frame)
        while self._held - len(self._before[0]) >= round(BEFORE * RATE) * 2:
            self._held -= len(self._before.popleft())


def is_echo(phrase: bytes, said: Samples) -> bool:
    """Whether the phrase is what was said, come back. `said`: the last seconds of it, with what was to follow."""
    heard = np.frombuffer(phrase, "<i2")[round(BEFORE * RATE) :]
    if not len(said) or not len(heard):
        return False
    size = round(_COMPARED * RATE)
    parts = (heard,) if len(heard) <= size else (heard[:size], heard[-size:])
    return all(find_like(said, part).score >= ECHO for part in parts)
