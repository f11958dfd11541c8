"""When a caller who waits for an answer is told to hold on. Pure; seconds of any steady clock.

They wait from the end of their words. Normally an answer begins within half a second; what is said meanwhile must neither
come just before it nor so late that a caller thinks the line is dead: a second and a half, of which the network takes a
third. Whatever is the matter, an engine that thinks or one that has heard nothing, the phrase comes as soon. Noise asks for
no answer: only who has said words, or has talked for a while, waits for one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

WITHIN = 1.5
"""Seconds after their words in which a caller hears something."""
ON_THE_WAY = 0.55
"""Of these, what the ways from the caller's mouth and to their ear take: 0.3 to 0.45 by callers' tapes on a busy machine."""
GAP = 4.5
"""Seconds from the first phrase to the second; nothing more is said then."""
TIMES = 2
ENOUGH = 0.5
"""Seconds of speech that aren't noise, whether words were heard in it or not."""
NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Holding:
    """One conversation's. Each method returns the next one."""

    within: float = WITHIN
    """Seconds; 0 to say nothing."""
    since: float = NEVER
    """Since when the caller waits; NEVER while they don't."""
    began: float = NEVER
    """When they began to talk."""
    owed: bool = False
    """They have said something that wants an answer."""
    said: int = 0
    """Phrases said since then."""
    last: float = 0.0
    """When the last was."""

    @property
    def deadline(self) -> float:
        """When a phrase is due; infinite for never."""
        if not self.within or not self.owed or self.since == NEVER or self.said >= TIMES:
            return NEVER
        if self.said:
            return self.last + GAP
        return self.since + max(self.within - ON_THE_WAY, 0.0)

    def talks(self, now: float) -> Holding:
        """The caller has begun to talk, then."""
        return replace(self, since=NEVER, began=now, said=0)

    def silent(self, now: float) -> Holding:
        """The caller has fallen silent, then: not when it was noticed."""
        if self.began == NEVER:
            return self
        return replace(self, since=now, began=NEVER, owed=self.owed or now - self.began >= ENOUGH)

    def words(self) -> Holding:
        """Words of theirs were heard."""
        return replace(self, owed=True)

    def makes(self, now: float) -> Holding:
        """An answer is being made: to what was said, was keyed in, or to what a tool has found."""
        if self.began != NEVER:
            return self
        return replace(self, since=min(self.since, now), owed=True)

    def answered(self) -> Holding:
        """The answer is heard, or there is none."""
        return Holding(self.within)

    def say(self, now: float) -> Holding:
        """A phrase is said now."""
        return replace(self, said=self.said + 1, last=now)
