"""Whoever hangs up is told of with whether they had said goodbye."""

from __future__ import annotations

import asyncio

import pytest

from gateway.calls.acts.cues import (
    Begun,
    Gone,
    LegAnswered,
    LegLeft,
)
from gateway.calls.acts.deeds import (
    Connect,
    Remember,
)
from gateway.calls.hearing import (
    bridge,
)
from gateway.conduct.acts.perform import Performance
from tests.e2e.servers import until
from tests.unit.conduct.acts.world import DIALED, DONE, HANDOFF, Noting, World


def remembering() -> Noting:
    """One that has the last words of who talks with the caller remembered."""
    return Noting((
        (Begun, (DIALED,)), (LegAnswered, (Remember("1"), Connect("1"))), (LegLeft, (Remember(""), DONE)), (Gone, (DONE,))
    ))  # fmt: skip


async def hung_up(world: World, made: Noting) -> tuple[Performance, asyncio.Task[object]]:
    """Who talked with the caller has hung up, and it is asked whether they had said goodbye."""
    performance = Performance(world.part(HANDOFF, made), world.tools())
    performance.happened(LegAnswered("1"))
    task: asyncio.Task[object] = asyncio.create_task(performance.run())
    await until(lambda: Connect("1") in world.done)
    performance.happened(LegLeft("1"))
    await until(lambda: "goodbye?" in world.done)
    return performance, task


async def test_who_is_remembered_elsewhere_is_heard_by_us_no_more() -> None:
    world = World()
    async with asyncio.timeout(5):
        performance = Performance(world.part(HANDOFF, remembering()), world.tools())
        performance.happened(LegAnswered("1"))
        task = asyncio.create_task(performance.run())
        await until(lambda: ("heard", "1") in world.done)
        world.deaf()
        assert world.done[-1] == bridge("1")
        performance.happened(LegLeft("1"))
        await until(lambda: "goodbye?" in world.done)
        world.understood.set()
        await task


@pytest.mark.parametrize("goodbye", [True, False, None])
async def test_who_hangs_up_is_told_of_with_whether_they_had_said_goodbye(goodbye: bool | None) -> None:
    world, made = World(said_goodbye=goodbye), remembering()
    async with asyncio.timeout(5):
        _, task = await hung_up(world, made)
        assert not any(isinstance(event, LegLeft) for event in made.events)
        world.understood.set()
        await task
    assert isinstance(left := made.events[-1], LegLeft)
    assert (left.leg, left.goodbye) == ("1", goodbye)
    assert world.done.index(("remember", "1")) < world.done.index(Connect("1")) < world.done.index(("heard", "1"))
    assert ("remember", "") in world.done


async def test_the_caller_who_hangs_up_next_is_told_of_after_the_human_who_did_first() -> None:
    """Who has hung up on whom is on the record."""
    world, made = World(said_goodbye=False), remembering()
    async with asyncio.timeout(5):
        performance, task = await hung_up(world, made)
        performance.gone()
        await task
    assert isinstance(left := made.events[-1], LegLeft), "the machine is told of them, and ends"
    assert left.goodbye is None, "and nobody is rung back"


async def test_a_line_that_is_lost_is_told_of_at_once() -> None:
    world, made = World(), remembering()
    performance = Performance(world.part(HANDOFF, made), world.tools())
    performance.happened(LegAnswered("1"))
    async with asyncio.timeout(5):
        task = asyncio.create_task(performance.run())
        await until(lambda: Connect("1") in world.done)
        performance.happened(LegLeft("1", lost=True))
        await task
    assert made.events[-1] == LegLeft("1", lost=True)
    assert "goodbye?" not in world.done
