"""Rooms that nobody looks after: people who were rung for a call sit there alone. Pure.

A call's end deletes its room. Of a livekit-server that dies the people in it come back by themselves when it is there again,
and a phone that had been rung for a caller who is gone makes the room anew: the one who holds it hears nothing, for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from gateway.terms.call import Call

AFTER = 11.0
"""Seconds for which a room must be forsaken: longer than a job may take to tell somebody that their caller has gone."""


@dataclass(frozen=True, slots=True)
class Forsaken:
    """Rooms without a caller and a live call, and since when (seconds since the epoch)."""

    since: Mapping[str, float] = field(default_factory=dict)

    def seen(self, rooms: Iterable[str], live: Collection[Call], now: float) -> Forsaken:
        """These rooms have people who were rung, and no caller; those calls are live."""
        looked_after = {call.room for call in live}
        return Forsaken({room: self.since.get(room, now) for room in rooms if room not in looked_after})

    def due(self, now: float) -> list[str]:
        """Those that are to be deleted."""
        return [room for room, since in self.since.items() if now - since >= AFTER]
