"""What every act's machine is. Pure.

A machine is a frozen dataclass of plain values, kept as the call's checkpoint after every step, so that another job can
go on from any point of it. Times are seconds since the epoch (UTC), which outlive a process.

    machine, effects = machine.on(event, now)       an event that can't happen now changes nothing
    machine, effects = machine.due(now)             when `machine.deadline` has passed
"""

from __future__ import annotations

from typing import Protocol, Self

from gateway.calls.acts.cues import Event
from gateway.calls.acts.deeds import Effect


class Machine(Protocol):
    """One act in progress."""

    @property
    def deadline(self) -> float:
        """When `due` must be called; infinity for never."""
        ...

    def on(self, event: Event, now: float) -> tuple[Self, tuple[Effect, ...]]:
        """What follows from an event."""
        ...

    def due(self, now: float) -> tuple[Self, tuple[Effect, ...]]:
        """What follows from the deadline having passed; nothing before it."""
        ...
