"""The port to the list of numbers that are never called. `MemoryDoNotCall`, `redis_list` and `gateway.records.donotcall`
implement it; tests/contract holds all to one suite.

The database is what counts. Redis holds a copy, because a job has nothing else: what a caller says is in the copy at
once, in the database a moment later by way of the call's events, and control brings the copy up to date again and again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.errors import Unavailable
from gateway.terms.personal import Number


@dataclass(frozen=True, slots=True)
class Entry:
    """One number that is not to be called."""

    number: Number
    """E.164."""
    at: float
    """Since when (seconds since the epoch)."""
    why: str = ""
    """In a few words: "said so in a call"."""
    call: str = ""
    """Id of the call in which it was said; "" for none."""
    by: str = field(default="", repr=False)
    """Who has entered it: "caller", or an operator's name."""


class Unwanted(Unavailable):
    """Nothing can be had that would call a number which is on the list."""


class DoNotCall(Protocol):
    """Every method raises `gateway.errors.Unavailable` when the list can't be had: a number that can't be looked up is
    not called."""

    async def add(self, entry: Entry) -> bool:
        """Enter a number; whether it wasn't there. One that is keeps what was written of it first."""
        ...

    async def remove(self, number: Number, by: str, now: float) -> bool:
        """Take a number off, since they want to be called again; whether it was there. `now`: seconds since the epoch;
        an entry of an earlier time that comes late doesn't bring it back."""
        ...

    async def has(self, number: Number) -> bool:
        """Whether the number must not be called."""
        ...

    async def listed(self) -> Sequence[Entry]:
        """All of them, the newest first."""
        ...


class MemoryDoNotCall:
    """Implements `DoNotCall` in one process's memory."""

    def __init__(self) -> None:
        self._entries: dict[Number, Entry] = {}
        self._removed: dict[Number, float] = {}

    async def add(self, entry: Entry) -> bool:
        """See the port."""
        if entry.number in self._entries or entry.at <= self._removed.get(entry.number, float("-inf")):
            return False
        self._entries[entry.number] = entry
        return True

    async def remove(self, number: Number, by: str, now: float) -> bool:
        """See the port."""
        found = self._entries.pop(number, None)
        if found is not None:
            self._removed[number] = now
        return found is not None

    async def has(self, number: Number) -> bool:
        """See the port."""
        return number in self._entries

    async def listed(self) -> Sequence[Entry]:
        """See the port."""
        return sorted(self._entries.values(), key=lambda one: (-one.at, one.number.reveal()))
