"""What is watched over beside a conversation, put together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pytest
from livekit.agents.llm import ChatMessage
from livekit.agents.voice import AgentStateChangedEvent, ConversationItemAddedEvent

from agents.line.media import StageInput
from agents.line.watching import Means, Watch
from agents.words.lines import Say
from gateway.calls.talk import silence, stranger
from gateway.conduct.talk.attention import Attention
from gateway.terms.call import Brief
from tests.unit.agents.telling_session import TellingSession
from tests.unit.calls.line_sounds import pcm, tty
from tests.unit.calls.line_sounds import silence as nothing


class Session(TellingSession):
    """Tells several listeners."""

    def __init__(self) -> None:
        super().__init__()
        self._all: dict[str, list[Any]] = {}

    def on(self, event: str, handler: Any) -> None:
        self._all.setdefault(event, []).append(handler)
        self._on[event] = lambda told: [one(told) for one in self._all[event]]

    def added(self, words: str) -> None:
        message = ChatMessage(role="user", content=[words])
        self._on["conversation_item_added"](ConversationItemAddedEvent(item=message))


@dataclass
class Stage:
    brief: Brief = field(default_factory=lambda: Brief("sales", machines=60.0, dead_air=1000.0))
    ends: float = 0.0
    attention: Attention = field(default_factory=Attention)
    up: bool = False
    audio: bytes = b""

    def time_up(self) -> None:
        self.up = True

    async def hear(self, _rate: int, frame_ms: int) -> AsyncIterator[bytes]:
        size = 16 * frame_ms
        for first in range(0, len(self.audio), size):
            yield self.audio[first : first + size]


class Scene:
    def __init__(self, stage: Stage) -> None:
        self.stage, self.session = stage, Session()
        self.done: asyncio.Queue[object] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        means = Means(self._start, self.done.put, self._idle, self.done.put, self.done.put_nowait)
        self.watch = Watch(cast(Any, self.session), cast(Any, stage), means)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.create_task(work))

    async def _idle(self, within: float) -> None:
        assert within > 1.0

    async def next(self) -> object:
        return await asyncio.wait_for(self.done.get(), 10)


async def test_the_minutes_are_told_of_and_end_the_conversation() -> None:
    scene = Scene(Stage(ends=time.time() + 0.05))
    scene.watch.begin()
    assert [await scene.next(), await scene.next()] == [Say.TIME_NEARLY_UP, "the route's minutes were up"]
    assert scene.stage.up
    scene.watch.close()


async def test_the_callers_audio_is_heard_on_its_way_to_the_session() -> None:
    stage = Stage(audio=pcm(np.concatenate([nothing(0.5), tty("HELLO GA"), nothing(0.5)])))
    scene = Scene(stage)
    scene.watch.begin()
    sent = b"".join([bytes(frame.data) async for frame in StageInput(cast(Any, stage), 8000, scene.watch.hear)])
    assert sent == stage.audio
    assert await scene.next() == "the caller uses a text telephone"
    assert scene.watch._silence._silence.patient
    scene.watch.close()


async def test_a_recording_and_a_silence_are_asked_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stranger, "ASK_AFTER", 0.01)
    monkeypatch.setattr(silence, "ASK_AFTER", 0.1)
    scene = Scene(Stage())
    scene.watch.begin()
    scene.session.heard("Please leave a message after the tone.")
    assert [await scene.next(), await scene.next()] == [Say.PERSON_THERE, Say.STILL_THERE]
    scene.watch.close()
    assert scene.done.empty()


async def test_who_has_said_or_keyed_something_is_owed_an_answer_until_one_was_heard() -> None:
    scene = Scene(Stage())
    attention = scene.stage.attention
    attention.begin(1000.0)
    attention.sounds(time.monotonic())
    scene.session._on["agent_state_changed"](AgentStateChangedEvent(old_state="speaking", new_state="listening"))
    assert attention._air.deadline == float("inf")
    scene.session.heard("One moment, please.")
    assert attention._air.deadline == float("inf"), "who asks to wait waits for nothing"
    scene.session.heard("My name is John Smith.")
    assert attention._air.deadline < float("inf")
    attention.sounds(time.monotonic())
    attention.settled()
    scene.session.added("[keypad] 4172")
    assert attention._air.deadline < float("inf")
    scene.watch.close()
