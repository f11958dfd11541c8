"""One outbound call: runs its machine, and carries the effects out on SIP, bus, room and media."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import sipmessage
import structlog

from gateway.bus.callstate import Status
from gateway.bus.errors import RemoteError
from gateway.bus.ioinfo import Leg, Uri
from gateway.bus.participants import Created, Dial, refused
from gateway.edge import events as ev
from gateway.edge import metrics
from gateway.edge.call import ALLOW, EdgeCall, Tools
from gateway.edge.leg import CALL_STATUS, EDGE, fixed_headers, header_attributes, written
from gateway.edge.outbound import events as own
from gateway.edge.outbound import machine
from gateway.edge.outbound.invite import Ends, ends, invite
from gateway.edge.room import Seat
from gateway.errors import PeerFault, SetupFault, Unavailable
from gateway.net.drivers import Drivers
from gateway.net.locator import Place
from gateway.net.sip_exchange import Sending, TransactionFailed
from gateway.rtp import FRAME, FRAME_SECONDS, RATE
from gateway.rtp.ringing import ringing
from gateway.rtp.telephone_event import GAP, ON
from gateway.sip import HostPort, digest
from gateway.sip.dialog import Dialog, DialogId
from gateway.sip.message import phrase_of

_TRIES = 4
"""INVITEs that are sent because each is asked for a password anew: a nonce may be stale."""
_NEXT_AFTER = 4.0
"""Seconds without any response after which the next place is tried, where there is one."""
_ELSEWHERE = 503
"""The status that sends a call to the next place (RFC 3263 section 4.3)."""
_PAUSE = 0.5
"""Seconds that a `w` among the keys waits."""
_CHALLENGES = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}

log = structlog.get_logger(__name__)


class OutboundCall(EdgeCall[own.Event, own.Effect]):
    """A call from CreateSIPParticipant on. Raises RemoteError for a request that no INVITE can be made of."""

    def __init__(self, drivers: Drivers, dial: Dial, tools: Tools) -> None:
        """`drivers`: what the call may go out by."""
        self._dial, self._drivers = dial, drivers
        sip = drivers.first
        self._ends: Ends = ends(dial, sip.here)
        self._call_id = secrets.token_hex(16)
        super().__init__(sip, _leg(dial, self._ends, self._call_id, sip.transport), tools, "")
        self._began = self._loop.time()
        self._call = machine.Call(machine.Wish())
        self._inviting: asyncio.Task[None] | None = None
        self._where: HostPort = ("", 0)
        self._cseq = 0
        self._ringing_room: asyncio.Task[None] | None = None
        self._told: Mapping[str, str] = {}
        """Headers of the answer."""
        self._created: asyncio.Future[Created] = self._loop.create_future()
        self._info = replace(
            self._info, trunk=dial.trunk, room=dial.room, identity=dial.identity, attributes=self._attributes()
        )

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        return self._call.state is machine.State.ENDED

    @property
    def answered(self) -> bool:
        """Whether there is a dialog to talk in."""
        return self._call.state in machine.TALKING

    async def created(self) -> Created:
        """What the request for the call is answered with. Raises RemoteError. Cancelled, it gives the call up where
        the answer was to be waited for."""
        try:
            return await asyncio.shield(self._created)
        except asyncio.CancelledError:
            self.post(own.GivenUp())
            raise

    def belongs(self, named: DialogId) -> bool:
        """Whether a request that names this dialog is this call's."""
        return self.dialog is not None and named == self.dialog.id

    def _begin(self, now: float) -> Sequence[own.Effect]:
        dial = self._dial
        wish = machine.Wish(
            waits=dial.waits,
            keys=bool(dial.keys),
            ringing=dial.ringing_timeout or machine.RINGING,
            longest=min(dial.max_duration or machine.LONGEST, machine.LONGEST),
        )
        self._call, effects = machine.begin(wish, now)
        return effects

    def _step(self, event: own.Event, now: float) -> Sequence[own.Effect]:
        self._call, effects = machine.step(self._call, event, now)
        return effects

    def _expire(self, now: float) -> Sequence[own.Effect]:
        self._call, effects = machine.expire(self._call, now)
        return effects

    def _deadline(self) -> float | None:
        return self._call.deadline()

    def _perform(self, effect: own.Effect) -> None:
        match effect:
            case own.Join():
                self._room.join(_seat(self._dial), self._attributes())
            case own.Invite():
                self._inviting = self._tasks.start(self._invite(), "invite")
                if self._dial.dialtone:
                    self._ringing_room = self._tasks.start(self._ring_room(), "ringing")
            case own.GiveUp():
                if self._inviting is not None:
                    self._inviting.cancel()
                if self.dialog is not None:  # the callee's answer has crossed our change of mind
                    self._tools.lasting.start(self._bye(()), "bye")
            case own.PressKeys():
                self._tasks.start(self._press_keys(), "press keys")
            case own.Created():
                if not self._created.done():
                    self._created.set_result(Created(self._room.participant, self._dial.identity, self.id))
            case own.Failed(code, text):
                if not self._created.done():
                    self._created.set_exception(refused(code, text) if code else RemoteError("unavailable", text))
                    self._created.exception()  # whoever asked may be gone
            case own.TellJoined():
                log.info("call goes out", call=self.id, trunk=self._dial.trunk)
                self._tell(replace(self._info, status=Status.JOINED))
            case _:
                self._do(effect)

    async def _invite(self) -> None:
        """Send the INVITE, and again with the password where one is asked for."""
        try:
            await self._call_out()
        except TransactionFailed as bad:
            self.post(own.Refused(bad.sip_status or 408, bad.what, trunk=True))
        except Unavailable as bad:
            self.post(own.Refused(503, bad.what, trunk=True))
        except SetupFault as full:
            log.warning("no media port", why=full.what)
            self.post(ev.ServiceDown("no RTP port is free"))
        except PeerFault as bad:
            log.info("no media in common", call=self.id, why=bad.what)
            self.post(ev.NoMedia())

    async def _call_out(self) -> None:
        """Try each place where the callee may be, until one has an answer (RFC 3263 section 4.3)."""
        uri, spoken = self._ends.target, self._drivers.spoken
        only = next(iter(spoken)) if len(spoken) == 1 else ""
        places = await self._tools.locator.find(uri.host.strip("[]"), uri.port, only, spoken)
        for left, place in zip(range(len(places) - 1, -1, -1), places, strict=True):
            offer = self._aim(place)
            try:
                refusal = await self._ask(offer, patience=_NEXT_AFTER if left else None)
            except (TransactionFailed, TimeoutError):
                if not left:
                    raise
                continue
            if refusal is None:
                return
            if refusal.code != _ELSEWHERE or not left:
                self.post(own.Refused(refusal.code, _words(refusal)))
                return

    def _aim(self, place: Place) -> bytes:
        """Go by the listener that reaches the place; our offer, with an address of the family that the place has."""
        sip = self._drivers.towards(place.transport, place.where[0])
        sip.named(place.where, place.name)
        self._sip = self.transfers.sip = sip
        self._where = place.where
        self._ends = ends(self._dial, sip.here)
        self._line.aim(sip.listener, place.where[0])
        return self._line.open(None, self._dial.media, self)

    async def _ask(self, offer: bytes, patience: float | None) -> sipmessage.Response | None:
        """The response that refused the call; None when it is up. Raises TimeoutError when nothing at all has come
        within `patience` seconds."""
        proof: list[tuple[str, str]] = []
        for _ in range(_TRIES):
            self._cseq += 1
            request = invite(
                self._ends,
                call_id=self._call_id,
                cseq=self._cseq,
                contact=self._sip.contact(),
                headers=[("Allow", ALLOW), *self._headers(), *proof],
                body=offer,
            )
            async with self._sip.send(request, self._where) as sending:
                response = await self._responses(sending, patience)
            if response is None:
                return None
            again = self._proof(response, had=bool(proof))
            if again is None:
                return response
            proof = [again]
        return response

    async def _responses(self, sending: Sending, patience: float | None) -> sipmessage.Response | None:
        """The response that refused the call; None when it is up."""
        async with asyncio.timeout(patience) as waiting:
            response = await anext(sending)
            waiting.reschedule(None)
            return await self._heard_out(sending, response)

    async def _heard_out(self, sending: Sending, response: sipmessage.Response) -> sipmessage.Response | None:
        while True:
            if 180 <= response.code < 200:
                self.post(own.Ringing())
                if self._line.early(response):
                    self._hush()
            elif 200 <= response.code < 300:
                await self._accept(sending, response)
                return None
            elif response.code >= 300:
                return response
            response = await anext(sending)

    async def _accept(self, sending: Sending, response: sipmessage.Response) -> None:
        """The call is answered. A PeerFault leaves it to the driver to acknowledge and end it."""
        dialog = Dialog.uac(sending.request, response)
        self._line.settle(response)
        self.dialog, self._told = dialog, written(response)
        await sending.acknowledge(dialog.ack(), self._destination(dialog))
        self._hush()
        self._line.start()
        self._info = replace(self._info, started=time.time_ns())
        dial = self._dial
        found = header_attributes(response, dial.headers_to_attributes, dial.include_headers)
        await self._room.set_attributes({"sip.callIDFull": self._call_id, **found})
        metrics.DIALED.observe(self._loop.time() - self._began)
        self.post(own.Accepted())

    async def _ring_room(self) -> None:
        """Let the room hear ringing, until cancelled."""
        began, at = self._loop.time(), 0
        while True:
            self._room.say(ringing(at, FRAME))
            at += FRAME
            await asyncio.sleep(max(0.0, began + at / RATE - self._loop.time()))

    def _hush(self) -> None:
        """The room hears the peer from now on."""
        if self._ringing_room is not None:
            self._ringing_room.cancel()

    def _proof(self, response: sipmessage.Response, *, had: bool) -> tuple[str, str] | None:
        """The header that answers a challenge; None when it isn't one, or we have no answer to it."""
        if response.code not in _CHALLENGES or not self._dial.username:
            return None
        asked, answered = _CHALLENGES[response.code]
        challenge = digest.choose(response.headers.getlist(asked))
        if challenge is None or (had and not challenge.stale):
            return None
        uri, cnonce = str(self._ends.target), secrets.token_hex(8)
        return answered, challenge.answer("INVITE", uri, self._dial.username, self._dial.password, cnonce)

    async def _press_keys(self) -> None:
        for part in re.findall(r"W|[^W]{1,32}", self._dial.keys.upper()):
            if part != "W":
                self.on_room_key(part)
            await asyncio.sleep(_PAUSE if part == "W" else len(part) * (ON + GAP) * FRAME_SECONDS)
        self.post(own.KeysSent())

    def _unacknowledged(self) -> None:
        self.post(ev.PeerGone(lost=True))

    def _destination(self, dialog: Dialog) -> HostPort:
        """Where the peer's Contact or the route says; where the INVITE went, when that is a name that only the other
        side's network may know, or an address of another family."""
        where = dialog.destination
        return where if self._sip.addresses(where) else self._where

    def _heard_headers(self) -> Mapping[str, str]:
        return self._told

    def _headers(self) -> list[tuple[str, str]]:
        return fixed_headers(self._dial.headers, self._dial.attributes_to_headers, self._room.attributes)

    def _attributes(self) -> dict[str, str]:
        return {**self._dial.attributes, "sip.callTag": self._dial.id, CALL_STATUS: "dialing", EDGE: "1"}

    def _tell_end(self, end: ev.TellEnd) -> None:
        metrics.DIALS.labels(end.outcome).inc()
        super()._tell_end(end)


def _words(response: sipmessage.Response) -> str:
    """What the other side says of its refusal."""
    return response.headers.get("X-Twilio-Error") or response.phrase or phrase_of(response.code)


def _leg(dial: Dial, whom: Ends, call_id: str, transport: str) -> Leg:
    sender, target = whom.sender.uri, whom.target
    return Leg(
        id=dial.id,
        sip_call_id=call_id,
        source=sender.host,
        target=Uri(dial.dialed, target.host, target.port or 0),
        caller=Uri(dial.number, sender.host, sender.port or 0),
        dialed=Uri(dial.dialed, target.host, target.port or 0),
        outbound=True,
        transport=transport,
    )


def _seat(dial: Dial) -> Seat:
    return Seat(
        room=dial.room,
        identity=dial.identity,
        name=dial.name,
        metadata=dial.metadata,
        token=dial.token,
        url=dial.url,
    )
