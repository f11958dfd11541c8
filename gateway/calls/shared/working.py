"""A worker, as it says itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Working:
    """What a worker says of itself."""

    ready: bool
    """It takes calls."""
    calls: int = 0
    slots: int = 0
    """Calls that it bears at once."""
