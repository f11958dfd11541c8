"""Plans that were in force, for the calls that they have routed: each goes on as it began."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime

from gateway.dialplan.plan import Plan
from gateway.operate.shelf import unpacked
from gateway.records.plans import Plans
from gateway.terms.catalogue import Catalogue

KEPT = 4
"""Plans that are kept in memory: a large one takes hundreds of megabytes."""


class PastPlans:
    """Finds plans by the hash that calls name."""

    def __init__(self, plans: Plans, catalogue: Catalogue, clock: Callable[[], float]) -> None:
        """`clock`: seconds since the epoch."""
        self._plans, self._catalogue, self._clock = plans, catalogue, clock
        self._known: OrderedDict[str, Plan | None] = OrderedDict()
        self._reading = asyncio.Lock()

    async def of(self, version: str) -> Plan | None:
        """The plan; None when it isn't kept, or can't be read any more. Raises Unavailable."""
        async with self._reading:
            if version not in self._known:
                self._known[version] = await self._read(version)
                while len(self._known) > KEPT:
                    self._known.popitem(last=False)
            self._known.move_to_end(version)
            return self._known[version]

    async def _read(self, content: str) -> Plan | None:
        version = await self._plans.of_content(content)
        if version is None:
            return None
        files = await self._plans.files(version.number)
        return (
            await asyncio.to_thread(unpacked, files, self._catalogue, datetime.fromtimestamp(self._clock(), UTC))
        ).plan
