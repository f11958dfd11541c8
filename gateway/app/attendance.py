"""Whether anybody routes the callers whom our SIP service takes."""

from __future__ import annotations

import asyncio
import time

import structlog

from gateway.calls.shared.controls import BEAT, Attendance, Controls
from gateway.errors import Unavailable

log = structlog.get_logger(__name__)


class ControlLook:
    """Looks for controls again and again."""

    def __init__(self, controls: Controls) -> None:
        self._controls, self._attendance = controls, Attendance()

    def nobody(self) -> bool:
        """Whether there was a control, and is none any more."""
        return self._attendance.nobody(time.monotonic())

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
            self._attendance = self._attendance.unsure()
        else:
            self._attendance = self._attendance.looked(silence, time.monotonic())
