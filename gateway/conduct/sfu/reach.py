"""Whether a job is still reached by LiveKit: what no packet comes to, nobody hears either. Pure.

The SDK finds out in 15 s or more, and says that it connects anew before it says that it is out. Meanwhile the job would hold
its call's lease by a Redis that it does reach, and its caller would be left in silence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

LOOK = 1.0
"""Seconds between two looks."""
SOON = 0.4
"""The same while somebody is to hear the job. A look costs 1.5 ms of CPU."""
LOST = 5.0
"""Seconds of looks in a row at which nothing had come from which the connection is lost. Looks, rather than seconds by the clock: a
process that stood still wakes to one. On a line that is quiet both ways a check of the connection comes each 2.5 s (libwebrtc)."""
FLOWS = 30
"""What comes a second at least of somebody's track, which brings 50 packets; checks, reports and what we ask for are fewer."""
QUIET = 1.1
"""Seconds in which something comes, a check or a report, to a job that is heard and hears nobody (measured: 0.9 at most)."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What was seen of a connection."""

    received: int = 0
    """Packets that have come, and checks of the connection, by the last look that told."""
    missed: float = 0.0
    """Seconds of looks in a row since when nothing has come."""
    flows: bool = False
    """By the last look at which something had come, somebody's track came."""
    flowed: bool = False
    """By that look or the one before: a track may have stopped just before it."""

    def looked(self, received: int | None, after: float = LOOK) -> Reach:
        """So much has come by now, so many seconds after the last look; None where that couldn't be told."""
        if received is None or received == self.received:
            return replace(self, missed=self.missed + after)
        # What came as we connected says nothing.
        flows = 0 < self.received <= received - FLOWS * after
        return Reach(received, flows=flows, flowed=flows or self.flows)

    @property
    def ceased(self) -> bool:
        """Nothing comes, though by now something ought to."""
        return self.missed > (0.0 if self.flowed else QUIET)

    @property
    def lost(self) -> bool:
        """Nothing comes any more."""
        return self.missed >= LOST
