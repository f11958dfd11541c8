"""What a caller is told of their callback, and what is made of their words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from livekit.agents.llm import ChatMessage

from agents.appointing import Appointing
from agents.talk.unwanted import Unwanted
from gateway.conduct.talk.port import CallbackTimes
from gateway.errors import Unavailable

UTC = ZoneInfo("UTC")


class Session:
    def __init__(self) -> None:
        self.listeners: list[Callable[[Any], None]] = []

    def on(self, _event: str, listener: Callable[[Any], None]) -> None:
        self.listeners.append(listener)

    def interrupt(self, *, force: bool) -> None:
        assert force

    def says(self, words: str) -> None:
        for listener in self.listeners:
            listener(SimpleNamespace(item=ChatMessage(role="user", content=[words])))


class World:
    def __init__(self, times: CallbackTimes | None, *, fails: bool = False, later: float = 0.0) -> None:
        self.session: Any = Session()
        self.times, self.fails, self.later = times, fails, later
        self.chosen: list[float] = []
        self.spoken: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []
        stage: Any = SimpleNamespace(
            brief=SimpleNamespace(language="en-US"), callback_times=lambda: self.times,
            choose_callback=self._choose, no_more_calls=self._no_more,
        )  # fmt: skip
        self.entered = 0
        self.appointing = Appointing(
            self.session, stage, lambda work: self.tasks.append(asyncio.create_task(work)), self._speak
        )
        Unwanted(self.session, stage, lambda work: self.tasks.append(asyncio.create_task(work)), self._say)

    async def _choose(self, at: float, _words: str) -> float:
        if self.fails:
            raise Unavailable("Redis doesn't answer.")
        self.chosen.append(at)
        return at + self.later

    async def _no_more(self) -> bool:
        self.entered += 1
        return True

    async def _speak(self, text: str) -> None:
        self.spoken.append(text)

    async def _say(self, say: object) -> None:
        self.spoken.append(str(say))

    async def hears(self, words: str) -> list[str]:
        self.session.says(words)
        await asyncio.gather(*self.tasks)
        return self.spoken


def times(*others: float, booked: float = 0.0) -> CallbackTimes:
    now = time.time()
    return CallbackTimes(now + booked, tuple(now + one for one in others), UTC, theirs=True)


def test_the_offer_says_when_and_which_other_times_there_are() -> None:
    said = World(times(86400.0 * 3)).appointing.offer()
    assert "will call you back as soon as possible." in said
    assert "such as on " in said
    assert World(times()).appointing.offer().endswith("as soon as possible.")
    assert "{" not in World(times(booked=7200.0)).appointing.offer()
    assert "on the number you are calling from" in World(None).appointing.offer()


async def test_words_that_name_a_time_choose_it() -> None:
    world = World(times(86400.0))
    assert (
        "I have noted it: a person will call you back tomorrow at 9 AM." in (await world.hears("tomorrow at nine"))[0]
    )
    assert len(world.chosen) == 1


async def test_a_time_at_which_nobody_can_call_is_the_next() -> None:
    world = World(times(86400.0), later=7200.0)
    assert "Nobody can call you then." in (await world.hears("tomorrow at nine"))[0]


@pytest.mark.parametrize("words", ["thank you", "we have two offices", "[keypad] 9"])
async def test_other_words_choose_nothing(words: str) -> None:
    assert await World(times(86400.0)).hears(words) == []


async def test_before_a_callback_is_booked_no_time_is_chosen() -> None:
    assert await World(None).hears("call me tomorrow at nine") == []


async def test_what_cannot_be_noted_is_said() -> None:
    assert "stays as it was booked" in (await World(times(86400.0), fails=True).hears("tomorrow at nine"))[0]


async def test_who_wants_no_more_calls_is_entered_and_told_so() -> None:
    world = World(None)
    assert await world.hears("Please stop calling me.") == ["no_calls"]
    assert await world.hears("Stop calling me.") == ["no_calls"]
    assert world.entered == 1
    assert await World(None).hears("don't call me before nine") == []
