"""How fast a trunk may be dialed, over all replicas. `MemoryPacer` here and `redis_pacing` implement the port."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Pacer(Protocol):
    """Gives each dial of a trunk its own moment, in the order in which they ask."""

    async def slot(self, trunk_id: str, per_second: float) -> float:
        """Seconds to wait before dialing by the trunk; 0 for at once. Who asks has taken the slot, dialing or not.

        `per_second`: the trunk's `calls_per_second`; 0 or less for no limit. Raises `gateway.errors.Unavailable`.
        """
        ...


def slot(due: float, per_second: float, now: float) -> tuple[float, float]:
    """Seconds to wait, and when the next slot is due. `due`: what the last one gave, 0 at first. `per_second`: above 0.

    Slots lie `1 / per_second` seconds apart and none is saved up: the generic cell rate algorithm without a burst
    (ITU-T I.371 annex A), because carriers count by the second.
    """
    at = max(due, now)
    return at - now, at + 1 / per_second


class MemoryPacer:
    """Implements `Pacer` in one process's memory. `clock`: seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._due: dict[str, float] = {}

    async def slot(self, trunk_id: str, per_second: float) -> float:
        """See the port."""
        if per_second <= 0:
            return 0.0
        wait, self._due[trunk_id] = slot(self._due.get(trunk_id, 0.0), per_second, self._clock())
        return wait
