"""The serving end of the bus (psrpc, pkg/server/rpc.go): bids for requests, handles those it is granted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, cast

import structlog
from google.protobuf.any_pb2 import Any as AnyMessage
from livekit.protocol.sip import SIPStatus, SIPStatusCode

from gateway.bus import channels
from gateway.bus.client import new_id
from gateway.bus.envelope import Claim, Envelope, Grant, Request, Response
from gateway.bus.errors import BusDown, RemoteError
from gateway.bus.port import Bus
from gateway.errors import OffhookError, Unavailable
from gateway.metrics import EDGE_ERRORS
from gateway.tasks import Tasks

AT_ONCE = 256
"""Requests handled at once; beyond them it doesn't bid, and another server may."""

Handle = Callable[[bytes], Awaitable[bytes]]
"""Takes the payload of a request, returns that of the answer. What it raises is sent as an error."""

log = structlog.get_logger(__name__)


class Server:
    """Serves methods of one service. Use it as a context manager; leaving ends the handlers and deregisters."""

    def __init__(self, bus: Bus, service: str) -> None:
        self.id = new_id("SRV_")
        self._bus = bus
        self._service = service
        self._bids: dict[str, asyncio.Future[str]] = {}
        self._registered: set[tuple[str, str]] = set()
        self._tasks = Tasks("bus server")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for method, topic in list(self._registered):
            await self.deregister(method, topic)
        await self._tasks.__aexit__(kind, error, trace)

    async def register(self, method: str, handle: Handle, *, topic: str = "") -> None:
        """Serve a method, or one topic of it, from when this returns. Raises BusDown."""

        def on_request(envelope: Envelope, data: bytes) -> None:
            if isinstance(envelope, Request) and len(self._tasks) < AT_ONCE:
                self._tasks.start(self._serve(envelope, data, method, topic, handle), f"serve {method}")

        # Grants first: none may be published before we hear them.
        await self._bus.subscribe(channels.grant(self._service, method, topic), self._on_grant)
        self._registered.add((method, topic))
        await self._bus.subscribe(channels.request(self._service, method, topic), on_request)

    async def deregister(self, method: str, topic: str = "") -> None:
        """Bid no more for it; what was granted is still handled."""
        self._registered.discard((method, topic))
        await self._bus.unsubscribe(channels.request(self._service, method, topic))
        await self._bus.unsubscribe(channels.grant(self._service, method, topic))

    def _on_grant(self, envelope: Envelope, _: bytes) -> None:
        if isinstance(envelope, Grant) and (bid := self._bids.get(envelope.id)) and not bid.done():
            bid.set_result(envelope.server)

    async def _serve(self, request: Request, data: bytes, method: str, topic: str, handle: Handle) -> None:
        left = (request.expiry - time.time_ns()) / 1e9
        if left <= 0:
            return
        try:
            async with asyncio.timeout(left):
                if not (await self._bus.first(data) and await self._granted(request)):
                    return
                response = await self._handle(request, handle)
            await self._bus.publish(channels.response(self._service, request.client), response)
        except (BusDown, TimeoutError):
            log.info("bus request dropped", method=method, topic=bool(topic))

    async def _granted(self, request: Request) -> bool:
        bid = self._bids[request.id] = asyncio.get_running_loop().create_future()
        try:
            await self._bus.publish(channels.claim(self._service, request.client), Claim(request.id, self.id))
            granted: str = await bid
            return granted == self.id
        finally:
            del self._bids[request.id]

    async def _handle(self, request: Request, handle: Handle) -> Response:
        try:
            payload = await handle(request.payload)
        except RemoteError as refusal:
            return self._error(request, refusal.code, refusal.what, refusal.sip)
        except OffhookError as fault:
            return self._error(request, "unavailable" if isinstance(fault, Unavailable) else "internal", fault.what)
        except Exception:  # a process's edge: the caller gets an answer, whatever broke here
            EDGE_ERRORS.labels("bus server").inc()
            log.exception("bus handler failed")
            return self._error(request, "internal", "internal error")
        return Response(request.id, self.id, time.time_ns(), payload)

    def _error(self, request: Request, code: str, what: str, sip: tuple[int, str] | None = None) -> Response:
        details: tuple[AnyMessage, ...] = ()
        if sip is not None:
            detail = AnyMessage()
            detail.Pack(SIPStatus(code=cast("SIPStatusCode", sip[0]), status=sip[1]))
            details = (detail,)
        return Response(request.id, self.id, time.time_ns(), error=what, code=code, details=details)
