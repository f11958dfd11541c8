"""When a caller who waits for an answer is told to hold on. Pure; seconds of any steady clock.

They wait from the end of their words, or from where an answer broke off. Normally an answer begins within half a second;
what is said meanwhile must neither come just before it nor so late that a caller thinks the line is dead: a second and a
half, of which the network takes a third. Whatever is the matter, an engine that thinks or one that has heard nothing, the
phrase comes as soon; and so does each that follows it, until there is an answer or the call goes on without one (the plan's
`dead_air`). Noise asks for no answer: only who has said words, or has talked for a while, waits for one; and who was heard
to talk while no words were made out is asked, after a few phrases, to say it again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

WITHIN = 1.5
"""Seconds after their words in which a caller hears something."""
ON_THE_WAY = 0.55
"""Of these, what the ways from the caller's mouth and to their ear take: 0.3 to 0.45 by callers' tapes on a busy machine."""
LATE = 0.25
"""Of the seconds after a phrase, or after what there was of an answer, what a busy machine may be late: the way to the
caller's ear is the same for both."""
TIMES = 2
"""Phrases said to who was heard to talk, but said no words that were made out."""
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
    known: bool = False
    """Somebody knows what they want: there were words, or an answer is being made."""
    said: int = 0
    """Phrases said since then."""
    last: float = -NEVER
    """When the last sound that the caller heard since ends: a phrase, or what there was of an answer; -NEVER for none."""

    @property
    def deadline(self) -> float:
        """When a phrase is due; infinite for never."""
        if not self.within or not self.owed or self.since == NEVER:
            return NEVER
        if self.last != -NEVER:
            return self.last + max(self.within - LATE, 0.0)
        return self.since + max(self.within - ON_THE_WAY, 0.0)

    @property
    def lost(self) -> bool:
        """What is due is to ask the caller to say it again: nobody has made out a word, and no answer is being made."""
        return not self.known and self.said >= TIMES

    def talks(self, now: float) -> Holding:
        """The caller has begun to talk, then. Who does while an answer is heard has had it, as far as they want it."""
        if self.last != -NEVER and not self.said:
            return Holding(self.within, began=now)
        return replace(self, since=NEVER, began=now, said=0, last=-NEVER)

    def silent(self, now: float) -> Holding:
        """The caller has fallen silent, then: not when it was noticed."""
        if self.began == NEVER:
            return self
        return replace(self, since=now, began=NEVER, owed=self.owed or now - self.began >= ENOUGH)

    def words(self) -> Holding:
        """Words of theirs were heard."""
        return replace(self, owed=True, known=True)

    def makes(self, now: float) -> Holding:
        """An answer is being made: to what was said, was keyed in, or to what a tool has found."""
        if self.began != NEVER:
            return self
        return replace(self, since=min(self.since, now), owed=True, known=True)

    def sounds(self, until: float) -> Holding:
        """An answer is heard, which isn't whole yet; what there is of it ends then."""
        if self.began != NEVER:
            return self
        return replace(self, since=until, owed=True, known=True, said=0, last=until)

    def whole(self) -> Holding:
        """What is heard of an answer is all of it. Who has said something since waits for another."""
        return self if self.last == -NEVER else self.answered()

    def answered(self) -> Holding:
        """The answer is whole, or there is none. Who talks goes on talking."""
        return Holding(self.within, began=self.began)

    def say(self, until: float) -> Holding:
        """A phrase is said, which ends then."""
        return replace(self, said=self.said + 1, last=until)
