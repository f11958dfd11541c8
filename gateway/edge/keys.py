"""A caller's keys on their way into the room, also while the connection to LiveKit is being resumed, and what jobs are told
of the last seconds'."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import structlog
from livekit import rtc

from gateway.terms import gap
from gateway.terms.gap import KEPT_FOR

SIGNS = "0123456789*#ABCD"
"""A key's place is its event code (RFC 4733 section 3.2)."""
WAITING = 64
"""Keys that may wait to be sent."""

WITHIN = 8.0
"""Seconds that sending a key may take. The SDK sends nothing while it resumes a connection that was cut: measured, for
three seconds and more."""
MOST = 64
"""Keys that are kept."""
AGAIN = 0.25
"""Seconds from a failure to the next try: what has failed wasn't sent."""
MET_WITHIN = 0.8
"""Seconds until whoever asks is known here: a job may ask before LiveKit has told us that it has come, which it does at once of
those who publish something, and of others up to three seconds late."""

log = structlog.get_logger(__name__)


class Sent:
    """The keys of the last seconds, for a job that follows on one that has died. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._keys: deque[tuple[float, str]] = deque(maxlen=MOST)

    def add(self, key: str, now: float) -> None:
        """A key goes into the room."""
        self._forget(now)
        self._keys.append((now, key))

    def since(self, then: float) -> list[str]:
        """The keys from then on, in order."""
        return [key for at, key in self._keys if at >= then]

    def _forget(self, now: float) -> None:
        while self._keys and now - self._keys[0][0] > KEPT_FOR:
            self._keys.popleft()


@dataclass(frozen=True, slots=True)
class _Asked:
    """Somebody wants to be told the keys since a time, by the running loop's clock."""

    identity: str
    since: float


class Keys:
    """One call's, on their way into its room in their order."""

    def __init__(self, call_id: str) -> None:
        self._call_id = call_id
        self._waiting: asyncio.Queue[str | _Asked] = asyncio.Queue(WAITING)
        self._sent = Sent()

    def press(self, key: str) -> None:
        """Send a key as a SipDTMF packet; a flood of keys is cut off."""
        if not self._waiting.full():
            self._waiting.put_nowait(key)

    async def send(self, room: rtc.Room) -> None:
        """Send what is pressed and told, until cancelled."""
        us = room.local_participant
        while True:
            match await self._waiting.get():
                case _Asked(identity, since):
                    # In its turn, so that whoever asks knows which keys are in it, and which come after.
                    told = json.dumps(self._sent.since(since))
                    with contextlib.suppress(rtc.participant.PublishDataError):
                        await us.publish_data(told, destination_identities=[identity], topic=gap.KEYS)
                case str(key):
                    self._sent.add(key, asyncio.get_running_loop().time())
                    if why := await sent(partial(us.publish_dtmf, code=SIGNS.index(key), digit=key)):
                        log.warning("a key was lost", call=self._call_id, why=why)

    async def asked(self, room: rtc.Room, called: rtc.RpcInvocationData) -> str:
        """Somebody asks for the keys of the last seconds: the RPC of `gateway.terms.gap`. What they may hold is for jobs alone: a
        human's browser that joins later isn't told what was keyed in before. Raises RpcError."""
        now = asyncio.get_running_loop().time()
        try:
            seconds = float(json.loads(called.payload)[gap.SECONDS])
        except (ValueError, TypeError, KeyError):
            raise rtc.RpcError(rtc.RpcError.ErrorCode.APPLICATION_ERROR, "How many seconds?") from None
        who = await _met(room, called.caller_identity)
        if who is None or who.kind != rtc.ParticipantKind.PARTICIPANT_KIND_AGENT:
            raise rtc.RpcError(rtc.RpcError.ErrorCode.APPLICATION_ERROR, "Jobs alone are told keys.")
        if not self._waiting.full():
            self._waiting.put_nowait(_Asked(who.identity, now - seconds))
        return "{}"


async def _met(room: rtc.Room, identity: str) -> rtc.RemoteParticipant | None:
    """Who it is, once they are known here; None if they aren't in time."""
    came = asyncio.Event()

    def met(participant: rtc.RemoteParticipant) -> None:
        if participant.identity == identity:
            came.set()

    room.on("participant_connected", met)
    try:
        if identity not in room.remote_participants:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(MET_WITHIN):
                    await came.wait()
    finally:
        room.off("participant_connected", met)
    return room.remote_participants.get(identity)


async def sent(publish: Callable[[], Awaitable[None]]) -> str:
    """Send a key by `publish`; why it was lost, or ""."""
    try:
        async with asyncio.timeout(WITHIN):
            while True:
                try:
                    await publish()
                except rtc.participant.PublishDTMFError:
                    await asyncio.sleep(AGAIN)
                else:
                    return ""
    except TimeoutError:
        return "LiveKit couldn't be reached in time"
