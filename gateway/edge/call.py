"""One inbound call: runs its machine, and carries the effects out on SIP, bus, room and media."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar, assert_never

import structlog

from gateway.bus.callstate import Status
from gateway.bus.ioinfo import CallInfo, IoInfo, Leg, RuleAnswer, Verdict
from gateway.edge import events as ev
from gateway.edge import machine, metrics
from gateway.edge.leg import attributes, response_headers
from gateway.edge.line import Line
from gateway.edge.room import LiveKit, RoomLeg
from gateway.errors import PeerFault, SetupFault, Unavailable
from gateway.metrics import EDGE_ERRORS
from gateway.net.media import Media
from gateway.net.sip_udp import Incoming, NotAcknowledged, SipUdp, TransactionFailed
from gateway.rtp import Audio, KeyPressed, Samples, TimedOut
from gateway.sip import HostPort, sdp
from gateway.sip.dialog import Dialog, DialogId
from gateway.tasks import Tasks

ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE"
FLOOD_SILENCE = 32.0
"""Seconds (64*T1) that a call we were told to drop is left without an answer; its caller has given up by then."""

log = structlog.get_logger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Tools:
    """What all calls share."""

    io: IoInfo
    livekit: LiveKit
    media: Media
    advertise: str
    """IP address that callers send media to."""
    lasting: Tasks
    """For what outlives a call by a moment: leaving its room, its BYE."""


class EdgeCall:
    """A call, from its INVITE to its end. `run` it; `post` events from anywhere on the loop."""

    def __init__(self, sip: SipUdp, incoming: Incoming, leg: Leg, tools: Tools) -> None:
        self.id = leg.id
        self.dialog: Dialog | None = None
        """The dialog, once the call is answered."""
        self._sip = sip
        self._incoming = incoming
        self._tools = tools
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._info = CallInfo(leg, created=time.time_ns())
        self._events: asyncio.Queue[ev.Event] = asyncio.Queue()
        self._tells: asyncio.Queue[CallInfo | None] = asyncio.Queue()
        self._tasks = Tasks("edge call")
        self._line = Line(tools.media, tools.advertise, incoming.source[0])
        self._room = RoomLeg(tools.livekit, self, leg.id)
        self._rule: RuleAnswer | None = None
        self._described = b""
        self._rang = False
        self._heard = False
        self._silent = False
        self._routed = 0.0
        self._leaving: asyncio.Task[None] | None = None
        self._call = machine.Call()

    @property
    def answered(self) -> bool:
        """Whether there is a dialog to talk in."""
        return self._call.state in machine.TALKING

    def belongs(self, named: DialogId) -> bool:
        """Whether a request that names this dialog is this call's, answered or not."""
        return named == replace(DialogId.of(self._incoming.request), local_tag=self.id)

    def post(self, event: ev.Event) -> None:
        """Something happened."""
        if isinstance(event, ev.Joined):
            metrics.JOINED.observe(self._loop.time() - self._routed)
        self._events.put_nowait(event)

    async def run(self) -> None:
        """Take the call through to its end; returns when nothing of it is left."""
        metrics.CALLS_NOW.inc()
        telling = self._tools.lasting.start(self._tell_all(), "tell states")
        try:
            async with self._tasks:
                self._watching = self._tasks.start(self._watch_caller(), "watch caller")
                self._take(machine.begin(self._loop.time()))
                while self._call.state is not machine.State.ENDED:
                    await self._next()
                if self._silent:
                    await self._stay_silent()
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
        """The media's: 20 ms of the caller's audio."""
        if not self._heard and self._line.statistics().received:
            self._heard = True
            self.post(ev.MediaHeard())
        self._room.say(audio.samples)

    def on_key(self, pressed: KeyPressed) -> None:
        """The media's: the caller pressed a key."""
        self._room.press(pressed.key)

    def on_timeout(self, timeout: TimedOut) -> None:
        """The media's: no RTP comes."""
        self.post(ev.MediaLost(held=self._line.held))

    def on_room_audio(self, frame: Samples) -> None:
        """The room's: 20 ms of what it says."""
        self._line.say(frame)

    def on_room_key(self, key: str) -> None:
        """The room's: a key for the caller to hear."""
        try:
            self._line.press(key)
        except PeerFault:
            log.warning("keys from the room dropped", call=self.id)

    async def _next(self) -> None:
        try:
            async with asyncio.timeout_at(self._call.deadline()):
                event = await self._events.get()
        except TimeoutError:
            self._take(machine.expire(self._call, self._loop.time()))
        else:
            try:
                self._take(machine.step(self._call, event, self._loop.time()))
            except machine.IllegalEvent:
                EDGE_ERRORS.labels("edge call").inc()
                log.exception("event ignored", call=self.id)

    def _take(self, step: machine.Step) -> None:
        self._call, effects = step
        for effect in effects:
            self._perform(effect)

    def _perform(self, effect: ev.Effect) -> None:
        match effect:
            case ev.AskTrunk():
                self._tasks.start(self._ask_trunk(), "ask trunk")
            case ev.AskRule(trunk):
                self._tasks.start(self._ask_rule(trunk), "ask rule")
            case ev.Ring():
                self._ring()
            case ev.Reject(code, phrase, retry_after):
                headers = [("Retry-After", str(retry_after))] if retry_after else []
                self._incoming.respond(code, phrase, headers=headers)
            case ev.Ignore():
                self._silent = True
            case ev.Join(rule):
                self._room.join(rule, attributes(self._incoming.request, rule))
            case ev.Answer():
                self._answer()
            case ev.SetStatus(status):
                self._tasks.start(self._room.set_status(status), "set status")
            case ev.HangUp():
                self._tools.lasting.start(self._bye(), "bye")
            case ev.Leave(status):
                self._line.close()
                self._leaving = self._tools.lasting.start(self._room.leave(status), "leave room")
            case ev.TellIncoming() | ev.TellRoom() | ev.TellActive() | ev.TellEnd():
                self._tell(effect)
            case _:
                assert_never(effect)

    async def _ask_trunk(self) -> None:
        await self._ask(self._tools.io.authentication(self._info.leg), ev.TrunkTold)

    async def _ask_rule(self, trunk: str) -> None:
        await self._ask(self._tools.io.evaluate(self._info.leg, trunk), self._rule_told)

    async def _ask(self, question: Awaitable[_T], told: Callable[[_T], ev.Event]) -> None:
        try:
            self.post(told(await question))
        except PeerFault as bad:
            log.warning("livekit not asked", call=self.id, why=bad.what)
            self.post(ev.ServiceDown("livekit-server doesn't answer"))

    def _rule_told(self, rule: RuleAnswer) -> ev.Event:
        """The rule, and whether its media can be had: the port is bound as soon as it is known to be needed."""
        self._rule = rule
        if rule.verdict is not Verdict.ACCEPT:
            return ev.RuleTold(rule)
        try:
            self._described = self._line.open(self._incoming.request, rule.media, self)
        except SetupFault as full:
            log.warning("no media port", why=full.what)
            return ev.ServiceDown("no RTP port is free")
        except PeerFault as bad:
            log.info("no media in common", call=self.id, why=bad.what)
            return ev.RuleTold(rule, refusal=bad.sip_status or 488)
        return ev.RuleTold(rule)

    def _ring(self) -> None:
        self._incoming.respond(180)
        if not self._rang:
            metrics.RINGING.observe(self._loop.time() - self._began)
        self._rang = True

    def _answer(self) -> None:
        self._watching.cancel()
        ok = self._incoming.respond(
            200,
            headers=[("Allow", ALLOW), *self._headers()],
            body=self._described,
            content_type=sdp.CONTENT_TYPE,
        )
        self.dialog = Dialog.uas(self._incoming.request, ok)
        self._line.start()
        self._info = replace(self._info, started=time.time_ns())
        self._tasks.start(self._await_ack(self._incoming), "await ack")
        took = self._loop.time() - self._began
        metrics.ANSWER.observe(took)
        log.info("call answered", call=self.id, ms=round(took * 1000))

    async def _await_ack(self, incoming: Incoming) -> None:
        try:
            self._line.conclude(await incoming.acknowledged())
        except NotAcknowledged:
            self.post(ev.Unacknowledged())
        except PeerFault:
            self.post(ev.NoMedia())

    async def _watch_caller(self) -> None:
        await self._incoming.abandoned.wait()
        self.post(ev.CallerGone(lost=self._incoming.cancel is None))

    async def _bye(self) -> None:
        if self.dialog is None:
            return
        try:
            await self._sip.request(self.dialog.request("BYE", headers=self._headers()), self._destination(self.dialog))
        except (TransactionFailed, Unavailable) as bad:
            log.info("bye not answered", call=self.id, why=bad.what)

    def _destination(self, dialog: Dialog) -> HostPort:
        """Where our requests go. A caller that is directly before us is reached where it sends from: its Contact may
        name an address behind its NAT.
        """
        invite = self._incoming.request
        if not invite.headers.get("Record-Route") and len(invite.via) == 1:
            return self._incoming.source
        return dialog.destination

    def _headers(self) -> list[tuple[str, str]]:
        return response_headers(self._rule, self._room.attributes) if self._rule is not None else []

    def _tell(self, effect: ev.TellIncoming | ev.TellRoom | ev.TellActive | ev.TellEnd) -> None:
        match effect:
            case ev.TellIncoming(trunk):
                self._info = replace(self._info, trunk=trunk)
                log.info("call came in", call=self.id, trunk=trunk)
            case ev.TellRoom(rule):
                self._routed = self._loop.time()
                metrics.ROUTED.observe(self._routed - self._began)
                self._info = replace(
                    self._info,
                    trunk=rule.trunk,
                    rule=rule.rule,
                    room=rule.room,
                    identity=rule.identity,
                    attributes=attributes(self._incoming.request, rule),
                )
            case ev.TellActive():
                self._info = replace(self._info, status=Status.ACTIVE, codec=self._line.codec)
            case ev.TellEnd(outcome, reason, error, sip_status, sip_text):
                metrics.CALLS.labels(outcome).inc()
                log.info("call ended", call=self.id, outcome=outcome, status=sip_status, why=error)
                self._info = replace(
                    self._info,
                    status=Status.DISCONNECTED,
                    ended=time.time_ns(),
                    codec=self._line.codec,
                    reason=reason,
                    error=error,
                    sip_status=sip_status,
                    sip_text=sip_text,
                )
        self._tells.put_nowait(self._info)

    async def _tell_all(self) -> None:
        while (info := await self._tells.get()) is not None:
            try:
                await self._tools.io.tell(info)
            except Unavailable as bad:
                log.warning("call state not told", call=self.id, status=info.status, why=bad.what)

    async def _stay_silent(self) -> None:
        """Leave a call we were told to drop without an answer until its caller has given up; then end it, so that the
        transaction doesn't stay for ever.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLOOD_SILENCE):
                await self._incoming.abandoned.wait()
        self._incoming.respond(487 if self._incoming.abandoned.is_set() else 480)

    def _count_media(self) -> None:
        counts = self._line.statistics()
        metrics.RTP_RECEIVED.inc(counts.received)
        metrics.RTP_LOST.inc(counts.lost)
        if counts.received:
            metrics.RTP_JITTER.observe(counts.jitter)
