"""The other phones of a call: dialed into the caller's room by CreateSIPParticipant, connected, dropped, told of.

A leg is the participant `leg-NAME`. LiveKit's API tells how its dialing ended, its attribute `sip.callStatus` what
happens meanwhile; whichever comes first counts, and each thing is told once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

import aiohttp
import structlog
from livekit import api, rtc

from gateway.calls.acts import rung
from gateway.calls.acts.cues import LegAnswered, LegFailed, LegHold, LegKey, LegLeft, LegRings, Referred, Renewed
from gateway.calls.acts.deeds import Dial, Refer
from gateway.calls.hearing import JOB, Matrix, bridge, hears, introduction, leg, leg_name
from gateway.conduct.lease import patiently
from gateway.conduct.legs import referring
from gateway.conduct.legs.dropping import Dropping
from gateway.conduct.legs.leg import At, Known, LegThere
from gateway.conduct.legs.outward import Leg, Outward, Passed
from gateway.conduct.sfu import renewing
from gateway.conduct.sfu.browsers import is_browser, let_hear, speaks
from gateway.conduct.sfu.hearing import Hearing
from gateway.conduct.sfu.listening import Listening
from gateway.conduct.sfu.room import ACTIVE, STATUS, UNSURE_FOR, astray
from gateway.errors import OffhookError, Unavailable
from gateway.tasks import Tasks
from gateway.terms.call import Call
from gateway.terms.hold import HOLD
from gateway.terms.legs import EDGE, LEG, LOST, LOST_BY
from gateway.trunks.choose import OutboundTrunk

MEMBER, EPOCH = "offhook.member", "offhook.epoch"
"""Attributes of a leg besides LEG: who is rung ("" for a bare number), and the epoch of the job that dialed it."""
RINGING, HUNG_UP = "ringing", "hangup"
LONGEST_WAIT = 75.0
"""Seconds of ringing for which the API's answer can be waited for: it takes 80 at most. A leg that may ring for longer
is told of by its participant alone, whose reason for leaving knows less than a SIP status."""
LATE = 5.0
"""Seconds that the API may take beyond the ringing."""
TOLD_WITHIN = 1.0
"""Seconds that the API may take to tell why a leg has gone."""
CLOSE_WITHIN = 2.0
"""Seconds that leaving the context waits for ringing legs to be gone."""

_REFUSED = {
    rtc.DisconnectReason.USER_REJECTED: 486,
    rtc.DisconnectReason.USER_UNAVAILABLE: 408,
    rtc.DisconnectReason.SIP_TRUNK_FAILURE: 503,
}
"""A SIP status for LiveKit's reason, where the API's own answer isn't to be had."""
_BY_CODE = {
    api.TwirpErrorCode.CANCELED: 408,
    api.TwirpErrorCode.DEADLINE_EXCEEDED: 408,
    api.TwirpErrorCode.UNAVAILABLE: 503,
    api.TwirpErrorCode.RESOURCE_EXHAUSTED: 503,
}
"""A SIP status for an API error that has none: nobody answered, or the SIP service takes no calls now."""

Happened = Callable[[LegRings | LegAnswered | LegFailed | LegLeft | LegKey | LegHold | Renewed | Referred], None]
Pace = Callable[[OutboundTrunk], Awaitable[None]]
Note = Callable[[Mapping[str, object]], None]

log = structlog.get_logger(__name__)


async def _unpaced(_: OutboundTrunk) -> None:
    """No limit."""


def _unnoted(_: Mapping[str, object]) -> None:
    """No record."""


class Legs:
    """The legs of one call. Use it as a context, entered once the room is connected; leaving it drops the legs that
    ring, unless `leave` was called, and never those that were answered.

    `happened` gets LegRings, LegAnswered, LegFailed, LegLeft, LegKey and LegHold on the loop's thread. Nothing is told of a leg
    that was dropped.
    """

    def __init__(
        self,
        room: rtc.Room,
        lk: api.LiveKitAPI,
        call: Call,
        outward: Outward,
        happened: Happened,
        *,
        hearing: Hearing,
        pace: Pace = _unpaced,
        note: Note = _unnoted,
    ) -> None:
        """`outward`: lets out who may be called. `pace`: waits until the trunk takes another call. `note`: gets the data
        of the record's `leg` events."""
        self._room, self._lk, self._call, self._outward = room, lk, call, outward
        self._tell, self._hearing, self._pace, self._note = happened, hearing, pace, note
        self._legs: dict[str, Known] = {}
        self._caller = Known("", "", at=At.ANSWERED)
        self._dropped: set[str] = set()
        self._tasks = Tasks("legs")
        self._removing = Tasks("removing legs")
        self._dropping = Dropping(room, lk.room, self._removing)
        self._stay = False
        self._took_over = False
        self._listening = Listening(room)

    async def __aenter__(self) -> Self:
        self._listening.on("participant_connected", self._seen)
        self._listening.on("participant_attributes_changed", lambda _, who: self._seen(who))
        self._listening.on("track_published", lambda _, who: self._seen(who))
        self._listening.on("participant_disconnected", self._gone)
        self._listening.on("sip_dtmf_received", self._key)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.stop()
        if not self._stay:
            for one in list(self._legs.values()):
                if one.at < At.ANSWERED:
                    self.drop(one.name)
        await self._removing.settled(CLOSE_WITHIN)
        self._dropping.stop()
        await self._removing.__aexit__(kind, error, trace)
        await self._tasks.__aexit__(kind, error, trace)

    def leave(self) -> None:
        """Leave the ringing legs to the job that takes the call over: what becomes of them is its to see, and to tell."""
        self._stay = True
        self._listening.stop()
        for one in self._legs.values():
            if one.pending and one.dialing is not None:
                one.dialing.cancel()

    @property
    def caller_hold(self) -> str:
        """Whether the caller has put the others on hold (see `cues.LegHold`), as `present` found it or was told since."""
        return self._caller.hold

    def present(self) -> tuple[LegThere, ...]:
        """The legs that are in the room: for a job that takes the call over. From now on this job is told of them.

        One that comes later, because its dialing outlived the job that began it, is dropped: the machine rings anew.
        """
        self._took_over = True
        found = []
        for who in self._room.remote_participants.values():
            if who.identity == self._call.sip_identity:
                self._caller.hold = who.attributes.get(HOLD, "")
            if (name := leg_name(who.identity)) and name not in self._dropped:
                if is_browser(who) and not speaks(who):
                    continue  # told of once it does
                status = ACTIVE if is_browser(who) else who.attributes.get(STATUS, "")
                if status == HUNG_UP and name == self._call.bridged:
                    continue  # it is on its way out, and control hears how
                hold = who.attributes.get(HOLD, "")
                there = LegThere(name, who.attributes.get(MEMBER, ""), status, _epoch(who), hold)
                found.append(there)
                if name not in self._legs:
                    at = At.ANSWERED if there.answered else At.RINGING
                    self._legs[name] = Known(name, there.member, at=at, hold=hold)
        return tuple(found)

    def dial(self, dial: Dial) -> None:
        """Ring somebody (see `cues.Dial`). LegFailed with status 0 tells of what can't be dialed at all. Who has no phone
        is asked to come by their browser: the leg is one that rings until it is dropped."""
        one = self._legs[dial.leg] = Known(dial.leg, dial.callee.name, dial.callee.address)
        if not dial.callee.address:
            self._noted(one, "dialed")
            self._reached(one, RINGING)
            return
        one.dialing = self._tasks.start(self._dial(one, dial), f"leg {dial.leg}")

    def refer(self, refer: Refer) -> None:
        """Have the caller's carrier call somebody (see `cues.Refer`). LegFailed with status 0 tells that it couldn't be
        asked at all."""
        one = self._legs[refer.leg] = Known(refer.leg, refer.callee.name, refer.callee.address)
        one.dialing = self._tasks.start(self._refer(one, refer), f"refer {refer.leg}")

    def drop(self, name: str) -> None:
        """Stop ringing a leg, or hang it up; nothing more is told of it."""
        one = self._legs.get(name)
        self._dropped.add(name)
        if one is None or one.at is At.OVER:
            return
        one.at = At.OVER
        self._settle(one)
        self._noted(one, "dropped")
        self._hearing.part(leg(name))
        self._dropping.drop(name, one.dialing)

    def connect(self, name: str, *, introduced: bool = False, remembered: bool = False) -> None:
        """Let the caller and the leg hear each other, and nobody else; `introduced`: and us, whom both hear. `remembered`: we hear
        the leg."""
        matrix = introduction(name) if introduced else bridge(name)
        if remembered:
            matrix |= hears(JOB, leg(name))
        there = self._room.remote_participants.get(leg(name))
        if there is not None and is_browser(there):
            self._tasks.start(self._let_hear(name, matrix), f"let hear {name}")
        else:
            self._hearing.set(matrix)

    def renew(self, names: Sequence[str]) -> None:
        """Have the caller and these legs publish what they say as other tracks; Renewed follows once all have, and nothing where
        one can't: a browser, or a SIP service that isn't ours beside one that is. Where none is ours they needn't."""
        self._tasks.start(self._renew([self._call.sip_identity, *map(leg, names)]), "renew")

    async def _renew(self, identities: Sequence[str]) -> None:
        there = self._room.remote_participants
        ours = any(EDGE in there[identity].attributes for identity in identities if identity in there)
        if not ours or all(await asyncio.gather(*(renewing.renewed(self._room, identity) for identity in identities))):
            self._tell(Renewed())

    async def _let_hear(self, name: str, matrix: Matrix) -> None:
        await let_hear(self._lk.room, self._room.name, leg(name))
        if self._legs[name].at is At.ANSWERED:
            self._hearing.set(matrix)

    async def _dial(self, one: Known, dial: Dial) -> None:
        loop = asyncio.get_running_loop()
        by = loop.time() + max(dial.ring_for, 1.0)
        try:
            async with asyncio.timeout_at(by):
                # Asked again it counts once, and a store that is away for a moment is no phone that can't be reached.
                one.passed = passed = await patiently(lambda: self._outward.may(dial.callee.address, one.name))
                if (way := passed.way) is not None:
                    await patiently(lambda: self._pace(way.trunk))
        except OffhookError as bad:
            self._failed(one, 0, str(bad))
            return
        except TimeoutError:
            self._failed(one, 503, "the trunk's calls_per_second left no room, or nobody could count the call")
            return
        if one.at is At.OVER:
            self._settle(one)  # dropped while it was let out: what it was taken to cost, it doesn't
            return
        self._noted(one, "dialed")
        # Whoever is dialed last, at the trunk's pace, is rung as long as the first: as far as the machine waits for it.
        await self._create(one, passed, max(1.0, min(dial.ring_for, by + rung.LATE - 1.0 - loop.time())))

    async def _create(self, one: Known, passed: Passed, ringing: float) -> None:
        waits = ringing <= LONGEST_WAIT
        # LiveKit would write the number where the name is.
        attributes = {LEG: one.name, MEMBER: one.member, EPOCH: str(self._call.epoch)}
        as_it_is = Leg(self._room.name, leg(one.name), one.member or "callee", attributes, ringing, waits)
        try:
            await self._outward.dial(passed, as_it_is, LATE + (ringing if waits else 0.0))
        except api.SipCallError as refused:
            status = refused.sip_status_code or _BY_CODE.get(refused.code, 0)
            self._failed(one, status, refused.sip_status or refused.code)
        except api.TwirpError as bad:
            self._lose(one, _BY_CODE.get(bad.code, 0), bad.message or bad.code)
        except TimeoutError:
            self._lose(one, 408, "LiveKit doesn't tell what became of the call")
        except aiohttp.ClientError as bad:
            self._lose(one, 503, f"LiveKit doesn't answer: {type(bad).__name__}")
        else:
            if waits:
                self._answered(one)

    def _lose(self, one: Known, status: int, reason: str) -> None:
        """Nobody tells what became of a dialing, and the phone may ring on: whoever answered it would hear nobody."""
        if one.at < At.ANSWERED and not self._stay:
            self._dropped.add(one.name)  # it is removed also if it joins later
            self._dropping.drop(one.name, one.dialing)
        self._failed(one, status, reason)

    async def _refer(self, one: Known, refer: Refer) -> None:
        try:
            one.passed = passed = await patiently(lambda: self._outward.may(refer.callee.address, one.name, refer=True))
        except OffhookError as bad:
            self._failed(one, referring.NOT_LET_OUT, str(bad))
            return
        self._noted(one, "referred")
        status, said = await referring.sent(self._outward, passed, refer.ring_for)
        if status != referring.THERE:
            self._failed(one, status, said)
        elif one.at < At.OVER:
            one.at = At.OVER
            self._noted(one, "transferred")
            self._tell(Referred(one.name))

    def _seen(self, who: rtc.RemoteParticipant) -> None:
        name = leg_name(who.identity)
        if who.identity == self._call.sip_identity:
            self._held(self._caller, who.attributes.get(HOLD, ""))
        if not name:
            return
        one = self._legs.get(name)
        if name in self._dropped:
            if one is not None:
                self._dropping.drop(name, one.dialing)
        elif is_browser(who):
            self._came(name, who)
        elif one is not None:
            self._held(one, who.attributes.get(HOLD, ""))
            self._reached(one, who.attributes.get(STATUS, ""), lost=LOST in who.attributes)
        elif self._took_over and _epoch(who) < self._call.epoch:
            self._legs[name] = Known(name, who.attributes.get(MEMBER, ""))
            self.drop(name)

    def _came(self, name: str, who: rtc.RemoteParticipant) -> None:
        """A member's browser: once it speaks it has answered."""
        if name not in self._legs and speaks(who):
            one = self._legs[name] = Known(name, who.attributes.get(MEMBER, ""))
            self._noted(one, "dialed")
            self._answered(one)

    def _reached(self, one: Known, status: str, *, lost: bool = False) -> None:
        if status == RINGING and one.at < At.RINGING:
            one.at = At.RINGING
            self._noted(one, "ringing")
            self._tell(LegRings(one.name))
        elif status == ACTIVE:
            self._answered(one)
        elif status == HUNG_UP:  # told before it leaves the room, which takes it a while
            self._left(one, status, lost=lost)

    def _held(self, one: Known, hold: str) -> None:
        if one.at is At.ANSWERED and hold != one.hold:
            one.hold = hold
            self._tell(LegHold(one.name, hold))

    def _key(self, dtmf: rtc.SipDTMF) -> None:
        one = self._legs.get(leg_name(dtmf.participant.identity)) if dtmf.participant is not None else None
        if one is not None and one.at is At.ANSWERED:
            self._tell(LegKey(one.name, dtmf.digit))

    def _answered(self, one: Known) -> None:
        if one.at < At.ANSWERED:
            one.at, one.answered = At.ANSWERED, asyncio.get_running_loop().time()
            self._noted(one, "answered")
            self._tell(LegAnswered(one.name))

    def _failed(self, one: Known, status: int, reason: str) -> None:
        if one.at < At.ANSWERED and not self._stay:
            one.at = At.OVER
            self._settle(one)
            self._noted(one, "failed", status, reason)
            self._tell(LegFailed(one.name, status, reason))

    def _gone(self, who: rtc.RemoteParticipant) -> None:
        one = self._legs.get(leg_name(who.identity))
        if one is None or one.at is At.OVER or astray(self._room):
            return
        if who.disconnect_reason:
            self._went(one, who)
        else:
            self._tasks.start(self._doubt(one, who), "leg gone without a reason")

    async def _doubt(self, one: Known, who: rtc.RemoteParticipant) -> None:
        await asyncio.sleep(UNSURE_FOR)
        known = self._room.isconnected() and not astray(self._room)
        if known and not self._stay and who.identity not in self._room.remote_participants:
            self._went(one, who)

    def _went(self, one: Known, who: rtc.RemoteParticipant) -> None:
        if one.at is At.ANSWERED:
            # A SIP service of ours says by LOST of lost media, and of a callee or a session that is gone, what livekit-sip
            # tells as if they had hung up.
            why = _words(who.disconnect_reason)
            self._left(one, why, lost=LOST in who.attributes or why.upper() in LOST_BY)
            return
        status = _REFUSED.get(who.disconnect_reason or rtc.DisconnectReason.UNKNOWN_REASON, 480)
        within = TOLD_WITHIN if one.pending else 0.0
        self._tasks.start(self._fail_later(one, status, _words(who.disconnect_reason), within), "leg gone")

    def _left(self, one: Known, reason: str, *, lost: bool = False) -> None:
        if one.at is At.ANSWERED:
            one.at = At.OVER
            self._settle(one)
            self._noted(one, "left", 0, reason)
            self._tell(LegLeft(one.name, lost))

    def _settle(self, one: Known) -> None:
        """Count what the leg has cost. Of one that outlives us, what it was taken to cost stays."""
        if one.passed is not None:
            now = asyncio.get_running_loop().time()
            self._removing.start(self._count(one.passed, now - one.answered if one.answered else 0.0), "cost of a leg")

    async def _count(self, passed: Passed, seconds: float) -> None:
        try:
            await self._outward.came_to(passed, seconds)
        except Unavailable as bad:
            log.warning("what a leg has cost couldn't be counted", why=bad.what)

    async def _fail_later(self, one: Known, status: int, reason: str, within: float) -> None:
        """The API's own answer, with the status as it is, comes just after the participant has gone."""
        await asyncio.sleep(within)
        self._failed(one, status, reason)

    def _noted(self, one: Known, event: str, status: int = 0, reason: str = "") -> None:
        data: dict[str, object] = {"leg": one.name, "member": one.member, "number": one.number, "event": event}
        if status:
            data["status"] = status
        if reason:
            data["reason"] = reason
        log.info("leg", leg=one.name, member=one.member, event_=event, status=status, why=reason)
        with suppress(OffhookError):
            self._note(data)


def _epoch(who: rtc.RemoteParticipant) -> int:
    written = who.attributes.get(EPOCH, "")
    return int(written) if written.isdigit() else 0


def _words(reason: rtc.DisconnectReason.ValueType | None) -> str:
    return rtc.DisconnectReason.Name(reason or rtc.DisconnectReason.UNKNOWN_REASON).lower()
