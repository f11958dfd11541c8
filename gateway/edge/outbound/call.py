"""One outbound call: runs its machine, and carries the effects out on SIP, bus, room and media."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from functools import partial

import sipmessage
import structlog

from gateway.bus.callstate import Status
from gateway.bus.errors import RemoteError
from gateway.bus.ioinfo import Leg, Uri
from gateway.bus.participants import Created, Dial, refused
from gateway.edge import events as ev
from gateway.edge import metrics
from gateway.edge.call import EdgeCall
from gateway.edge.leg import CALL_STATUS, fixed_headers, header_attributes, written
from gateway.edge.outbound import events as own
from gateway.edge.outbound import machine
from gateway.edge.outbound.dialing import Answered, Declined, Dialing, Order
from gateway.edge.outbound.invite import Ends, ends
from gateway.edge.room import RoomLeg
from gateway.edge.seat import Seat
from gateway.edge.shared import Shared
from gateway.errors import PeerFault, SetupFault, Unavailable
from gateway.net.drivers import Drivers
from gateway.net.sip_exchange import TransactionFailed
from gateway.rtp import FRAME_SECONDS
from gateway.rtp.ringing import ringing
from gateway.rtp.telephone_event import GAP, ON
from gateway.sip.dialog import DialogId
from gateway.sip.digest import Credentials
from gateway.terms import tones
from gateway.terms.legs import EDGE, UNNAMED

_PAUSE = 0.5
"""Seconds that a `w` among the keys waits."""

log = structlog.get_logger(__name__)


class OutboundCall(EdgeCall[own.Event, own.Effect]):
    """A call from CreateSIPParticipant on. Raises RemoteError for a request that no INVITE can be made of."""

    def __init__(self, drivers: Drivers, dial: Dial, shared: Shared) -> None:
        """`drivers`: what the call may go out by."""
        self._dial = dial
        first = drivers.first
        self._call_id = secrets.token_hex(16)
        leg = _leg(dial, ends(dial, first.here), self._call_id, first.transport)
        super().__init__(leg, shared, "", first.listener)
        self.media, self.credentials = dial.media, Credentials(dial.username, dial.password)
        order = Order(partial(ends, dial), self._call_id, partial(_headers, dial, self._room), self.credentials)
        self._dialing = Dialing(order, drivers, shared.locator, self._line, self.tasks)
        self._began = self._loop.time()
        self._call = machine.Call(machine.Wish())
        self._inviting: asyncio.Task[None] | None = None
        self._ringing_room: asyncio.Task[None] | None = None
        self._told: Mapping[str, str] = {}
        """Headers of the answer."""
        self._created: asyncio.Future[Created | own.Failed] = self._loop.create_future()
        """Not an error itself: that has the frames by which it went, and those have us."""
        self._states.note(trunk=dial.trunk, room=dial.room, identity=dial.identity, attributes=self._attributes())

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
            created = await asyncio.shield(self._created)
        except asyncio.CancelledError:
            self.post(own.GivenUp())
            raise
        if isinstance(created, own.Failed):
            code, text = created.code, created.text
            raise refused(code, text) if code else RemoteError("unavailable", text)
        return created

    def belongs(self, named: DialogId) -> bool:
        """Whether a request that names this dialog is this call's."""
        return self._dialing.belongs(named) if self.peer is None else named == self.peer.dialog.id

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
                self._line.prefer(self._dial.media)
                self._listen(tones.count(self._dial.attributes))
                self._room.join(_seat(self._dial), self._attributes(), self._line.rate)
            case own.Invite():
                self._inviting = self.tasks.start(self._invite(), "invite")
                if self._dial.dialtone:
                    self._ringing_room = self.tasks.start(self._ring_room(), "ringing")
            case own.GiveUp():
                if self._inviting is not None:
                    self._inviting.cancel()
                self._bye()  # the callee's answer may have crossed our change of mind
            case own.PressKeys():
                self.tasks.start(self._press_keys(), "press keys")
            case own.Created():
                if not self._created.done():
                    self._created.set_result(Created(self._room.participant, self._dial.identity, self.id))
            case own.Failed():
                if not self._created.done():
                    self._created.set_result(effect)
            case own.TellJoined():
                log.info("call goes out", call=self.id, trunk=self._dial.trunk)
                self._states.tell(status=Status.JOINED)
            case _:
                self._do(effect)

    async def _invite(self) -> None:
        try:
            opened = partial(self._line.open, None, self._dial.media, self)
            self._accept(await self._dialing.call(opened, self._hear_ringing))
        except Declined as no:
            self.post(own.Refused(no.code, no.what))
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

    def _accept(self, answered: Answered) -> None:
        self.peer, self._told = answered.peer, written(answered.response)
        self._hush()
        self._line.start()
        self._states.note(started=time.time_ns())
        dial = self._dial
        found = header_attributes(answered.response, dial.headers_to_attributes, dial.include_headers)
        told = self._room.set_attributes({"sip.callIDFull": self._call_id, **found})
        self.tasks.start(told, "set attributes")  # not awaited: the callee may ask for something at once
        metrics.DIALED.observe(self._loop.time() - self._began)
        self.post(own.Accepted())
        self._agree(answered.timer)

    def _hear_ringing(self, response: sipmessage.Response) -> None:
        self.post(own.Ringing())
        if self._line.early(response):
            self._hush()

    async def _ring_room(self) -> None:
        """Let the room hear ringing, until cancelled."""
        began, at, rate = self._loop.time(), 0, self._line.rate
        while True:
            size = round(FRAME_SECONDS * rate)
            self._room.say(ringing(at, size, rate))
            at += size
            await asyncio.sleep(max(0.0, began + at / rate - self._loop.time()))

    def _hush(self) -> None:
        """The room hears the peer from now on."""
        if self._ringing_room is not None:
            self._ringing_room.cancel()

    async def _press_keys(self) -> None:
        for part in re.findall(r"W|[^W]{1,32}", self._dial.keys.upper()):
            if part != "W":
                self.on_room_key(part)
            await asyncio.sleep(_PAUSE if part == "W" else len(part) * (ON + GAP) * FRAME_SECONDS)
        self.post(own.KeysSent())

    def _unacknowledged(self) -> None:
        self.post(ev.PeerGone(lost=True))

    def _heard_headers(self) -> Mapping[str, str]:
        return self._told

    def _headers(self) -> list[tuple[str, str]]:
        return _headers(self._dial, self._room)

    def _attributes(self) -> dict[str, str]:
        return {**self._dial.attributes, "sip.callTag": self._dial.id, CALL_STATUS: "dialing", EDGE: UNNAMED}

    def _tell_end(self, end: ev.TellEnd) -> None:
        metrics.DIALS.labels(end.outcome).inc()
        super()._tell_end(end)


def _headers(dial: Dial, room: RoomLeg) -> list[tuple[str, str]]:
    return fixed_headers(dial.headers, dial.attributes_to_headers, room.attributes)


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
