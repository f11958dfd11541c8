"""A caller's keys on their way into the room, also while the connection to LiveKit is being resumed, and what jobs are told
of those that nobody has heard."""

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

from gateway.edge.jobs import is_job
from gateway.terms import gap

SIGNS = "0123456789*#ABCD"
"""A key's place is its event code (RFC 4733 section 3.2)."""
WAITING = 64
"""Keys that may wait to be sent."""

WITHIN = 8.0
"""Seconds that sending a key may take. The SDK sends nothing while it resumes a connection that was cut: measured, for
three seconds and more."""
MOST = 64
"""Keys that are kept, the latest."""
AGAIN = 0.25
"""Seconds from a failure to the next try: what has failed wasn't sent."""

log = structlog.get_logger(__name__)


class Unheard:
    """The keys that no job has said it has heard, numbered from one. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._keys: deque[tuple[int, float, str]] = deque(maxlen=MOST)
        self._next = 1

    def add(self, key: str, now: float) -> None:
        """A key goes into the room."""
        self._forget(now)
        self._keys.append((self._next, now, key))
        self._next += 1

    def heard(self, number: int) -> None:
        """A job has heard all keys up to that one."""
        while self._keys and self._keys[0][0] <= number:
            self._keys.popleft()

    def told(self, now: float) -> tuple[list[str], int]:
        """The keys, in order, and the number of the next that is pressed."""
        self._forget(now)
        return [key for _, _, key in self._keys], self._next

    def _forget(self, now: float) -> None:
        while self._keys and now - self._keys[0][1] > gap.KEPT_FOR:
            self._keys.popleft()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A job wants to be told the keys that nobody has heard."""

    identity: str


class Keys:
    """One call's, on their way into its room in their order."""

    def __init__(self, call_id: str, secret: str) -> None:
        """`secret`: of LiveKit's API, by which jobs prove what they are."""
        self._call_id, self._secret = call_id, secret
        self._waiting: asyncio.Queue[str | _Asked] = asyncio.Queue(WAITING)
        self._unheard = Unheard()
        self._listener = ""
        """The identity of the job that has asked last: it has the call."""

    def press(self, key: str) -> None:
        """Send a key as a SipDTMF packet; a flood of keys is cut off."""
        if not self._waiting.full():
            self._waiting.put_nowait(key)

    async def send(self, room: rtc.Room) -> None:
        """Send what is pressed and told, until cancelled."""
        us, clock = room.local_participant, asyncio.get_running_loop().time
        while True:
            match await self._waiting.get():
                case _Asked(identity):
                    # In its turn, so that whoever asks knows which keys are in it, and which come after.
                    told, number = self._unheard.told(clock())
                    answer = json.dumps({gap.TOLD: told, gap.NEXT: number})
                    tell = partial(us.publish_data, answer, destination_identities=[identity], topic=gap.KEYS)
                    if await sent(tell):
                        self._tell(identity)
                case str(key):
                    self._unheard.add(key, clock())
                    if why := await sent(partial(us.publish_dtmf, code=SIGNS.index(key), digit=key)):
                        log.warning("a key was lost", call=self._call_id, why=why)
                        self._tell(self._listener)  # who counts keys has missed one

    def asked(self, room: rtc.Room, called: rtc.RpcInvocationData) -> str:
        """A job asks for the keys that nobody has heard, or tells what it has heard: the RPC of `gateway.terms.gap`. What they may
        hold is for jobs alone: a human's browser that joins later isn't told what was keyed in before. Raises RpcError."""
        asked, who = _read(called.payload), called.caller_identity
        if not is_job(room, who, asked.proof, self._secret):
            raise rtc.RpcError(gap.NOT_YET, "Jobs alone are told keys.")
        if asked.heard is None:
            self._listener = who
            if not self._tell(who):
                raise rtc.RpcError(gap.NOT_YET, "Too many keys wait to be sent.")
        elif who == self._listener:
            self._unheard.heard(asked.heard)
        return "{}"

    def _tell(self, identity: str) -> bool:
        if not identity or self._waiting.full():
            return False
        self._waiting.put_nowait(_Asked(identity))
        return True


@dataclass(frozen=True, slots=True)
class _Payload:
    proof: str
    heard: int | None


def _read(payload: str) -> _Payload:
    with contextlib.suppress(ValueError, TypeError, KeyError):
        asked = json.loads(payload)
        proof, heard = asked[gap.PROOF], asked.get(gap.HEARD)
        if isinstance(proof, str) and (heard is None or type(heard) is int):
            return _Payload(proof, heard)
    raise rtc.RpcError(rtc.RpcError.ErrorCode.APPLICATION_ERROR, "Who asks?")


async def sent(publish: Callable[[], Awaitable[None]]) -> str:
    """Send a key, or an answer, by `publish`; why it was lost, or ""."""
    try:
        async with asyncio.timeout(WITHIN):
            while True:
                try:
                    await publish()
                except (rtc.participant.PublishDTMFError, rtc.participant.PublishDataError):
                    await asyncio.sleep(AGAIN)
                else:
                    return ""
    except TimeoutError:
        return "LiveKit couldn't be reached in time"
