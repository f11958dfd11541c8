"""Whoever talks with a caller is held, so that nobody rings them, until they are released."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from gateway.calls.acts.cues import (
    Begun,
    Key,
    LegAnswered,
    LegLeft,
    Resumed,
)
from gateway.calls.acts.deeds import (
    Connect,
    Drop,
    Release,
)
from gateway.terms.act import Callee, Ring, Wait
from tests.unit.conduct.acts.world import ANA, DIALED, DONE, HANDOFF, Scripted, World, machine, run


@dataclass(frozen=True)
class Held(Scripted):
    """One whose call holds somebody on."""

    held_on: str = "ana"


async def test_who_is_rung_back_is_held_on_without_a_gap_until_they_are_released() -> None:
    world = World()
    made = Held((
        (Begun, (DIALED,)), (LegAnswered, (Connect("1"),)), (LegLeft, (Drop("1"),)),
        (Key, (Release("desk", "ana", took=True), DONE)),
    ))  # fmt: skip
    await run(world, world.part(HANDOFF, made), LegAnswered("1"), LegLeft("1"), Key("1"))
    told = [one for one in world.done if one in (("hold", "ana", True), ("held", "ana")) or isinstance(one, Release)]
    assert told == [("hold", "ana", True), ("held", "ana"), Release("desk", "ana", took=True)]


async def test_who_is_connected_again_is_held_on_once() -> None:
    world = World()
    made = Held(((Begun, ()), (LegAnswered, (Connect("1"),)), (Key, (DONE,))))
    await run(world, world.part(HANDOFF, made), LegAnswered("1"), LegAnswered("1"), Key("1"))
    hold, held = ("hold", "ana", True), ("held", "ana")
    assert [one for one in world.done if one in (hold, held)] == [hold, held, hold, held]


async def test_another_job_goes_on_holding_who_is_rung_back() -> None:
    world = World()
    await run(world, world.part(HANDOFF, Held(((Resumed, (DONE,)),)), resumed=True))
    assert ("hold", "ana", True) in world.done


async def test_a_person_who_is_rung_directly_is_held_until_they_are_done() -> None:
    world = World()
    made = machine((Begun, (DIALED,)), (LegAnswered, (Connect("1"),)), (LegLeft, (DONE,)))
    await run(world, world.part(Ring(ANA), made), LegAnswered("1"), LegLeft("1"))
    held = [one for one in world.done if one in (("hold", "ana", False), DIALED, Connect("1"), "connected", "free")]
    assert held == [("hold", "ana", False), DIALED, Connect("1"), "connected", "free"]


async def test_who_talks_already_is_held_by_the_next_job_as_one_who_talks() -> None:
    world = World()
    await run(world, world.part(Ring(ANA), machine((Resumed, (DONE,))), resumed=True, bridged="1"))
    assert ("hold", "ana", True) in world.done


async def test_a_number_of_nobodys_is_nobody_to_hold() -> None:
    world = World()
    await run(world, world.part(Ring(Callee("", "+15105550199")), machine((Begun, (DONE,)))))
    assert not [one for one in world.done if isinstance(one, tuple) and one[0] == "hold"]


@dataclass(frozen=True)
class Talking(Scripted):
    """A team's machine whose caller talks with somebody."""

    talks_with: str = ""


@pytest.mark.parametrize("resumed", [False, True])
async def test_who_takes_a_teams_call_is_held_until_they_are_released(resumed: bool) -> None:
    """A store that has come back empty would have the team ring them while they talk."""
    world = World()
    release = Release("crew", "ana", took=True)
    made = Talking(((Begun, (Connect("1"),)), (Resumed, ()), (LegLeft, (release, DONE))), talks_with="ana")
    await run(world, world.part(Wait("crew"), made, resumed=resumed, bridged="1" if resumed else ""), LegLeft("1"))
    held = [one for one in world.done if one in (("hold", "ana", True), ("held", "ana"), release)]
    assert held == [("hold", "ana", True), ("held", "ana"), release]
