"""Which of our SIP services are gone, by two looks. Pure.

One look may come before the first beat after a standstill, of Redis or of all, and would hang up on every caller of a service
that lives.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

AFTER = 1.5
"""Seconds between two looks that both miss a service: longer than it takes to beat again."""


@dataclass(frozen=True, slots=True)
class LostEdges:
    """Services that callers came by and that were missed, and since when (seconds since the epoch)."""

    since: Mapping[str, float] = field(default_factory=dict)

    def looked(self, named: Collection[str], there: Collection[str], now: float) -> LostEdges:
        """Callers in the rooms came by these, and those are there. A look that failed proves nothing: begin anew then."""
        return LostEdges({edge: self.since.get(edge, now) for edge in named if edge and edge not in there})

    def due(self, now: float) -> frozenset[str]:
        """Those that are gone."""
        return frozenset(edge for edge, since in self.since.items() if now - since >= AFTER)
