"""What control does again and again goes on whatever happens, and makes nobody wait for it."""

from __future__ import annotations

import asyncio
import time

import pytest

from gateway.app import rounds
from gateway.errors import Unavailable

LONG, SHORT = 60.0, 0.05
"""Seconds: one that no test waits, and one that it does."""


class Ones:
    """What there is to be done, each time that error after so many seconds; then the end."""

    def __init__(self, *ones: tuple[float, Exception]) -> None:
        self.ending, self.began = asyncio.Event(), list[float]()
        self._ones, self._passed = iter(ones), 0.0

    def clock(self) -> float:
        return time.monotonic() + self._passed

    async def __call__(self, wait: float = 0.0) -> None:
        self.began.append(time.monotonic())
        one = next(self._ones, None)
        if one is None:
            self.ending.set()
            return
        self._passed += one[0]
        raise one[1]


@pytest.mark.parametrize("error", [Unavailable("away"), OSError("a bug")])
async def test_who_has_waited_long_enough_for_a_store_asks_it_again_at_once(error: Exception) -> None:
    ones = Ones((LONG, error), (LONG, error))
    async with asyncio.timeout(LONG / 2):
        await rounds.serve(ones, LONG, ones.ending, ones.clock)
    assert len(ones.began) == 3


async def test_a_store_that_refuses_at_once_is_not_asked_without_end() -> None:
    ones = Ones((0.0, Unavailable("away")))
    await rounds.serve(ones, SHORT, ones.ending, ones.clock)
    assert ones.began[1] - ones.began[0] >= SHORT


@pytest.mark.parametrize("error", [Unavailable("away"), OSError("a bug")])
async def test_looks_go_on_after_errors_and_begin_at_even_times(error: Exception) -> None:
    ones = Ones((0.0, error))
    await rounds.every(SHORT, ones, ones.ending, ones.clock)
    assert ones.began[1] - ones.began[0] >= SHORT
    late = Ones((LONG, error))
    async with asyncio.timeout(LONG / 2):
        await rounds.every(LONG, late, late.ending, late.clock)
    assert len(late.began) == 2, "one that took longer is followed at once"


async def test_an_end_is_not_waited_for() -> None:
    ones = Ones((0.0, Unavailable("away")))
    asyncio.get_running_loop().call_later(SHORT, ones.ending.set)
    async with asyncio.timeout(LONG / 2):
        await rounds.every(LONG, ones, ones.ending, ones.clock)
    assert len(ones.began) == 1
