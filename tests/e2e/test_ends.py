"""When either side ends a call, all of it is gone: the other leg, the room, the job, the lease and what it counted towards."""

from __future__ import annotations

import asyncio
import json
import re
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
from livekit import api
from redis.asyncio import Redis

from gateway.phone.call import Call
from gateway.phone.phone import Phone
from gateway.redis_client import open_client
from tests.e2e.gateway import Stack
from tests.e2e.records import record, sip_id
from tests.e2e.test_house import DIRECT, MESSAGE, callees, caller, leave_message, talk  # noqa: F401  the fixtures are ours too

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(120)]

GONE_WITHIN = 1.0
"""Seconds from the hang-up; figures are printed."""


class Left:
    """What is left of a call."""

    def __init__(self, stack: Stack, redis: Redis, lk: api.LiveKitAPI, call: str) -> None:
        self._stack, self._redis, self._lk, self._call = stack, redis, lk, call

    async def rooms(self) -> bool:
        """Whether its room is there; no other call is under way."""
        found = await self._lk.room.list_rooms(api.ListRoomsRequest())
        return any(room.name.startswith("call-") for room in found.rooms)

    async def jobs(self) -> bool:
        """Whether a worker conducts it."""
        return any([await self._calls(name) for name in ("worker-agents", "worker-house")])

    async def lease(self) -> bool:
        """Whether a job holds it, or it is live, or counted."""
        keys = [key.decode() async for key in self._redis.scan_iter("offhook:route:*")]
        counted = [await self._redis.sismember(key, self._call) for key in keys]  # type: ignore[misc]  # redis-py's unions
        live = await self._redis.sismember("offhook:live", self._call)  # type: ignore[misc]  # the same
        return bool(await self._redis.exists(f"offhook:lease:{self._call}") or live or any(counted))

    async def recording(self) -> bool:
        """Whether its caller is recorded, or what was recorded isn't a message yet."""
        return bool(await asyncio.to_thread(recordings, self._stack, self._call))

    async def _calls(self, name: str) -> float:
        def ask() -> str:
            with urllib.request.urlopen(f"{self._stack.run.http[name]}/metrics", timeout=2) as answer:
                return str(answer.read().decode())

        found = re.search(r"^offhook_worker_calls (\S+)$", await asyncio.to_thread(ask), re.MULTILINE)
        return float(found[1]) if found else 0.0


def recordings(stack: Stack, call: str) -> list[str]:
    """The recordings of a call that are no messages yet, by their notes: each has one until it was told of."""
    found = []
    for note in (stack.state / "messages").glob("*.json"):
        with suppress(FileNotFoundError):
            if json.loads(note.read_text())["call"] == call:
                found.append(note.stem)
    return found


@asynccontextmanager
async def watched(stack: Stack, call: Call) -> AsyncIterator[Left]:
    """What is left of a call, which must be there now."""
    redis = open_client(stack.run.redis_url)
    async with aiohttp.ClientSession() as session:
        run = stack.run
        left = Left(
            stack,
            redis,
            api.LiveKitAPI(run.livekit_url, run.livekit_api_key, run.livekit_api_secret, session=session),
            sip_id(call),
        )
        assert await left.rooms()
        assert await left.jobs()
        assert await left.lease()
        yield left
    await redis.aclose()


async def all_gone(left: Left, since: float, *others: Call) -> None:
    """Everything is gone in time; say when."""

    async def until(what: Callable[[], Awaitable[bool]]) -> float:
        while await what():
            assert time.monotonic() - since < GONE_WITHIN, what.__name__
            await asyncio.sleep(0.02)
        return time.monotonic() - since

    for other in others:
        await other.ended(GONE_WITHIN)
    legs = [round((other.signalling.ended or 0) - since, 2) for other in others]
    parts = (left.rooms, left.jobs, left.lease, left.recording)
    took = await asyncio.gather(*(until(part) for part in parts))
    told = [f"{part.__name__} {seconds:.2f} s" for part, seconds in zip(parts, took, strict=True)]
    print(f"legs {legs} s, {', '.join(told)}")


@pytest.mark.parametrize("first", ["caller", "human"])
async def test_two_who_talk(stack: Stack, caller: Phone, callees: Phone, first: str) -> None:  # noqa: F811
    call = await caller.dial(DIRECT)
    human = await (await callees.rung()).answer()
    await call.answered()
    await talk(call, human)
    one, other = (call, human) if first == "caller" else (human, call)
    async with watched(stack, call) as left:
        since = time.monotonic()
        await one.hang_up()
        await all_gone(left, since, other)
    await record(stack, sip_id(call), ending="served", hung_up_by=first)


async def test_the_agent_hangs_up(stack: Stack, caller: Phone) -> None:  # noqa: F811
    call = await caller.dial("echo")
    await call.answered()
    await call.tone([659.0])
    async with watched(stack, call) as left:
        await call.press("#")
        await call.ended(10)
        await all_gone(left, call.signalling.ended or 0.0)


@pytest.mark.parametrize("number", ["echo", "+15105550100"])
async def test_the_caller_hangs_up_on_an_agent(stack: Stack, caller: Phone, number: str) -> None:  # noqa: F811
    call = await caller.dial(number)
    await call.answered(15)
    await call.heard(15)
    async with watched(stack, call) as left:
        since = time.monotonic()
        await call.hang_up()
        await all_gone(left, since)
    await record(stack, sip_id(call), hung_up_by="caller")


async def test_the_caller_hangs_up_while_they_are_recorded(stack: Stack, caller: Phone) -> None:  # noqa: F811
    call = await caller.dial(MESSAGE)
    await leave_message(caller, call)
    async with watched(stack, call) as left:
        assert await left.recording()
        since = time.monotonic()
        await call.hang_up()
        await all_gone(left, since)
    [message] = (await record(stack, sip_id(call), ending="message"))["messages"]
    assert (stack.state / "messages" / message["file"]).exists()


async def test_a_phone_call_doesnt_outlive_its_room(stack: Stack, caller: Phone) -> None:  # noqa: F811
    call = await caller.dial("+15105550100")
    await call.answered(15)
    await call.talking(0.5)
    async with watched(stack, call) as left:
        found = await left._lk.room.list_rooms(api.ListRoomsRequest())
        [room] = [room.name for room in found.rooms if room.name.startswith("call-")]
        since = time.monotonic()
        await left._lk.room.delete_room(api.DeleteRoomRequest(room=room))
        await all_gone(left, since, call)
    await record(stack, sip_id(call))
