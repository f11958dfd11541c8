"""What a job does beyond the call, once: the call's ledger is asked and written before each effect counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from gateway.calls.store.port import CallStore
from gateway.calls.talk import effects
from gateway.conduct.tell import Teller
from gateway.errors import Unavailable
from gateway.terms.call import Call
from gateway.terms.event import Event, Kind

WITHIN = 1.0
"""Seconds that the store may take; then the effect waits for it on disk."""
DONE = "done"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ledger:
    """One job's hold on its call's ledger. `lost` is called when the call is another job's."""

    store: CallStore
    teller: Teller
    call: Call
    lost: Callable[[], None]
    done: dict[str, str] = field(default_factory=dict)
    """Results by their effects' keys, as far as this job knows: of what it found in the ledger, and of what it did itself. A
    store that has lost its ledger, or was away, gets it back from here (`CallStore.restore`)."""

    async def once(
        self, tool: str, arguments: Mapping[str, object], kind: Kind, data: Mapping[str, object], result: str = DONE
    ) -> str:
        """Do what the event tells of, unless the call has had it; the result, the first's of a repeated one.

        Raises Unavailable when it isn't done, because it can't be kept or the call is another job's: don't tell the
        caller that it was.
        """
        key, at = effects.key(tool, arguments), time.time()
        if key in self.done:
            return self.done[key]
        event = Event(self.call.id, kind, at, data, uid=f"{self.call.id} {key}")
        try:
            async with asyncio.timeout(WITHIN):
                done = await self.store.once(event, self.call.epoch, key, result)
        except (Unavailable, TimeoutError):
            # By its id it is one in the record, whoever else tells it, and even if the store has just taken it.
            await self.teller.told(kind, data, at, event.uid)
            done = result
        if done is None:
            log.warning("an effect isn't a job's that doesn't own the call", call=self.call.id, tool=tool)
            self.lost()
            raise Unavailable("Another job owns the call.")
        self.done[key] = done
        return done
