"""SIP on a transport: `gateway.sip` on sockets and the event loop's clock, whichever they are.

    class Edge:                                             # any object with this method is a Handler
        async def on_request(self, incoming: Incoming) -> None: ...

    async with sip_udp.serve("127.0.0.1", 5060, Edge()) as sip:     # or sip_stream.serve; SetupFault for a taken port
        sip.address                                          # ("127.0.0.1", 5060), the real port after asking for 0

        # client: INVITE
        async with sip.send(invite, destination) as sending:
            async for response in sending:                   # 100, 180, 200 … ends after a final one
                ...                                          # TransactionFailed: 408 no answer, 503 nobody there
            dialog = Dialog.uac(invite, response)
            await sending.acknowledge(dialog.ack(), dialog.destination)
        # Leaving the block early cancels the INVITE; a 2xx that nobody acknowledged gets ACK and BYE by itself.

        # client: anything else
        final = await sip.request(dialog.request("BYE"), dialog.destination)

`on_request` runs in a task of its own for each request but ACK and CANCEL:

        incoming.request, .source, .tag                      # tag: our To tag of every response
        incoming.respond(180)                                # any number of 1xx, one final
        incoming.abandoned                                   # asyncio.Event: CANCEL came, or the caller's address died
        incoming.respond(487)                                # the INVITE's answer to that, the handler's to give
        ok = incoming.respond(200, body=sdp, content_type="application/sdp")
        ack = await incoming.acknowledged()                  # the 200 is repeated meanwhile; NotAcknowledged after 32 s
        dialog = Dialog.uas(incoming.request, ok)

A handler that raises an OffhookError or ends without a final response gets its request answered with the error's
sip_status, or 500.
"""

from __future__ import annotations

import asyncio
import secrets
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Protocol

import sipmessage
import structlog

from gateway.errors import OffhookError, PeerFault, Unavailable
from gateway.metrics import EDGE_ERRORS, counter
from gateway.net.hosts import literal, resolve
from gateway.net.listener import Listener, family
from gateway.net.sip_exchange import Incoming, NotAcknowledged, Sending, TransactionFailed
from gateway.net.warden import DROPPED, Warden
from gateway.sip import (
    AckArrived,
    CancelArrived,
    Dropped,
    Failed,
    Failure,
    HostPort,
    Output,
    RequestArrived,
    ResponseArrived,
    Send,
    TransactionKey,
    lenient,
)
from gateway.sip.dialog import Dialog
from gateway.sip.layer import TransactionLayer
from gateway.sip.message import bracketed, host_port
from gateway.sip.routing import seen_as
from gateway.sip.secure import SCHEME, SipsNotAllowed
from gateway.sip.transaction import Timers

__all__ = ["Handler", "Incoming", "NotAcknowledged", "Sending", "SipDriver", "TransactionFailed"]

log = structlog.get_logger(__name__)

REQUESTS = counter("sip_requests", "SIP requests that arrived, without repetitions", "method")
FAILURES = counter("sip_transactions_failed", "SIP transactions that got no answer", "why")
_SEEN = 16
"""Addresses, other than our own, that peers may see us at before no more of them are told."""
_METHODS = frozenset({"INVITE", "BYE", "OPTIONS", "REGISTER", "INFO", "UPDATE", "MESSAGE", "REFER", "NOTIFY", "PRACK"})


class Handler(Protocol):
    """Who takes the requests that arrive."""

    async def on_request(self, incoming: Incoming) -> None:
        """Answer a request, neither ACK nor CANCEL. Runs in a task of its own, cancelled when serving ends."""


class SipDriver(ABC):
    """SIP on one listening address. Its methods belong to the event loop's thread."""

    transport = "UDP"
    """As a Via names it."""

    def __init__(self, handler: Handler, *, advertise: str, limit: int) -> None:
        self._handler = handler
        self._advertise = advertise
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._incoming: dict[TransactionKey, Incoming] = {}
        self._handling: set[asyncio.Task[None]] = set()
        self._sending: dict[TransactionKey, Sending] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._closed = False
        self._quiet = asyncio.Event()
        self._seen: set[HostPort] = set()
        self.warden = Warden()
        """Whom we listen to; everybody, until `guard`."""

    def guard(self, warden: Warden) -> None:
        """Listen only to whom the warden lets in, from now on."""
        self.warden = warden

    def _begin(self, timers: Timers) -> None:
        """Make the layer; for the transport, as soon as it has an address."""
        host, _ = self.address
        self.listener = Listener(host, self._advertise or host)
        self._host = bracketed(self.listener.told)
        self.layer = TransactionLayer(
            self.here,
            lambda: secrets.token_hex(10),
            timers=timers,
            limit=self._limit,
            transport=self.transport,
        )

    @property
    @abstractmethod
    def address(self) -> HostPort:
        """Where it is bound, with the real port."""

    def reaches(self, destination: HostPort) -> bool:
        """Whether something can be sent to where a request came from: over a stream, while its connection lasts."""
        return True

    def addresses(self, where: HostPort) -> bool:
        """Whether that is an IP address of our own family, not a name or one that only others reach."""
        return literal(where) and family(where[0]) == self.listener.family

    async def resolve(self, where: HostPort) -> HostPort:
        """An IP address of our own family for a host. Raises Unavailable when it has none."""
        return await resolve(where, self.listener.family)

    async def connects(self, destination: HostPort) -> bool:
        """Whether a request can be sent to an IP address without waiting long: over a stream, once there is a
        connection."""
        return True

    def named(self, destination: HostPort, name: str) -> None:
        """The name by which a destination was looked up: over TLS its certificate must be for it."""

    @abstractmethod
    def _send(self, data: bytes, destination: HostPort) -> bool:
        """Put a message on its way; False when the destination can't be reached."""

    @abstractmethod
    def _close(self) -> None:
        """Close the sockets."""

    @property
    def here(self) -> str:
        """Host and port at which we are reached, as a URI writes them."""
        return f"{self._host}:{self.address[1]}"

    def contact(self, user: str = "", *, secure: bool = False) -> str:
        """The URI at which we are reached: for Contact and From. `secure`: as sips:. Raises SipsNotAllowed where that
        isn't TLS."""
        reached = f"{user}{'@' if user else ''}{self.here}"
        if secure:
            if self.transport != "TLS":
                raise SipsNotAllowed(self.here)
            return f"{SCHEME}:{reached}"
        how = "" if self.transport == "UDP" else f";transport={self.transport.lower()}"
        return f"sip:{reached}{how}"

    def now(self) -> float:
        """The layer's clock: the loop's, in seconds."""
        return self._loop.time()

    @asynccontextmanager
    async def send(self, request: sipmessage.Request, destination: HostPort | None = None) -> AsyncIterator[Sending]:
        """Send a request, neither ACK nor CANCEL; by default to its first route or its URI.

        Leaving the block before an INVITE's final response cancels it. A 2xx that the block didn't acknowledge, one
        that crosses the CANCEL, and those of other forks get an ACK and a BYE without further doing.
        Raises Unavailable when there are too many transactions or the host name can't be resolved.
        """
        where = await self.resolve(destination or next_hop(request))
        if request.method != "BYE":  # it also goes to whoever never acknowledged, wherever an INVITE said that they are
            self.warden.met(where)
        key, outputs = self.layer.request(request, where, self.now())
        sending = Sending(self, request, key, where)
        self._sending[key] = sending
        self.perform(outputs)
        try:
            yield sending
        finally:
            del self._sending[key]
            if (unclaimed := sending.leave()) is not None:
                self._disown(key, unclaimed, where)

    async def request(self, request: sipmessage.Request, destination: HostPort | None = None) -> sipmessage.Response:
        """The final response to a request that isn't INVITE, within 64*T1 (32 s). Raises as `send` does."""
        async with self.send(request, destination) as sending:
            async for response in sending:
                if response.code >= 200:
                    return response
        raise TransactionFailed(Failure.TIMEOUT)

    def perform(self, outputs: Iterable[Output]) -> None:
        """Carry out what the layer asks for, in order, and set the timer; for Incoming and Sending."""
        unreachable: list[HostPort] = []
        for output in outputs:
            if isinstance(output, Send):
                if not self._send(output.data, output.destination):
                    unreachable.append(output.destination)
            else:
                self._tell(output)
        self._arm()
        for destination in unreachable:
            # Later, as an ICMP error would come: whoever asked for this output may still be about to wait for it.
            self._loop.call_soon(self._bounced, destination)

    async def close(self, grace: float) -> None:
        """Cancel the handlers, let transactions end for `grace` seconds at most, and close the socket; for `serve`."""
        self._closing = True
        for task in self._handling:
            task.cancel()
        try:
            async with asyncio.timeout(grace):
                while self.layer.waiting or self._handling:
                    self._quiet.clear()
                    await self._quiet.wait()
        except TimeoutError:
            log.debug("sip.closed_early", waiting=self.layer.waiting)
        finally:
            self._closed = True
            self._arm()
            self._close()
            for sending in self._sending.values():
                sending.fail(Failure.TRANSPORT)
            # A handler that outlived `grace` is waited for: nothing of ours runs on after the context.
            await asyncio.gather(*self._handling, return_exceptions=True)

    def _received(self, data: bytes, source: HostPort) -> None:
        if self.warden.refuses(data, source):
            return
        outputs = self.layer.receive(data, source, self.now())
        if any(isinstance(each, Dropped) and each.why == "malformed" for each in outputs):
            self.warden.disturbed(source)
        self.perform(outputs)

    def _bounced(self, destination: HostPort) -> None:
        self.perform(self.layer.unreachable(destination, self.now()))

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        deadline = None if self._closed else self.layer.deadline()
        self._timer = None if deadline is None else self._loop.call_at(deadline, self._tick)
        self._quiet.set()

    def _tick(self) -> None:
        self.perform(self.layer.poll(self.now()))

    def _tell(self, output: Output) -> None:
        match output:
            case RequestArrived():
                self._admit(output)
            case CancelArrived(key, cancel) if key in self._incoming:
                self._incoming[key].abandon(cancel)
            case AckArrived(key, ack) if key in self._incoming:
                self._incoming[key].conclude(ack)
            case ResponseArrived(key, response, source):
                self._look_for_nat(response)
                sending = self._sending.get(key)
                if sending is None or not sending.take(response):
                    self._disown(key, response, source)
            case Failed(key, why):
                FAILURES.labels(why.value).inc()
                self._failed(key, why)
            case Dropped(why):
                DROPPED.labels(why).inc()
            case _:
                pass

    def _look_for_nat(self, response: sipmessage.Response) -> None:
        """Tell an operator once where peers see us, if that isn't what they are told."""
        seen = seen_as(response)
        if seen is not None and seen not in self._seen and len(self._seen) < _SEEN:
            self._seen.add(seen)
            log.info("sip.behind_nat", transport=self.transport, told=self.here, seen=f"{bracketed(seen[0])}:{seen[1]}")

    def _failed(self, key: TransactionKey, why: Failure) -> None:
        if key in self._sending:
            self._sending[key].fail(why)
        elif key in self._incoming:
            self._incoming[key].abandon(None)
            self._incoming[key].conclude(why)

    def _admit(self, arrived: RequestArrived) -> None:
        method = arrived.request.method
        REQUESTS.labels(method if method in _METHODS else "other").inc()
        incoming = Incoming(self, arrived)
        if self._closing:
            incoming.respond(503)
            return
        self._incoming[arrived.key] = incoming
        task = self._loop.create_task(self._handle(incoming, arrived.key), name=f"sip {method}")
        self._handling.add(task)
        task.add_done_callback(self._handled)

    def _handled(self, task: asyncio.Task[None]) -> None:
        self._handling.discard(task)
        self._quiet.set()

    async def _handle(self, incoming: Incoming, key: TransactionKey) -> None:
        """Run the handler for one request: an edge of the process, so that one call's fault ends no other call."""
        status = 503
        try:
            await self._handler.on_request(incoming)
            status = 500
        except OffhookError as fault:
            status = fault.sip_status or 500
            log.info("sip.request_failed", method=incoming.request.method, status=status, fault=type(fault).__name__)
        except Exception:
            status = 500
            EDGE_ERRORS.labels("sip").inc()
            log.exception("sip.handler_broke", method=incoming.request.method)
        finally:
            del self._incoming[key]
            if not incoming.answered:
                incoming.respond(487 if incoming.abandoned.is_set() else status)

    def _disown(self, key: TransactionKey, response: sipmessage.Response, source: HostPort) -> None:
        """End a dialog that nobody here wants: ACK the 2xx and send a BYE (RFC 3261 sections 13.2.2.4 and 15)."""
        if key.method != "INVITE" or response.code // 100 != 2:
            return
        stand_in = lenient.Request("INVITE", response.from_address.uri)
        for name in ("From", "To", "Call-ID", "CSeq"):
            stand_in.headers.set(name, response.headers[name])
        try:
            dialog = _unwanted(stand_in, response)
            destination = dialog.destination
        except PeerFault:
            DROPPED.labels("2xx without contact").inc()
            return
        where = destination if self.addresses(destination) else source
        self.perform(self.layer.acknowledge(key, dialog.ack(), where, self.now()))
        try:
            self.perform(self.layer.request(dialog.request("BYE"), where, self.now())[1])
        except Unavailable:
            log.info("sip.disowned_without_bye")


def _unwanted(invite: sipmessage.Request, response: sipmessage.Response) -> Dialog:
    """The dialog to end; without its routes where those can't be read. Raises PeerFault when it can't be."""
    try:
        return Dialog.uac(invite, response)
    except PeerFault:
        response.headers.setlist("Record-Route", [])
        return Dialog.uac(invite, response)


def next_hop(request: sipmessage.Request) -> HostPort:
    """Where a request goes that nobody gave a destination (section 8.1.2)."""
    return host_port(request.route[0].uri if request.route else request.uri)
