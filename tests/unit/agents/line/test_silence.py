"""A silent caller, on what a session tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest

from agents.line.silence import REASON, Means, Silence
from agents.words.lines import Say
from gateway.calls.talk import silence
from tests.unit.agents.telling_session import TellingSession


class Scene:
    """A conversation in which the agent says what it is asked to say, at once."""

    def __init__(self) -> None:
        self.session = TellingSession()
        self.said: asyncio.Queue[Say | str] = asyncio.Queue()
        self.meanwhile: Callable[[], None] = lambda: None
        self._tasks: set[asyncio.Task[None]] = set()
        self.silence = Silence(cast(Any, self.session), Means(self._start, self._speak, self.said.put_nowait))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.create_task(work))

    async def _speak(self, say: Say) -> None:
        self.session.agent("listening", "speaking")
        self.said.put_nowait(say)
        self.meanwhile()
        self.session.agent("speaking", "listening")

    async def next(self) -> Say | str:
        return await asyncio.wait_for(self.said.get(), 10)


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(silence, "ASK_AFTER", 0.01)
    return Scene()


async def test_a_silent_caller_is_asked_twice_in_other_words_and_let_go(scene: Scene) -> None:
    scene.silence.begin()
    assert [await scene.next() for _ in range(4)] == [
        Say.STILL_THERE,
        Say.STILL_THERE_AGAIN,
        Say.GOODBYE,
        REASON,
    ]


async def test_nothing_is_asked_before_the_caller_has_answered(scene: Scene) -> None:
    scene.session.agent("initializing", "listening")
    assert scene.silence._alarm._timer is None
    scene.silence.begin()
    assert await scene.next() is Say.STILL_THERE
    scene.silence.close()
    assert scene.silence._alarm._timer is None


async def test_a_key_or_a_word_begins_it_anew(scene: Scene) -> None:
    scene.silence.begin()
    assert await scene.next() is Say.STILL_THERE
    scene.silence.pressed()
    assert await scene.next() is Say.STILL_THERE
    scene.session.heard("Yes.")
    assert await scene.next() is Say.STILL_THERE
    scene.session.user("listening", "speaking")
    assert scene.silence._alarm._timer is None
    scene.session.user("speaking", "listening")
    assert await scene.next() is Say.STILL_THERE


async def test_whom_the_goodbye_brings_back_is_not_let_go(scene: Scene) -> None:
    def back() -> None:
        if scene.said.qsize() and scene.silence._silence.asked == 3:
            scene.session.user("listening", "speaking")
            scene.session.user("speaking", "listening")

    scene.meanwhile = back
    scene.silence.begin()
    told = [await scene.next() for _ in range(4)]
    assert told == [Say.STILL_THERE, Say.STILL_THERE_AGAIN, Say.GOODBYE, Say.STILL_THERE]


async def test_hold_on_is_waited_for(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.silence.begin()
    scene.session.heard("Hold on, please.")
    left = scene.silence._silence.deadline - asyncio.get_running_loop().time()
    assert silence.HOLD - 5 < left <= silence.HOLD
