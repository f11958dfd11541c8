"""A call of either direction: its events in order, its room and its line, its states told, and nothing left at its end."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Generic, TypeVar, assert_never

import structlog

from gateway.bus.callstate import Status
from gateway.bus.ioinfo import Leg, MediaWish
from gateway.edge import events as ev
from gateway.edge import metrics
from gateway.edge.hold import Hold
from gateway.edge.leg import chosen, harmless
from gateway.edge.line import Line
from gateway.edge.peer import ABILITIES, Peer, SessionLost
from gateway.edge.presses import Presses, Way
from gateway.edge.room import RoomLeg
from gateway.edge.shared import Shared
from gateway.edge.states import States
from gateway.edge.transfer import Transfers
from gateway.errors import PeerFault
from gateway.metrics import EDGE_ERRORS
from gateway.net.listener import Listener, ranked
from gateway.net.sip_driver import Incoming, NotAcknowledged
from gateway.rtp import Audio, KeyPressed, Samples, TimedOut, dtmf, quality
from gateway.sip import info, sdp, session_timer
from gateway.sip.dialog import DialogId
from gateway.sip.digest import NOBODY
from gateway.sip.session_timer import SessionTimer
from gateway.tasks import Tasks
from gateway.terms.hold import HOLD
from gateway.terms.line import LINE, PAUSED, QUIET

BYE_WITHIN = 1.0
"""Seconds that a peer who was transferred has to hang up; then we do."""

log = structlog.get_logger(__name__)
_Own = TypeVar("_Own")
"""Events of one direction only."""
_Effect = TypeVar("_Effect")


class EdgeCall(ABC, Generic[_Own, _Effect]):
    """A call, from its first request to its end. `run` it; `post` events from anywhere on the loop."""

    def __init__(self, leg: Leg, shared: Shared, source: str, by: Listener) -> None:
        """`source`: the IP address that the peer's signalling comes from; `by`: the listener that it came or goes by."""
        self.id = leg.id
        self.peer: Peer | None = None
        """Whom we talk to, once the call is answered."""
        self.outbound = leg.outbound
        self.stranger = False
        """Nothing was known of the peer as the call came in, and it hasn't signed in, nor acknowledged that it was answered."""
        self.full: Callable[[], str] = lambda: ""
        """Why there is no place for a stranger's call beside those that ring; asked when its trunk is known."""
        self.media = MediaWish()
        """What the trunk or rule wants of the media."""
        self.credentials = NOBODY
        """What the trunk has for calls that we make."""
        self.locator = shared.locator
        self._former: list[DialogId] = []
        self._referral: asyncio.Task[None] | None = None
        self._shared = shared
        self._loop = asyncio.get_running_loop()
        self._states = States(shared.io, leg)
        self._events: asyncio.Queue[ev.Event | _Own] = asyncio.Queue()
        self.tasks = Tasks("edge call")
        """What lasts as long as the call at most."""
        self._line = Line(shared.media, ranked(shared.listeners, by), source)
        self._room = RoomLeg(shared.livekit, shared.board, shared.relay, self, leg.id)
        self._leaving: asyncio.Task[None] | None = None
        self._heard = False
        self._presses = Presses()
        self._hold = Hold()
        self._ear: dtmf.Ear | None = None
        """Listens for tones, where the trunk wants that."""
        self._renegotiating = False
        """A 2xx of ours waits for its ACK."""
        self.transfers = Transfers(self.id, shared.io, shared.server, self._talking_to)
        self._interval = session_timer.INTERVAL

    def doubt(self) -> None:
        """The peer is a stranger, who may not be where it says; before the call runs."""
        self.stranger = self._line.sparing = True

    def trust(self) -> None:
        """The peer has proven to be where it says."""
        self.stranger = False
        self._line.confide()

    @property
    @abstractmethod
    def over(self) -> bool:
        """Whether the call has ended."""

    @property
    def asks(self) -> bool:
        """Whether it isn't known yet who may call."""
        return False

    @property
    @abstractmethod
    def answered(self) -> bool:
        """Whether there is a dialog to talk in."""

    @abstractmethod
    def belongs(self, named: DialogId) -> bool:
        """Whether a request that names this dialog is this call's, answered or not."""

    def on_prack(self, prack: Incoming) -> None:
        """A PRACK came for the call's dialog. Raises PeerFault when it acknowledges nothing."""
        raise PeerFault("A PRACK acknowledges nothing that was sent.", sip_status=481)

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
    def _heard_headers(self) -> Mapping[str, str]:
        """Headers of the peer's message that made the call, by their names."""

    @abstractmethod
    def _headers(self) -> list[tuple[str, str]]:
        """What the trunk wants in our messages."""

    async def _finish(self) -> None:
        """What is left to do before the call counts as over; nothing by default."""

    def post(self, event: ev.Event | _Own) -> None:
        """Something happened."""
        self._events.put_nowait(event)

    async def run(self) -> None:
        """Take the call through to its end; returns when nothing of it is left."""
        metrics.CALLS_NOW.inc()
        telling = self._shared.lasting.start(self._states.run(), "tell states")
        try:
            async with self.tasks:
                self._take(self._begin(self._loop.time()))
                while not self.over:
                    await self._next()
                self.transfers.ended()
                await self._finish()
        finally:
            self._count_media()
            self._line.close()
            self._states.close()
            if self._leaving is None:
                self._leaving = self._shared.lasting.start(self._room.leave(""), "leave room")
            metrics.CALLS_NOW.dec()
        await asyncio.wait([telling, self._leaving])

    async def renegotiate(self, request: Incoming) -> None:
        """Answer a re-INVITE or UPDATE (RFC 3261 section 14.2, RFC 3311, RFC 4028 section 9). Raises PeerFault for a
        refusal."""
        if not self.answered or self._renegotiating:
            request.respond(500, headers=[("Retry-After", "1")])
            return
        timer, told = session_timer.answer(request.request)
        contact = request.contact(secure=self.peer is not None and self.peer.dialog.secure)
        bare = request.request.method == "UPDATE" and not request.request.body.strip()
        described = b"" if bare else self._line.renegotiate(request.request)
        self._settled()
        request.respond(
            200,
            contact=contact,
            headers=[*ABILITIES, *told],
            body=described,
            content_type=sdp.CONTENT_TYPE if described else "",
        )
        self._agree(timer)
        if request.request.method == "INVITE":
            await self.acknowledged(request)

    def another_line(self, source: str, by: Listener) -> Line:
        """Media for somebody who may take the peer's place; `adopt` or close it."""
        return Line(self._shared.media, ranked(self._shared.listeners, by), source, self._line.rate)

    def adopt(self, peer: Peer, timer: SessionTimer | None) -> None:
        """Let another one take the peer's place. The room notices nothing; the old peer gets a BYE."""
        self._bye()
        if self.peer is not None:
            self._former.append(self.peer.dialog.id)
        self._line.close()
        self.peer, self._line = peer, peer.line
        self._line.start()
        self._settled()
        self._agree(timer)

    @property
    def referred(self) -> bool:
        """Whether a REFER of the peer's is being followed."""
        return self._referral is not None and not self._referral.done()

    def refer(self, following: Coroutine[Any, Any, None]) -> None:
        """Follow a REFER of the peer's."""
        self._referral = self.tasks.start(following, "refer")

    def knew(self, named: DialogId) -> bool:
        """Whether this was the dialog of a peer whose place another one has taken."""
        return named in self._former

    def on_audio(self, audio: Audio) -> None:
        """The media's: 20 ms of the peer's audio."""
        if not self._heard and self._line.statistics().received:
            self._heard = True
            self.post(ev.MediaHeard())
        self._room.say(audio.samples)
        if self._hold.state:
            self._tell_hold(self._hold.heard(audio.samples, audio.at))
        for key in self._ear.hear(audio.samples) if self._ear is not None else "":
            if self._presses.told(Way.TONE, key, audio.at):
                self._pressed(key)

    def on_key(self, pressed: KeyPressed) -> None:
        """The media's: the peer pressed a key."""
        if self._presses.told(Way.EVENT, pressed.key, pressed.at):
            self._pressed(pressed.key)

    def on_info(self, told: info.Told) -> None:
        """The peer's INFO: it pressed a key."""
        if told.key and self._presses.told(Way.INFO, told.key, self._loop.time(), told.seconds):
            self._pressed(told.key)

    def _listen(self, wanted: bool) -> None:
        """Take tones in the peer's audio for keys from now on, or don't; once the line's rate is known."""
        if not wanted:
            self._ear = None
        elif self._ear is None:  # one that listens already may have told a key that is still down
            self._ear = dtmf.Ear(self._line.rate)

    def _pressed(self, key: str) -> None:
        """The peer pressed a key."""
        self._room.press(key)

    def on_timeout(self, timeout: TimedOut) -> None:
        """The media's: no RTP comes."""
        self.post(ev.MediaLost(held=self._line.held))

    def on_room_audio(self, frame: Samples) -> None:
        """The room's: 20 ms of what it says."""
        self._line.say(frame)

    def on_room_begins(self) -> None:
        """The room's: whoever is heard next has just been let hear."""
        self._line.catch_up()

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
            case _ if method == LINE:
                quiet, paused = self._line.quiet()
                return {QUIET: round(quiet, 3), PAUSED: round(paused, 3)}
            case _:
                raise KeyError(method)

    def _settled(self) -> None:
        """The media has been settled anew: the room is told whether we are on hold."""
        self._tell_hold(self._hold.settled(self._line.direction, self._loop.time()))

    def _tell_hold(self, changed: bool) -> None:
        if changed:
            self.tasks.start(self._room.set_attributes({HOLD: self._hold.state}), "tell hold")

    def _talking_to(self) -> Peer | None:
        return self.peer if self.answered else None

    def _transferred(self) -> None:
        self._loop.call_later(BYE_WITHIN, self.post, ev.Transferred())

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
                self.tasks.start(self._room.set_status(status), "set status")
            case ev.HangUp(headers):
                self._bye(headers)
            case ev.Refresh():
                self.tasks.start(self._refresh(), "refresh")
            case ev.Leave(status, reason):
                self._line.close()
                self._leaving = self._shared.lasting.start(self._room.leave(status, reason), "leave room")
            case ev.TellActive():
                self.tasks.start(self.transfers.serve(self._transferred), "transfers")
                self._states.tell(status=Status.ACTIVE, codec=self._line.codec)
            case ev.TellEnd():
                self._tell_end(effect)
            case _:
                assert_never(effect)

    async def acknowledged(self, incoming: Incoming) -> None:
        """Wait for the ACK to our 2xx, and take the answer out of it if the 2xx held an offer."""
        line, self._renegotiating = self._line, True
        try:
            ack = await incoming.acknowledged()
            self.trust()
            line.conclude(ack)
            self._settled()
        except NotAcknowledged:
            if line is self._line:
                self._unacknowledged()
        except PeerFault:
            self.post(ev.NoMedia())
        finally:
            self._renegotiating = False

    def _agree(self, timer: SessionTimer | None) -> None:
        if timer is not None:
            self._interval = timer.interval
        self.post(ev.SessionAgreed(timer))

    async def _refresh(self) -> None:
        if self.peer is None:
            return
        try:
            self._agree(await self.peer.refresh(self._interval))
            self._settled()
        except SessionLost as gone:
            log.info("session lost", call=self.id, why=gone.what)
            self.post(ev.SessionLost())
        except PeerFault:
            self.post(ev.NoMedia())

    @abstractmethod
    def _unacknowledged(self) -> None:
        """A 2xx of ours was never acknowledged."""

    def _bye(self, headers: ev.Headers = ()) -> None:
        if self.peer is not None:
            self._shared.lasting.start(self.peer.bye([*self._headers(), *harmless(headers)]), "bye")

    def _tell_end(self, end: ev.TellEnd) -> None:
        line = quality.of(self._line.statistics())
        log.info("call ended", call=self.id, outcome=end.outcome, status=end.sip_status, why=end.error, **line)
        self._states.tell_end(end, self._line.codec, line)

    def _count_media(self) -> None:
        counts = self._line.statistics()
        metrics.RTP_RECEIVED.inc(counts.received)
        metrics.RTP_LOST.inc(counts.lost)
        if line := quality.of(counts):
            metrics.RTP_JITTER.observe(counts.jitter)
            metrics.MOS.observe(line["mos"])
