"""Whether others who say again and again that they are there are gone. Pure; times are seconds on one clock."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Missing:
    """What looks for them have found."""

    after: float
    """Seconds for which looks must have missed them: the first one after a standstill comes before their first beat."""
    doubted_until: float
    """Until when those who were never there aren't missed: they may be about to come. Infinity: they may not be meant to."""
    once: bool = False
    """They were there."""
    since: float | None = None
    """When a look first missed them, and none has found any since."""

    def looked(self, there: bool, now: float) -> Missing:
        """A look has found some, or none."""
        if there:
            return replace(self, once=True, since=None)
        return replace(self, since=now) if self.since is None else self

    def unsure(self) -> Missing:
        """They couldn't be looked for, nor say that they are there."""
        return replace(self, since=None)

    def sure(self, now: float) -> bool:
        """Whether they are gone, or never came."""
        if not self.once and now < self.doubted_until:
            return False
        return self.since is not None and now - self.since >= self.after
