"""A job that goes on with another's act finds who is there; one whose act another has does nothing more."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from gateway.calls.acts.cues import (
    Begun,
    Event,
    Key,
    LegAnswered,
    LegLeft,
    Resumed,
)
from gateway.calls.acts.deeds import (
    Connect,
    Consulted,
    Dial,
    Drop,
    Exit,
    Say,
)
from gateway.calls.hearing import (
    bridge,
)
from gateway.conduct.acts.perform import Performance
from gateway.errors import Unavailable
from gateway.terms.act import Act, Recall, Wait
from gateway.terms.call import Left
from gateway.terms.event import Kind
from gateway.terms.handoff import Tried
from gateway.terms.hold import SILENT
from tests.e2e.servers import until
from tests.unit.conduct.acts.world import DIALED, DONE, HANDOFF, Noting, There, Watching, World, machine, run


async def test_the_next_job_finds_who_talks_and_tells_the_machine_who_is_there() -> None:
    world = World(there=[There("1", True), There("2", False)])
    made = Watching(((Resumed, ()), (LegAnswered, (DONE,))), world=world)
    await run(world, world.part(Wait("crew"), made, resumed=True, bridged="1", notice="We move."))
    assert world.done[0] == bridge("1"), "nobody is cut off"
    assert world.resumed == [Resumed(frozenset({"1", "2"}))]
    assert Drop("2") not in world.done, "whether the other still rings is the machine's to say"
    assert ("say", "We move.") not in world.done


@pytest.mark.parametrize("hold", ["", SILENT])
async def test_the_next_job_tells_who_holds_whom_and_who_doesnt_any_more(hold: str) -> None:
    world = World(there=[There("1", True, hold), There("2", False)], holds=hold)
    await run(world, world.part(HANDOFF, machine(due_at=time.time() + 0.1), resumed=True, bridged="1"))
    told = [one[1] for one in world.done if isinstance(one, tuple) and one[0] is Kind.HOLD]
    assert told == [{"leg": "1", "hold": hold or None}, {"leg": None, "hold": hold or None}]


@pytest.mark.parametrize("told_after", [0, 2], ids=["known", "told in a moment"])
async def test_the_next_job_tells_the_machine_how_whoever_talked_has_left(told_after: int) -> None:
    asked, events = [0], list[Event]()

    async def left() -> Left | None:
        asked[0] += 1
        if asked[0] == 1 and told_after:
            raise Unavailable("The store doesn't answer.")
        return Left("1", 900.0, lost=True) if asked[0] > told_after else None

    made = Noting(((LegLeft, (DONE,)),), events=events)
    part = replace(World().part(HANDOFF, made, resumed=True, bridged="1"), leaving=left)
    await run(World(there=[There("2", False)]), part)
    assert [one for one in events if isinstance(one, LegLeft)] == [LegLeft("1", lost=True, at=900.0)]
    assert isinstance(events[0], Resumed), "first"


async def test_nobody_is_asked_how_who_is_there_has_left() -> None:
    async def left() -> Left | None:
        raise AssertionError

    part = replace(World().part(HANDOFF, machine((LegAnswered, (DONE,))), resumed=True, bridged="1"), leaving=left)
    await run(World(there=[There("1", True)]), part)


async def test_a_job_whose_call_is_anothers_does_nothing_more() -> None:
    """As one that hung for seconds and wakes: its deadlines have passed, and another job conducts the call."""
    world = World(has_call=False)
    made = machine((Begun, (DIALED, Say("Press 1."))), (Key, (Drop("1"),)))
    performance = Performance(world.part(Wait("crew"), made), world.tools())
    performance.happened(Key("1"))
    task = asyncio.create_task(performance.run())
    await asyncio.wait({task}, timeout=0.1)
    assert not task.done(), "it waits to be told to leave"
    task.cancel()
    await asyncio.wait({task})
    assert ("say", "Press 1.") not in world.done
    assert not [one for one in world.done if isinstance(one, Dial | Drop)]
    assert "leave" in world.done, "whoever rings is the other job's"


@pytest.mark.parametrize("act", [Wait("crew"), HANDOFF, Recall("cb", "crew")], ids=["wait", "handoff", "recall"])
async def test_a_call_that_another_job_has_is_left_to_it_with_all_who_are_there(act: Act) -> None:
    world = World(ours=False)
    made = machine(
        (Begun, (DIALED,)), (LegAnswered, (Connect("1"), Exit("crew"), Consulted("1", Tried.TAKEN))), (LegLeft, (DONE,))
    )
    performance = Performance(world.part(act, made), world.tools())
    running = asyncio.create_task(performance.run())
    performance.happened(LegAnswered("1"))
    await until(lambda: "leave" in world.done, 5.0)
    performance.happened(Key("1"))
    await until(lambda: performance._events.empty(), 5.0)
    running.cancel()
    await asyncio.wait({running})
    assert not [one for one in world.done if one in (Connect("1"), Drop("1"), Exit("crew"), DONE)]
    assert not [one for one in world.done if isinstance(one, tuple) and one[0] is Kind.HANDOFF]
    assert [seen for seen, _ in world.kept][-1][-1] == "Key", "it is told no leg that has gone"
