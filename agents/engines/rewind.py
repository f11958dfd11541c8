"""What a caller has said and nobody has understood yet: kept, so that it can be heard again by another. Pure.

Times are seconds of the caller's audio since its beginning: its frames come as they are spoken, so that they are the
clock too.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

FrameT = TypeVar("FrameT")

BEFORE = 0.8
"""Seconds kept before speech is noticed."""
MOST = 30.0
"""Seconds kept at most."""
NOTHING_WITHIN = 2.5
"""Seconds from the beginning of speech in which there is some word of it, or who hears doesn't."""
FINAL_WITHIN = 1.6
"""Seconds from the end of speech in which its last words are final."""
ENOUGH = 0.7
"""Seconds of speech of which words can be expected while it goes on."""
LEAST = 0.5
"""Seconds of speech of which words can be expected once it has ended, as "yes" is one; a click has none. The quarter of a
second counts for which it must be silent until it has ended."""
FORGOTTEN = 6.0
"""Seconds after the end of sound of which nobody has told words: it was none."""


@dataclass
class Rewind(Generic[FrameT]):
    """The caller's audio, and what is known of it."""

    now: float = 0.0
    """How much audio there was."""
    _kept: deque[tuple[float, float, FrameT]] = field(default_factory=deque)
    """Beginning and length of each frame, and the frame."""
    _began: float | None = None
    """When the speech began of which words are missing."""
    _ended: float | None = None
    """When it ended; None while it goes on."""
    _paused: float = 0.0
    """Silence within it."""
    _since: float = 0.0
    """Since when the one who hears has it, and should tell words."""
    _told: bool = False
    """Some word of it was told."""

    def add(self, frame: FrameT, seconds: float) -> None:
        """The next frame of the caller's audio."""
        self._kept.append((self.now, seconds, frame))
        self.now += seconds
        if self._ended is not None and self.now - self._ended > FORGOTTEN:
            self._done()
        needed = self.now - MOST if self._began is not None else self.now - BEFORE
        self._drop(needed)

    def speech_began(self) -> None:
        """A voice is heard."""
        if self._began is None:
            self._began = self._since = self.now
        elif self._ended is not None:
            self._paused += self.now - self._ended
            self._since = self.now
        self._ended = None

    def speech_ended(self) -> None:
        """It has fallen silent."""
        if self._began is not None and self._ended is None:
            self._ended = self.now

    def words(self) -> None:
        """Some words of it were told, not for good."""
        self._told = True

    def final(self, until: float) -> None:
        """Its words up to `until` were told for good."""
        going_on = self._began is not None and self._ended is None
        self._done()
        if going_on:
            self._began = self._since = self.now
        self._drop(until)

    def utterance_ended(self) -> None:
        """Who hears says that no more words come of what was said."""
        if self._ended is not None:
            self._done()

    @property
    def owed(self) -> bool:
        """Words are missing of something that was said."""
        return self._began is not None

    @property
    def unheard(self) -> bool:
        """Who hears should have told words by now, and hasn't."""
        if self._ended is not None and self.now - max(self._ended, self._since) >= FINAL_WITHIN:
            return self._spoken >= LEAST
        return self._spoken >= ENOUGH and not self._told and self.now - self._since >= NOTHING_WITHIN

    def again(self) -> tuple[float, list[FrameT]]:
        """What another is to hear, and when it began. They get their time anew."""
        self._since, self._told = self.now, False
        first = self._kept[0][0] if self._kept else self.now
        return first, [frame for _, _, frame in self._kept]

    def wait_on(self) -> None:
        """There is nobody else: who hears gets the time anew."""
        self._since = self.now

    @property
    def _spoken(self) -> float:
        if self._began is None:
            return 0.0
        return (self._ended if self._ended is not None else self.now) - self._began - self._paused

    def _done(self) -> None:
        self._began = self._ended = None
        self._paused, self._told = 0.0, False

    def _drop(self, until: float) -> None:
        while self._kept and self._kept[0][0] + self._kept[0][1] <= until:
            self._kept.popleft()
