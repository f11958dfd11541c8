"""Calling a SIP address until it answers or refuses (RFC 3261 section 13.2): each place where it may be, the password
where one is asked for, responses that want to be acknowledged."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import sipmessage
import structlog

from gateway.edge.line import Line
from gateway.edge.outbound.invite import Ends, invite
from gateway.edge.peer import ABILITIES, Headers, Peer
from gateway.errors import PeerFault, Unavailable
from gateway.net.drivers import Drivers
from gateway.net.locator import Locator, Place
from gateway.net.sip_exchange import Sending, TransactionFailed
from gateway.sip import HostPort, digest, reliable, session_timer
from gateway.sip.dialog import Dialog, DialogId
from gateway.sip.message import phrase_of, tag_of
from gateway.sip.secure import is_sips
from gateway.sip.session_timer import SessionTimer
from gateway.tasks import Tasks

_TRIES = 4
"""INVITEs to one place, because each is asked for a password, or another interval: a nonce may be stale."""
_NEXT_AFTER = 4.0
"""Seconds without any response after which the next place is tried, where there is one."""
_ELSEWHERE = 503
"""The status that sends a call to the next place (RFC 3263 section 4.3)."""

log = structlog.get_logger(__name__)
_Ringing = Callable[[sipmessage.Response], None]


class Declined(PeerFault):
    """A final response that isn't a 2xx: `sip_status` and its words."""

    def __init__(self, response: sipmessage.Response) -> None:
        words = response.headers.get("X-Twilio-Error") or response.phrase or phrase_of(response.code)
        super().__init__(words, sip_status=response.code)
        self.code = response.code


@dataclass(frozen=True, slots=True)
class Answered:
    """The call is up: media may flow."""

    peer: Peer
    response: sipmessage.Response
    timer: SessionTimer | None


@dataclass(frozen=True, slots=True)
class Order:
    """What to call, and how."""

    ends: Callable[[str], Ends]
    """Who calls whom, for the host and port of ours that the call goes out by."""
    call_id: str
    headers: Callable[[], Headers] = list
    """What the trunk wants in our messages."""
    credentials: digest.Credentials = digest.NOBODY
    """For who asks."""


class Dialing:
    """One call that goes out. `call` it once; cancelled, it gives up, and nothing stays behind at the other side."""

    def __init__(
        self,
        order: Order,
        drivers: Drivers,
        locator: Locator,
        line: Line,
        tasks: Tasks,
    ) -> None:
        """`drivers`: what it may go out by."""
        self._order, self._drivers, self._locator, self._line = order, drivers, locator, line
        self._tasks = tasks
        self._sip = drivers.first
        self._ends = order.ends(self._sip.here)
        self._where: HostPort = ("", 0)
        self._cseq = 0
        self._interval = session_timer.INTERVAL
        self._early: dict[str, tuple[Dialog, reliable.Order]] = {}

    async def call(self, offer: Callable[[], bytes], ringing: _Ringing = lambda _: None) -> Answered:
        """Try each place until one has an answer (RFC 3263 section 4.3). `offer` opens the line, for each of them anew; `ringing` is
        told of each 180 to 199.

        Raises Declined, TransactionFailed (an Unavailable) when nothing answers, Unavailable when no place is found,
        and another PeerFault when the answer can't be used: it is then acknowledged and ended.
        """
        uri, spoken = self._ends.target, self._drivers.spoken
        only = next(iter(spoken)) if len(spoken) == 1 else ""
        places = await self._locator.find(uri.host.strip("[]"), uri.port, only, spoken)
        for left, place in zip(range(len(places) - 1, -1, -1), places, strict=True):
            self._aim(place)
            try:
                return await self._ask(offer(), ringing, patience=_NEXT_AFTER if left else None)
            except (TransactionFailed, TimeoutError):
                if not left:
                    raise
            except Declined as bad:
                if bad.code != _ELSEWHERE or not left:
                    raise
        raise Unavailable("The SIP address names no place.")

    def belongs(self, named: DialogId) -> bool:
        """Whether a request is of a dialog that a provisional response has made."""
        return any(named == dialog.id for dialog, _ in self._early.values())

    def _aim(self, place: Place) -> None:
        """Go by the listener that reaches the place; the offer is to have an address of the family that the place
        has."""
        self._sip = self._drivers.towards(place.transport, place.where[0])
        self._sip.named(place.where, place.name)
        self._where, self._ends = place.where, self._order.ends(self._sip.here)
        self._line.aim(self._sip.listener, place.where[0])

    async def _ask(self, offer: bytes, ringing: _Ringing, patience: float | None) -> Answered:
        """Raises Declined, and TimeoutError when nothing at all has come within `patience` seconds."""
        proof: list[tuple[str, str]] = []
        for last in (*[False] * (_TRIES - 1), True):
            request = self._request(offer, proof)
            async with self._sip.send(request, self._where) as sending:
                async with asyncio.timeout(patience) as waiting:
                    response = await anext(sending)
                    waiting.reschedule(None)
                    response = await self._heard_out(sending, response, ringing)
                if response.code < 300:
                    return await self._accept(sending, response, proof)
            more = session_timer.demanded(response)
            again = self._order.credentials.proof(request, response, secrets.token_hex(8), had=bool(proof))
            if last or (again is None and more <= self._interval):
                raise Declined(response)
            proof = [again] if again is not None else proof
            self._interval = max(self._interval, more)
        raise AssertionError

    def _request(self, offer: bytes, proof: Headers) -> sipmessage.Request:
        self._cseq += 1
        order = self._order
        timer = session_timer.asked(self._interval)
        return invite(
            self._ends,
            call_id=order.call_id,
            cseq=self._cseq,
            contact=self._sip.contact(secure=is_sips(self._ends.target)),
            headers=[*ABILITIES, *timer, *order.headers(), *proof],
            body=offer,
        )

    async def _heard_out(
        self, sending: Sending, response: sipmessage.Response, ringing: _Ringing
    ) -> sipmessage.Response:
        """The final response."""
        while response.code < 200:
            if response.code > 100 and self._in_order(sending.request, response) and response.code >= 180:
                ringing(response)
            response = await anext(sending)
        return response

    def _in_order(self, request: sipmessage.Request, response: sipmessage.Response) -> bool:
        """Whether a provisional response is to be heard; a reliable one is acknowledged (RFC 3262 section 4)."""
        number = reliable.number_of(response)
        tag = tag_of(response.to_address)
        if number is None or not tag:
            return True
        if tag not in self._early:
            try:
                self._early[tag] = (Dialog.uac(request, response), reliable.Order())
            except PeerFault as bad:  # the call may come about all the same
                log.info("ringing can't be acknowledged", why=bad.what)
                return True
        dialog, order = self._early[tag]
        if not order.takes(number):
            return False
        prack = dialog.request("PRACK", headers=[reliable.acknowledging(request, number)])
        self._tasks.start(self._acknowledge(prack), "prack")
        return True

    async def _acknowledge(self, prack: sipmessage.Request) -> None:
        try:
            await self._sip.request(prack, self._where)
        except Unavailable as bad:
            log.info("prack not answered", why=bad.what)

    async def _accept(self, sending: Sending, response: sipmessage.Response, proof: Headers) -> Answered:
        """The call is answered. A PeerFault leaves it to the driver to acknowledge and end it."""
        dialog = Dialog.uac(sending.request, response)
        if early := self._early.get(tag_of(response.to_address)):
            dialog.carry_on(early[0])
        self._line.settle(response)
        # Whoever answers may ask for a password as well, and isn't to learn anything of the trunk's.
        ours = self._order.credentials.proven(proof[0]) if proof else digest.NOBODY
        peer = Peer(self._sip, self._line, dialog, fallback=self._where, ours=True, credentials=ours)
        peer.knows(response)
        await sending.acknowledge(dialog.ack(), peer.destination)
        return Answered(peer, response, session_timer.settled(response))
