"""Whom the drivers of one kind of transport listen to: `gateway.sip.gate` on the event loop's clock, counted and told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import sipmessage
import structlog

from gateway.metrics import counter
from gateway.sip import HostPort
from gateway.sip.gate import GUESSES, Gate
from gateway.sip.ration import Ration
from gateway.sip.sign_in import credentials

DROPPED = counter("sip_datagrams_dropped", "SIP datagrams that were ignored", "why")
SHUT_OUT = counter("sip_sources_shut_out", "Times that a stranger was no longer listened to", "why")
LINES = 20
"""Of the log, at once and in SUMMED_UP seconds, that tell of somebody who is shut out: a flood of such isn't to flood the log, too."""
SUMMED_UP = 60.0

log = structlog.get_logger(__name__)


class Warden:
    """To be used on the event loop. Without a gate everybody is listened to, and known."""

    def __init__(self, gate: Gate | None = None) -> None:
        self._gate = gate
        self._loop = asyncio.get_running_loop()
        self._lines = Ration.full(LINES / SUMMED_UP, LINES, self._loop.time())
        self._untold = 0
        self._watching: list[Callable[[str], None]] = []

    def shuts_out(self, source: HostPort) -> bool:
        """Whether a connection from there is to be closed at once."""
        shut = self._gate is not None and self._gate.shut(source[0], self._loop.time())
        if shut:
            DROPPED.labels("shut out").inc()
        self._tell()
        return shut

    def refuses(self, data: bytes, source: HostPort) -> bool:
        """Whether a message from there is to be dropped unread."""
        why = "" if self._gate is None else self._gate.refuses(data, source[0], self._loop.time())
        if why:
            DROPPED.labels(why).inc()
        self._tell()
        return bool(why)

    def knows(self, source: HostPort) -> bool:
        """Whether they are no stranger: an operator or a trunk names them, or a call came about with them."""
        return self._gate is None or self._gate.knows(source[0], self._loop.time())

    def awaits(self, source: HostPort) -> None:
        """A call from there rings, or is answered."""
        if self._gate is not None:
            self._gate.awaits(source[0], self._loop.time())

    def met(self, source: HostPort) -> None:
        """Who is there is no stranger any more."""
        if self._gate is not None:
            self._gate.met(source[0], self._loop.time())

    def proved(self, source: HostPort) -> None:
        """Who is there has signed in."""
        if self._gate is not None:
            self._gate.proved(source[0], self._loop.time())

    def judged(self, source: HostPort, request: sipmessage.Request, code: int) -> None:
        """A request from there gets its final answer."""
        if self._gate is not None:
            proofs, now = " ".join(credentials(request)), self._loop.time()
            self._gate.answered(source[0], request.method, code, now, proofs, request.call_id)
            self._tell()

    def disturbed(self, source: HostPort) -> None:
        """What came from there couldn't be read."""
        if self._gate is not None:
            self._gate.malformed(source[0], self._loop.time())
            self._tell()

    def knocked(self, source: HostPort) -> None:
        """A connection from there ended, and nothing was said."""
        if self._gate is not None:
            self._gate.knocked(source[0], self._loop.time())
            self._tell()

    def watch(self, shut_out: Callable[[str], None]) -> None:
        """Call this with each (see `gateway.sip.gate.subscriber`) of whom nothing is read from then on."""
        self._watching.append(shut_out)

    def _tell(self) -> None:
        if self._gate is None or not self._gate.news:
            return
        news, self._gate.news = self._gate.news, []
        for one in news:
            SHUT_OUT.labels(one.why).inc()
            for shut_out in self._watching if one.why != GUESSES else ():
                shut_out(one.source)
            if self._lines.take(self._loop.time()):
                log.warning("sip.shut_out", source=one.source, why=one.why, seconds=round(one.seconds))
            else:
                self._untold += 1
                if self._untold == 1:
                    self._loop.call_later(SUMMED_UP, self._sum_up)

    def _sum_up(self) -> None:
        log.warning("sip.shut_out_more", sources=self._untold)
        self._untold = 0
