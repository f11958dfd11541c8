"""The border between a process and what all of them know of the providers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from gateway.health.circuit import Circuit, State

Change = Callable[[Circuit], Circuit]
"""What becomes of a circuit. Pure: it may be called again with a newer one."""


class HealthStore(Protocol):
    """Circuits by their provider's name. Every method raises gateway.errors.Unavailable."""

    async def look(self, names: Sequence[str]) -> Mapping[str, Circuit]:
        """The circuits of the names; a closed one for a name of which nothing is known."""
        ...

    async def out(self) -> Mapping[str, Circuit]:
        """Every circuit that isn't closed."""
        ...

    async def change(self, name: str, change: Change) -> Circuit:
        """Change a circuit, as one step for all processes; what it is then."""
        ...


class MemoryHealth:
    """The store of a single process."""

    def __init__(self) -> None:
        self._circuits: dict[str, Circuit] = {}

    async def look(self, names: Sequence[str]) -> Mapping[str, Circuit]:
        """See HealthStore."""
        return {name: self._circuits.get(name, Circuit()) for name in names}

    async def out(self) -> Mapping[str, Circuit]:
        """See HealthStore."""
        return {name: circuit for name, circuit in self._circuits.items() if circuit.state is not State.CLOSED}

    async def change(self, name: str, change: Change) -> Circuit:
        """See HealthStore."""
        changed = self._circuits[name] = change(self._circuits.get(name, Circuit()))
        return changed
