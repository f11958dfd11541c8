"""Tells our SIP service of phones that nobody hears by LiveKit, so that it needn't encode what they say for nobody, and that they
are heard again before anybody is let hear them (`gateway.terms.direct`).

Nobody who is to hear a phone may miss a word for it. So a phone of which we have said so, or of which a job before us may have, is
doubtful until its service has answered that it is heard: whoever lets somebody hear it by LiveKit waits for that. Where it can't
be told soon LiveKit's API tells it as well, without an answer, and it is told again and again. And the service believes nothing that
was said of another room than there is now (`gateway.edge.sparing`).
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from typing import Protocol

import aiohttp
import structlog
from livekit import api, rtc

from gateway.conduct.sfu.direct import process_of
from gateway.terms.direct import HEAR, UNHEARD
from gateway.terms.gap import NOT_YET, PROOF

ANSWER_WITHIN = 1.0
"""Seconds that the SIP service may take to answer, and LiveKit's API to take a packet."""
LATE = 0.25
"""Seconds without an answer after which a phone's service is told by LiveKit's API, too, that it is heard."""
_CANT = frozenset({rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD, rtc.RpcError.ErrorCode.APPLICATION_ERROR})
"""Errors of a service that keeps nothing from the room: one of before, another's, or one whose phone is leaving."""
_HEARD = _CANT | {NOT_YET, rtc.RpcError.ErrorCode.RECIPIENT_NOT_FOUND}
"""Errors after which a phone is heard, or isn't there."""

log = structlog.get_logger(__name__)


class Sends(Protocol):
    """The part of LiveKit's RoomService that is used."""

    async def send_data(self, send: api.SendDataRequest) -> object:
        """Send a data packet to somebody in a room."""
        ...


class Sparing:
    """One job's. Each method takes identities of participants."""

    def __init__(self, room: rtc.Room, rooms: Sends, prove: Callable[[str, str], str] | None, *, follows: bool) -> None:
        """`rooms`: LiveKitAPI.room. `prove`: `gateway.terms.gap.proof` by a room's name and an identity; None: nothing is spared.
        `follows`: another job may have been here before us."""
        self._room, self._rooms, self._prove = room, rooms, prove
        self._follows = follows
        self._heard: set[str] = set()
        """Those of whom nobody has said since that they aren't heard."""
        self._said: set[str] = set()
        """Those of whom we may have said so last."""
        self._stands: set[str] = set()
        """Those of whom it was believed, and nothing has happened since."""
        self._unable: set[str] = set()
        """Those whose service keeps nothing from the room."""
        self._failed = Counter[str]()
        """How often each couldn't be told."""
        self._turns = defaultdict[str, asyncio.Lock](asyncio.Lock)
        """So that nothing that is said of one overtakes another."""

    def comes(self, who: str) -> None:
        """Somebody has come while we were here."""
        self._heard.add(who)
        self.happened()

    def left(self, who: str) -> None:
        """Somebody has gone."""
        self._heard.discard(who)
        self._unable.discard(who)
        self.happened()

    def happened(self) -> None:
        """Their service may have stopped to believe it."""
        self._stands.clear()

    def strange(self) -> None:
        """We weren't here for a while."""
        self._follows = True
        self._heard.clear()
        self.happened()

    def doubtful(self, whom: Collection[str]) -> frozenset[str]:
        """Those who may not be heard in the room."""
        there = self._room.remote_participants
        return frozenset(
            who
            for who in whom
            if (who in self._said or (self._follows and who not in self._heard)) and process_of(there.get(who))
        )

    async def heard(self, whom: Collection[str]) -> bool:
        """Have all of them heard in the room: to be awaited before anybody is let hear them; whether it is sure."""
        return all(await asyncio.gather(*(self._tell_heard(who) for who in self.doubtful(whom))))

    async def unheard(self, who: str, still: Callable[[], bool]) -> None:
        """Have what somebody says kept from the room. `still`: whether nobody hears them by LiveKit, asked once it is their turn."""
        if who in self._stands or who in self._unable or self._prove is None:
            return
        async with self._turns[who]:
            if not still():
                return
            self._said.add(who)
            try:
                told = json.loads(await self._tell(who, unheard=True)).get(UNHEARD)
            except (ValueError, AttributeError, TimeoutError, rtc.RpcError) as bad:
                if isinstance(bad, rtc.RpcError) and bad.code in _CANT:
                    self._unable.add(who)
                    self._said.discard(who)
                log.debug("a phone isn't spared", who=who.split("_")[0], why=_why(bad))
                return
            if told is True:
                self._stands.add(who)
                return
            self._said.discard(who)
            self._heard.add(who)
            if told is None:
                self._unable.add(who)

    async def _tell_heard(self, who: str) -> bool:
        before = self._failed[who]
        async with self._turns[who]:
            if not self.doubtful([who]):
                return True
            if self._failed[who] != before:
                return False  # just now, for somebody else
            self._stands.discard(who)
            try:
                await self._tell_by_both(who)
            except (TimeoutError, rtc.RpcError) as bad:
                if not _heard_all_the_same(bad):
                    log.warning("a phone can't be told that it is heard", who=who.split("_")[0], why=_why(bad))
                    self._failed[who] += 1
                    return False
            self._said.discard(who)
            self._heard.add(who)
            return True

    async def _tell_by_both(self, who: str) -> None:
        """That the phone is heard, also by the API where no answer comes soon. Raises RpcError and TimeoutError."""
        telling = asyncio.create_task(self._tell(who, unheard=False), name="tell that a phone is heard")
        try:
            done, _ = await asyncio.wait([telling], timeout=LATE)
            if not done or ((bad := telling.exception()) is not None and not _heard_all_the_same(bad)):
                await self._send(who)
            await telling
        finally:
            telling.cancel()

    async def _tell(self, who: str, *, unheard: bool) -> str:
        """The answer. Raises RpcError and TimeoutError."""
        us = self._room.local_participant
        proof = self._prove(self._room.name, us.identity) if self._prove is not None else ""
        async with asyncio.timeout(ANSWER_WITHIN):
            return await us.perform_rpc(
                destination_identity=who,
                method=HEAR,
                payload=json.dumps({PROOF: proof, UNHEARD: unheard}),
                response_timeout=ANSWER_WITHIN,
                max_round_trip_latency=ANSWER_WITHIN,
            )

    async def _send(self, who: str) -> None:
        """Another way, which needs no connection of ours to the room."""
        packet = api.SendDataRequest(room=self._room.name, data=b"1", topic=HEAR, destination_identities=[who])
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await self._rooms.send_data(packet)
        except (api.TwirpError, aiohttp.ClientError, TimeoutError) as bad:
            log.debug("nor by LiveKit's API", why=type(bad).__name__)


def _heard_all_the_same(bad: BaseException) -> bool:
    """Whether the phone is heard, or isn't there, as it couldn't be told for that."""
    return isinstance(bad, rtc.RpcError) and bad.code in _HEARD


def _why(bad: Exception) -> str:
    return bad.message if isinstance(bad, rtc.RpcError) else type(bad).__name__
