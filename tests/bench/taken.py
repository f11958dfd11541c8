"""Somebody takes a call by a key, with as little as it needs: an edge, a Redis and a livekit-server of their own, and here the
phones and the part of a job that says who hears whom. It is up in seconds, and what it measures a handoff has too: there a step is
kept in Redis and the call is claimed besides, in about ten milliseconds.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from operator import attrgetter
from pathlib import Path
from unittest.mock import patch

import numpy as np
from livekit import api, rtc

from gateway.calls.hearing import CALLER, JOB, bridge, consults, hears, whispering
from gateway.conduct.sfu import telling
from gateway.conduct.sfu.hearing import Hearing
from gateway.conduct.sfu.mouth import Mouth
from gateway.phone.call import Call
from gateway.phone.phone import Phone
from gateway.rtp import FRAME, RATE
from gateway.tasks import cancelled
from gateway.terms.gap import proof
from gateway.terms.legs import LEG
from tests.bench.figures import Figure, milliseconds, sampled
from tests.bench.house_ears import Packets, comes, is_tone, listen, tone
from tests.e2e.edge_lab import DIALED, make_trunks
from tests.e2e.edge_process import EdgeProcess, edge_process
from tests.e2e.servers import LiveKit, free_port, livekit_server, redis_server

PLAIN = ("gateway", "edge")
OURS, THEIRS = 600.0, 1000.0
"""Hz: of the caller and of whoever takes the call."""
EACH = 6
"""Takes of a call; each is somebody else's."""
WHISPERED = 1.2
"""Seconds from the whisper's beginning to the key."""


@dataclass(frozen=True)
class Stack:
    """The servers, and two phones."""

    livekit: LiveKit
    lk: api.LiveKitAPI
    trunk: str
    edge: EdgeProcess
    desk: Phone
    caller: Phone


@dataclass(frozen=True)
class Job:
    """The part of a job that is in it, and how its caller hears."""

    stack: Stack
    room: rtc.Room
    hearing: Hearing
    pressed: asyncio.Queue[str]
    call: Call
    """The caller's side of it."""
    ours: Packets


@dataclass(frozen=True)
class _Taken:
    """One take; seconds."""

    at_caller: float
    """Until the caller hears whoever takes the call, from what they first say on."""
    at_human: float
    """Until they hear the caller, from their key on."""


def measure(takes: int) -> list[Figure]:
    """Every figure. `takes`: how often a call is taken in each of the two ways, by turns, four seconds each."""
    ways = asyncio.run(_measure(takes))
    talk, caller, human = (
        [[what(one) for one in ways[way]] for way in (Way.DIRECT, Way.BY_LIVEKIT)]
        for what in (lambda one: max(one.at_caller, one.at_human), attrgetter("at_caller"), attrgetter("at_human"))
    )
    taken = "a key takes the call → two-way speech, without an agent"
    found = [
        milliseconds(taken, talk[0], 0.5, plain=talk[1]),
        milliseconds(taken, talk[0], 0.95, 150.0, plain=talk[1]),
        milliseconds("… the human's first packet after it → the caller", caller[0], 0.5, plain=caller[1]),
        milliseconds("… the key's first packet → the caller's voice at the human", human[0], 0.5, plain=human[1]),
    ]
    return [replace(one, beside="by LiveKit") for one in found]


class Way(Enum):
    """How two who talk hear each other."""

    DIRECT = "in their phones' process"
    SAID_AS_WELL = "so, and all is said into the room as well"
    BY_LIVEKIT = "by LiveKit"


async def _measure(takes: int) -> dict[Way, list[_Taken]]:
    ways: dict[Way, list[_Taken]] = {Way.DIRECT: [], Way.BY_LIVEKIT: []}
    async with stack() as made:
        while len(ways[Way.BY_LIVEKIT]) < takes:
            for way, found in ways.items():
                async with call(made, way) as job:
                    for _ in range(min(EACH, takes - len(found))):
                        found.append(one := await _take(job, f"m-{len(found)}"))
                        took = {"at the caller": one.at_caller, "at the human": one.at_human}
                        sampled(f"take {len(found)} {way.value}", took)
    return ways


@asynccontextmanager
async def stack(*run: str, **more: str) -> AsyncIterator[Stack]:
    """Start all. `run`, `more`: see `edge_process`."""
    with tempfile.TemporaryDirectory(prefix="offhook-bench-") as directory:
        where = Path(directory)
        with redis_server(where) as redis_url, livekit_server(where, redis_url) as livekit:
            async with edge_process(redis_url, livekit, run=run or PLAIN, **more) as edge, livekit.api() as lk:
                await make_trunks(livekit)
                port = free_port()
                out = api.SIPOutboundTrunkInfo(
                    name="desk",
                    address=f"127.0.0.1:{port}",
                    numbers=[DIALED],
                    transport=api.SIPTransport.SIP_TRANSPORT_UDP,
                )
                made = await lk.sip.create_outbound_trunk(api.CreateSIPOutboundTrunkRequest(trunk=out))
                async with Phone("127.0.0.1:9", port=port) as desk, Phone("{}:{}".format(*edge.address)) as caller:
                    yield Stack(livekit, lk, made.sip_trunk_id, edge, desk, caller)


@asynccontextmanager
async def call(stack: Stack, way: Way) -> AsyncIterator[Job]:
    """A caller who waits, and is heard by nobody."""
    dialing = asyncio.create_task(stack.caller.dial(DIALED))
    name, caller = await _rings(stack.lk)
    room, pressed = rtc.Room(), asyncio.Queue[str]()
    room.on("sip_dtmf_received", lambda told: pressed.put_nowait(told.digit))
    livekit = stack.livekit
    grants = api.VideoGrants(room_join=True, room=name, can_update_own_metadata=True, agent=True)
    token = api.AccessToken(livekit.key, livekit.secret).with_identity("job").with_kind("agent").with_grants(grants)
    prove = None if way is Way.BY_LIVEKIT else partial(proof, livekit.secret)
    hearing = Hearing(room, stack.lk.room, caller, prove=prove)
    with patch.object(telling, "SPARED", telling.SPARED if way is Way.DIRECT else ()):
        async with hearing:
            await room.connect(livekit.url, token.to_jwt())
            async with _silent(room, "voice"):
                hearing.set(hears(CALLER, JOB))
                call = await dialing
                await call.answered()
                ours = listen(call)
                call.port.send(tone(OURS, 120.0))
                yield Job(stack, room, hearing, pressed, call, ours)
                await call.hang_up()
            await room.disconnect()
    await stack.lk.room.delete_room(api.DeleteRoomRequest(room=name))
    await asyncio.sleep(1.0)


async def _rings(lk: api.LiveKitAPI) -> tuple[str, str]:
    """The room, and the identity, of the caller who rings."""
    async with asyncio.timeout(10.0):
        while True:
            for room in (await lk.room.list_rooms(api.ListRoomsRequest())).rooms:
                there = await lk.room.list_participants(api.ListParticipantsRequest(room=room.name))
                if there.participants:
                    return room.name, there.participants[0].identity
            await asyncio.sleep(0.05)


@asynccontextmanager
async def _silent(room: rtc.Room, name: str) -> AsyncIterator[Mouth]:
    """A track of the job's that says nothing, as one does whose words are over."""

    async def silence() -> None:
        frame = rtc.AudioFrame(np.zeros(FRAME, np.int16).tobytes(), RATE, 1, FRAME)
        while True:
            await mouth.capture_frame(frame)

    async with Mouth(room, RATE, name) as mouth:
        await mouth.open()
        saying = asyncio.create_task(silence())
        try:
            yield mouth
        finally:
            await cancelled(saying)
            await mouth.close()


async def _take(job: Job, name: str) -> _Taken:
    async with taken(job, name, 4.0) as (_, one):
        await asyncio.sleep(0.5)
    return one


@asynccontextmanager
async def taken(job: Job, name: str, says: float) -> AsyncIterator[tuple[Call, _Taken]]:
    """The human, by the name of their leg, who has taken the call, speaks for so many seconds, and stays while the context lasts."""
    asked = api.CreateSIPParticipantRequest(
        sip_trunk_id=job.stack.trunk, sip_call_to="+15105550111", room_name=job.room.name,
        participant_identity=f"leg-{name}", participant_attributes={LEG: name}, wait_until_answered=True,
    )  # fmt: skip
    dialing = asyncio.create_task(job.stack.lk.sip.create_sip_participant(asked))
    human = await (await job.stack.desk.rung()).answer()
    await dialing
    async with _silent(job.room, whispering(name)) as whisper:
        job.hearing.set(consults([name]))
        await whisper.taken()
        await asyncio.sleep(WHISPERED)
        one = await _connected(job, name, human, says)
        yield human, one
        await human.hang_up()
        job.hearing.set(hears(CALLER, JOB))
    await asyncio.sleep(1.0)


async def _connected(job: Job, name: str, human: Call, says: float) -> _Taken:
    theirs, pressed = listen(human), time.monotonic()
    pressing = asyncio.create_task(human.press("1"))
    await job.pressed.get()
    job.hearing.set(bridge(name))
    await pressing
    spoke = time.monotonic()
    human.port.send(tone(THEIRS, says))
    at_caller, at_human = await asyncio.gather(
        comes(job.ours, is_tone(THEIRS), pressed), comes(theirs, is_tone(OURS), pressed)
    )
    return _Taken(at_caller - spoke, at_human - pressed)
