"""Whether a job is still reached by LiveKit: what no packet comes to, nobody hears either. Pure.

The SDK finds out in 15 s or more, and says that it connects anew before it says that it is out. Meanwhile the job would hold
its call's lease by a Redis that it does reach, and its caller would be left in silence.
"""

from __future__ import annotations

from dataclasses import dataclass

LOOK = 1.0
"""Seconds between two looks."""
MISSES = 5
"""Looks in a row at which nothing had come from which the connection is lost. Looks, rather than seconds: a process that stood
still wakes to one. On a line that is quiet both ways a check of the connection comes each 2.5 s (libwebrtc)."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What was seen of a connection."""

    received: int = 0
    """Of what has come, by the last look that told."""
    missed: int = 0
    """Looks in a row since when nothing has come."""

    def looked(self, received: int | None) -> Reach:
        """So much has come by now; None where that couldn't be told."""
        if received is None or received == self.received:
            return Reach(self.received, self.missed + 1)
        return Reach(received)

    @property
    def lost(self) -> bool:
        """Nothing comes any more."""
        return self.missed >= MISSES
