"""A worker, as it says itself, and its jobs' names. Pure."""

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


def holder(worker: str, job: str) -> str:
    """As whom a worker's job holds the lease of its call."""
    return f"{worker}/{job}"


def worker_of(holder: str) -> str:
    """Whose job holds the lease."""
    return holder.rpartition("/")[0]
