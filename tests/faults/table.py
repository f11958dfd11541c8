"""Every fault × every engine × every moment of an answer, through a chain of two: the faulty provider, then a good one.

The plugins are the real ones; both links lead to the same exact provider. Many cases run at once, as they mostly wait;
each has a fault server, a chain and a health store of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp
import numpy as np
from aiohttp.test_utils import TestServer
from livekit import rtc
from livekit.agents import APIError, function_tool, stt
from livekit.agents.llm import ChatContext, Tool

from agents.engines import chains as engines
from agents.engines.ears import Ears
from agents.engines.guide import Guide
from agents.engines.hearing import ChainSTT
from agents.engines.speaking import ChainTTS
from agents.engines.thinking import ChainLLM
from agents.registry import definition
from agents.words.facts import save_schema
from gateway.config import Settings, from_environment
from gateway.health.board import Board
from gateway.health.circuit import Circuit
from gateway.health.store import MemoryHealth
from gateway.rtp import RATE, Samples
from gateway.terms.engine import Engine
from tests.faults.faults import Does, Fault, Kind, Phase
from tests.faults.hearing import Push, in_session
from tests.faults.provider import FRAME, WORDS, Provider, Utterance
from tests.faults.server import FaultServer

HEDGE = 0.5
NOW = 1000.0
AT_ONCE = 8
"""Cases that run at once: more of them, on a busy machine, keep each other from connecting in time."""
SENTENCE = "Thank you, and what is the best number to reach you on tomorrow morning?"


@dataclass(frozen=True)
class Case:
    """One cell of the table."""

    engine: Engine
    fault: Fault

    def __str__(self) -> str:
        more = f" {self.fault.status}" if self.fault.does is Does.STATUS else ""
        return f"{self.engine.value}: {self.fault.does.value}{more} at {self.fault.phase.value}"


@dataclass
class Outcome:
    """What came of it."""

    said: str = ""
    """The words that were heard or thought."""
    seconds: float = 0.0
    """How long was spoken."""
    first: float = 0.0
    """Seconds until something came."""
    error: str = ""
    switches: list[tuple[Engine, str, str, str]] = field(default_factory=list)
    circuit: Circuit = field(default_factory=Circuit)
    """Of the faulty one, afterwards."""
    struck: int = 0


def cases() -> Sequence[Case]:
    """The table. What can't be: a status once the head has passed, except to end a connection; a delay that isn't one."""
    found = []
    for engine in Engine:
        for does in (Does.STALL, Does.HALF_OPEN, Does.TRUNCATE, Does.GARBAGE, Does.DRIP):
            found += [Case(engine, Fault(does, phase, after=_after(engine))) for phase in Phase]
        found += [Case(engine, Fault(Does.DELAY, phase, seconds=0.2, after=_after(engine))) for phase in Phase]
        found += [
            Case(engine, Fault(Does.STATUS, status=status, retry_after="7" if status == 429 else ""))
            for status in (401, 429, 500, 404)
        ]
    found += [Case(Engine.STT, Fault(Does.STATUS, phase, status=500)) for phase in (Phase.FIRST, Phase.MIDDLE)]
    return found


def _after(engine: Engine) -> int:
    """Bytes that are some words, or half a second of speech."""
    return {Engine.STT: 1, Engine.LLM: 900, Engine.TTS: 24000}[engine]


def settings(url: str, faulty: str) -> Settings:
    """A chain of two for each engine."""
    chain = f"cloud={faulty}, local"
    return from_environment(
        {
            "OFFHOOK_SPEECH_URL": url,
            "OFFHOOK_STT_CHAIN": chain,
            "OFFHOOK_LLM_CHAIN": chain,
            "OFFHOOK_TTS_CHAIN": chain,
            "OFFHOOK_HEDGE_SECONDS": str(HEDGE),
        }
    )


async def run(chosen: Sequence[Case]) -> Mapping[Case, Outcome]:
    """Run the cases."""
    utterance = await Utterance.spoken()
    async with (
        TestServer(Provider(utterance).app()) as provider,
        contextlib.AsyncExitStack() as open_,
        aiohttp.ClientSession() as session,
    ):
        url = str(provider.make_url("")).rstrip("/")
        ready = []
        for case in chosen:
            faulty = await open_.enter_async_context(FaultServer(url))
            faulty.set(Kind(case.engine.value), case.fault)
            # Made before anybody is asked: a client's certificates take the loop a tenth of a second.
            ready.append(_Ready(case, faulty, _doing(case.engine, settings(url, faulty.url), session, utterance.sound)))
        # Who is only late is judged by its lateness: the others' noise mustn't add to it.
        found: dict[Case, Outcome] = {}
        places = asyncio.Semaphore(AT_ONCE)
        for late in (False, True):
            now = [one for one in ready if (one.case.fault.does is Does.DELAY) is late]
            told = await asyncio.gather(*(one.outcome(places) for one in now))
            found |= {one.case: outcome for one, outcome in zip(now, told, strict=True)}
    return found


Doing = Callable[[Outcome], Coroutine[None, None, None]]


@dataclass
class _Ready:
    case: Case
    faulty: FaultServer
    doing: tuple[Guide, Doing]

    async def outcome(self, places: asyncio.Semaphore) -> Outcome:
        async with places:
            return await self._outcome()

    async def _outcome(self) -> Outcome:
        outcome, health = Outcome(), MemoryHealth()
        board = Board(health, "call", lambda: NOW)
        guide, doing = self.doing
        guide.follow(board, lambda *told: outcome.switches.append(told))
        try:
            async with asyncio.timeout(25):
                await doing(outcome)
        except (APIError, TimeoutError) as bad:
            outcome.error = repr(bad)
        await board.close()
        name = f"{self.case.engine.value} cloud"
        outcome.circuit = (await health.look([name]))[name]
        outcome.struck = sum(self.faulty.struck.values())
        return outcome


def _doing(engine: Engine, set_up: Settings, session: aiohttp.ClientSession, sound: Samples) -> tuple[Guide, Doing]:
    guide = Guide()
    match engine:
        case Engine.LLM:
            model = engines.thinking(set_up, guide)
            return guide, lambda outcome: think(model, outcome)
        case Engine.TTS:
            voice = engines.speaking(set_up, guide)
            return guide, lambda outcome: speak(voice, outcome)
        case Engine.STT:
            chain = engines.hearing(set_up, "en", session, guide=guide, ears=Ears())
            return guide, lambda outcome: hear(chain, sound, outcome)


async def think(model: ChainLLM, outcome: Outcome) -> None:
    """Ask the model for a sentence."""
    context = ChatContext.empty()
    context.add_message(role="system", content="You sell.\nAsk: name, email")
    context.add_message(role="user", content="hello")
    tools: list[Tool] = [function_tool(_save, raw_schema=save_schema(definition("sales")))]
    started = time.monotonic()
    try:
        async with model.chat(chat_ctx=context, tools=[*tools]) as stream:
            async for chunk in stream:
                if chunk.has_response():
                    outcome.first = outcome.first or time.monotonic() - started
                outcome.said += (chunk.delta.content or "") if chunk.delta else ""
        if model.watching:  # whether who was overtaken answers at all
            await asyncio.wait(model.watching, timeout=10)
    finally:
        await model.aclose()


async def speak(voice: ChainTTS, outcome: Outcome) -> None:
    """Say a sentence."""
    started = time.monotonic()
    try:
        async with voice.synthesize(SENTENCE) as stream:
            async for audio in stream:
                outcome.first = outcome.first or time.monotonic() - started
                outcome.seconds += audio.frame.duration
    finally:
        await voice.aclose()


async def hear(chain: ChainSTT, sound: Samples, outcome: Outcome) -> None:
    """Hear a sentence, at the pace of speech."""
    async with chain.stream() as stream, in_session(chain, stream) as push:
        talking = asyncio.create_task(_talk(stream, push, sound))
        try:
            async for event in stream:
                if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT:
                    outcome.said = f"{outcome.said} {event.alternatives[0].text}".strip()
                    if WORDS[-1] in outcome.said:
                        return
        finally:
            talking.cancel()
            await asyncio.wait({talking})


async def _talk(stream: stt.RecognizeStream, push: Push, sound: Samples) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    for number in range(12 * 50):
        frame = sound[number * FRAME : (number + 1) * FRAME]
        frame = np.pad(frame, (0, FRAME - len(frame)))
        push(rtc.AudioFrame(frame.tobytes(), RATE, 1, FRAME))
        await asyncio.sleep(max(0.0, started + (number + 1) / 50 - loop.time()))
    stream.end_input()


async def _save(raw_arguments: dict[str, object]) -> str:
    return "saved"
