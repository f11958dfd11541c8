"""Tests of how the steps of an act are kept."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from gateway.calls.acts.machine import Machine
from gateway.conduct.acts.keeping import Keeping
from gateway.errors import Unavailable


class Store:
    """Keeps steps, or doesn't answer."""

    def __init__(self, *, away: int = 0, ours: bool = True) -> None:
        self.away, self.ours = away, ours
        self.kept: list[str] = []
        self.tries = self.last_key = 0
        self.changed = asyncio.Condition()

    async def keep(self, _: Machine, bridged: str, last_key: int) -> bool:
        async with self.changed:
            self.tries += 1
            self.changed.notify_all()
            if self.away:
                self.away -= 1
                raise Unavailable("It doesn't answer.")
            self.kept.append(bridged)
            self.last_key = last_key
            return self.ours

    async def tried(self, times: int) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: self.tries >= times)


MACHINE = cast(Machine, object())


async def test_a_step_is_kept_before_anything_follows() -> None:
    store = Store()
    keeping = Keeping(store.keep, lambda: None)
    await keeping.step(MACHINE, "ana")
    assert store.kept == ["ana"]


async def test_a_step_that_couldnt_be_kept_is_tried_again_though_none_follows() -> None:
    store = Store(away=2)
    keeping = Keeping(store.keep, lambda: None, again=0.0)
    await keeping.step(MACHINE, "ana")
    await asyncio.wait_for(store.tried(3), 5)
    assert store.kept == ["ana"]


async def test_a_newer_step_is_kept_in_its_place_and_at_once() -> None:
    store = Store(away=1)
    keeping = Keeping(store.keep, lambda: None, again=60.0)
    await keeping.step(MACHINE, "", 1)
    await keeping.step(MACHINE, "ana", 2)
    assert (store.kept, store.last_key) == (["ana"], 2)


@pytest.mark.parametrize("away", [2, 9])
async def test_in_the_end_it_is_tried_once_more(away: int) -> None:
    store = Store(away=away)
    keeping = Keeping(store.keep, lambda: None, again=60.0)
    await keeping.step(MACHINE, "ana")
    await asyncio.wait_for(keeping.settled(), 5)
    assert store.tries == 2


async def test_whom_another_job_has_is_told_of_once() -> None:
    lost: list[str] = []
    store = Store(ours=False)
    keeping = Keeping(store.keep, lambda: lost.append("lost"), again=0.0)
    await keeping.step(MACHINE, "ana")
    await asyncio.wait_for(keeping.settled(), 5)
    assert (lost, store.tries) == (["lost"], 1)
