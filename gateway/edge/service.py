"""The SIP service: sorts requests to calls, lets calls in, and ends them all when it stops."""

from __future__ import annotations

import asyncio
import secrets
import string
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog

from gateway.bus.errors import RemoteError
from gateway.bus.participants import Created, Dial
from gateway.edge import metrics, takeover
from gateway.edge.call import EdgeCall
from gateway.edge.events import PeerGone, Stopping
from gateway.edge.inbound.call import InboundCall
from gateway.edge.inbound.state import TRY_AGAIN
from gateway.edge.leg import leg_of
from gateway.edge.outbound.call import OutboundCall
from gateway.edge.outbound.invite import check, transport_of
from gateway.edge.peer import ABILITIES, ALLOW, SUPPORTED
from gateway.edge.reason import dropped
from gateway.edge.shared import Shared
from gateway.errors import PeerFault
from gateway.net.drivers import Drivers
from gateway.net.sip_driver import Incoming
from gateway.sip import dialog, info, refer, session_timer
from gateway.sip.bodies import ACCEPT, BodyRefused
from gateway.sip.dialog import DialogFault, DialogId
from gateway.sip.message import unsupported
from gateway.sip.secure import SipsNotAllowed
from gateway.sip.session_timer import IntervalTooSmall
from gateway.tasks import Tasks

_STRANGERS = 10
"""Of how many places one may be taken by strangers' calls that ring, or whose answer nobody has acknowledged: there need be nobody
who would ever do so, and each has its room meanwhile."""
_ASKING = 20
"""Strangers' calls of which it isn't known yet whether they have to sign in: as many as may come at once. They take no places."""
STOPPING = 4.0
"""Seconds that ending all calls may take when the service stops."""
_RETRY = ("Retry-After", str(TRY_AGAIN))

log = structlog.get_logger(__name__)


class Edge:
    """Handles the requests of all SipDrivers: a `gateway.net.sip_driver.Handler`.

    `ready` says why the service isn't ready, or ""; `limit`: calls at once, beyond which callers get 503, as they do where
    `nobody` would route them. Whom a call's job rings it routes itself.
    """

    def __init__(
        self, shared: Shared, ready: Callable[[], str], limit: int, nobody: Callable[[], bool] = lambda: False
    ) -> None:
        self.drivers = Drivers()
        """What SIP is spoken by. Add them before the first request."""
        self._shared = shared
        self._ready, self._nobody = ready, nobody
        self._limit = limit
        self._calls: dict[str, EdgeCall[Any, Any]] = {}
        self._renamed: dict[str, EdgeCall[Any, Any]] = {}
        self._closing = ""
        """Why no more calls are taken."""
        self._idle = asyncio.Event()
        self._idle.set()

    def __len__(self) -> int:
        return len(self._calls)

    async def on_request(self, incoming: Incoming) -> None:
        """Answer a request. Raises PeerFault for a refusal, which the driver turns into a response."""
        if missing := unsupported(incoming.request, SUPPORTED):
            incoming.respond(420, headers=[("Unsupported", ", ".join(missing))])
            return
        try:
            await self._sort(incoming)
        except (IntervalTooSmall, SipsNotAllowed, info.NoKey, BodyRefused) as bad:
            log.info("refused", status=bad.sip_status, why=bad.what)
            incoming.respond(bad.sip_status or 400, headers=bad.headers)

    async def _sort(self, incoming: Incoming) -> None:
        named = DialogId.of(incoming.request)
        if named.local_tag:
            await self._in_dialog(incoming, named)
        elif incoming.request.method == "INVITE":
            await self._invite(incoming)
        elif incoming.request.method == "OPTIONS":
            self._options(incoming)
        elif incoming.request.method in ("BYE", "UPDATE", "NOTIFY", "PRACK", "REFER", "INFO"):
            raise DialogFault("A SIP request names no dialog.", sip_status=481)
        else:
            incoming.respond(405, headers=[("Allow", ALLOW)])

    async def create(self, dial: Dial) -> Created:
        """Make a call, as livekit-server asks for it. Raises RemoteError for what its API's user is to be told."""
        check(dial)
        if why := self._full():
            metrics.DIALS.labels(why).inc()
            raise RemoteError("unavailable", f"The SIP service takes no calls now: {why}.")
        call = OutboundCall(self._speaking(dial), dial, self._shared)
        self._shared.lasting.start(self._run(call), "outbound call")
        return await call.created()

    def why_not_ready(self) -> str:
        """Why no call should come here, or ""."""
        if self._closing:
            return f"{self._closing}: {len(self)} calls left"
        return self._ready() or ("no control is there" if self._nobody() else "")

    async def drain(self, within: float) -> None:
        """Take no more calls, and return when those there are have ended, or `within` seconds are over."""
        self._closing = "draining"
        log.info("draining", calls=len(self), seconds=within)
        try:
            async with asyncio.timeout(within):
                await self._idle.wait()
        except TimeoutError:
            log.warning("calls are cut", calls=len(self))

    async def stop(self) -> None:
        """Let no more calls in and end those there are: 503 while they ring, BYE afterwards. Takes STOPPING at most."""
        self._closing = "stopping"
        for call in self._calls.values():
            call.post(Stopping())
        try:
            async with asyncio.timeout(STOPPING):
                await self._idle.wait()
        except TimeoutError:
            log.warning("calls not ended in time", calls=len(self._calls))

    def named(self, local_tag: str) -> EdgeCall[Any, Any] | None:
        """The call that a dialog's local tag stands for."""
        return self._calls.get(local_tag) or self._renamed.get(local_tag)

    def name(self, local_tag: str, call: EdgeCall[Any, Any]) -> None:
        """Let a call be found by another tag, too, while it lasts."""
        self._renamed[local_tag] = call

    async def _invite(self, incoming: Incoming) -> None:
        if (wanted := refer.replaced(incoming.request)) is not None:
            _check(incoming)
            await takeover.replace(self, incoming, wanted)
            return
        stranger = not incoming.driver.warden.knows(incoming.source)
        if why := self._full(stranger=stranger, asks=True) or ("no control" if self._nobody() else ""):
            metrics.CALLS.labels(why).inc()
            incoming.respond(503, headers=[_RETRY])
            return
        _check(incoming)
        # livekit-sip's name for the call is also its dialog's local tag.
        incoming.tag = "SCL_" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(12))
        leg = leg_of(incoming.request, incoming.tag, incoming.source[0], incoming.driver.transport)
        call = InboundCall(incoming, leg, self._shared)
        if stranger:
            call.doubt()
            call.full = partial(self._full, stranger=True)
        await self._run(call)

    def _full(self, *, stranger: bool = False, asks: bool = False) -> str:
        """Why no call can be taken, in a few words fit for a metric's label; "" when one can. `asks`: it is a stranger's
        that may turn out to have a password."""
        if self._closing:
            return self._closing
        asking = sum(call.stranger and call.asks for call in self._calls.values())
        if len(self._calls) - asking >= self._limit:
            return "too many"
        strangers = sum(call.stranger for call in self._calls.values()) - asking
        if stranger and (asking >= _ASKING if asks else strangers >= max(1, self._limit // _STRANGERS)):
            return "too many strangers"
        return "not ready" if self._ready() else ""

    async def _run(self, call: EdgeCall[Any, Any]) -> None:
        self._calls[call.id] = call
        self._idle.clear()
        try:
            await call.run()
        finally:
            del self._calls[call.id]
            self._renamed = {tag: other for tag, other in self._renamed.items() if other is not call}
            if not self._calls:
                self._idle.set()

    async def _in_dialog(self, incoming: Incoming, named: DialogId) -> None:
        call = self.named(named.local_tag)
        if call is not None and call.knew(named) and incoming.request.method == "BYE":
            incoming.respond(200)  # it crossed ours
            return
        if call is None or not call.belongs(named):
            raise DialogFault("A SIP request names a dialog that isn't.", sip_status=481)
        if call.peer is not None:
            call.peer.dialog.admit(incoming.request)
            call.peer.heard_from(incoming)
        match incoming.request.method:
            case "BYE":
                incoming.respond(200)
                call.post(PeerGone(lost=dropped(incoming.request.headers.getlist("Reason"))))
            case "INVITE" | "UPDATE":
                await call.renegotiate(incoming)
            case "PRACK":
                call.on_prack(incoming)
            case "REFER":
                self._refer(call, incoming)
            case "NOTIFY":
                call.transfers.notified(incoming)
            case "INFO":
                call.on_info(info.read(incoming.request))
                incoming.respond(200)
            case "OPTIONS":
                self._options(incoming)
            case _:
                incoming.respond(405, headers=[("Allow", ALLOW)])

    def _refer(self, call: EdgeCall[Any, Any], incoming: Incoming) -> None:
        wanted, peer = takeover.admitted(call, incoming.request, self._shared.refer_from), call.peer
        if peer is None or call.referred:
            raise PeerFault("A REFER came while another one is under way.", sip_status=491)
        incoming.respond(202, contact=incoming.contact(secure=peer.dialog.secure))
        call.refer(takeover.Referral(self, call, peer, wanted).run())

    def _options(self, incoming: Incoming) -> None:
        """Carriers ask this way whether calls may be sent here (RFC 3261 section 11)."""
        if self.why_not_ready():
            incoming.respond(503, headers=[_RETRY])
        else:
            incoming.respond(200, headers=[*ABILITIES, ACCEPT])

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
    """Raise PeerFault for an INVITE that a dialog can't be made of (400), whose session would be too short (422), or
    that promises TLS and came without (480)."""
    session_timer.answer(incoming.request)
    incoming.contact()
    dialog.check(incoming.request)


def lasting() -> Tasks:
    """The owner of what outlives a call by a moment; leave its context after `Edge.stop`."""
    return Tasks("edge")
