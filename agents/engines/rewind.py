"""What a caller has said and nobody has understood yet: kept, so that it can be heard again by another. Pure.

Places are seconds of the caller's audio since its beginning. Whoever hears is given time, which isn't the same: frames
come as they are spoken, but many at once after the process, or the network, stood still, and who hears can't have told
anything meanwhile. So sound counts as time only as far as time has passed, and time only as far as sound has come.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from agents.engines.standstill import Standstill

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
LATE = 0.6
"""Seconds for which a frame may be late and counts as time nevertheless: on a busy machine all of them are, now and then."""


@dataclass
class Rewind(Generic[FrameT]):
    """The caller's audio, and what is known of it."""

    now: float = 0.0
    """How much audio there was."""
    time: float = 0.0
    """Seconds that who hears has had."""
    _kept: deque[tuple[float, float, FrameT]] = field(default_factory=deque)
    """Beginning and length of each frame, and the frame."""
    _came: float | None = None
    """When the last frame came."""
    _spare: float = 0.0
    """Seconds that have passed and of which there is no sound yet."""
    _still: Standstill = field(default_factory=Standstill)
    """Of the sound."""
    _looked: float | None = None
    """The place up to which it is known whether somebody speaks; None: always at once."""
    _began: float | None = None
    """Where the speech began of which words are missing."""
    _ended: float | None = None
    """Where it ended; None while it goes on."""
    _silent: float = 0.0
    """Since when that is known."""
    _paused: float = 0.0
    """Silence within it."""
    _final: float = 0.0
    """The place up to which words were told for good."""
    _resumed: float = 0.0
    """Where it began again after a pause, or at all."""
    _partly: bool = False
    """Words were told of what came before that, for good: that their end is told says nothing of the rest."""
    _since: float = 0.0
    """Since when the one who hears has it, and should tell words."""
    _told: bool = False
    """Some word of it was told."""

    def add(self, frame: FrameT, seconds: float, at: float) -> None:
        """The next frame of the caller's audio, which came at `at` (any steady clock)."""
        self._kept.append((self.now, seconds, frame))
        self.now += seconds
        passed, self._came = seconds if self._came is None else at - self._came, at
        self._still.sign(at)
        self._spare = min(self._spare + passed, LATE + seconds)
        counts = min(seconds, self._spare)
        self._spare -= counts
        self.time += counts
        if self._ended is not None and self.time - self._silent > FORGOTTEN:
            self._done()
        self._drop(self.now - MOST if self._began is not None else max(self._known - BEFORE, self.now - MOST))

    def looked(self, at: float) -> None:
        """Whether somebody speaks is known up to that place, and isn't told at once."""
        self._looked = at

    def speech_began(self, at: float) -> None:
        """A voice is heard from that place on."""
        if self._began is None:
            self._began, self._resumed, self._since = max(at, self._final), at, self.time
        elif self._ended is not None:
            self._paused += at - self._ended
            self._resumed, self._since = at, self.time
        self._ended = None

    def speech_ended(self, at: float) -> None:
        """It has fallen silent by that place."""
        if self._began is not None and self._ended is None:
            self._ended, self._silent = at, self.time

    def words(self) -> None:
        """Some words of it were told, not for good."""
        self._told = True

    def final(self, until: float) -> None:
        """Its words up to `until` were told for good."""
        began, ended, going_on = self._began, self._ended, self._ended is None
        self._done()
        if began is not None and self._resumed > until:  # who hears is slower than who speaks
            self._began, self._ended, self._since, self._partly = self._resumed, ended, self.time, True
        elif began is not None and going_on:
            self._began, self._since = self._known, self.time
        self._final = max(self._final, until)
        self._drop(until)

    def utterance_ended(self) -> None:
        """Who hears says that no more words come of what was said."""
        if self._partly:
            self._partly = False
        elif self._ended is not None:
            self._done()

    @property
    def owed(self) -> bool:
        """Words are missing of something that was said."""
        return self._began is not None

    def amid(self, place: float) -> bool:
        """Whether it lies in what was said and isn't understood; whoever else looks may have found its beginning sooner."""
        return self._began is not None and place >= self._began - BEFORE

    @property
    def unheard(self) -> bool:
        """Who hears should have told words by now, and hasn't."""
        if self._ended is not None and self.time - max(self._silent, self._since) >= FINAL_WITHIN:
            return self._spoken >= LEAST
        return self._spoken >= ENOUGH and not self._told and self.time - self._since >= NOTHING_WITHIN

    def stood_still(self, at: float) -> bool:
        """Whether the sound stands still at `at`, or did just before: who fails then may not have."""
        return self._still.excuses(at)

    def again(self) -> tuple[float, list[FrameT]]:
        """What another is to hear, and when it began. They get their time anew."""
        self._since, self._told = self.time, False
        first = self._kept[0][0] if self._kept else self.now
        return first, [frame for _, _, frame in self._kept]

    def wait_on(self) -> None:
        """There is nobody else: who hears gets the time anew."""
        self._since = self.time

    @property
    def _known(self) -> float:
        return self.now if self._looked is None else min(self._looked, self.now)

    @property
    def _spoken(self) -> float:
        if self._began is None:
            return 0.0
        return (self._ended if self._ended is not None else self._known) - self._began - self._paused

    def _done(self) -> None:
        self._began = self._ended = None
        self._paused, self._told, self._partly = 0.0, False, False

    def _drop(self, until: float) -> None:
        while self._kept and self._kept[0][0] + self._kept[0][1] <= until:
            self._kept.popleft()
