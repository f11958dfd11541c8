"""Whoever has gone is told of with whether they had said goodbye, where that can be found out, and at once elsewhere."""

from __future__ import annotations

import asyncio
import time

import pytest

from gateway.calls.acts.cues import LegLeft
from gateway.conduct.acts.farewell import Farewell
from gateway.tasks import Tasks


class Words:
    """Knows it once it is let."""

    def __init__(self, goodbye: bool | None, trouble: Exception | None = None) -> None:
        self.found, self.trouble = goodbye, trouble
        self.legs: list[str] = []
        self.known = asyncio.Event()

    def remember(self, leg: str) -> None:
        self.legs.append(leg)

    async def goodbye(self) -> bool | None:
        await self.known.wait()
        if self.trouble is not None:
            raise self.trouble
        return self.found


@pytest.mark.parametrize("goodbye", [True, False, None])
async def test_who_was_remembered_is_told_of_once_it_is_known(goodbye: bool | None) -> None:
    words, told = Words(goodbye), asyncio.Queue[LegLeft]()
    async with Tasks("test") as tasks:
        farewell = Farewell(tasks, told.put_nowait)
        farewell.words = words
        farewell.remember("1")
        before = time.time()
        farewell.left(LegLeft("1"))
        after = time.time()
        await asyncio.sleep(0)
        assert told.empty()
        words.known.set()
        left = await asyncio.wait_for(told.get(), 5)
    assert (left.leg, left.lost, left.goodbye) == ("1", False, goodbye)
    assert before <= left.at <= after, "they left then, however long it took to understand them"


@pytest.mark.parametrize(("leg", "lost", "remembered"), [("1", True, "1"), ("2", False, "1"), ("1", False, "")])
async def test_of_others_it_is_told_at_once(leg: str, lost: bool, remembered: str) -> None:
    told: list[LegLeft] = []
    async with Tasks("test") as tasks:
        farewell = Farewell(tasks, told.append)
        farewell.words = Words(False)
        farewell.remember("1")
        farewell.remember(remembered)
        farewell.left(LegLeft(leg, lost))
    assert told == [LegLeft(leg, lost)]


async def test_once_nobody_has_time_for_it_they_are_told_of_at_once_and_once() -> None:
    words, told = Words(False), list[LegLeft]()
    async with Tasks("test") as tasks:
        farewell = Farewell(tasks, told.append)
        farewell.words = words
        farewell.at_once()
        assert told == []
        farewell.remember("1")
        farewell.left(LegLeft("1"))
        farewell.at_once()
        assert [(one.leg, one.goodbye) for one in told] == [("1", None)]
        words.known.set()
        await tasks.settled(5)
    assert len(told) == 1


async def test_a_bug_in_understanding_holds_nobody_up() -> None:
    words, told = Words(None, RuntimeError("ours")), list[LegLeft]()
    words.known.set()
    async with Tasks("test") as tasks:
        farewell = Farewell(tasks, told.append)
        farewell.words = words
        farewell.remember("1")
        farewell.left(LegLeft("1"))
        await tasks.settled(5)
    assert [(one.leg, one.goodbye) for one in told] == [("1", None)]
