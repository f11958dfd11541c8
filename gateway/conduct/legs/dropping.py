"""Stops phones from ringing, and hangs up: the legs of a call that isn't theirs any more.

Whoever has lost a ring must fall silent in a third of a second, and LiveKit takes a leg out of the room one request at a time, each
by Redis and two processes, and then takes its connections apart, while two who are being connected wait for it: ten phones rang
on for 1.8 to 4.6 s that way. So a SIP service of ours is told by one packet for all of them, and leaves by itself a moment
after; any other, and one that doesn't leave, by LiveKit's API.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import aiohttp
import structlog
from livekit import api, rtc
from livekit.rtc.participant import PublishDataError

from gateway.calls.hearing import leg
from gateway.conduct.sfu.listening import Listening
from gateway.conduct.sfu.room import astray
from gateway.tasks import Tasks
from gateway.terms.legs import DROP, EDGE

ANSWER_WITHIN = 2.0
"""Seconds that LiveKit may take to remove a participant."""
AGAIN = (0.1, 0.2, 0.4, 0.8)
"""Seconds to wait before each further try of removing a leg."""
JOINS = (0.3, 0.5, 1.0)
"""Seconds to wait before each look for a leg that joins although its dialing was broken off: livekit-sip's does."""
LEAVES_WITHIN = 0.8
"""Seconds that a SIP service of ours has to leave the room once it was told to (see `gateway.terms.legs.DROP`)."""

log = structlog.get_logger(__name__)


class Removes(Protocol):
    """The part of LiveKit's RoomService that is used."""

    async def remove_participant(self, remove: api.RoomParticipantIdentity) -> object:
        """Take somebody out of a room."""
        ...


class Dropping:
    """The legs of one call that are being ended, by their names. `stop` it once the room is left."""

    def __init__(self, room: rtc.Room, rooms: Removes, tasks: Tasks) -> None:
        """`rooms`: LiveKitAPI.room. `tasks`: runs what takes a while."""
        self._room, self._rooms, self._tasks = room, rooms, tasks
        self._telling: set[str] = set()
        """Those that are told together, as soon as whoever drops them is done."""
        self._leaving: dict[str, asyncio.Event] = {}
        """Set once they have left, by their identities."""
        self._listening = Listening(room)
        self._listening.on("participant_disconnected", lambda who: self._left(who.identity))

    def stop(self) -> None:
        """Listen to the room no longer."""
        self._listening.stop()

    def drop(self, name: str, dialing: asyncio.Task[None] | None = None) -> None:
        """End a leg. `dialing`: waits for LiveKit's answer to its dialing."""
        there = self._room.remote_participants.get(leg(name))
        if there is None or EDGE not in there.attributes or astray(self._room) or not self._room.isconnected():
            self._tasks.start(self._remove(name, dialing), f"drop leg {name}")
        elif there.identity not in self._leaving:
            if not self._telling:
                self._tasks.start(self._tell(), "tell legs to end")
            self._telling.add(there.identity)
            left = self._leaving[there.identity] = asyncio.Event()
            self._tasks.start(self._leave(name, left), f"leg {name} leaves")

    async def _tell(self) -> None:
        """One packet for all that are dropped at once; whom it doesn't reach is removed later."""
        told, self._telling = sorted(self._telling), set()
        try:
            async with asyncio.timeout(LEAVES_WITHIN):
                await self._room.local_participant.publish_data(b"1", topic=DROP, destination_identities=told)
        except (PublishDataError, TimeoutError) as bad:
            log.warning("legs couldn't be told to end", legs=len(told), why=type(bad).__name__)
            for identity in told:
                self._left(identity)  # nobody waits for it

    async def _leave(self, name: str, left: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(LEAVES_WITHIN):
                await left.wait()
        except TimeoutError:
            log.warning("a leg that was told to end is still there", leg=name)
        finally:
            del self._leaving[leg(name)]
        if leg(name) in self._room.remote_participants:
            await self._remove(name, None)

    def _left(self, identity: str) -> None:
        if (left := self._leaving.get(identity)) is not None:
            left.set()

    async def _remove(self, name: str, dialing: asyncio.Task[None] | None) -> None:
        """Take a leg out of the room. One that isn't in it yet must not be removed, as its SIP service would try in vain
        to join for a long while: its dialing is broken off, and if it joins all the same it is removed then."""
        waits: tuple[float, ...] = (0.0, *AGAIN)
        if leg(name) not in self._room.remote_participants and dialing is not None and not dialing.done():
            dialing.cancel()
            waits = JOINS
        for wait in waits:
            await asyncio.sleep(wait)
            if await self._removed(name) and waits is not JOINS:
                return

    async def _removed(self, name: str) -> bool:
        """Whether a leg isn't in the room any more."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await self._rooms.remove_participant(
                    api.RoomParticipantIdentity(room=self._room.name, identity=leg(name))
                )
            return True
        except api.TwirpError as bad:
            if bad.code == api.TwirpErrorCode.NOT_FOUND:
                return True
            log.warning("a leg couldn't be dropped yet", leg=name, why=bad.code)
        except (aiohttp.ClientError, TimeoutError) as bad:
            log.warning("a leg couldn't be dropped yet", leg=name, why=type(bad).__name__)
        return False
