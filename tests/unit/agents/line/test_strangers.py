"""Machines, relays and text telephones, on what a session hears."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

import numpy as np
import pytest
from livekit.agents.voice import UserInputTranscribedEvent

from agents.line.strangers import Means, Strangers
from gateway.calls.talk import stranger
from tests.unit.calls.line_sounds import chords, pcm, silence, tty

GREETING = "Please leave a message after the tone."


class Scene:
    """A line, and what is done about it."""

    def __init__(self, cap: float) -> None:
        self.done: asyncio.Queue[str] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._heard: Callable[[Any], None] = lambda _: None
        means = Means(self._start, self._ask, self.done.put, lambda: self.done.put_nowait("wait"), self._person)
        self.strangers = Strangers(cast(Any, self), cap, means)

    def on(self, event: str, handler: Callable[[Any], None]) -> None:
        assert event == "user_input_transcribed"
        self._heard = handler

    def said(self, words: str, *, final: bool = True) -> None:
        self._heard(UserInputTranscribedEvent(transcript=words, is_final=final))

    async def next(self) -> str:
        return await asyncio.wait_for(self.done.get(), 10)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.create_task(work))

    async def _ask(self) -> None:
        self.done.put_nowait("ask")

    async def _person(self, why: str) -> None:
        self.done.put_nowait(f"person: {why}")


async def test_a_mailbox_is_asked_and_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stranger, "ASK_AFTER", 0.01)
    scene = Scene(0.05)
    scene.said(GREETING, final=False)
    assert scene.strangers._alarm._timer is None, "what may still change counts for nothing"
    scene.said(GREETING)
    assert [await scene.next(), await scene.next()] == ["ask", "a recorded voice was there"]
    scene.strangers.close()


async def test_hold_music_is_suspected_until_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stranger, "ASK_AFTER", 0.01)
    scene = Scene(60.0)
    scene.strangers.hear(pcm(chords(12.0)))
    assert await scene.next() == "ask"
    scene.strangers.pressed()
    assert scene.strangers._alarm._timer is None


async def test_a_text_telephone_gets_a_person_and_is_waited_for() -> None:
    scene = Scene(60.0)
    scene.strangers.hear(pcm(np.concatenate([silence(0.5), tty("HELLO GA"), silence(0.5)])))
    assert [await scene.next(), await scene.next()] == ["wait", "person: the caller uses a text telephone"]
