"""A call of either direction: its events in order, its room and its line, its states told, and nothing left at its end."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar, assert_never

import structlog

from gateway.bus.callstate import Status
from gateway.bus.client import new_id
from gateway.bus.errors import RemoteError
from gateway.bus.ioinfo import CallInfo, IoInfo, Leg, Outcome, TransferInfo
from gateway.bus.participants import TRANSFER, Transfer, transferring
from gateway.bus.server import Server
from gateway.edge import events as ev
from gateway.edge import metrics
from gateway.edge.leg import chosen, harmless
from gateway.edge.line import Line
from gateway.edge.room import LiveKit, RoomLeg
from gateway.edge.transfer import Transfers
from gateway.errors import PeerFault, Unavailable
from gateway.metrics import EDGE_ERRORS
from gateway.net.listener import Listener, ranked
from gateway.net.locator import Locator
from gateway.net.media import Media
from gateway.net.sip_driver import Incoming, NotAcknowledged, SipDriver, TransactionFailed
from gateway.rtp import RATE, Audio, KeyPressed, Samples, TimedOut
from gateway.rtp.ringing import ringing
from gateway.sip import HostPort, sdp
from gateway.sip.dialog import Dialog, DialogId
from gateway.sip.digest import Guard
from gateway.tasks import Tasks

ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, NOTIFY"
BYE_WITHIN = 1.0
"""Seconds that a peer who was transferred has to hang up; then we do."""
_RUNG = 0.2
"""Seconds of ringing tone that are made at once."""

log = structlog.get_logger(__name__)
_Own = TypeVar("_Own")
"""Events of one direction only."""
_Effect = TypeVar("_Effect")


@dataclass(frozen=True, slots=True)
class Tools:
    """What all calls share."""

    io: IoInfo
    livekit: LiveKit
    media: Media
    listeners: Sequence[Listener]
    """Where peers may send media to."""
    server: Server
    """Of the service SIPInternal: where each call that is up can be asked for."""
    locator: Locator
    guard: Guard
    """Judges who signs in."""
    lasting: Tasks
    """For what outlives a call by a moment: leaving its room, its BYE."""


class EdgeCall(ABC, Generic[_Own, _Effect]):
    """A call, from its first request to its end. `run` it; `post` events from anywhere on the loop."""

    def __init__(self, sip: SipDriver, leg: Leg, tools: Tools, source: str) -> None:
        """`source`: the IP address that the peer's signalling comes from."""
        self.id = leg.id
        self.dialog: Dialog | None = None
        """The dialog, once the call is answered."""
        self._sip = sip
        self._tools = tools
        self._loop = asyncio.get_running_loop()
        self._info = CallInfo(leg, created=time.time_ns())
        self._events: asyncio.Queue[ev.Event | _Own] = asyncio.Queue()
        self._tells: asyncio.Queue[CallInfo | None] = asyncio.Queue()
        self._tasks = Tasks("edge call")
        self._line = Line(tools.media, ranked(tools.listeners, sip.listener), source)
        self._room = RoomLeg(tools.livekit, self, leg.id)
        self._leaving: asyncio.Task[None] | None = None
        self._heard = False
        self._ringing = False
        """The peer hears ringing instead of the room."""
        self.transfers = Transfers(sip, lambda: self.over)

    @property
    @abstractmethod
    def over(self) -> bool:
        """Whether the call has ended."""

    @property
    @abstractmethod
    def answered(self) -> bool:
        """Whether there is a dialog to talk in."""

    @abstractmethod
    def belongs(self, named: DialogId) -> bool:
        """Whether a request that names this dialog is this call's, answered or not."""

    @abstractmethod
    def _begin(self, now: float) -> Sequence[_Effect]:
        """The machine's first step."""

    @abstractmethod
    def _step(self, event: ev.Event | _Own, now: float) -> Sequence[_Effect]:
        """The machine's step for an event. Raises IllegalEvent."""

    @abstractmethod
    def _expire(self, now: float) -> Sequence[_Effect]:
        """The machine's step because `_deadline` has come."""

    @abstractmethod
    def _deadline(self) -> float | None:
        """When to expire."""

    @abstractmethod
    def _perform(self, effect: _Effect) -> None:
        """Carry out an effect; those of `gateway.edge.events` by `_do`."""

    @abstractmethod
    def _destination(self, dialog: Dialog) -> HostPort:
        """Where our requests go."""

    @abstractmethod
    def _heard_headers(self) -> Mapping[str, str]:
        """Headers of the peer's message that made the call, by their names."""

    @abstractmethod
    def _headers(self) -> list[tuple[str, str]]:
        """What the trunk wants in our messages."""

    def heard_from(self, request: Incoming) -> None:
        """A request of the peer's came within the dialog."""

    async def _finish(self) -> None:
        """What is left to do before the call counts as over; nothing by default."""

    def post(self, event: ev.Event | _Own) -> None:
        """Something happened."""
        self._events.put_nowait(event)

    async def run(self) -> None:
        """Take the call through to its end; returns when nothing of it is left."""
        metrics.CALLS_NOW.inc()
        telling = self._tools.lasting.start(self._tell_all(), "tell states")
        try:
            async with self._tasks:
                self._take(self._begin(self._loop.time()))
                while not self.over:
                    await self._next()
                await self._finish()
        finally:
            self._count_media()
            self._line.close()
            self._tells.put_nowait(None)
            if self._leaving is None:
                self._leaving = self._tools.lasting.start(self._room.leave(""), "leave room")
            metrics.CALLS_NOW.dec()
        await asyncio.wait([telling, self._leaving])

    async def renegotiate(self, request: Incoming) -> None:
        """Answer a re-INVITE or UPDATE (RFC 3261 section 14.2, RFC 3311). Raises PeerFault for a refusal."""
        if not self.answered:
            request.respond(500, headers=[("Retry-After", "1")])
            return
        if request.request.method == "UPDATE" and not request.request.body.strip():
            request.respond(200, contact=self._sip.contact())
            return
        described = self._line.renegotiate(request.request)
        request.respond(
            200,
            contact=self._sip.contact(),
            headers=[("Allow", ALLOW)],
            body=described,
            content_type=sdp.CONTENT_TYPE,
        )
        if request.request.method == "INVITE":
            await self._await_ack(request)

    def on_audio(self, audio: Audio) -> None:
        """The media's: 20 ms of the peer's audio."""
        if not self._heard and self._line.statistics().received:
            self._heard = True
            self.post(ev.MediaHeard())
        self._room.say(audio.samples)

    def on_key(self, pressed: KeyPressed) -> None:
        """The media's: the peer pressed a key."""
        self._room.press(pressed.key)

    def on_timeout(self, timeout: TimedOut) -> None:
        """The media's: no RTP comes."""
        self.post(ev.MediaLost(held=self._line.held))

    def on_room_audio(self, frame: Samples) -> None:
        """The room's: 20 ms of what it says."""
        if not self._ringing:
            self._line.say(frame)

    def on_room_key(self, key: str) -> None:
        """The room's: a key, or several, for the peer to hear."""
        try:
            self._line.press(key)
        except PeerFault:
            log.warning("keys from the room dropped", call=self.id)

    def on_rpc(self, method: str, asked: Mapping[str, object]) -> Mapping[str, object]:
        """The room's: somebody calls a method of ours; its answer. Raises KeyError for one that isn't."""
        match method:
            case "lk.sip.EndCall":
                given = asked.get("headers")
                found = given.items() if isinstance(given, Mapping) else ()
                self.post(ev.EndAsked(tuple((str(name), str(value)) for name, value in found)))
                return {}
            case "lk.sip.GetRemoteHeaders":
                return {"headers": chosen(self._heard_headers(), asked.get("include"), asked.get("exclude"))}
            case _:
                raise KeyError(method)

    async def transfer(self, wish: Transfer) -> None:
        """Send the peer elsewhere, and end the call when it has got there. Raises RemoteError when it doesn't: the call
        goes on then."""
        if self.dialog is None or not self.answered:
            raise RemoteError("failed_precondition", "Only a call that is answered can be transferred.")
        told = TransferInfo(new_id("STR_"), self.id, wish.to, time.time_ns())
        await self._tell_transfer(told)
        ringing = self._tasks.start(self._ring_peer(), "ringing") if wish.dialtone else None
        try:
            await self.transfers.run(wish, self.dialog, self._destination(self.dialog))
        except RemoteError as bad:
            log.info("call not transferred", call=self.id, why=bad.code, status=bad.sip[0] if bad.sip else 0)
            await self._tell_transfer(replace(told, outcome=Outcome.FAILED, ended=time.time_ns(), error=bad.what))
            raise
        finally:
            if ringing is not None:
                ringing.cancel()
        log.info("call transferred", call=self.id)
        await self._tell_transfer(replace(told, outcome=Outcome.DONE, ended=time.time_ns()))
        self._loop.call_later(BYE_WITHIN, self.post, ev.Transferred())

    async def _tell_transfer(self, told: TransferInfo) -> None:
        try:
            await self._tools.io.tell_transfer(told)
        except Unavailable as bad:
            log.warning("transfer not told", call=self.id, why=bad.what)

    async def _ring_peer(self) -> None:
        """Let the peer hear ringing, until cancelled; then the room again."""
        self._ringing = True
        size, at, began = round(_RUNG * RATE), 0, self._loop.time()
        try:
            while True:
                self._line.say(ringing(at, size))
                at += size
                await asyncio.sleep(max(0.0, began + at / RATE - self._loop.time()))
        finally:
            self._ringing = False

    async def _serve_transfers(self) -> None:
        """Be asked for by the call's id while it lasts."""
        server = self._tools.server
        try:
            await server.register(TRANSFER, transferring(self.transfer), topic=self.id)
            await asyncio.Event().wait()
        except Unavailable as bad:
            log.warning("the call can't be transferred", call=self.id, why=bad.what)
        finally:
            await server.deregister(TRANSFER, self.id)

    async def _next(self) -> None:
        try:
            async with asyncio.timeout_at(self._deadline()):
                event = await self._events.get()
        except TimeoutError:
            self._take(self._expire(self._loop.time()))
        else:
            try:
                self._take(self._step(event, self._loop.time()))
            except ev.IllegalEvent:
                EDGE_ERRORS.labels("edge call").inc()
                log.exception("event ignored", call=self.id)

    def _take(self, effects: Sequence[_Effect]) -> None:
        for effect in effects:
            self._perform(effect)

    def _do(self, effect: ev.Effect) -> None:
        match effect:
            case ev.SetStatus(status):
                self._tasks.start(self._room.set_status(status), "set status")
            case ev.HangUp(headers):
                self._tools.lasting.start(self._bye(headers), "bye")
            case ev.Leave(status, reason):
                self._line.close()
                self._leaving = self._tools.lasting.start(self._room.leave(status, reason), "leave room")
            case ev.TellActive():
                self._tasks.start(self._serve_transfers(), "transfers")
                self._tell(replace(self._info, status=Status.ACTIVE, codec=self._line.codec))
            case ev.TellEnd():
                self._tell_end(effect)
            case _:
                assert_never(effect)

    async def _await_ack(self, incoming: Incoming) -> None:
        try:
            self._line.conclude(await incoming.acknowledged())
        except NotAcknowledged:
            self._unacknowledged()
        except PeerFault:
            self.post(ev.NoMedia())

    @abstractmethod
    def _unacknowledged(self) -> None:
        """A 2xx of ours was never acknowledged."""

    async def _bye(self, headers: ev.Headers) -> None:
        if self.dialog is None:
            return
        bye = self.dialog.request("BYE", headers=[*self._headers(), *harmless(headers)])
        try:
            await self._sip.request(bye, self._destination(self.dialog))
        except (TransactionFailed, Unavailable) as bad:
            log.info("bye not answered", call=self.id, why=bad.what)

    def _tell(self, info: CallInfo) -> None:
        self._info = info
        self._tells.put_nowait(info)

    def _tell_end(self, end: ev.TellEnd) -> None:
        self.transfers.ended()
        log.info("call ended", call=self.id, outcome=end.outcome, status=end.sip_status, why=end.error)
        self._tell(
            replace(
                self._info,
                status=Status.DISCONNECTED,
                ended=time.time_ns(),
                codec=self._line.codec,
                reason=end.reason,
                error=end.error,
                sip_status=end.sip_status,
                sip_text=end.sip_text,
            )
        )

    async def _tell_all(self) -> None:
        while (info := await self._tells.get()) is not None:
            try:
                await self._tools.io.tell(info)
            except Unavailable as bad:
                log.warning("call state not told", call=self.id, status=info.status, why=bad.what)

    def _count_media(self) -> None:
        counts = self._line.statistics()
        metrics.RTP_RECEIVED.inc(counts.received)
        metrics.RTP_LOST.inc(counts.lost)
        if counts.received:
            metrics.RTP_JITTER.observe(counts.jitter)
