"""When what the store says of leases may be believed. Pure: what it answered and the time go in.

A store that was away for longer than a lease, or has come back without what it knew, shows calls without a job that
have one: nobody could renew. So control waits until every job that lives has had the time to say so. So it does when nobody has
looked for so long: a host that stood still, as while a snapshot of it is made, had jobs on it that couldn't renew either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.calls.store.port import Standing

SETTLES = 3.5
"""Seconds, a lease and a little: jobs renew theirs each second, and put back what was lost."""
SLOW = 1.5
"""Seconds for one answer after which leases may have run out meanwhile."""
GAP = 2.0
"""Seconds between two answers after which they may have run out meanwhile, as nobody may have renewed them."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What is known of the store. Times are seconds on one clock."""

    run: str = ""
    away: bool = True
    """It hasn't answered since it was last asked."""
    until: float = 0.0
    """Its leases aren't believed before."""
    known: bool = False
    """It has answered once."""
    looked: float = 0.0
    """When it answered last."""
    clock: float = 0.0
    """Its own clock then: ours may stand still with us."""

    def settled(self, now: float) -> bool:
        """Whether a call without a lease is one without a job."""
        return not self.away and now >= self.until and now - self.looked < GAP

    def failed(self) -> Trust:
        """It didn't answer."""
        return replace(self, away=True)

    def answered(self, standing: Standing, took: float, now: float) -> Trust:
        """It answered, after `took` seconds."""
        if not self.known:
            # We have just begun: a store that has just begun as well may have lost what it knew.
            until = now + max(0.0, SETTLES - standing.age)
        elif self.away or took >= SLOW or standing.run != self.run or self._stood_still(standing, now):
            until = now + SETTLES
        else:
            until = self.until
        return Trust(standing.run, away=False, until=until, known=True, looked=now, clock=standing.clock)

    def _stood_still(self, standing: Standing, now: float) -> bool:
        return now - self.looked >= GAP or standing.clock - self.clock >= GAP

    def forgot(self, before: Trust) -> bool:
        """Whether this is another store than `before`: what is only kept there may be gone."""
        return before.known and self.run != before.run
