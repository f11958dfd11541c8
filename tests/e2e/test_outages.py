"""Redis, livekit-server and the edge frozen, killed and restarted amid calls, judged by the caller's line and the record.

The servers are those that `offhook up` runs and starts again by itself.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, cast

import psutil
import pytest
import sipmessage

from agents.words.lines import Say, line_of
from gateway.calls.shared.controls import LOST, SURE
from gateway.conduct.sfu.room import ASTRAY
from gateway.phone.call import Call
from gateway.phone.phone import Phone
from gateway.redis_client import open_client
from tests.chaos.calls import ready
from tests.chaos.leftovers import census, left_over
from tests.e2e.gateway import Stack, running_gateway
from tests.e2e.records import record, sip_id
from tests.e2e.servers import until
from tests.e2e.test_calls import SALES, converse
from tests.e2e.test_deploys import readies

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

FROZEN = 5.0
"""Seconds for which Redis doesn't answer: longer than any lease."""
REFUSED_WITHIN = 1.0
"""Seconds from an INVITE to its 503 while Redis is away."""
SERVED_WITHIN = 1.0
"""Seconds from a server's return until the next caller is answered or rings."""
BUSY = 3.0
"""What a busy machine may take in addition."""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A gateway whose servers are killed here."""
    with running_gateway(tmp_path_factory.mktemp("outages"), OFFHOOK_LOG_LEVEL="debug") as found:
        yield found


@pytest.fixture(scope="module")
def usual(own: Stack) -> Counter[str]:
    """What is there while no call is, once everybody is."""

    async def look() -> Counter[str]:
        assert await ready(own)
        return await census(own, livekit(own))

    return asyncio.run(look())


def livekit(stack: Stack) -> int:
    """The port at which jobs reach livekit-server."""
    return int(stack.run.livekit_url.rpartition(":")[2])


def process(stack: Stack, words: str) -> psutil.Process:
    """One of the gateway's processes, by its command."""
    for child in psutil.Process(stack.pid).children():
        with suppress(psutil.Error):
            if words in " ".join(child.cmdline()):
                return child
    raise LookupError(words)


@asynccontextmanager
async def frozen(one: psutil.Process) -> AsyncIterator[None]:
    """The process is stopped meanwhile, and goes on whatever happens."""
    one.suspend()
    try:
        yield
    finally:
        one.resume()


async def back(stack: Stack, name: str, before: int) -> None:
    """Return once `up` has started it again so that it serves, more often than `before`."""
    await until(lambda: returned(stack, name) > before, 60.0)


def returned(stack: Stack, name: str) -> int:
    """How often it has come back so far."""
    return (stack.state / "screen").read_text().count(f"{name:<15} is back")


def whole(found: dict[str, Any], *, jobs: int = 1) -> None:
    """A record of one conversation: nothing is missing in it, and nothing is there twice."""
    turns = [(turn["speaker"], turn["text"]) for turn in found["turns"]]
    assert len(set(turns)) == len(turns), turns
    assert len({turn["seq"] for turn in found["turns"]}) == len(turns), "one job has told all of them"
    assert [one["epoch"] for one in found["attempts"]] == list(range(1, jobs + 1))


def responses(call: Call) -> list[sipmessage.Response]:
    """Those that come for the call's INVITE from now on."""
    found: list[sipmessage.Response] = []
    told, on_response = cast(Any, call), call.on_response

    def noted(response: sipmessage.Response, at: float) -> None:
        found.append(response)
        on_response(response, at)

    told.on_response = noted
    return found


async def greeted(phone: Phone, number: str = SALES) -> Call:
    call = await phone.dial(number)
    await call.answered(15)
    opening = await phone.rendering(line_of(Say.NOTICE, "en-US"))
    assert await call.line(opening, 15, what="the notice") > 0.5
    return call


# Redis


@pytest.mark.long
@pytest.mark.speech
async def test_a_talk_goes_on_while_redis_stands_still(phone: Phone, stack: Stack) -> None:
    call = await greeted(phone)
    await converse(phone, call, ["We need a new phone system."])
    async with frozen(process(stack, "redis-server")):
        thaws = time.monotonic() + FROZEN
        await converse(phone, call, ["My name is John Smith."])
        await call.spoken(25, 0.8)
        await call.wait(max(0.0, thaws - time.monotonic()))
    await converse(phone, call, ["I work for Acme Software."])
    await call.spoken(25, 0.8)
    await call.hang_up()
    found = await record(stack, sip_id(call), ending="served", hung_up_by="caller")
    whole(found)
    assert [turn["speaker"] for turn in found["turns"]].count("caller") == 3
    assert found["lead"]["fields"]["name"] == "John Smith"
    assert found["lead"]["fields"]["company"] == "Acme Software"


def _killed(stack: Stack) -> None:
    process(stack, "redis-server").kill()


def _emptied(stack: Stack) -> None:
    redis = process(stack, "redis-server")
    redis.suspend()
    shutil.rmtree(stack.state / "redis")
    (stack.state / "redis").mkdir()
    redis.kill()


def _truncated(stack: Stack) -> None:
    """The last seconds of what it has written are lost, as when the machine loses its power."""
    redis = process(stack, "redis-server")
    redis.suspend()
    last = max((stack.state / "redis").rglob("*.aof"), key=lambda path: path.stat().st_size)
    with last.open("r+b") as file:
        file.truncate(max(0, last.stat().st_size - 3000))
    redis.kill()


@pytest.mark.long
@pytest.mark.speech
@pytest.mark.parametrize("how", [_killed, _emptied, _truncated])
async def test_a_talk_outlives_redis(own: Stack, how: Callable[[Stack], None]) -> None:
    async with Phone(own.sip, caller="+15105550177") as phone:
        call = await greeted(phone)
        await converse(phone, call, ["We need a new phone system."])
        before = returned(own, "redis")
        how(own)
        await converse(phone, call, ["My name is John Smith."])
        await back(own, "redis", before)
        next_one = await phone.dial("echo")
        await next_one.answered(SERVED_WITHIN + BUSY)
        await converse(phone, call, ["I work for Acme Software."])
        await call.spoken(25, 0.8)
        await call.wait(3.0)  # what control does after the gap comes now
        await next_one.press("#")
        await next_one.ended(10)
        assert call.signalling.ended is None
        await call.hang_up()
        found = await record(own, sip_id(call), ending="served", hung_up_by="caller")
        whole(found)
        assert [turn["speaker"] for turn in found["turns"]].count("caller") == 3
        assert found["lead"]["fields"]["company"] == "Acme Software"
    await nothing_left(own)


@pytest.mark.long
@pytest.mark.speech
async def test_who_hangs_up_while_redis_is_frozen_leaves_all_they_said(own: Stack) -> None:
    async with Phone(own.sip, caller="+15105550177") as phone:
        call = await greeted(phone)
        async with frozen(process(own, "redis-server")):
            await converse(phone, call, ["We need a new phone system."])
            await call.spoken(25, 0.8)
            await call.hang_up()
            await asyncio.sleep(2.0)  # the outage outlasts the call
        found = await record(own, sip_id(call), ending="served")
        whole(found)
        assert "phone system" in found["lead"]["fields"]["need"]
    await nothing_left(own)


@asynccontextmanager
async def _stands_still(stack: Stack) -> AsyncIterator[None]:
    async with frozen(process(stack, "redis-server")):
        yield


@asynccontextmanager
async def _takes_no_writes(stack: Stack) -> AsyncIterator[None]:
    """As one that has become a replica in a fail-over."""
    redis = open_client(stack.run.redis_url)
    await redis.replicaof("127.0.0.1", "1")
    try:
        yield
    finally:
        await redis.replicaof("NO", "ONE")
        await redis.aclose()


@pytest.mark.long
@pytest.mark.parametrize("away", [_stands_still, _takes_no_writes])
async def test_new_callers_are_refused_at_once_while_redis_is_away_and_served_when_it_is_back(
    own: Stack, away: Callable[[Stack], AbstractAsyncContextManager[None]]
) -> None:
    async with Phone(own.sip, caller="+15105550177") as phone:
        async with away(own):
            await asyncio.sleep(1.5)  # the edge's next beat is due by then
            took = []
            for _ in range(3):
                refused = await phone.dial("echo")
                answers = responses(refused)
                await refused.ended(REFUSED_WITHIN + BUSY)
                told = refused.signalling
                assert told.status == 503
                assert int(answers[-1].headers.get("Retry-After") or 0) > 0
                took.append((told.ended or 0.0) - told.invited)
            print("refused with a Retry-After after", [f"{one:.2f} s" for one in took])
            assert max(took) < REFUSED_WITHIN + BUSY
        returned_at = time.monotonic()
        served = await served_again(phone)
        print(f"answered {served - returned_at:.2f} s after the return of Redis")
        assert served - returned_at < SERVED_WITHIN + BUSY
    await nothing_left(own)


# Control


@pytest.mark.long
async def test_new_callers_are_refused_where_no_control_is_left_and_served_once_one_is_back(own: Stack) -> None:
    async with Phone(own.sip, caller="+15105550177") as phone:
        await served_again(phone)
        async with frozen(process(own, "gateway control")):
            await readies(own.run.http["edge"], "no control is there", LOST + SURE + 2 * BUSY)
            refused = await phone.dial("echo")
            answers = responses(refused)
            await refused.ended(REFUSED_WITHIN + BUSY)
            assert refused.signalling.status == 503
            assert int(answers[-1].headers.get("Retry-After") or 0) > 0
        returned_at = time.monotonic()
        served = await served_again(phone)
        print(f"answered {served - returned_at:.2f} s after the return of control")
        await readies(own.run.http["edge"])
    await nothing_left(own)


# livekit-server and the edge


@pytest.mark.long
@pytest.mark.parametrize(("name", "words"), [("livekit-server", "livekit-server"), ("edge", "gateway edge")])
async def test_a_call_whose_server_dies_ends_with_a_record_and_the_next_is_served(
    own: Stack, name: str, words: str
) -> None:
    async with Phone(own.sip, caller="+15105550177") as phone:
        call = await greeted(phone)
        await call.wait(1.0)
        before = returned(own, name)
        died = time.monotonic()
        process(own, words).kill()
        await back(own, name, before)
        came = time.monotonic()
        served = await served_again(phone)
        print(f"{name}: back after {came - died:.2f} s, a caller answered {served - came:.2f} s later")
        if name == "livekit-server" and call.signalling.ended is None:
            # The edge has come back to the room with the caller: another job talks on.
            await call.talking(0.5, 20.0)
            assert "the connection to LiveKit was lost" in own.log("worker-agents"), "its job has given the call back"
            print(f"the caller hears an agent again {time.monotonic() - died:.1f} s after the kill")
            await call.hang_up()
        found = await record(own, sip_id(call))
        if len(found["attempts"]) > 1:
            left = [note["about"] for note in found["notes"] if note["kind"] == "left"]
            assert left == [{"epoch": 1, "why": ASTRAY}]
            assert ASTRAY in own.offhook("calls", "show", found["id"])
        print({key: found[key] for key in ("ending", "hung_up_by", "hung_up_reason", "sip_status", "sip_text")})
        assert found["ending"] in ("served", "abandoned")
        assert found["hung_up_by"] or found["hung_up_reason"]
    await nothing_left(own)


@pytest.mark.long
@pytest.mark.parametrize(("name", "words"), [("livekit-server", "livekit-server"), ("edge", "gateway edge")])
async def test_who_hangs_up_while_a_server_is_away_leaves_no_orphan(
    own: Stack, usual: Counter[str], name: str, words: str
) -> None:
    """No room, job, lease or count; by LiveKit's list, the workers' processes and Redis."""
    async with Phone(own.sip, caller="+15105550177") as phone:
        call = await greeted(phone)
        assert await census(own, livekit(own)) - usual, "the call's room, job and lease"
        before = returned(own, name)
        process(own, words).kill()
        await call.hang_up()
        await back(own, name, before)
        came = time.monotonic()
        # Which worker took the call is known for half a minute, whatever becomes of the call.
        assert await left_over(own, livekit(own), usual + Counter(["offhook:promised:…"])) == []
        print(f"{name}: nothing is left {time.monotonic() - came:.1f} s after its return")
        found = await record(own, sip_id(call))
        print({key: found[key] for key in ("ending", "hung_up_by", "hung_up_reason")})
        assert found["hung_up_by"] or found["hung_up_reason"]


async def served_again(phone: Phone, within: float = 15.0) -> float:
    """When the first of callers who dial again and again is answered."""
    ends = time.monotonic() + within
    while time.monotonic() < ends:
        call = await phone.dial("echo")
        with suppress(Exception):  # refused: the next one dials
            await call.answered(5.0)
            at = time.monotonic()
            await call.tone([659.0], 5.0)
            await call.press("#")
            await call.ended(10)
            return at
    raise TimeoutError("nobody was served")


async def nothing_left(stack: Stack, within: float = 15.0) -> None:
    """No room, and no job in one, is left."""
    port = livekit(stack)

    def jobs() -> int:
        count = 0
        for name in ("worker --pool house", "worker --pool agents"):
            with suppress(LookupError, psutil.Error):
                for child in process(stack, name).children(recursive=True):
                    with suppress(psutil.Error):
                        count += any(one.raddr and one.raddr.port == port for one in child.net_connections("tcp"))
        return count

    await until(lambda: jobs() == 0, within)
