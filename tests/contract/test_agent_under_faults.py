"""A talking agent whose model falls silent: the real runner and session on the real plugins, without a telephone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import aiohttp
import numpy as np
import pytest
from aiohttp.test_utils import TestServer

from agents.engines import chains as engines
from agents.engines import thinking
from agents.registry import definition
from agents.runner import TalkingRunner
from agents.words.lines import Say, line_of
from gateway.calls.shared.spoken import MemorySpoken
from gateway.calls.store.memory import MemoryStore
from gateway.conduct.ledger import Ledger
from gateway.conduct.talk.port import Pcm, Played
from gateway.conduct.talk.stage import CallStage, Parts
from gateway.conduct.tell import Teller
from gateway.rtp import Samples
from gateway.terms.call import Brief, Call, CallId, Pool
from gateway.terms.catalogue import Line
from gateway.terms.event import Event, Kind
from gateway.terms.personal import Number
from tests.faults import provider
from tests.faults.faults import Does, Fault, Phase
from tests.faults.faults import Kind as Engine
from tests.faults.provider import ANSWER, FRAME, WORDS, Provider, Utterance
from tests.faults.server import FaultServer
from tests.faults.table import HEDGE, settings

BRIEF = Brief("sales", greeting="Hello.")
CALL = Call(CallId("SCL_1"), "call-1", "sip_1", Number("+15105550100"), None, "ST_1", "sales", "p", Pool.AGENTS,
            BRIEF, 1.0)  # fmt: skip
RATE = 24000
PROMPT = b"\x07\x00" * (RATE // 2)
"""What was rendered ahead sounds like this; what the provider speaks is another sound."""


class Voice:
    """What the caller hears, at the pace of sound."""

    rate = RATE

    def __init__(self) -> None:
        self.heard: list[tuple[float, str]] = []
        self.ends: list[float] = []
        """When each of it ends."""
        self._until = 0.0
        self._cut = asyncio.Event()

    @property
    def queued(self) -> float:
        return max(0.0, self._until - time.monotonic())

    def send(self, data: bytes) -> None:
        self.heard.append((time.monotonic(), "prompt" if data[:2] == PROMPT[:2] else "spoken"))
        self._until = max(self._until, time.monotonic()) + len(data) / 2 / RATE
        self.ends.append(self._until)
        self._cut.clear()

    async def finish(self) -> Played:
        try:
            async with asyncio.timeout(self.queued):
                await self._cut.wait()
        except TimeoutError:
            return Played(1.0, interrupted=False)
        return Played(0.5, interrupted=True)

    def clear(self) -> None:
        self._until = 0.0
        self._cut.set()

    def pause(self) -> None: ...

    def resume(self) -> None: ...


class Room:
    """A caller who says the utterance once the agent has greeted, and then waits."""

    def __init__(self, sound: Samples) -> None:
        self._sound = sound
        self.said = asyncio.Event()

    async def hear(self, rate: int, frame_ms: int) -> AsyncIterator[bytes]:
        started, number = time.monotonic(), 0
        silence = np.zeros(FRAME, np.int16).tobytes()
        whole = [silence] * 75 + [
            self._sound[first : first + FRAME].tobytes() for first in range(0, len(self._sound) - FRAME + 1, FRAME)
        ]
        while True:
            yield whole[number] if number < len(whole) else silence
            number += 1
            if number == len(whole):
                self.said.set()
            await asyncio.sleep(max(0.0, started + number * 0.02 - time.monotonic()))


class Prompts:
    async def get(self, _: str, line: Line) -> Pcm:
        return Pcm(RATE, PROMPT)

    async def want(self, *_: object) -> None: ...


class Store(MemoryStore):
    def __init__(self) -> None:
        super().__init__(time.monotonic)
        self.told: list[Event] = []
        self.more = asyncio.Event()

    async def tell(self, event: Event) -> None:
        self.told.append(event)
        self.more.set()

    async def until(self, kind: Kind, **about: object) -> Event:
        """The first event of the kind with these data."""
        async with asyncio.timeout(30):
            while True:
                for event in self.told:
                    if event.kind is kind and about.items() <= dict(event.data).items():
                        return event
                self.more.clear()
                await self.more.wait()


@dataclass
class Talk:
    """One call."""

    voice: Voice
    store: Store
    hold: float

    @property
    def words(self) -> str:
        """What was understood of the caller."""
        return " ".join(str(event.data["text"]) for event in self.store.told if event.data.get("speaker") == "caller")


@asynccontextmanager
async def talk(
    monkeypatch: pytest.MonkeyPatch, engine: Engine, fault: Fault, *, hedge: float = HEDGE
) -> AsyncIterator[Talk]:
    """A call with a faulty provider, from the moment when the caller has said all."""
    utterance = await Utterance.spoken()
    async with (
        TestServer(Provider(utterance).app()) as upstream,
        FaultServer(str(upstream.make_url("")).rstrip("/")) as cloud,
        aiohttp.ClientSession() as session,
    ):
        cloud.set(engine, fault)
        real = engines.hearing
        monkeypatch.setattr(engines, "hearing", lambda *of, **more: real(*of, session, **more))
        set_up = settings(cloud.upstream, cloud.url).model_copy(update={"hedge": hedge})
        voice, room, store = Voice(), Room(utterance.sound), Store()
        runner = TalkingRunner(definition("sales"), set_up, engines.warm(set_up))
        async with Teller(store, CALL.id) as teller:
            ledger = Ledger(store, teller, CALL, lambda: None)
            prompts, spoken = cast(Any, Prompts()), MemorySpoken(time.monotonic)
            parts = Parts(CALL, voice, cast(Any, room), teller, ledger, prompts, "voice", spoken)
            await runner.prepare(CallStage(parts, BRIEF))
            talking = asyncio.create_task(runner.converse())
            try:
                await asyncio.wait_for(room.said.wait(), 60)
                yield Talk(voice, store, set_up.hold)
            finally:
                talking.cancel()
                await asyncio.wait({talking})
                await runner.close()


@pytest.mark.timeout(120)
async def test_a_caller_is_told_to_hold_on_and_then_answered_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    # The next is asked so late that the caller must be told to hold on.
    async with talk(monkeypatch, Engine.LLM, Fault(Does.STALL, Phase.FIRST), hedge=2.5) as call:
        switched = await call.store.until(Kind.ENGINE)
        await call.store.until(Kind.TURN, speaker="agent", text="".join(ANSWER))
        held = await call.store.until(Kind.HELD)
    assert dict(switched.data) == {"engine": "llm", "before": "cloud", "now": "local", "why": "late"}
    assert held.data["text"] == line_of(Say.HOLD_ON, "en")
    assert float(str(held.data["after"])) <= call.hold
    heard = [what for _, what in call.voice.heard]
    assert "prompt" in heard, "the phrase comes first"
    assert "spoken" in heard[heard.index("prompt") :], "then the answer"
    assert call.words.split()[-1] == WORDS[-1]


@pytest.mark.timeout(120)
async def test_an_answer_that_breaks_off_in_its_middle_leaves_no_long_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = ("That is no trouble at all. ", "We can ", "send you ", "the invoice ", "again ", "on ", "Tuesday.")
    monkeypatch.setattr(provider, "ANSWER", answer)
    monkeypatch.setattr(thinking, "NEXT_WITHIN", 4.0)
    fault = Fault(Does.STALL, Phase.MIDDLE, after=900)
    async with talk(monkeypatch, Engine.LLM, fault) as call:
        await call.store.until(Kind.TURN, speaker="agent", text="".join(answer))
        await call.store.until(Kind.HELD)
        await call.store.until(Kind.ENGINE)
    said = list(zip(call.voice.heard, call.voice.ends, strict=True))
    kinds = [kind for (_, kind), _ in said]
    # Before the answer, and again after this phrase, others may come: the machine may be slow.
    filled = next(at for at, pair in enumerate(pairwise(kinds), 1) if pair == ("spoken", "prompt"))
    assert "spoken" in kinds[filled:], "the answer goes on after the phrase"
    (began, _), before = said[filled][0], said[filled - 1][1]
    assert 0.5 < began - before <= call.hold


@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.parametrize("does", [Does.STALL, Does.TRUNCATE])
async def test_what_is_said_to_who_hears_nothing_or_dies_reaches_the_agent(
    monkeypatch: pytest.MonkeyPatch, does: Does
) -> None:
    async with talk(monkeypatch, Engine.STT, Fault(does, Phase.MIDDLE, after=0, times=1)) as call:
        await call.store.until(Kind.ENGINE, engine="stt", before="cloud", now="local")
        await call.store.until(Kind.TURN, speaker="agent", text="".join(ANSWER))
    assert call.words == " ".join(WORDS)


@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.parametrize("after", [0.2, 1.2, 4.0])
async def test_a_job_that_stood_still_for_a_while_has_heard_all_and_answers(
    monkeypatch: pytest.MonkeyPatch, after: float
) -> None:
    """`after`: seconds of what is said, its beginning, its midst and nearly its end."""
    begins = 1.5 + 0.5
    loop = asyncio.get_running_loop()

    def listens(room: Room, *of: Any) -> AsyncIterator[bytes]:
        loop.call_later(begins + after, time.sleep, 2.5)  # the standstill itself
        return hear(room, *of)

    hear = Room.hear
    monkeypatch.setattr(Room, "hear", listens)
    async with talk(monkeypatch, Engine.STT, Fault(Does.DELAY, Phase.CONNECT)) as call:
        await call.store.until(Kind.TURN, speaker="agent", text="".join(ANSWER))
        assert not [event for event in call.store.told if event.kind is Kind.ENGINE]
    assert call.words == " ".join(WORDS)
