"""What livekit-server is told of one call, in its order."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from gateway.bus.callstate import QUALITY, Status
from gateway.bus.ioinfo import CallInfo, IoInfo, Leg
from gateway.edge.events import TellEnd
from gateway.errors import Unavailable

log = structlog.get_logger(__name__)


class States:
    """One call's. `run` it beside the call; `close` it once nothing more is to be told."""

    def __init__(self, io: IoInfo, leg: Leg) -> None:
        self._io = io
        self.now = CallInfo(leg, created=time.time_ns())
        """What is known of the call."""
        self._untold: asyncio.Queue[CallInfo | None] = asyncio.Queue()

    def note(self, **known: Any) -> None:
        """More is known (fields of CallInfo), which will be told with the next state."""
        self.now = replace(self.now, **known)

    def tell(self, **known: Any) -> None:
        """Tell what is known, with this."""
        self.note(**known)
        self._untold.put_nowait(self.now)

    def tell_end(self, end: TellEnd, codec: str, line: Mapping[str, float]) -> None:
        """Tell that the call is over. `line`: how good it was, {} where nothing was heard."""
        self.tell(
            status=Status.DISCONNECTED,
            attributes={**self.now.attributes, **({QUALITY: json.dumps(line)} if line else {})},
            ended=time.time_ns(),
            codec=codec,
            reason=end.reason,
            error=end.error,
            sip_status=end.sip_status,
            sip_text=end.sip_text,
        )

    def close(self) -> None:
        """Let `run` return when all is told."""
        self._untold.put_nowait(None)

    async def run(self) -> None:
        """Tell, until `close`; what can't be told is left out."""
        while (info := await self._untold.get()) is not None:
            try:
                await self._io.tell(info)
            except Unavailable as bad:
                log.warning("call state not told", call=info.leg.id, status=info.status, why=bad.what)
