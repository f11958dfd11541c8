"""A bad network as a model: what of the packets is lost, doubled, late or overtaken, by the clock of whoever sends."""

from __future__ import annotations

import heapq
import random

DELAY, SPREAD = 0.04, 0.01
"""Seconds: of every packet, and what any may have besides."""
LATE, SWAPPED = 0.15, 0.03
"""Seconds more: of a late one, and of one that others overtake."""


class Network:
    """One way. `share`: of the packets that are lost, of those doubled, of those late and of those overtaken, each."""

    def __init__(self, draw: random.Random, share: float = 0.05, *, lost: float | None = None) -> None:
        """`lost`: where it is another share than that of the rest."""
        self._draw, self._share = draw, share
        self._lost = share if lost is None else lost
        self._flying: list[tuple[float, int, bytes]] = []
        self._count = 0

    def delays(self) -> list[float]:
        """When the next packet arrives after it was sent: not at all, once, or twice."""
        if self._draw.random() < self._lost:
            return []
        return [self._delay() for _ in range(1 + (self._draw.random() < self._share))]

    def carry(self, datagram: bytes, now: float) -> None:
        """A packet was sent."""
        for delay in self.delays():
            self._count += 1
            heapq.heappush(self._flying, (now + delay, self._count, datagram))

    def arrived(self, now: float) -> list[tuple[bytes, float]]:
        """What has come by now, in order, and when."""
        found = []
        while self._flying and self._flying[0][0] <= now:
            at, _, datagram = heapq.heappop(self._flying)
            found.append((datagram, at))
        return found

    def _delay(self) -> float:
        late = LATE * (self._draw.random() < self._share) + SWAPPED * (self._draw.random() < self._share)
        return DELAY + self._draw.uniform(0, SPREAD) + late
