"""One inbound call: runs its machine, and carries the effects out on SIP, bus, room and media."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import structlog

from gateway.bus.ioinfo import Leg, RuleAnswer, TrunkAnswer, Verdict
from gateway.edge import events as ev
from gateway.edge import metrics
from gateway.edge.call import EdgeCall
from gateway.edge.inbound import events as own
from gateway.edge.inbound import machine
from gateway.edge.inbound.pin import PinDesk, say
from gateway.edge.inbound.ringing import Ringing
from gateway.edge.inbound.state import REALM, TALKING, Call, State
from gateway.edge.leg import CALL_STATUS, attributes, fixed_headers, harmless, written
from gateway.edge.peer import ABILITIES, Peer
from gateway.edge.seat import Seat
from gateway.edge.shared import Shared
from gateway.errors import PeerFault, SetupFault
from gateway.metrics import EDGE_ERRORS
from gateway.net.sip_driver import Incoming
from gateway.sip import sdp, session_timer
from gateway.sip.bodies import BodyRefused
from gateway.sip.dialog import Dialog, DialogId
from gateway.sip.sign_in import Proof
from gateway.terms import tones
from gateway.terms.personal import Digits

FLOOD_SILENCE = 32.0
"""Seconds (64*T1) that a call we were told to drop is left without an answer; its caller has given up by then."""

log = structlog.get_logger(__name__)
_T = TypeVar("_T")


class InboundCall(EdgeCall[own.Event, own.Effect]):
    """A call from its INVITE on."""

    def __init__(self, incoming: Incoming, leg: Leg, shared: Shared) -> None:
        super().__init__(leg, shared, incoming.source[0], incoming.driver.listener)
        self._incoming, self._leg = incoming, leg
        self._began = self._loop.time()
        self._rule: RuleAnswer | None = None
        self._described = b""
        self._ringing_caller = Ringing(incoming, self.tasks)
        self._rang = False
        self._silent = False
        self._routed = 0.0
        self._watching: asyncio.Task[None] | None = None
        self._call = Call()
        self._pins = PinDesk()
        self._comforting: asyncio.Task[None] | None = None

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        return self._call.state is State.ENDED

    @property
    def asks(self) -> bool:
        """Whether it isn't known yet who may call: whether they have to sign in."""
        return self._call.state is State.TRUNK

    @property
    def answered(self) -> bool:
        """Whether there is a dialog to talk in."""
        return self._call.state in TALKING

    def belongs(self, named: DialogId) -> bool:
        """Whether a request that names this dialog is this call's, answered or not."""
        invited = replace(DialogId.of(self._incoming.request), local_tag=self.id)
        return named == (invited if self.peer is None else self.peer.dialog.id)

    def on_prack(self, prack: Incoming) -> None:
        """A PRACK came for the call's dialog. Raises PeerFault when it acknowledges nothing."""
        self._ringing_caller.acknowledged(prack)

    def post(self, event: own.Event) -> None:
        """Something happened."""
        if isinstance(event, ev.TrackThere) and self._comforting is not None:
            self._comforting.cancel()
        if isinstance(event, ev.Joined):
            metrics.JOINED.observe(self._loop.time() - self._routed)
        super().post(event)

    def _begin(self, now: float) -> Sequence[own.Effect]:
        self._watching = self.tasks.start(self._watch_caller(), "watch caller")
        self._call, effects = machine.begin(now)
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
            case own.AskTrunk():
                self.tasks.start(self._ask_trunk(), "ask trunk")
            case own.AskRule(trunk, pin):
                self.tasks.start(self._ask_rule(trunk, pin), "ask rule")
            case own.AskPin(prompt):
                self._listen(self._rule is not None and self._rule.rule in self._shared.toned)
                self.tasks.start(self._ask_pin(prompt), "ask pin")
            case own.Dismiss():
                self.tasks.start(self._dismiss(), "dismiss")
            case own.Comfort():
                self._comforting = self.tasks.start(self._line.ring(), "ringing")
            case own.Ring():
                self._ring()
            case own.Reject(code, phrase, retry_after, headers):
                wait = [("Retry-After", str(retry_after))] if retry_after else []
                self._incoming.respond(code, phrase, headers=[*wait, *harmless(headers)])
            case own.Challenge(realm, stale):
                self._challenge(realm, stale)
            case own.Ignore():
                self._silent = True
            case own.Join(rule, status):
                joins = attributes(self._incoming.request, rule) | {CALL_STATUS: status}
                self._listen(tones.count(rule.attributes))
                self._room.join(_seat(rule), joins, self._line.rate)
            case own.Answer():
                self._answer()
            case own.TellIncoming(trunk):
                log.info("call came in", call=self.id, trunk=trunk)
                self._states.tell(trunk=trunk)
            case own.TellRoom(rule):
                self._tell_room(rule)
            case _:
                self._do(effect)

    async def _finish(self) -> None:
        if self._silent:
            await self._stay_silent()

    async def _ask_trunk(self) -> None:
        await self._ask(self._shared.io.authentication(self._leg), self._trunk_told)

    def _trunk_told(self, trunk: TrunkAnswer) -> own.Event:
        if not trunk.guarded:
            return own.TrunkTold(trunk, full=self.full() if self.stranger else "")
        realm, now = trunk.realm or REALM, self._loop.time()
        proof = self._shared.guard.judge(self._incoming.request, realm, trunk.username, trunk.password, now)
        if proof is Proof.GOOD:
            self._incoming.proved()
            self.trust()
        return own.TrunkTold(trunk, proof)

    async def _ask_rule(self, trunk: str, pin: Digits | None) -> None:
        await self._ask(self._shared.io.evaluate(self._leg, trunk, pin), self._rule_told)

    async def _ask_pin(self, prompt: own.Prompt) -> None:
        self.post(own.PinKeyed(await self._pins.ask(prompt, self._line)))

    async def _dismiss(self) -> None:
        await say(own.Prompt.GOODBYE, self._line)
        self.post(own.Dismissed())

    def _pressed(self, key: str) -> None:
        if self._call.state in (State.PIN, State.CHECKING):
            self._pins.press(key)
        else:
            super()._pressed(key)

    async def _ask(self, question: Awaitable[_T], told: Callable[[_T], own.Event]) -> None:
        try:
            self.post(told(await question))
        except PeerFault as bad:
            log.warning("livekit not asked", call=self.id, why=bad.what)
            self.post(ev.ServiceDown("livekit-server doesn't answer"))
        except Exception:  # the question's edge: nobody else would end a call that waits for its answer
            EDGE_ERRORS.labels("edge call").inc()
            log.exception("question failed", call=self.id)
            self.post(ev.ServiceDown("a fault of the SIP service", status=500))

    def _rule_told(self, rule: RuleAnswer) -> own.Event:
        """The rule, and whether its media can be had: the port is bound as soon as it is known to be needed."""
        self._rule, self.media = rule, rule.media
        if rule.verdict not in (Verdict.ACCEPT, Verdict.PIN) or self._described:
            return own.RuleTold(rule)
        try:
            self._described = self._line.open(self._incoming.request, rule.media, self)
        except SetupFault as full:
            log.warning("no media port", why=full.what)
            return ev.ServiceDown("no RTP port is free")
        except PeerFault as bad:
            log.info("no media in common", call=self.id, why=bad.what)
            headers = bad.headers if isinstance(bad, BodyRefused) else ()
            return own.RuleTold(rule, refusal=bad.sip_status or 488, headers=headers)
        return own.RuleTold(rule)

    def _challenge(self, realm: str, stale: bool) -> None:
        call_id, word = self._incoming.request.call_id, secrets.token_hex(8)
        values = self._shared.guard.challenges(realm, call_id, word, self._loop.time(), stale=stale)
        metrics.CALLS.labels("challenged").inc()
        self._incoming.respond(407, headers=[("Proxy-Authenticate", value) for value in values])

    def _ring(self) -> None:
        self._ringing_caller.ring(self._unacknowledged)
        if not self._rang:
            metrics.RINGING.observe(self._loop.time() - self._began)
        self._rang = True

    def _answer(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
        invite = self._incoming.request
        timer, told = session_timer.answer(invite)
        ok = self._incoming.respond(
            200,
            headers=[*ABILITIES, *told, *self._headers()],
            body=self._described,
            content_type=sdp.CONTENT_TYPE,
        )
        direct = not invite.headers.get("Record-Route") and len(invite.via) == 1
        near = self._incoming.source if direct else None
        self.peer = Peer(self._incoming.driver, self._line, Dialog.uas(invite, ok), near=near)
        self.peer.knows(invite)
        self._line.start()
        self._agree(timer)
        self._states.note(started=time.time_ns())
        self.tasks.start(self.acknowledged(self._incoming), "await ack")
        took = self._loop.time() - self._began
        metrics.ANSWER.observe(took)
        log.info("call answered", call=self.id, ms=round(took * 1000))

    def _unacknowledged(self) -> None:
        self.post(own.Unacknowledged())

    async def _watch_caller(self) -> None:
        await self._incoming.abandoned.wait()
        self.post(ev.PeerGone(lost=self._incoming.cancel is None))

    def _heard_headers(self) -> Mapping[str, str]:
        return written(self._incoming.request)

    def _headers(self) -> list[tuple[str, str]]:
        rule = self._rule
        if rule is None:
            return []
        return fixed_headers(rule.headers, rule.attributes_to_headers, self._room.attributes)

    def _tell_room(self, rule: RuleAnswer) -> None:
        self._routed = self._loop.time()
        metrics.ROUTED.observe(self._routed - self._began)
        self._states.tell(
            trunk=rule.trunk,
            rule=rule.rule,
            room=rule.room,
            identity=rule.identity,
            attributes=attributes(self._incoming.request, rule),
        )

    def _tell_end(self, end: ev.TellEnd) -> None:
        metrics.CALLS.labels(end.outcome).inc()
        super()._tell_end(end)

    async def _stay_silent(self) -> None:
        """Leave a call we were told to drop without an answer until its caller has given up; then end it, so that the
        transaction doesn't stay for ever.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLOOD_SILENCE):
                await self._incoming.abandoned.wait()
        self._incoming.respond(487 if self._incoming.abandoned.is_set() else 480)


def _seat(rule: RuleAnswer) -> Seat:
    return Seat(
        room=rule.room,
        identity=rule.identity,
        name=rule.name,
        metadata=rule.metadata,
        token=rule.token,
        url=rule.url,
        preset=rule.preset,
        config=rule.config,
    )
