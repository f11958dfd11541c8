"""The SIP service: sorts requests to calls, lets calls in, and ends them all when it stops."""

from __future__ import annotations

import asyncio
import secrets
import string
from collections.abc import Callable
from typing import Any

import structlog

from gateway.bus.errors import RemoteError
from gateway.bus.participants import Created, Dial
from gateway.edge import metrics
from gateway.edge.call import ALLOW, EdgeCall, Tools
from gateway.edge.events import PeerGone, Stopping
from gateway.edge.inbound.call import InboundCall
from gateway.edge.inbound.machine import TRY_AGAIN
from gateway.edge.leg import leg_of
from gateway.edge.outbound.call import OutboundCall
from gateway.edge.outbound.invite import check, transport_of
from gateway.errors import PeerFault
from gateway.net.drivers import Drivers
from gateway.net.sip_driver import Incoming
from gateway.sip.dialog import DialogFault, DialogId
from gateway.sip.message import host_port, unsupported
from gateway.tasks import Tasks

STOPPING = 4.0
"""Seconds that ending all calls may take when the service stops."""
_RETRY = ("Retry-After", str(TRY_AGAIN))
_BODIES = ("Accept", "application/sdp")

log = structlog.get_logger(__name__)


class Edge:
    """Handles the requests of all SipDrivers: a `gateway.net.sip_driver.Handler`.

    `ready` says why the service isn't ready, or ""; `limit`: calls at once, beyond which callers get 503.
    """

    def __init__(self, tools: Tools, ready: Callable[[], str], limit: int) -> None:
        self.drivers = Drivers()
        """What SIP is spoken by. Add them before the first request."""
        self._tools = tools
        self._ready = ready
        self._limit = limit
        self._calls: dict[str, EdgeCall[Any, Any]] = {}
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()

    def __len__(self) -> int:
        return len(self._calls)

    async def on_request(self, incoming: Incoming) -> None:
        """Answer a request. Raises PeerFault for a refusal, which the driver turns into a response."""
        if missing := unsupported(incoming.request):
            incoming.respond(420, headers=[("Unsupported", ", ".join(missing))])
            return
        named = DialogId.of(incoming.request)
        if named.local_tag:
            await self._in_dialog(incoming, named)
        elif incoming.request.method == "INVITE":
            await self._invite(incoming)
        elif incoming.request.method == "OPTIONS":
            self._options(incoming)
        elif incoming.request.method in ("BYE", "UPDATE", "NOTIFY"):
            raise DialogFault("A SIP request names no dialog.", sip_status=481)
        else:
            incoming.respond(405, headers=[("Allow", ALLOW)])

    async def create(self, dial: Dial) -> Created:
        """Make a call, as livekit-server asks for it. Raises RemoteError for what its API's user is to be told."""
        check(dial)
        if why := self._full():
            metrics.DIALS.labels(why).inc()
            raise RemoteError("unavailable", f"The SIP service takes no calls now: {why}.")
        call = OutboundCall(self._speaking(dial), dial, self._tools)
        self._tools.lasting.start(self._run(call), "outbound call")
        return await call.created()

    async def stop(self) -> None:
        """Let no more calls in and end those there are: 503 while they ring, BYE afterwards. Takes STOPPING at most."""
        self._stopping = True
        for call in self._calls.values():
            call.post(Stopping())
        try:
            async with asyncio.timeout(STOPPING):
                await self._idle.wait()
        except TimeoutError:
            log.warning("calls not ended in time", calls=len(self._calls))

    async def _invite(self, incoming: Incoming) -> None:
        if why := self._full():
            metrics.CALLS.labels(why).inc()
            incoming.respond(503, headers=[_RETRY])
            return
        _check(incoming)
        # livekit-sip's name for the call is also its dialog's local tag.
        incoming.tag = "SCL_" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(12))
        leg = leg_of(incoming.request, incoming.tag, incoming.source[0], incoming.driver.transport)
        await self._run(InboundCall(incoming.driver, incoming, leg, self._tools))

    def _full(self) -> str:
        """Why no call can be taken, in a few words fit for a metric's label; "" when one can."""
        if self._stopping:
            return "stopping"
        if len(self._calls) >= self._limit:
            return "too many"
        return "not ready" if self._ready() else ""

    async def _run(self, call: EdgeCall[Any, Any]) -> None:
        self._calls[call.id] = call
        self._idle.clear()
        try:
            await call.run()
        finally:
            del self._calls[call.id]
            if not self._calls:
                self._idle.set()

    async def _in_dialog(self, incoming: Incoming, named: DialogId) -> None:
        call = self._calls.get(named.local_tag)
        if call is None or not call.belongs(named):
            raise DialogFault("A SIP request names a dialog that isn't.", sip_status=481)
        if call.dialog is not None:
            call.dialog.admit(incoming.request)
            call.heard_from(incoming)
        match incoming.request.method:
            case "BYE":
                incoming.respond(200)
                call.post(PeerGone())
            case "INVITE" | "UPDATE":
                await call.renegotiate(incoming)
            case "NOTIFY":
                call.transfers.notified(incoming)
            case "OPTIONS":
                self._options(incoming)
            case _:
                incoming.respond(405, headers=[("Allow", ALLOW)])

    def _options(self, incoming: Incoming) -> None:
        """Carriers ask this way whether calls may be sent here (RFC 3261 section 11)."""
        if self._stopping or self._ready():
            incoming.respond(503, headers=[_RETRY])
        else:
            incoming.respond(200, headers=[("Allow", ALLOW), _BODIES])

    def _speaking(self, dial: Dial) -> Drivers:
        """What the call may go out by. Raises RemoteError when we don't speak what is asked for."""
        transport = transport_of(dial)
        if not transport:
            return self.drivers
        if transport not in self.drivers:
            what = f"The SIP service doesn't speak {transport}: set OFFHOOK_SIP_{transport}_PORT for it."
            raise RemoteError("invalid_argument", what)
        return self.drivers.only(transport)


def _check(incoming: Incoming) -> None:
    """Raise PeerFault (400) for an INVITE that a dialog can't be made of."""
    try:
        host_port(incoming.request.contact[0].uri)
    except (ValueError, IndexError) as bad:
        raise PeerFault("A call names no Contact that can be read.", sip_status=400) from bad


def lasting() -> Tasks:
    """The owner of what outlives a call by a moment; leave its context after `Edge.stop`."""
    return Tasks("edge")
