"""How soon a job is in the room of a call that control has dispatched, in bursts of ten a second, and whether any isn't.

No SIP is in it: rooms are made by the dispatch, as for a caller who is about to join, and each call is ended soon after its
burst, as callers hang up later than others come. Control's dispatcher, Redis, livekit-server and the worker are the real ones.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from aiohttp import web
from google.protobuf import json_format
from livekit import api
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.webhook import WebhookEvent

from gateway.app.catalogue import load as catalogue
from gateway.calls.store.redis_store import RedisStore
from gateway.dialplan.load import load
from gateway.dispatch.decide import Arrival
from gateway.dispatch.dispatcher import REDISPATCHED, Dispatcher
from gateway.dispatch.rooms import Present, Rooms
from gateway.errors import Unavailable
from gateway.redis_client import open_client
from gateway.terms.call import CallId
from gateway.terms.personal import Number
from tests.bench.figures import Figure
from tests.e2e.job_lab import worker
from tests.e2e.servers import free_port, livekit_server, redis_server

BURST = 10
APART = 0.1
"""Seconds between two calls of a burst."""
EVERY = 3.0
"""Seconds between two bursts: each job is a process of its own, and the next must be warm by then. Two cores can't start
ten a second without end."""
LASTS = 1.5
"""Seconds that a call goes on once its job has come: no job of a burst ends while others of it come."""
LOST_AFTER = 30.0
"""Seconds after the last dispatch in which every job must have come."""
JOINED_WITHIN = 600.0
"""Milliseconds for 99 of a hundred."""
PLAN = "offhook: 1\ntimezone: UTC\nhuman: callback\nnumbers: {+15105550199: line}\nroutes: {line: {agent: echo}}\n"


class CallersThere(Rooms):
    """Rooms in which each caller counts as present."""

    async def present(self, room: str) -> Present:
        """See Rooms."""
        found = await super().present(room)
        return Present(found.identities | {"sip_caller"}, found.agents, found.dispatches)


@dataclass
class Joins:
    """When a call was told of, and how long its job took to be in its room."""

    dispatcher: Dispatcher
    told: dict[str, float] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    refused: int = 0
    """Dispatches that LiveKit didn't answer in time."""
    ends: set[asyncio.Task[None]] = field(default_factory=set)

    async def hook(self, request: web.Request) -> web.Response:
        """LiveKit's webhook: its signature needn't be checked here."""
        event = json_format.Parse(await request.text(), WebhookEvent(), ignore_unknown_fields=True)
        room = event.room.name
        joined = event.event == "participant_joined" and event.participant.kind == ParticipantInfo.Kind.AGENT
        if joined and room in self.told and room not in self.took:
            self.took[room] = time.monotonic() - self.told[room]
            end = asyncio.create_task(self._end(room))
            self.ends.add(end)
            end.add_done_callback(self.ends.discard)
        return web.Response()

    async def _end(self, room: str) -> None:
        await asyncio.sleep(LASTS)
        try:
            await self.dispatcher.gone(CallId(f"SCL_{room}"))
        except Unavailable as bad:
            print(f"a call couldn't be ended: {bad.what}")

    async def call(self, number: int) -> None:
        """Somebody calls."""
        room = f"call-bench{number}"
        self.told[room] = time.monotonic()
        caller = Arrival(CallId(f"SCL_{room}"), room, "sip_caller", Number("+15105550199"), Number(""), "ST_1", True)
        try:
            await self.dispatcher.arrived(caller)
        except Unavailable:
            self.refused += 1  # supervise makes up for it


@asynccontextmanager
async def _receiving(port: int, joins: Joins) -> AsyncIterator[None]:
    app = web.Application()
    app.add_routes([web.post("/", joins.hook)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()


async def _supervised(dispatcher: Dispatcher) -> None:
    while True:
        with suppress(Unavailable):
            await dispatcher.supervise()
        await asyncio.sleep(0.5)


async def _measure(directory: Path, count: int) -> Joins:
    (directory / "main.yaml").write_text(PLAN)
    plan = load(directory, catalogue(), datetime.now(UTC)).plan
    assert plan is not None
    hook = free_port()
    with redis_server(directory) as redis_url, livekit_server(directory, redis_url, f"http://127.0.0.1:{hook}/") as lk:
        redis = open_client(redis_url)
        async with aiohttp.ClientSession() as session:
            rooms = CallersThere(api.LiveKitAPI(lk.url, lk.key, lk.secret, session=session))
            joins = Joins(Dispatcher(RedisStore(redis), rooms, lambda: plan))
            more = {"OFFHOOK_IDLE_JOBS": str(2 * BURST), "OFFHOOK_CALLS_AT_ONCE": "200"}
            async with _receiving(hook, joins), worker(directory, redis_url, lk, **more):
                supervising = asyncio.create_task(_supervised(joins.dispatcher))
                await _bursts(joins, count)
                supervising.cancel()
        await redis.aclose()
    return joins


async def _bursts(joins: Joins, count: int) -> None:
    due = time.monotonic() + 5.0  # the idle processes get warm
    for first in range(0, count, BURST):
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        due += EVERY
        numbers = range(first, min(first + BURST, count))
        await asyncio.gather(*(_later(APART * (number - first), joins.call(number)) for number in numbers))
    ends = time.monotonic() + LOST_AFTER
    while len(joins.took) < count and time.monotonic() < ends:
        await asyncio.sleep(0.1)
    await asyncio.sleep(LASTS + 1.0)


async def _later(seconds: float, work: Awaitable[None]) -> None:
    await asyncio.sleep(seconds)
    await work


def measure(count: int) -> list[Figure]:
    """The figures of so many dispatches."""
    before = REDISPATCHED._value.get()
    with tempfile.TemporaryDirectory() as directory:
        joins = asyncio.run(_measure(Path(directory), count))
    took = sorted(1000 * one for one in joins.took.values())
    again = REDISPATCHED._value.get() - before
    return [
        Figure("dispatch to job in the room, p50", took[len(took) // 2], "ms", samples=len(took)),
        Figure(
            "dispatch to job in the room, p99",
            took[int(len(took) * 0.99)],
            "ms",
            limit=JOINED_WITHIN,
            samples=len(took),
        ),
        Figure("calls that no job came to", float(count - len(took)), "", limit=0.0, samples=count),
        Figure("calls that another job was sent for", again, "", samples=count),
        Figure("dispatches that LiveKit didn't answer in time", float(joins.refused), "", samples=count),
    ]
