"""The port to the callbacks. `MemoryBookings` and `gateway.records.bookings` implement it; tests/contract holds both to one
suite. What becomes of a callback is `gateway.callbacks.machine`'s to say; a store takes one step at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.callbacks.machine import OPEN, Booking, Claimed, Event, State, Tell, on

LEASE = 20.0
"""Seconds that a control has to make a callback's call; after that another does, which is the same call."""


@dataclass(frozen=True, slots=True)
class Told:
    """Something of a callback that is still to be told to whoever is concerned."""

    booking: Booking
    what: Tell


class Bookings(Protocol):
    """Every method raises `gateway.errors.Unavailable` when the store doesn't answer."""

    async def book(self, booking: Booking) -> bool:
        """Add a callback; False, changing nothing, when its id is known."""
        ...

    async def get(self, which: str) -> Booking | None:
        """The callback of that id; None for none."""
        ...

    async def listed(self, *, ended: bool, limit: int) -> Sequence[Booking]:
        """Those that are still to be made, the next first; with `ended` all of them, the newest first."""
        ...

    async def step(self, which: str, event: Event, now: float) -> Booking | None:
        """Take one step of the machine, and note what is to be told; the callback as it is then, None for none."""
        ...

    async def due(self, now: float) -> Sequence[Booking]:
        """Those whose time has come: booked, or claimed by a control that hasn't made the call in time."""
        ...

    async def claim(self, which: str, now: float) -> Booking | None:
        """Take a due one for LEASE seconds: whoever gets it makes the call of its `run`, which is the same for whoever
        claims it after them. None when it isn't due any more, or another has it."""
        ...

    async def made(self, booking: Booking) -> None:
        """The call of the callback's run is made: it needs no control any more."""
        ...

    async def late(self, now: float) -> Sequence[Booking]:
        """Those that should have been called by now, and of which nobody was told yet."""
        ...

    async def to_tell(self) -> Sequence[Told]:
        """What is still to be told."""
        ...

    async def told(self, which: str, what: Tell) -> None:
        """It is told."""
        ...


class MemoryBookings:
    """Implements `Bookings` in one process's memory."""

    def __init__(self) -> None:
        self._all: dict[str, Booking] = {}
        self._leases: dict[str, float] = {}
        self._telling: dict[str, list[Tell]] = {}

    async def book(self, booking: Booking) -> bool:
        """See the port."""
        if booking.id in self._all:
            return False
        self._all[booking.id], self._telling[booking.id] = booking, [Tell.BOOKED]
        return True

    async def get(self, which: str) -> Booking | None:
        """See the port."""
        return self._all.get(which)

    async def listed(self, *, ended: bool, limit: int) -> Sequence[Booking]:
        """See the port."""
        if ended:
            return sorted(self._all.values(), key=lambda one: (-one.made, one.id))[:limit]
        found = [one for one in self._all.values() if one.state in OPEN]
        return sorted(found, key=lambda one: (one.at, one.id))[:limit]

    async def step(self, which: str, event: Event, now: float) -> Booking | None:
        """See the port."""
        before = self._all.get(which)
        if before is None:
            return None
        self._all[which], tells = on(before, event, now)
        self._telling[which] += [one for one in tells if one not in self._telling[which]]
        return self._all[which]

    async def due(self, now: float) -> Sequence[Booking]:
        """See the port."""
        return sorted((one for one in self._all.values() if self._due(one, now)), key=lambda one: (one.at, one.id))

    async def claim(self, which: str, now: float) -> Booking | None:
        """See the port."""
        one = self._all.get(which)
        if one is None or not self._due(one, now):
            return None
        found = await self.step(which, Claimed(), now)
        if found is None or found.state is not State.DUE:
            return None
        self._leases[which] = now + LEASE
        return found

    async def made(self, booking: Booking) -> None:
        """See the port."""
        known = self._all.get(booking.id)
        if known is not None and known.run == booking.run:
            self._leases.pop(booking.id, None)

    async def late(self, now: float) -> Sequence[Booking]:
        """See the port."""
        waiting = [one for one in self._all.values() if one.state in OPEN and one.state is not State.TALKING]
        return [one for one in waiting if now > one.by and not one.breached]

    async def to_tell(self) -> Sequence[Told]:
        """See the port."""
        return [Told(self._all[which], what) for which, tells in self._telling.items() for what in tells]

    async def told(self, which: str, what: Tell) -> None:
        """See the port."""
        self._telling[which] = [one for one in self._telling.get(which, ()) if one is not what]

    def _due(self, one: Booking, now: float) -> bool:
        if one.state is State.BOOKED:
            return not one.by_hand and one.at <= now
        return one.state is State.DUE and self._leases.get(one.id, float("inf")) <= now
