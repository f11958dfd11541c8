"""Guards for tests of what dials."""

from __future__ import annotations

from collections.abc import Collection

from gateway.conduct.legs.outward import Guard
from gateway.guard.book import MemoryRuleBook
from gateway.guard.meter import MemoryMeter
from gateway.terms.outbound import Outbound, Rules
from gateway.terms.personal import Number

NOW = 1764000000.0


async def guard(
    version: str, *named: str, outbound: Outbound | None = None, country: str = "US", barred: Collection[str] = ()
) -> Guard:
    """A guard of a plan of that version, which names those addresses."""
    book = MemoryRuleBook()
    await book.put(version, Rules(outbound or Outbound(), frozenset(named), country))

    async def listed(number: Number) -> bool:
        return number.reveal() in barred

    return Guard(book, MemoryMeter(lambda: NOW), listed)
