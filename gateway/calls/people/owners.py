"""Whose a caller is: the person who has talked with them last, and whose phone rings first when they call again.
`MemoryOwners` and `redis_owners` implement the port; tests/contract holds both to one suite."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from gateway.terms.personal import Number

KNOWN = 180 * 86400.0
"""Seconds after their last talk that a caller is somebody's."""


class Owners(Protocol):
    """Every method raises `gateway.errors.Unavailable` when the store doesn't answer."""

    async def of(self, caller: Number) -> str:
        """Who has talked with the caller last, in the plan's `people`; "" for nobody."""
        ...

    async def talked(self, caller: Number, name: str) -> None:
        """Somebody talks with the caller."""
        ...


class MemoryOwners:
    """Implements `Owners` in one process's memory. `clock`: seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[Number, tuple[str, float]] = {}

    async def of(self, caller: Number) -> str:
        """See the port."""
        name, until = self._known.get(caller, ("", 0.0))
        return name if self._clock() < until else ""

    async def talked(self, caller: Number, name: str) -> None:
        """See the port."""
        self._known[caller] = name, self._clock() + KNOWN


def owner_first(
    names: Sequence[str],
    owner: str,
    *,
    everyone: bool,
    mine: Collection[str],
    free: Collection[str],
    tried: Mapping[str, int],
) -> tuple[tuple[str, ...], bool]:
    """Whom to ring, and whether all of them at once: the caller's owner alone, once, if they are there and free; then whoever
    the team's way of ringing says. Pure.

    `names`: the team in the order to ring them. `mine`: whom the call rings already; `free`: who could be rung; `tried`:
    how often the call has rung whom.
    """
    if owner not in names:
        return tuple(names), everyone
    if owner in mine:
        return (), everyone  # it is their turn still
    if tried.get(owner) or owner not in free:
        return tuple(names), everyone
    return (owner,), False
