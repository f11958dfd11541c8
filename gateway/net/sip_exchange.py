"""One request and its responses: what `gateway.net.sip_driver` hands to its users."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Protocol

import sipmessage

from gateway.errors import PeerFault, Unavailable
from gateway.sip import Failure, HostPort, Output, RequestArrived, TransactionKey
from gateway.sip.layer import TransactionLayer
from gateway.sip.message import respond, tag_of
from gateway.sip.secure import wants_sips

if TYPE_CHECKING:
    from gateway.net.sip_driver import SipDriver


class TransactionFailed(Unavailable):
    """A request of ours got no final response; `why` says how, `sip_status` is 408 or 503 (section 8.1.3.1)."""

    def __init__(self, why: Failure) -> None:
        nobody = why is Failure.TRANSPORT
        what = "Nobody listens at the SIP address." if nobody else "The SIP address doesn't answer."
        super().__init__(what, sip_status=503 if nobody else 408)
        self.why = why


class NotAcknowledged(PeerFault):
    """A 2xx to an INVITE was never acknowledged: end the dialog with a BYE (section 13.3.1.4).

    `why` is NO_ACK, TRANSPORT, or HUNG_UP when the caller's own BYE came first and none of ours is needed.
    """

    sip_status = 408

    def __init__(self, why: Failure) -> None:
        super().__init__("The caller never acknowledged that the call was answered.")
        self.why = why


class Rim(Protocol):
    """What an exchange needs of the driver that carries it."""

    layer: TransactionLayer

    def now(self) -> float:
        """The layer's clock."""

    def perform(self, outputs: Iterable[Output]) -> None:
        """Carry out what the layer asks for."""

    async def resolve(self, where: HostPort) -> HostPort:
        """The address at which this carrier reaches a host."""

    async def connects(self, destination: HostPort) -> bool:
        """Whether something can be sent there without waiting long."""


class Incoming:
    """A request of the other side, to be answered by `respond`."""

    def __init__(self, sip: SipDriver, arrived: RequestArrived) -> None:
        self.request = arrived.request
        self.driver = sip
        """What it came by; requests of ours to its sender go by the same."""
        self.source = arrived.source
        """Where it came from; behind a NAT the only address the other side can be reached at."""
        self.tag = secrets.token_hex(8)
        """Our To tag: that of every response, and the local tag of the dialog."""
        self.abandoned = asyncio.Event()
        """Set when an INVITE that rings was cancelled, or its sender can't be reached: give up and respond 487."""
        self.cancel: sipmessage.Request | None = None
        """The CANCEL; None when `abandoned` has another reason."""
        self.answered = False
        """Whether a final response was given."""
        self._sip = sip
        self._key = arrived.key
        self._concluded = asyncio.Event()
        self._ack: sipmessage.Request | None = None
        self._failure = Failure.NO_ACK

    def respond(
        self,
        code: int,
        phrase: str = "",
        *,
        contact: str = "",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        content_type: str = "",
    ) -> sipmessage.Response:
        """Send a response and return it; it is repeated as needed. `contact`: a URI, `Incoming.contact` by default.

        Raises OurFault after a final response, SipsNotAllowed as `contact` does. Does nothing more when the transaction has already failed.
        """
        makes_dialog = self.request.method == "INVITE" and 100 < code < 300
        response = respond(
            self.request,
            code,
            phrase,
            to_tag=self.tag,
            contact=contact or (self.contact() if makes_dialog else ""),
            headers=headers,
            body=body,
            content_type=content_type,
        )
        self._sip.perform(self._sip.layer.respond(self._key, response, self._sip.now()))
        if makes_dialog:
            self._sip.warden.awaits(self.source)
        if code >= 200:
            self.answered = True
            if not tag_of(self.request.to_address):
                self._sip.warden.judged(self.source, self.request, code)
        return response

    def proved(self) -> None:
        """Its sender has signed in: it is no stranger any more."""
        self._sip.warden.proved(self.source)

    def contact(self, *, secure: bool = False) -> str:
        """Our Contact for a response: sips: where the request wants it so, or its dialog is `secure`. Raises
        SipsNotAllowed when it didn't come by TLS."""
        return self.driver.contact(secure=secure or wants_sips(self.request))

    async def acknowledged(self) -> sipmessage.Request:
        """The ACK to the 2xx that was sent; it may carry the SDP answer. Waits 64*T1 (32 s) at most.

        Raises NotAcknowledged, also when the caller hangs up or vanishes meanwhile.
        """
        await self._concluded.wait()
        if self._ack is None:
            raise NotAcknowledged(self._failure)
        return self._ack

    def abandon(self, cancel: sipmessage.Request | None) -> None:
        """The driver's: note that the other side is gone."""
        self.cancel = cancel
        self.abandoned.set()

    def conclude(self, outcome: sipmessage.Request | Failure) -> None:
        """The driver's: note the ACK, or why none will come."""
        if isinstance(outcome, Failure):
            self._failure = outcome
        else:
            self._ack = outcome
            # It holds our tag, which only went to where the INVITE says that it came from.
            self._sip.warden.met(self.source)
        self._concluded.set()


class Sending:
    """A request of ours under way: iterate over its responses. Made by `SipDriver.send`."""

    def __init__(self, sip: Rim, request: sipmessage.Request, key: TransactionKey, destination: HostPort) -> None:
        self.request = request
        self.destination = destination
        """The IP address and port it was sent to."""
        self.final: sipmessage.Response | None = None
        """The final response, as soon as it arrived."""
        self.spare: Rim | None = None
        """What the ACK goes by where no connection can be made to."""
        self._sip = sip
        self._key = key
        self._acknowledged = False
        self._arrived: asyncio.Queue[sipmessage.Response | Failure] = asyncio.Queue()
        self._over = False

    def __aiter__(self) -> AsyncIterator[sipmessage.Response]:
        return self

    async def __anext__(self) -> sipmessage.Response:
        """The next response; the final one is the last. Raises TransactionFailed."""
        if self._over:
            raise StopAsyncIteration
        got = await self._arrived.get()
        if isinstance(got, Failure):
            self._over = True
            raise TransactionFailed(got)
        self._over = got.code >= 200
        return got

    async def acknowledge(self, ack: sipmessage.Request, destination: HostPort | None = None) -> None:
        """Send the ACK to the 2xx that arrived; it is repeated whenever the 2xx is. Call it within the block.

        `destination` is by default where the request went. Raises Unavailable when its host name can't be resolved.
        """
        where = await self._sip.resolve(destination) if destination else self.destination
        self._acknowledged = True
        by = self._sip if self.spare is None or await self._sip.connects(where) else self.spare
        by.perform(by.layer.acknowledge(self._key, ack, where, by.now()))

    def cancel(self) -> None:
        """Cancel the INVITE, and go on iterating: 487 is to be expected, but a 2xx may have crossed the CANCEL."""
        self._sip.perform(self._sip.layer.cancel(self._key, self._sip.now()))

    def leave(self) -> sipmessage.Response | None:
        """The driver's: the block ends. Cancels what is under way; returns a 2xx that nobody acknowledged."""
        if self.request.method != "INVITE":
            return None
        if self.final is None:
            self.cancel()
        unclaimed = self.final is not None and self.final.code < 300 and not self._acknowledged
        return self.final if unclaimed else None

    def take(self, response: sipmessage.Response) -> bool:
        """The driver's: hand a response in; False when it is another fork's 2xx."""
        if self.final is not None:
            return tag_of(response.to_address) == tag_of(self.final.to_address)
        if response.code >= 200:
            self.final = response
        self._arrived.put_nowait(response)
        return True

    def fail(self, why: Failure) -> None:
        """The driver's: no final response will come."""
        self._arrived.put_nowait(why)
