"""Who is rung directly is held while they ring and talk, and freed once they are done, not when a job leaves."""

from __future__ import annotations

import asyncio

import pytest

from gateway.calls.people.members import Stage
from gateway.calls.people.memory_members import MemoryMembers
from gateway.conduct.legs import holding
from gateway.conduct.legs.holding import Holding
from gateway.errors import Unavailable
from gateway.terms.call import CallId

CALL, NOW = CallId("SCL_1"), 1764000000.0


class Members(MemoryMembers):
    """Tells when something was asked of it."""

    def __init__(self) -> None:
        super().__init__(lambda _: True)
        self.held: asyncio.Queue[bool] = asyncio.Queue()
        self.down = False

    async def hold(self, call: CallId, epoch: int, name: str, now: float, *, talks: bool) -> bool:
        self.held.put_nowait(talks)
        if self.down:
            raise Unavailable("down")
        return await super().hold(call, epoch, name, now, talks=talks)

    async def stage(self) -> Stage:
        return (await self.look(["ana"], NOW))[0].stage(NOW)


def held(members: Members, *, talks: bool = False) -> Holding:
    return Holding(members, CALL, 1, "ana", talks=talks, clock=lambda: NOW)


async def test_they_are_held_while_they_ring_and_talk_and_free_in_the_end() -> None:
    members = Members()
    async with held(members) as one:
        assert await members.held.get() is False
        assert await members.stage() is Stage.RINGING
        one.connected()
        assert await members.held.get() is True
        assert await members.stage() is Stage.TALKING
        one.free()
    assert await members.stage() is Stage.FREE
    assert (await members.look(["ana"], NOW))[0].ended == NOW


async def test_a_job_that_leaves_frees_nobody() -> None:
    members = Members()
    async with held(members, talks=True):
        assert await members.held.get() is True
    assert await members.stage() is Stage.TALKING


async def test_a_store_that_is_back_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "RENEW", 0.01)
    members = Members()
    members.down = True
    async with held(members), asyncio.timeout(5):
        await members.held.get()
        members.down = False
        while await members.stage() is not Stage.RINGING:
            await members.held.get()


async def test_whoever_talks_with_a_caller_is_remembered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "RENEW", 0.01)
    members, told, down = Members(), asyncio.Queue[str](), [True]

    async def remember() -> None:
        told.put_nowait("asked")
        if down.pop() if down else False:
            raise Unavailable("down")

    async with Holding(members, CALL, 1, "ana", talks=False, remember=remember, clock=lambda: NOW) as one:
        await members.held.get()
        await members.held.get()
        assert told.empty(), "they ring"
        one.connected()
        for _ in range(2):  # the store was down at first
            await asyncio.wait_for(told.get(), 5)
        while not members.held.empty():
            members.held.get_nowait()
        await members.held.get()
        await members.held.get()
        assert told.empty()
