"""The calling end of the bus (psrpc, pkg/client/rpc.go: RequestSingle)."""

from __future__ import annotations

import asyncio
import random
import string
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import structlog
from livekit.protocol.sip import SIPStatus

from gateway.bus import channels
from gateway.bus.envelope import Claim, Envelope, Grant, Request, Response
from gateway.bus.errors import BusDown, NoAnswer, NoServer, RemoteError
from gateway.bus.port import Bus
from gateway.errors import PeerFault
from gateway.tasks import Tasks

SELECTION = 0.9
"""Seconds within which a server must bid."""
ANSWER = 3.0
"""Seconds within which a call must be answered, from its start."""

log = structlog.get_logger(__name__)


def new_id(prefix: str) -> str:
    """A new identifier as PSRPC makes them: `CLI_`, `SRV_` or `REQ_` and 12 letters or digits."""
    return prefix + "".join(random.choices(string.ascii_letters + string.digits, k=12))


@dataclass(frozen=True, slots=True)
class _Place:
    service: str
    method: str
    topic: str

    @property
    def requests(self) -> str:
        return channels.request(self.service, self.method, self.topic)

    @property
    def grants(self) -> str:
        return channels.grant(self.service, self.method, self.topic)


@dataclass(slots=True)
class _Pending:
    claimed: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    answered: asyncio.Future[Response] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Client:
    """Calls methods of one service. Use it as a context manager; entering raises BusDown."""

    def __init__(self, bus: Bus, service: str) -> None:
        self.id = new_id("CLI_")
        self._bus = bus
        self._service = service
        self._pending: dict[str, _Pending] = {}
        self._tasks = Tasks("bus client")

    async def __aenter__(self) -> Self:
        await self._bus.subscribe(channels.response(self._service, self.id), self._on_response)
        await self._bus.subscribe(channels.claim(self._service, self.id), self._on_claim)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._tasks.__aexit__(kind, error, trace)
        await self._bus.unsubscribe(channels.response(self._service, self.id))
        await self._bus.unsubscribe(channels.claim(self._service, self.id))

    async def call(
        self, method: str, payload: bytes, *, topic: str = "", answer: float = ANSWER, selection: float = SELECTION
    ) -> bytes:
        """Have one server handle a request; the answer's payload. Waits `answer` seconds at most.

        Raises BusDown, NoServer, NoAnswer, and RemoteError when the server answered with an error.
        """
        request, pending = self._prepare(payload, answer)
        place = _Place(self._service, method, topic)
        try:
            await self._ask(place, request, min(selection, answer))
            return await self._conclude(request, pending, place, answer, selection)
        finally:
            del self._pending[request.id]

    async def _ask(self, place: _Place, request: Request, within: float) -> None:
        """Publish a request that somebody waits for: a Redis that stands still must be told of as soon as a server that
        doesn't bid, for a caller's carrier to try another way."""
        try:
            async with asyncio.timeout(within):
                await self._bus.publish(place.requests, request)
        except TimeoutError:
            raise BusDown("Redis doesn't answer.") from None

    async def tell(self, method: str, payload: bytes, *, topic: str = "") -> None:
        """Publish a request and return; what becomes of it is seen to in the background, and only logged.

        Requests told one after the other are published in that order. Raises BusDown.
        """
        request, pending = self._prepare(payload, ANSWER)
        place = _Place(self._service, method, topic)
        try:
            await self._bus.publish(place.requests, request)
        except BaseException:
            del self._pending[request.id]
            raise
        self._tasks.start(self._see_to(request, pending, place), f"tell {method}")

    async def _see_to(self, request: Request, pending: _Pending, place: _Place) -> None:
        try:
            await self._conclude(request, pending, place, ANSWER, SELECTION)
        except PeerFault as bad:
            log.debug("bus told in vain", method=place.method, why=bad.what)
        finally:
            del self._pending[request.id]

    def _prepare(self, payload: bytes, answer: float) -> tuple[Request, _Pending]:
        now = time.time_ns()
        request = Request(new_id("REQ_"), self.id, now, now + int(answer * 1e9), payload)
        pending = self._pending[request.id] = _Pending()
        return request, pending

    async def _conclude(
        self, request: Request, pending: _Pending, place: _Place, answer: float, selection: float
    ) -> bytes:
        started = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(min(selection, answer)):
                server = await pending.claimed
        except TimeoutError:
            raise NoServer(
                f"Nobody on the bus serves {place.method}.", remedy="Is livekit-server on this Redis?"
            ) from None
        await self._bus.publish(place.grants, Grant(request.id, server))
        try:
            async with asyncio.timeout_at(started + answer):
                response = await pending.answered
        except TimeoutError:
            raise NoAnswer(f"{place.method} was not answered within {answer:g} s.") from None
        if response.error:
            raise RemoteError(response.code, response.error, sip=_sip_status(response))
        return response.payload

    def _on_claim(self, envelope: Envelope, _: bytes) -> None:
        if isinstance(envelope, Claim) and (pending := self._pending.get(envelope.id)) and not pending.claimed.done():
            pending.claimed.set_result(envelope.server)

    def _on_response(self, envelope: Envelope, _: bytes) -> None:
        if (
            isinstance(envelope, Response)
            and (pending := self._pending.get(envelope.id))
            and not pending.answered.done()
        ):
            pending.answered.set_result(envelope)


def _sip_status(response: Response) -> tuple[int, str] | None:
    status = SIPStatus()
    for detail in response.details:
        if detail.Unpack(status):
            return int(status.code), status.status
    return None
