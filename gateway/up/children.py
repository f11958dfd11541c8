"""Which processes `up` runs, in which order, and how each shows that it serves. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Check(StrEnum):
    """How a child is asked whether it serves."""

    REDIS = "redis"
    """PING on the Redis URL."""
    HTTP = "http"
    """GET answers 200."""


@dataclass(frozen=True, slots=True)
class Child:
    """One process of `up`."""

    name: str
    command: tuple[str, ...]
    check: Check
    address: str
    """The URL that `check` asks."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Added to `up`'s own environment. Holds secrets."""
    after: tuple[str, ...] = ()
    """Children that must serve before this one starts; names that aren't run here count as serving."""
    patience: float = 30.0
    """Seconds from its start until it must serve."""


def stop_order(children: Sequence[Child]) -> list[Child]:
    """The order to end them in: who leans on another goes before it."""
    left = {child.name: child for child in children}
    order: list[Child] = []
    while left:
        leaned_on = {name for child in left.values() for name in child.after}
        free = [child for name, child in left.items() if name not in leaned_on] or list(left.values())
        order += free
        for child in free:
            del left[child.name]
    return order


def restart_delay(deaths: int) -> float:
    """Seconds to wait before a child that died `deaths` times in a row is started again: 0.2 doubling to 5."""
    return float(min(0.2 * 2 ** max(deaths - 1, 0), 5.0))


STEADY = 20.0
"""A child that served this many seconds counts as steady: its next death is its first again."""
