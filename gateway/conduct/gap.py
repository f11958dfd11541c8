"""Keys that the caller pressed after a job had died and before its successor listened: our SIP service has kept them (see
`gateway.terms.gap`). Another service tells none; what this job has heard itself counts then.

A key counts once: those that the dead job might have heard, before another epoch was the call's, aren't asked for; and what
comes as a key's own packet before the answer is in the answer.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable

import structlog
from livekit import rtc

from gateway.terms.gap import KEPT_FOR, KEYS, SECONDS

WITHIN = 1.0
"""Seconds that the answer may take. The caller's keys wait for it."""

log = structlog.get_logger(__name__)


class Gap:
    """One job's. Keys are held back from `pressed` until `close` has brought those of the gap."""

    def __init__(self, room: rtc.Room, caller: str, tell: Callable[[str, bool], None], began: float | None) -> None:
        """`caller`: their participant's identity. `tell` hears each key, and whether it was pressed in the gap. `began`: since
        when the keys were lost (`time.monotonic`); None for no gap."""
        self._room, self._caller, self._tell = room, caller, tell
        self._began = began
        self._held: list[str] = []
        self._open = began is not None
        self._over = asyncio.Event()
        self.asking: asyncio.Task[None] | None = None
        """Asks the SIP service."""
        if self._open:
            room.on("data_received", self._came)

    def pressed(self, key: str) -> None:
        """A key's own packet has come."""
        if self._open:
            self._held.append(key)
        else:
            self._tell(key, False)

    def close(self) -> None:
        """Whoever heeds keys is there: ask for those of the gap, once."""
        if self._open and self.asking is None:
            self.asking = asyncio.create_task(self._ask(), name="keys of the gap")

    async def _ask(self) -> None:
        assert self._began is not None
        ago = time.monotonic() - self._began
        try:
            async with asyncio.timeout(WITHIN):
                if 0.0 < ago < KEPT_FOR:
                    await self._room.local_participant.perform_rpc(
                        destination_identity=self._caller,
                        method=KEYS,
                        payload=json.dumps({SECONDS: ago}),
                        response_timeout=WITHIN,
                    )
                    await self._over.wait()
        except (rtc.RpcError, TimeoutError) as bad:
            log.debug("the SIP service tells no keys", why=type(bad).__name__)
        self._end(self._held, missed=False)

    def _came(self, packet: rtc.DataPacket) -> None:
        if packet.topic != KEYS or packet.participant is None or packet.participant.identity != self._caller:
            return
        try:
            keys = [str(key) for key in json.loads(packet.data)]
        except (ValueError, TypeError):
            return
        if self._open and keys:
            log.info("the caller pressed keys while no job listened", keys=len(keys))
        self._end(keys, missed=True)
        self._over.set()

    def _end(self, keys: list[str], *, missed: bool) -> None:
        if self._open:
            self._open = False
            for key in keys:
                self._tell(key, missed)
