"""Whether packets of a job's track still come, by looks at how many have. Pure.

One whose silence has no gaps brings a packet each 20 ms, whatever it says: where none comes its job isn't reached by LiveKit any
more, or stands still, or LiveKit does. What is heard of it then is silence, as of a job that listens.
"""

from __future__ import annotations

from dataclasses import dataclass

EACH = 0.3
"""Seconds between two looks: fifteen packets. A look costs 2 ms of CPU."""
_LATE = 2 * EACH
"""Seconds after a look from which it proves nothing: we stood still ourselves."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What was seen of a track."""

    came: int = 0
    """Packets, by the last look; 0 for none, or for no look."""
    at: float = 0.0
    """When that was."""
    stands: bool = False
    """Nothing comes any more."""

    def looked(self, came: int, now: float) -> Flow:
        """So many have come by now, in seconds of one clock; 0 where that isn't known, or nobody looks since it sounds."""
        if not came:
            return Flow()
        return Flow(came, now, came == self.came and (self.stands or now - self.at < _LATE))
