"""What the two ends of a call need of the bus that carries them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from gateway.bus.envelope import Envelope

Receiver = Callable[[Envelope, bytes], None]
"""Takes what was published on a channel, and its bytes, on the event loop; must not block."""


class Bus(Protocol):
    """Publish and subscribe. `transport.RedisBus` is the real one, `memory.MemoryBus` lives in one process."""

    async def subscribe(self, channel: str, receiver: Receiver) -> None:
        """Have `receiver` called for each message; returns once none can be missed. Raises BusDown."""

    async def unsubscribe(self, channel: str) -> None:
        """Call that channel's receiver no more."""

    async def publish(self, channel: str, envelope: Envelope) -> None:
        """Publish, to whoever listens now. Raises BusDown."""

    async def first(self, data: bytes) -> bool:
        """Take the queue lock on a request's bytes: True for one of all the processes that try. Raises BusDown."""
