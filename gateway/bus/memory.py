"""The bus within one process, for tests and trials: the same rules, no Redis."""

from __future__ import annotations

import asyncio

from gateway.bus.envelope import Envelope, decode, encode
from gateway.bus.errors import BusDown
from gateway.bus.port import Receiver


class Hub:
    """What stands for Redis: every MemoryBus on one hub hears the others."""

    def __init__(self) -> None:
        self.up = True
        """Set it False to have every call raise BusDown."""
        self.buses: list[MemoryBus] = []
        self.locks: set[bytes] = set()
        self.published: list[tuple[str, Envelope]] = []
        """All that was published, for assertions."""


class MemoryBus:
    """One process's bus on a hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._receivers: dict[str, Receiver] = {}
        hub.buses.append(self)

    async def subscribe(self, channel: str, receiver: Receiver) -> None:
        """As Bus says."""
        self._check()
        self._receivers[channel] = receiver

    async def unsubscribe(self, channel: str) -> None:
        """As Bus says."""
        self._receivers.pop(channel, None)

    async def publish(self, channel: str, envelope: Envelope) -> None:
        """As Bus says; it arrives in the loop's next round, as from a network."""
        self._check()
        self._hub.published.append((channel, envelope))
        data = encode(envelope)
        for bus in self._hub.buses:
            asyncio.get_running_loop().call_soon(bus.deliver, channel, data)

    async def first(self, data: bytes) -> bool:
        """As Bus says; the locks never expire."""
        self._check()
        fresh = data not in self._hub.locks
        self._hub.locks.add(data)
        return fresh

    def deliver(self, channel: str, data: bytes) -> None:
        """The hub's: a message arrived."""
        if receiver := self._receivers.get(channel):
            receiver(decode(data), data)

    def _check(self) -> None:
        if not self._hub.up:
            raise BusDown("The memory bus was switched off.")
