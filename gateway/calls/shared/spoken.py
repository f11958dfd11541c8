"""What a caller says at a menu, on its way to the agent that it leads them to: they aren't to say it again.

The house understands no word, and whoever does comes a second later in another process. What was said lies here
meanwhile, for that one call and stop, until KEPT seconds have passed, since an agent may die over it; it goes nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from gateway.terms.call import CallId

RATE = 8000
"""Samples a second of what is kept: mono, 16-bit, little-endian."""
KEPT = 30.0
"""Seconds after the last words; an agent that comes later greets."""


class Spoken(Protocol):
    """Every method raises `gateway.errors.Unavailable` when the store doesn't answer."""

    async def add(self, call: CallId, stop: int, audio: bytes) -> None:
        """More of what the caller says on the way to a stop."""
        ...

    async def said(self, call: CallId, stop: int) -> bytes:
        """What the caller has said so far on the way to the stop; b"" for nothing."""
        ...


class MemorySpoken:
    """Implements Spoken in one process. `clock`: seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[tuple[CallId, int], tuple[float, bytes]] = {}

    async def add(self, call: CallId, stop: int, audio: bytes) -> None:
        """See the port."""
        self._kept[call, stop] = self._clock() + KEPT, self._found(call, stop) + audio

    async def said(self, call: CallId, stop: int) -> bytes:
        """See the port."""
        return self._found(call, stop)

    def _found(self, call: CallId, stop: int) -> bytes:
        until, audio = self._kept.get((call, stop), (0.0, b""))
        return audio if self._clock() < until else b""
