"""Keeps a room's subscriptions as the hearing matrix says, whatever joins, publishes, is answered or reconnects.

SIP participants are subscribed and unsubscribed by LiveKit's API, the job by itself; the job's own tracks are closed by
permission to whoever mustn't hear them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Protocol, Self

import aiohttp
import structlog
from livekit import api, rtc

from gateway.calls.hearing import CALLER, JOB, STRANGER, Change, Ledger, Matrix, Party, leg_name
from gateway.conduct.sfu.browsers import is_browser
from gateway.conduct.sfu.direct import Asked, Direct
from gateway.conduct.sfu.listening import Listening
from gateway.conduct.sfu.sparing import Sends, Sparing
from gateway.conduct.sfu.telling import Telling
from gateway.conduct.sfu.tuning import LEFT_FOR, Tuning
from gateway.metrics import EDGE_ERRORS
from gateway.tasks import Tasks
from gateway.terms.legs import EDGE, LEG

ANSWER_WITHIN = 2.0
"""Seconds that LiveKit may take for one change."""
SETTLED = (0.15, 1.0)
"""Seconds after the room's latest event when all is told again: a SIP service may have subscribed just after we told it
otherwise, and nobody tells us of that."""
OURS_LATER = 0.14
"""Seconds for which whoever is let hear somebody else keeps our own tracks, which are silent by then: LiveKit has its hands full
with the others'. Less than SETTLED, when all is told again."""
PARTS_WITHIN = 0.9
"""Seconds for which whoever is being dropped is asked nothing, before all is told again: LiveKit is asked in vain for those who are
leaving, each for two seconds, when two others are being connected."""
RETRY = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds to wait before each further try, the last for ever: two who were connected must not stay deaf to each other
because LiveKit's API was away for a while in which the room lived on."""
_EVENTS = (
    "track_published",
    "local_track_published",
)
_LESS = ("track_unpublished", "local_track_unpublished")
"""After these nobody hears more than before."""

log = structlog.get_logger(__name__)


class Subscriptions(Sends, Protocol):
    """The part of LiveKit's RoomService that is used."""

    async def update_subscriptions(self, update: api.UpdateSubscriptionsRequest) -> api.UpdateSubscriptionsResponse:
        """Subscribe a participant to tracks, or unsubscribe it."""
        ...


class Hearing:
    """The subscriptions of one call's room. Use it as a context, entered before or after the room is connected.

    Nothing but what `listen` asks for is changed before the first `set`, so that a job which takes over a call of two who talk cuts
    nobody off.
    Other agents in the room are left alone: a job that is being replaced must not silence the one that comes.
    """

    def __init__(
        self,
        room: rtc.Room,
        rooms: Subscriptions,
        caller: str,
        heard: Callable[[bool], None] = lambda _: None,
        prove: Callable[[str, str], str] | None = None,
        *,
        follows: bool = False,
    ) -> None:
        """`rooms`: LiveKitAPI.room; `caller`: identity of the caller's participant; `heard` is told with each matrix
        whether anybody is to hear us. `prove`: see `gateway.conduct.sfu.direct`. `follows`: on another job of the call's."""
        self._room, self._rooms, self._caller = room, rooms, caller
        self._direct = Direct(room, prove)
        self._sparing = Sparing(room, rooms, prove, follows=follows)
        self._ledger = Ledger()
        self._permitted: Mapping[str, frozenset[str]] | None = None
        self._listens = False
        """Whether the caller is heard before there is a matrix."""
        self._new = False
        """Whether the matrix is, so that nobody was told of it."""
        self._gaining: dict[str, float] = {}
        """Until when each keeps our own tracks, on the loop's clock."""
        self._parting: dict[str, float] = {}
        """Until when each is asked nothing, on the loop's clock."""
        self._met: set[Party] = set()
        """Those who were ever let hear anybody but us."""
        self._tuning = Tuning()
        self._came: set[str] = set()
        """Those who have come while we were here."""
        self._asking: set[str] = set()
        """Those for whom a request is under way."""
        self._more = asyncio.Event()
        self._looks: list[float] = []
        self._tries = 0
        self._tasks = Tasks("hearing")
        self._telling = Telling(room, self._sparing, self._tasks, self._known, self._again)
        self._listening = Listening(room)
        self._heard = heard

    async def __aenter__(self) -> Self:
        for event in _EVENTS:
            self._listening.on(event, lambda *_: self._happened())
        for event in _LESS:
            self._listening.on(event, lambda *_: self._lessened())
        self._listening.on("track_subscribed", lambda _, publication, __: self._arrived(publication.sid))
        self._listening.on("participant_connected", lambda who: self._comes(who.identity))
        self._listening.on("participant_disconnected", lambda who: self._lessened(who.identity))
        self._listening.on("participant_attributes_changed", lambda _, who: self._happened(stirred=who.identity))
        self._listening.on("reconnected", self._reconnected)
        self._tasks.start(self._run(), "hearing")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.stop()
        await self._tasks.__aexit__(kind, error, trace)

    @property
    def matrix(self) -> Matrix | None:
        """What is asserted now."""
        return self._ledger.matrix

    def set(self, matrix: Matrix) -> None:
        """From now on, let everybody hear whom the matrix says; the room must be connected."""
        self._new = self._new or matrix != self._ledger.matrix
        self._ledger = replace(self._ledger, matrix=matrix)
        self._met |= {listener for listener, speaker in matrix.pairs if speaker.partition("/")[0] != JOB}
        self._heard(matrix.heard(JOB))
        self._happened()

    def listen(self) -> None:
        """Hear the caller already, until `set` says who hears whom; the room must be connected. Nobody else is told anything."""
        self._listens = True
        self._happened()

    def part(self, identity: str) -> None:
        """Somebody is being dropped: as long as they have only ever heard us, nothing is asked for them until they are gone, or
        should be."""
        if Party(identity) not in self._met:
            self._parting[identity] = asyncio.get_running_loop().time() + PARTS_WITHIN

    def _reconnected(self) -> None:
        self._ledger, self._permitted = self._ledger.strange(), None
        self._direct.strange()
        self._sparing.strange()
        self._came.clear()
        self._happened()

    def _comes(self, identity: str) -> None:
        self._came.add(identity)
        self._direct.comes(identity)
        self._sparing.comes(identity)
        self._happened()

    def _lessened(self, left: str = "") -> None:
        """Somebody has gone, or a track: nobody can have subscribed to anything for that."""
        self._ledger = self._ledger.left(left)
        self._direct.left(left)
        self._sparing.left(left)
        self._parting.pop(left, None)
        self._came.discard(left)
        self._look()
        self._telling.later()
        self._more.set()

    def _arrived(self, sid: str) -> None:
        self._tuning.came(sid)
        self._more.set()

    def _happened(self, stirred: str = "") -> None:
        self._look()
        if stirred:
            self._ledger = self._ledger.stirred(stirred)
        now = asyncio.get_running_loop().time()
        self._looks, self._tries = [now + after for after in SETTLED], 0
        self._telling.later()
        self._more.set()

    def _known(self) -> tuple[Ledger, Mapping[str, frozenset[str]]]:
        return self._ledger, self._direct.sure

    def _look(self) -> None:
        """Take stock of the room."""
        if not self._room.isconnected():
            return
        us, there = self._room.local_participant, self._room.remote_participants
        ledger = self._ledger.seen(us.identity, JOB, _audio(us.track_publications))
        for identity in [who for who in ledger.present if who != us.identity and who not in there]:
            ledger = ledger.left(identity)
        for identity, who in there.items():
            if who.kind != rtc.ParticipantKind.PARTICIPANT_KIND_AGENT:
                waits = identity in self._came and {LEG, EDGE} <= who.attributes.keys()
                ledger = ledger.seen(identity, self._party(who), _audio(who.track_publications), waits=waits)
        self._ledger = ledger

    def _party(self, who: rtc.RemoteParticipant) -> Party:
        if who.identity == self._caller:
            return CALLER
        sip = who.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP
        return Party(who.identity) if leg_name(who.identity) and (sip or is_browser(who)) else STRANGER

    async def _run(self) -> None:
        while True:
            await self._wait()
            if not self._room.isconnected():
                continue
            self._leave_missed()
            if self._ledger.matrix is not None:
                self._assert()
            elif self._listens:
                self._hear_caller()
                self._telling.heard(self._caller)

    async def _wait(self) -> None:
        """Return when something has happened, or it is time to tell everything again."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(min((*self._looks, *self._telling.due), default=None)):
                await self._more.wait()
        if self._more.is_set():
            self._more.clear()
        elif self._looks:  # they are due before
            self._looks.pop(0)
            self._ledger = self._ledger.forgotten()
        else:
            self._telling.calm()

    def _leave_missed(self) -> None:
        there = {sid for one in self._ledger.present.values() for sid in one.tracks}
        if missed := self._tuning.missed(asyncio.get_running_loop().time()) & there:
            log.warning("what was to be heard hasn't come", tracks=len(missed))
            self._tune(Change(self._room.local_participant.identity, missed, subscribe=False))

    def _hear_caller(self) -> None:
        us, caller = self._room.local_participant.identity, self._ledger.present.get(self._caller)
        if caller is not None and us in self._ledger.present:
            unheard = frozenset(sid for sid in caller.tracks if not self._ledger.present[us].hears(sid))
            self._hear(self._tuning.due(Change(us, unheard, subscribe=True), asyncio.get_running_loop().time()))

    def _hear(self, change: Change) -> None:
        """Hear these tracks ourselves, or leave them: whose words may be kept from the room has to be heard there before."""
        if change.listener in self._asking:
            return
        if not (change.subscribe and self._sparing.doubtful(self._speakers(change))):
            self._tune(change)
            return
        self._ledger = self._ledger.told(change)
        self._asking.add(change.listener)
        self._tasks.start(self._ask_all(change.listener, [change]), "tell that we hear")

    def _assert(self) -> None:
        us, asked = self._room.local_participant.identity, dict[str, list[Change]]()
        wanted = self._due(self._ledger.wanted())
        gaining = bool(self._asking or self._gaining) or any(one.subscribe and one.listener != us for one in wanted)
        self._permit(gaining=gaining and not self._tries)
        for change in wanted:
            if change.listener in self._asking:
                continue  # one thing after the other for each, so that no request overtakes another
            if change.listener == us:
                self._hear(change)
                continue
            self._ledger = self._ledger.told(change)
            asked.setdefault(change.listener, []).append(change)
        self._asking |= asked.keys()
        self._telling.heard()
        for listener, changes in asked.items():
            self._tasks.start(self._ask_all(listener, changes), "tell who is heard")

    def _due(self, wanted: Sequence[Change]) -> Sequence[Change]:
        """What is to be told now: those who are let hear somebody are left our own tracks for a moment, those who are being
        dropped are left alone; of what we hear ourselves, see Tuning."""
        now = asyncio.get_running_loop().time()
        ours = frozenset(self._room.local_participant.track_publications)
        self._parting = {who: until for who, until in self._parting.items() if until > now}
        wanted = [one for one in wanted if one.listener not in self._parting]
        if self._new:
            self._new = False
            self._gaining = {one.listener: now + OURS_LATER for one in wanted if one.subscribe and one.tracks - ours}
        self._gaining = {who: until for who, until in self._gaining.items() if until > now}
        us = self._room.local_participant.identity
        due = (
            self._tuning.due(one, now) if one.listener == us
            else replace(one, tracks=one.tracks - ours) if not one.subscribe and one.listener in self._gaining
            else one
            for one in wanted
        )  # fmt: skip
        return [one for one in due if one.tracks]

    async def _ask_all(self, listener: str, changes: Sequence[Change]) -> None:
        """Each listener by itself: LiveKit takes its time to answer for one who has just left.

        Our own tracks are left last, as we are silent by then: LiveKit negotiates with a listener at once, but then not
        again for 150 ms, in which two who are being connected would wait for each other.
        """
        changes, direct = self._direct.parted(listener, changes)
        ours = frozenset(self._room.local_participant.track_publications)
        last = [replace(one, tracks=one.tracks & ours) for one in changes if not one.subscribe and one.tracks & ours]
        first = [one if one.subscribe else replace(one, tracks=one.tracks - ours) for one in changes]
        asking = [self._ask_directly(direct)] if direct is not None else []
        done = await asyncio.gather(*asking, *(self._ask(change) for change in first if change.tracks))
        done += await asyncio.gather(*(self._ask(change) for change in last))
        self._asking.discard(listener)
        if all(done):
            self._more.set()
        else:
            self._again()

    def _permit(self, *, gaining: bool) -> None:
        """Say who may hear us. `gaining`: others are being let hear somebody; what is only taken back can wait for it
        (see `_ask_all`)."""
        permitted, before = self._ledger.permissions(), self._permitted
        if permitted == before or (gaining and before is not None and _less(permitted, before)):
            return
        self._permitted = permitted
        self._room.local_participant.set_track_subscription_permissions(
            allow_all_participants=False,
            participant_permissions=[
                rtc.ParticipantTrackPermission(participant_identity=who, allow_all=False, allowed_track_sids=list(sids))
                for who, sids in permitted.items()
            ],
        )

    def _speakers(self, change: Change) -> frozenset[str]:
        there = self._room.remote_participants.items()
        return frozenset(who for who, one in there if change.tracks & one.track_publications.keys())

    def _tune(self, change: Change) -> None:
        """Hear these tracks ourselves, or leave them."""
        self._ledger, now = self._ledger.told(change), asyncio.get_running_loop().time()
        for who in self._room.remote_participants.values():
            for sid, publication in who.track_publications.items():
                if sid not in change.tracks:
                    continue
                if change.subscribe and publication.track is None:
                    self._look_again(*self._tuning.asked(sid, now))
                if not change.subscribe:
                    self._tuning.left(sid, now, had=publication.track is not None)
                publication.set_subscribed(change.subscribe)
        if not change.subscribe:
            self._look_again(LEFT_FOR)

    def _look_again(self, *after: float) -> None:
        for seconds in after:
            self._tasks.start(self._later(seconds + 0.01), "hear, or leave")

    async def _ask_directly(self, asked: Asked) -> bool:
        """As `_ask`, of their phone's own process; what that can't do is LiveKit's to do."""
        left, kept = await self._direct.tell(asked)
        done = not left.tracks or await self._ask(left)
        self._ledger = self._ledger.doubted(kept)
        return done and (not kept.tracks or asked.listener not in self._ledger.present)

    async def _ask(self, change: Change) -> bool:
        """Whether it is done, or nobody is there any more to do it for. Whose words may be kept from the room is had heard there
        before."""
        if change.subscribe:
            await self._telling.before(self._speakers(change))
        if change.listener == self._room.local_participant.identity:
            self._tune(change)
            return True
        asked = api.UpdateSubscriptionsRequest(
            room=self._room.name, identity=change.listener, track_sids=sorted(change.tracks), subscribe=change.subscribe
        )
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await self._rooms.update_subscriptions(asked)
            return True
        except (api.TwirpError, aiohttp.ClientError, TimeoutError) as bad:
            self._ledger = self._ledger.doubted(change)
            tell = log.warning if self._tries < len(RETRY) else log.debug
            tell("who hears whom couldn't be told", who=change.listener.split("_")[0], why=type(bad).__name__)
            return change.listener not in self._ledger.present

    def _again(self) -> None:
        """Try once more after a while."""
        if self._tries == len(RETRY):
            EDGE_ERRORS.labels("hearing").inc()
            log.error("who hears whom isn't as it should be")
        self._tasks.start(self._later(RETRY[min(self._tries, len(RETRY) - 1)]), "hearing again")
        self._tries += 1

    async def _later(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._more.set()


def _less(now: Mapping[str, frozenset[str]], before: Mapping[str, frozenset[str]]) -> bool:
    return all(sids <= before.get(who, frozenset()) for who, sids in now.items())


def _audio(publications: Mapping[str, rtc.TrackPublication]) -> dict[str, str]:
    return {sid: one.name for sid, one in publications.items() if one.kind == rtc.TrackKind.KIND_AUDIO}
