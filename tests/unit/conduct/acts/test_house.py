"""Acts that the house performs: which keys no other job needs."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from gateway.calls.acts.cues import Key
from gateway.calls.store.memory import MemoryStore
from gateway.conduct.acts import keeping
from gateway.conduct.acts.house import House
from gateway.conduct.caller.ear import Ear
from gateway.errors import Unavailable
from gateway.terms.act import Because, Choose, Onward
from gateway.terms.call import CallId, Pool
from tests.contract.calls import a_call
from tests.e2e.servers import until
from tests.unit.conduct.acts.world import World

MENU = Choose("For Ana, press 1.", "1")


class Store(MemoryStore):
    """One that may be away."""

    away = False

    async def keep(
        self, call: CallId, epoch: int, stop: int, checkpoint: str, bridged: str, last_key: int = 0
    ) -> bool:  # fmt: skip
        if self.away:
            raise Unavailable("The store doesn't answer.")
        return await super().keep(call, epoch, stop, checkpoint, bridged, last_key)


class Scene:
    """A menu that is performed."""

    def __init__(self) -> None:
        self.store, self.world, self.acted = Store(time.monotonic), World(), list[int]()
        self.call = replace(a_call(), act=MENU, pool=Pool.HOUSE)
        ear = SimpleNamespace(close=_closed)
        self.house = House(self.store, lambda *_: self.world.tools(), cast(Ear, ear))

    async def perform(self) -> asyncio.Task[Any]:
        """It has begun."""
        stage: Any = SimpleNamespace(facts={}, reason="", note=lambda *_: None)
        await self.store.open(self.call)
        assert not self.house.happened(Key("1", number=2)), "nobody is there to hear it"
        task = asyncio.create_task(self.house.perform(stage, self.call, 2, self.acted.append))
        await until(lambda: ("say", MENU.say) in self.world.done, 5.0)
        return task

    async def kept(self) -> int:
        """The number of the last key that is in the checkpoint."""
        known = await self.store.get(self.call.id)
        assert known is not None
        return known.last_key


async def _closed() -> None:
    pass


async def test_a_key_is_told_as_acted_on_once_what_came_of_it_is_kept() -> None:
    on = Scene()
    task = await on.perform()
    assert (await on.kept(), on.acted) == (2, [2]), "what came before the act is none of its keys"
    assert on.house.happened(Key("7", number=3))
    await until(lambda: on.acted[-1] == 3, 5.0)
    assert on.house.happened(Key("1", number=4))
    assert await asyncio.wait_for(task, 5.0) == Onward(Because.KEY, "1")
    assert (await on.kept(), on.acted[-1]) == (4, 4)
    assert on.house.kept is not None
    assert on.house.kept[2] == 4, "for a store that loses the call"


async def test_a_key_whose_step_couldnt_be_kept_or_is_another_jobs_isnt() -> None:
    on = Scene()
    task = await on.perform()
    on.store.away = True
    on.house.happened(Key("1", number=3))
    assert await asyncio.wait_for(task, 5.0 + keeping.AGAIN) == Onward(Because.KEY, "1"), (
        "the caller doesn't wait for it"
    )
    assert (await on.kept(), on.acted) == (2, [2])

    on = Scene()
    task = await on.perform()
    assert await on.store.raise_epoch(on.call.id, 1, 0.0)
    on.house.happened(Key("1", number=3))
    await until(lambda: on.house.kept is not None and on.house.kept[2] == 3, 5.0)
    task.cancel()
    await asyncio.wait({task})
    assert (await on.kept(), on.acted) == (2, [2])


async def test_a_key_that_led_here_by_a_slip_is_acted_on_and_leads_no_further() -> None:
    on = Scene()
    task = await on.perform()
    assert on.house.happened(Key("1", number=3, slip=True))
    await until(lambda: on.acted[-1] == 3, 5.0)
    assert await on.kept() == 3
    assert on.house.happened(Key("1", number=4))
    assert await asyncio.wait_for(task, 5.0) == Onward(Because.KEY, "1")
