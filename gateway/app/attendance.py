"""Whether anybody routes the callers whom our SIP service takes."""

from __future__ import annotations

import asyncio
import math
import time

import structlog

from gateway.calls.shared.controls import BEAT, SURE, Controls, there
from gateway.calls.shared.missing import Missing
from gateway.errors import Unavailable

log = structlog.get_logger(__name__)


class ControlLook:
    """Looks for controls again and again."""

    def __init__(self, controls: Controls) -> None:
        self._controls, self._missing = controls, Missing(SURE, math.inf)

    def nobody(self) -> bool:
        """Whether there was a control, and is none any more."""
        return self._missing.sure(time.monotonic())

    async def run(self) -> None:
        """Look for ever."""
        while True:
            before = self.nobody()
            await self._look()
            if self.nobody() is not before:
                log.warning("control is back" if before else "no control is there; callers are refused")
            await asyncio.sleep(BEAT)

    async def _look(self) -> None:
        try:
            silence = await self._controls.silence()
        except Unavailable:
            self._missing = self._missing.unsure()
        else:
            self._missing = self._missing.looked(there(silence), time.monotonic())
