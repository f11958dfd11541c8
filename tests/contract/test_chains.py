"""Chains of engines by the real plugins: what the table of faults (test_provider_faults.py) doesn't hold. Hearing has a
file of its own (test_hearing.py)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit.agents import APIError
from livekit.agents.llm import ChatContext

from agents.engines import chains as engines
from agents.engines import thinking
from agents.engines.speaking import FIRST_WITHIN, ChainTTS
from agents.engines.thinking import LOCAL_LATER, ChainLLM
from gateway.config import from_environment
from gateway.health.circuit import FIRST, PROBE_WITHIN, Circuit, Reason, State
from gateway.terms.engine import Engine
from tests.faults.faults import Does, Fault, Kind, Phase
from tests.faults.lab import Lab, two_providers
from tests.faults.provider import ANSWER
from tests.faults.table import HEDGE

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with two_providers() as lab:
        yield lab


async def answer(model: ChainLLM) -> str:
    context = ChatContext.empty()
    context.add_message(role="user", content="hello")
    said = ""
    async with model.chat(chat_ctx=context) as stream:
        async for chunk in stream:
            said += (chunk.delta.content or "") if chunk.delta else ""
    return said


# Thinking.


async def test_an_outage_is_found_out_by_one_call_and_its_end_by_one(lab: Lab) -> None:
    lab.cloud.set(Kind.LLM, Fault(Does.STATUS, status=500))
    async with engines.thinking(lab.settings, lab.guide("one")) as first:
        assert await answer(first) == "".join(ANSWER)
    await lab.settle()
    for call in ("two", "three"):
        async with engines.thinking(lab.settings, lab.guide(call)) as other:
            assert await answer(other) == "".join(ANSWER)
    assert lab.cloud.seen[Kind.LLM] == 1, "nobody else has met it"
    lab.cloud.clear()
    lab.now += FIRST
    models = [engines.thinking(lab.settings, lab.guide(call)) for call in ("four", "five", "six")]
    assert [await answer(model) for model in models] == ["".join(ANSWER)] * 3
    assert lab.told[-1] == (Engine.LLM, "cloud", "local", "fault") or lab.cloud.seen[Kind.LLM] >= 2
    await lab.settle()
    lab.now += 1.0
    assert await answer(models[2]) == "".join(ANSWER)
    assert lab.cloud.seen[Kind.LLM] >= 3, "it serves again"
    for model in models:
        await model.aclose()


async def say(voice: ChainTTS) -> None:
    async with voice.synthesize("Hello.") as stream:
        assert [event.frame.duration async for event in stream]


async def out(lab: Lab, kind: Kind, fails: Callable[[], Awaitable[object]]) -> None:
    """A call has met the outage, and it is time to see whether it is over."""
    lab.cloud.set(kind, Fault(Does.STATUS, status=500))
    await fails()
    await lab.settle()
    lab.now += FIRST


async def test_who_sees_whether_a_model_is_back_waits_no_longer_than_others(lab: Lab) -> None:
    async with engines.thinking(lab.settings, lab.guide("one")) as model, asyncio.timeout(60):
        await out(lab, Kind.LLM, lambda: answer(model))
        lab.cloud.set(Kind.LLM, Fault(Does.STALL))
        async with engines.thinking(lab.settings, lab.guide("two")) as prober, asyncio.timeout(HEDGE + LOCAL_LATER):
            assert await answer(prober) == "".join(ANSWER)
            assert lab.cloud.seen[Kind.LLM] == 2, "it was tried"
        assert lab.told[-1] == (Engine.LLM, "cloud", "local", "fault")


async def test_a_model_that_is_back_is_first_again_whoever_is_faster_then(lab: Lab) -> None:
    async with engines.thinking(lab.settings, lab.guide("one")) as model, asyncio.timeout(60):
        await out(lab, Kind.LLM, lambda: answer(model))
        lab.cloud.set(Kind.LLM, Fault(Does.DELAY, seconds=0.5))
        async with engines.thinking(lab.settings, lab.guide("two")) as prober:
            await answer(prober)
            await asyncio.wait(prober.watching, timeout=10)
            assert prober.guide.trusted(prober.links[0])


async def test_who_sees_whether_a_voice_is_back_is_spoken_to_by_another(lab: Lab) -> None:
    async with engines.speaking(lab.settings, lab.guide("one")) as voice, asyncio.timeout(60):
        await out(lab, Kind.TTS, lambda: say(voice))
        lab.cloud.set(Kind.TTS, Fault(Does.STALL))
        async with engines.speaking(lab.settings, lab.guide("two")) as prober:
            async with asyncio.timeout(FIRST_WITHIN):
                await say(prober)
            await lab.cloud.until(lambda cloud: cloud.struck[Kind.TTS] == 2)
        lab.now += PROBE_WITHIN
        lab.cloud.clear()
        async with engines.speaking(lab.settings, lab.guide("three")) as back:
            await say(back)
            async with asyncio.timeout(10):
                while not back.guide.trusted(back.links[0]):
                    await asyncio.sleep(0.01)
            await say(back)
        assert lab.told[-1] == (Engine.TTS, "local", "cloud", "back")


async def test_who_is_overtaken_is_let_go_and_stays_in_use(lab: Lab) -> None:
    lab.cloud.set(Kind.LLM, Fault(Does.DELAY, Phase.FIRST, seconds=2.0))
    async with engines.thinking(lab.settings, lab.guide()) as model:
        assert await answer(model) == "".join(ANSWER)
        assert lab.told == [(Engine.LLM, "cloud", "local", "late")]
        await asyncio.wait(model.watching, timeout=10)
        await lab.cloud.until(lambda cloud: cloud.live(Kind.LLM) == 0)
        lab.cloud.clear()
        assert await answer(model) == "".join(ANSWER)
    assert lab.told[-1] == (Engine.LLM, "local", "cloud", "back")


async def test_who_has_kept_a_caller_waiting_does_so_once_until_it_is_known_whether_it_answers(lab: Lab) -> None:
    lab.cloud.set(Kind.LLM, Fault(Does.STALL))
    async with engines.thinking(lab.settings, lab.guide()) as model:
        assert await answer(model) == "".join(ANSWER)
        assert model.guide.trusted(model.links[0]), "it has some seconds to answer yet"
        async with asyncio.timeout(HEDGE + LOCAL_LATER):
            assert await answer(model) == "".join(ANSWER)
        await asyncio.wait(model.watching, timeout=10)
        assert not model.doubted
        assert not model.guide.trusted(model.links[0])


async def test_a_model_that_was_out_once_is_asked_nevertheless_when_the_first_is_silent(lab: Lab) -> None:
    """Nobody has asked it since, as the first served all the time: its circuit never closes by itself."""
    lab.cloud.set(Kind.LLM, Fault(Does.STALL))
    lab.health._circuits["llm local"] = Circuit(State.OPEN, Reason.FAULT, lab.now, trips=1)
    async with engines.thinking(lab.settings, lab.guide()) as model:
        async with asyncio.timeout(HEDGE + LOCAL_LATER + 1.0):
            assert await answer(model) == "".join(ANSWER)
        assert model.guide.trusted(model.links[1])


async def test_the_only_provider_is_tried_twice_and_then_the_agent_is_told(lab: Lab) -> None:
    lab.local.set(Kind.LLM, Fault(Does.STATUS, status=500, times=1))
    alone = from_environment({"OFFHOOK_SPEECH_URL": lab.local.url})
    async with engines.thinking(alone, lab.guide()) as model:
        assert await answer(model) == "".join(ANSWER)
        lab.local.set(Kind.LLM, Fault(Does.STATUS, status=500))
        with pytest.raises(APIError):
            await answer(model)
    assert lab.local.seen[Kind.LLM] == 4
    assert lab.told == [(Engine.LLM, "local", "", "fault")]
    async with engines.speaking(alone, lab.guide()) as voice:
        lab.local.set(Kind.TTS, Fault(Does.STATUS, status=401))
        with pytest.raises(APIError):
            async with voice.synthesize("Hello.") as stream:
                async for _ in stream:
                    pass
    assert lab.told[-1] == (Engine.TTS, "local", "", "auth")


# A process that stands still.


def _circuit(lab: Lab, engine: Engine) -> State:
    return lab.health._circuits.get(f"{engine} cloud", Circuit()).state


def _stand_still(monkeypatch: pytest.MonkeyPatch, fault: Fault, lab: Lab, kind: Kind) -> None:
    """Have the process stand still while the provider has begun to answer, for longer than it may take."""
    monkeypatch.setattr(thinking, "FIRST_WITHIN", 1.5)
    monkeypatch.setattr(thinking, "NEXT_WITHIN", 1.5)
    lab.cloud.set(kind, fault)
    asyncio.get_running_loop().call_later(0.3, time.sleep, 3.0)  # the fault itself


@pytest.mark.parametrize("phase", [Phase.CONNECT, Phase.MIDDLE])
async def test_a_model_is_not_blamed_for_the_time_in_which_the_process_stood_still(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, phase: Phase
) -> None:
    async with engines.thinking(lab.settings, lab.guide()) as model:
        _stand_still(monkeypatch, Fault(Does.DELAY, phase, seconds=1.0), lab, Kind.LLM)
        assert await answer(model) == "".join(ANSWER)
        if model.watching:
            await asyncio.wait(model.watching, timeout=10)
        await lab.settle()
    assert _circuit(lab, Engine.LLM) is State.CLOSED


@pytest.mark.parametrize("phase", [Phase.CONNECT, Phase.MIDDLE])
async def test_a_voice_is_not_blamed_for_the_time_in_which_the_process_stood_still(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, phase: Phase
) -> None:
    async with engines.speaking(lab.settings, lab.guide()) as voice:
        _stand_still(monkeypatch, Fault(Does.DELAY, phase, seconds=1.0), lab, Kind.TTS)
        await say(voice)
        await lab.settle()
    assert lab.cloud.struck[Kind.TTS] == 1
    assert _circuit(lab, Engine.TTS) is State.CLOSED


async def _calls_a_tool_and_hangs(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "book", "arguments": '{"at": "noon"}'}}
    other = {"index": 1, "id": "c2", "type": "function", "function": {"name": "tell", "arguments": ""}}
    base = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    for tool in (call, other):
        choice = {"index": 0, "delta": {"tool_calls": [tool]}, "finish_reason": None}
        await response.write(f"data: {json.dumps({**base, 'choices': [choice]})}\n\n".encode())
    await asyncio.Event().wait()
    return response


async def test_after_a_tool_was_called_no_other_is_asked(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thinking, "NEXT_WITHIN", 0.3)
    app = web.Application()
    app.add_routes([web.post("/v1/chat/completions", _calls_a_tool_and_hangs)])
    context = ChatContext.empty()
    context.add_message(role="user", content="book a table")
    async with TestServer(app) as upstream:
        lab.cloud.upstream = str(upstream.make_url("")).rstrip("/")
        async with engines.thinking(lab.settings, lab.guide()) as model, model.chat(chat_ctx=context) as stream:
            called = [call.name async for chunk in stream if chunk.delta for call in chunk.delta.tool_calls]
    assert called == ["book"], "once"
    assert lab.local.seen[Kind.LLM] == 0, "the tool's work may be done: nobody else may ask for it"
    assert not lab.told, "and its answer is asked of whose turn it is"
