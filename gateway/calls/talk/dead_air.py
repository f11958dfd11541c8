"""Whether a caller waits in vain for an answer: judged by what sounds on the line, not by what an engine promises. Pure.

    a caller has said something ─▶ OWED ─ nothing but fillers sounds for `after` seconds ─▶ dead
                                     └─ an answer sounds, and the agent has said all it has to say ─▶ nothing is owed

While the caller talks nothing counts. An answer that breaks off in the middle is dead air too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class DeadAir:
    """One conversation's. Each method returns the next one."""

    after: float
    """Seconds; 0 where nobody watches."""
    since: float = NEVER
    """When the caller began to wait; NEVER while nothing is owed."""
    sounded: float = -NEVER
    """Until when something of an answer sounds that has been given to the line."""
    talking: bool = False
    """The caller talks."""
    filling: bool = False
    """What sounds is no answer: a holding phrase, a question whether anybody is there."""

    @property
    def deadline(self) -> float:
        """When it is dead, on the clock that `now` is taken from; infinite for never."""
        if not self.after or self.talking or self.since == NEVER:
            return NEVER
        return max(self.since, self.sounded) + self.after

    def owed(self, now: float) -> DeadAir:
        """The caller has said something, or the agent is to speak first."""
        return self if self.since != NEVER else replace(self, since=now)

    def caller(self, *, talking: bool, now: float) -> DeadAir:
        """The caller begins to talk, or stops: whoever talks doesn't wait yet."""
        waits = self.since != NEVER and self.talking and not talking
        return replace(self, talking=talking, since=now if waits else self.since)

    def heard(self, until: float) -> DeadAir:
        """Something sounds until then."""
        return self if self.filling else replace(self, sounded=max(self.sounded, until))

    def fills(self, *, filling: bool) -> DeadAir:
        """What sounds from now on is a filler, or an answer again."""
        return replace(self, filling=filling)

    def settled(self) -> DeadAir:
        """The agent has nothing more to say. It may have said nothing at all."""
        return replace(self, since=NEVER) if self.sounded >= self.since else self

    def waited(self, now: float) -> float:
        """Seconds for which the caller has been waiting for an answer of which nothing has sounded; 0 where they don't."""
        waits = self.since <= now and not self.talking and self.sounded < self.since
        return now - self.since if waits else 0.0

    def dead(self, now: float) -> bool:
        """Whether the caller has waited for too long."""
        return now >= self.deadline
