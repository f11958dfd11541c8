"""Calls in which a provider fails: before the agents' engines stands one that does wrong when it is told to."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import numpy as np
import pytest

from agents.words.lines import Say, line_of
from gateway.health.circuit import Circuit, State
from gateway.health.redis_store import RedisHealth
from gateway.phone import ears
from gateway.phone.call import Call
from gateway.phone.phone import Phone
from gateway.phone.tape import Track
from gateway.redis_client import open_client
from gateway.rtp import FRAME, FRAME_SECONDS
from tests.e2e.gateway import Stack, running_gateway
from tests.e2e.records import record, sip_id
from tests.e2e.servers import free_port
from tests.faults.faults import Does, Fault, Kind, Phase
from tests.faults.server import FaultServer

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.speech, pytest.mark.timeout(240)]

SALES = "+15105550100"
SILENT = 1.5
"""Seconds that a caller may hear nothing."""
BUSY = 1.0
"""What a busy machine may take in addition."""
LOUD = 300
"""Peak of a frame that a caller hears as sound."""


@pytest.fixture(scope="module")
def port() -> int:
    """Where the provider is."""
    return free_port()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Stack]:
    """A gateway whose agents hear, think and speak by the provider, and by the local speech server when it fails."""
    chain = f"cloud=http://127.0.0.1:{port}, local"
    chains = dict.fromkeys(("OFFHOOK_STT_CHAIN", "OFFHOOK_LLM_CHAIN", "OFFHOOK_TTS_CHAIN"), chain)
    with running_gateway(tmp_path_factory.mktemp("providers"), OFFHOOK_LOG_LEVEL="debug", **chains) as found:
        yield found


@pytest.fixture(scope="module")
def phone_target(stack: Stack) -> str:
    return stack.sip


@pytest.fixture
async def provider(stack: Stack, port: int) -> AsyncIterator[FaultServer]:
    """One of whom nothing bad is known: another test's faults keep calls away from it for up to a minute."""
    redis = open_client(stack.run.redis_url)
    for key in [key async for key in redis.scan_iter("offhook:health:*")]:
        await redis.delete(key)
    await redis.aclose()
    async with FaultServer(stack.run.speech_url, port=port) as server:
        yield server


@asynccontextmanager
async def greeted(phone: Phone, provider: FaultServer) -> AsyncIterator[Call]:
    """A call whose agent has greeted, and hears by the provider."""
    call = await phone.dial(SALES)
    await call.answered(15)
    await provider.until(lambda server: server.live(Kind.STT) > 0, 15)
    await call.spoken(25, 1.0)
    yield call
    await call.hang_up()


def switches(found: dict[str, object]) -> list[tuple[str, str, str]]:
    """Who served instead of whom, as `offhook calls show --json` tells it."""
    notes = found["notes"]
    assert isinstance(notes, list)
    told = [note["about"] for note in notes if note["kind"] == "engine"]
    return [(one["engine"], one["before"], one["now"]) for one in told]


async def test_a_model_that_says_nothing_is_overtaken_and_the_caller_told_to_hold_on(
    phone: Phone, stack: Stack, provider: FaultServer
) -> None:
    async with greeted(phone, provider) as call:
        provider.set(Kind.LLM, Fault(Does.STALL, Phase.FIRST))
        await phone.say(call, "We need a new phone system.")
        moment = await phone.rendering(line_of(Say.HOLD_ON, "en-US"))
        assert await call.line(moment, 10, what="to hold on") > 0.5
        answer = await phone.rendering("What is your name?")
        assert await call.line(answer, 20, what="the answer") > 0.5
    found = await record(stack, sip_id(call))
    assert ("llm", "cloud", "local") in switches(found)
    held = [note["about"] for note in found["notes"] if note["kind"] == "held"]
    assert held[0]["text"] == line_of(Say.HOLD_ON, "en-US")
    assert held[0]["after"] < 1.5
    assert "said meanwhile: One moment, please." in stack.offhook("calls", "show", found["id"])
    assert "thinking: cloud" in stack.offhook("status")


@pytest.mark.parametrize(
    ("engine", "fault"),
    [
        (Kind.LLM, Fault(Does.HALF_OPEN)),
        (Kind.LLM, Fault(Does.STALL, Phase.FIRST)),
        (Kind.TTS, Fault(Does.STALL)),
        (Kind.TTS, Fault(Does.STALL, Phase.FIRST)),
        (Kind.STT, Fault(Does.STALL, Phase.MIDDLE, after=0)),
        (Kind.STT, Fault(Does.HALF_OPEN, Phase.MIDDLE, after=0)),
    ],
    ids=str,
)
async def test_no_caller_sits_in_silence(phone: Phone, provider: FaultServer, engine: Kind, fault: Fault) -> None:
    """By the tape: from the caller's last sound to the first that they hear."""
    async with greeted(phone, provider) as call:
        provider.set(engine, fault)
        await phone.say(call, "We need a new phone system.")
        ended = call.tape.now
        await call.talking(0.2, 15)
        before, after = (
            loud(call, call.tape.sent, ended - 4.0, ended),
            loud(call, call.tape.heard, ended, call.tape.now),
        )
        waited = after[0] - before[-1]
        print(f"{engine.value} {fault.does.value} {fault.phase.value}: {waited:.2f} s of silence")
        assert waited < SILENT + BUSY
        await call.spoken(25, 1.0)


async def tripped(stack: Stack, times: int, *, over: bool, within: float = 25.0) -> Circuit:
    """What every call knows of the model once it was found out so often; `over`: once somebody may see whether it is back."""
    redis, name = open_client(stack.run.redis_url), "llm cloud"
    try:
        async with asyncio.timeout(within):
            while True:
                circuit = (await RedisHealth(redis).look([name]))[name]
                is_open = circuit.state is State.OPEN and circuit.trips >= times
                if is_open and (not over or time.time() > circuit.until):
                    return circuit
                await asyncio.sleep(0.05)
    finally:
        await redis.aclose()


async def told_the_need(phone: Phone, call: Call) -> float:
    """The caller says what they need; seconds from their last sound until they are asked something more. What is said to
    them meanwhile counts for nothing."""
    return await answered(phone, call, "We need a new phone system.", "What is your name?")


async def answered(phone: Phone, call: Call, words: str, answer: str, within: float = 20.0) -> float:
    """The caller says so; seconds from their last sound until the answer begins. Raises Unmet where it isn't heard."""
    await phone.say(call, words)
    ended = loud(call, call.tape.sent, call.tape.now - 4.0, call.tape.now)[-1]
    sound = await phone.rendering(answer)
    assert await call.line(sound, within, what="the answer") > 0.5
    return ears.find_like(call.tape.between(call.tape.heard, ended, call.tape.now), sound).start


async def test_an_outage_is_met_by_one_caller_and_known_to_the_others(
    phone: Phone, stack: Stack, provider: FaultServer
) -> None:
    """Each has a job, and so a process, of their own."""
    async with greeted(phone, provider) as call:
        usual = await told_the_need(phone, call)
    async with AsyncExitStack() as lines:
        first = await lines.enter_async_context(greeted(phone, provider))
        before = provider.seen[Kind.LLM]
        provider.set(Kind.LLM, Fault(Does.STALL))
        met = await told_the_need(phone, first)
        assert provider.seen[Kind.LLM] > before, "this caller has met it"
        # At first the circuit is open for fewer seconds than a sentence takes. Whether the model is back is seen by one, in
        # vain, and again: then it is open for twelve.
        await tripped(stack, 1, over=True)
        await phone.say(first, "My name is John Smith.")
        await tripped(stack, 2, over=False)
        greeting = [lines.enter_async_context(greeted(phone, provider)) for _ in range(2)]
        *others, _ = await asyncio.gather(*greeting, tripped(stack, 2, over=True))
        await phone.say(first, "I work for Acme Software.")
        circuit = await tripped(stack, 3, over=False)
        asked = provider.seen[Kind.LLM]
        calls = [call for call in others if isinstance(call, Call)]
        later = await asyncio.gather(*(told_the_need(phone, call) for call in calls))
        print(f"usual {usual:.2f} s, met {met:.2f} s, then {', '.join(f'{one:.2f}' for one in later)} s")
        assert time.time() < circuit.until, "the others have spoken while it was open"
        assert provider.seen[Kind.LLM] == asked, "none of them has asked who doesn't answer"
    for call in calls:
        notes = [note["about"] for note in (await record(stack, sip_id(call)))["notes"] if note["kind"] == "engine"]
        assert [(one["before"], one["now"], one["why"]) for one in notes] == [("cloud", "local", "timeout")], (
            "they knew"
        )


def loud(call: Call, track: Track, start: float, end: float) -> Sequence[float]:
    """When the frames end, or begin where they are heard, that a caller would call sound: comfort noise is none."""
    heard = call.tape.between(track, start, end)
    frames = np.abs(heard[: len(heard) // FRAME * FRAME].reshape(-1, FRAME).astype(int)).max(axis=1)
    return [start + float(number) * FRAME_SECONDS for number in np.flatnonzero(frames > LOUD)]


@pytest.mark.parametrize(("status", "why"), [(429, "rate"), (401, "auth"), (500, "fault")])
async def test_why_a_provider_refuses_is_on_the_record_and_in_the_metrics(
    phone: Phone, stack: Stack, provider: FaultServer, status: int, why: str
) -> None:
    before = await switched(stack, why)
    async with greeted(phone, provider) as call:
        provider.set(Kind.LLM, Fault(Does.STATUS, status=status, retry_after="7" if status == 429 else ""))
        await phone.say(call, "We need a new phone system.")
        answer = await phone.rendering("What is your name?")
        assert await call.line(answer, 20, what="the answer") > 0.5
    found = await record(stack, sip_id(call))
    told = [note["about"] for note in found["notes"] if note["kind"] == "engine"]
    assert [(one["engine"], one["before"], one["now"], one["why"]) for one in told] == [("llm", "cloud", "local", why)]
    assert await switched(stack, why) == before + 1


async def switched(stack: Stack, why: str) -> float:
    """How often a model was switched for that reason, by control's metrics."""
    async with aiohttp.ClientSession() as session, session.get(f"{stack.run.http['control']}/metrics") as answer:
        text = await answer.text()
    told = re.findall(r'^offhook_engine_switches_total{engine="llm",.*reason="(\w+)"} (\S+)$', text, re.MULTILINE)
    return sum(float(count) for reason, count in told if reason == why)


async def test_what_is_said_to_a_recognizer_that_has_fallen_silent_is_not_lost(
    phone: Phone, stack: Stack, provider: FaultServer
) -> None:
    async with greeted(phone, provider) as call:
        provider.set(Kind.STT, Fault(Does.STALL, Phase.MIDDLE, after=0))
        await phone.say(call, "We need a new phone system.")
        answer = await phone.rendering("What is your name?")
        assert await call.line(answer, 25, what="the answer") > 0.5
    found = await record(stack, sip_id(call))
    said = [turn["text"] for turn in found["turns"] if turn["speaker"] == "caller"]
    assert "phone system" in said[0]
    assert ("stt", "cloud", "local") in switches(found)


async def test_a_recognizer_that_dies_in_the_middle_of_words_loses_none(
    phone: Phone, stack: Stack, provider: FaultServer
) -> None:
    async with greeted(phone, provider) as call:

        async def cut() -> None:
            await asyncio.sleep(0.9)
            assert provider.cut(Kind.STT)
            provider.set(Kind.STT, Fault(Does.STATUS, status=500))

        cutting = asyncio.create_task(cut())
        await phone.say(call, "We need a new phone system.")
        await cutting
        answer = await phone.rendering("What is your name?")
        assert await call.line(answer, 25, what="the answer") > 0.5
    found = await record(stack, sip_id(call))
    said = [turn["text"] for turn in found["turns"] if turn["speaker"] == "caller"]
    assert "need" in said[0]
    assert "phone system" in said[0]
