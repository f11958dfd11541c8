"""Who hears what while somebody is told of a call, and whom we hear."""

from __future__ import annotations

import asyncio

import pytest

from gateway.calls.acts.cues import (
    Begun,
    Heard,
    Key,
    LegAnswered,
    LegHeard,
    LegKey,
    LegLeft,
    NoCalls,
)
from gateway.calls.acts.deeds import (
    Announce,
    Card,
    Connect,
    Consulted,
    Drop,
    Effect,
    Listen,
    NeverCall,
    Ready,
    Say,
    Whisper,
)
from gateway.calls.hearing import (
    CALLER,
    JOB,
    Matrix,
    Party,
    announced,
    bridge,
    consults,
    hears,
    leg,
    track,
    whispering,
)
from gateway.conduct.acts.perform import Performance
from gateway.terms.act import Act, Recall
from gateway.terms.event import Kind
from gateway.terms.handoff import Tried
from tests.e2e.servers import until
from tests.unit.conduct.acts.world import DONE, HANDOFF, There, World, machine, run


async def test_whoever_answers_hears_what_nobody_else_does_until_they_take_the_call() -> None:
    world = World()
    made = machine(
        (Begun, (Ready(("Call from Maria.",)), Card("1", "ana"))),
        (LegAnswered, (Whisper("1", ("Call from Maria.",)), Whisper("1", ("Press 1.",)))),
        (LegKey, (Drop("2"), Connect("1", "Maria, I have Ana for you."), Consulted("1", Tried.TAKEN))),
        (Heard, ()),
        (LegLeft, (DONE,)),
    )
    await run(world, world.part(HANDOFF, made), LegAnswered("1"), LegKey("1", "1"), Heard(), LegLeft("1"))
    done = [
        one
        for one in world.done
        if one not in ("kept", "closed") and not (isinstance(one, tuple) and one[0] is Kind.HANDOFF)
    ]
    assert done == [
        consults(()),
        ("ready", ("Call from Maria.",)),
        ("card", "1", "ana"),
        consults(("1",)),
        ("whisper", "1", ("Call from Maria.",)),
        ("whisper", "1", ("Press 1.",)),
        Drop("2"),
        ("end", "1"),
        ("introduce", "1"),
        "hush",
        ("say", "Maria, I have Ana for you."),
        bridge("1"),
    ]
    [noted] = [one for one in world.done if isinstance(one, tuple) and one[0] is Kind.HANDOFF]
    assert noted[1] == {"leg": "1", "tried": "taken"}


async def test_whoever_declines_hears_us_no_more_and_the_caller_is_heard_by_nobody() -> None:
    world = World()
    made = machine((LegAnswered, (Whisper("1", ("Press 1.",)),)), (LegKey, (Drop("1"), DONE)))
    await run(world, world.part(HANDOFF, made), LegAnswered("1"), LegKey("1", "2"))
    ended = world.done.index(("end", "1"))
    assert world.done[ended + 1 : ended + 3] == [consults(()), Drop("1")]
    assert not any(isinstance(one, Matrix) and one.allows(CALLER, JOB, "whisper-1") for one in world.done)


async def test_a_caller_who_hangs_up_leaves_time_to_tell_whoever_has_answered() -> None:
    world = World(there=[There("1", answered=True)])
    performance = Performance(world.part(HANDOFF, machine()), world.tools())
    assert performance.gone() > 0
    assert Drop("1") not in world.done


async def test_a_caller_whose_human_is_dropped_hears_us_again() -> None:
    world = World()
    made = machine((LegAnswered, (Connect("1"),)), (LegKey, (Drop("1"), Say("Back."), DONE)))
    await run(world, world.part(HANDOFF, made), LegAnswered("1"), LegKey("1", "2"))
    dropped = world.done.index(Drop("1"))
    assert world.done[dropped + 1 : dropped + 3] == [consults(()), ("say", "Back.")]


@pytest.mark.parametrize(
    ("act", "party"), [(HANDOFF, leg("2")), (Recall("cb", "desk"), CALLER)], ids=["a third", "a callee"]
)
@pytest.mark.parametrize("ends", [Listen("2", on=False), Drop("2")], ids=["is known", "is dropped"])
async def test_whoever_may_be_a_machine_is_heard_besides(act: Act, party: Party, ends: Effect) -> None:
    world = World()
    made = machine((Begun, (Connect("1"), Listen("2"))), (LegHeard, ()), (Key, (Whisper("1", ("Hm.",)), ends, DONE)))
    await run(world, world.part(act, made), Key("1"))
    heard = bridge("1") | hears(JOB, party)
    aside = heard | hears(leg("1"), track(JOB, whispering("1")))
    told = [one for one in world.done if isinstance(one, Matrix) or one in (("listen", "2"), ("end", "2"))]
    assert told[-5:] == [("listen", "2"), heard, aside, ("end", "2"), bridge("1")]


async def test_what_is_said_to_both_leaves_them_together() -> None:
    world = World()
    made = machine((Begun, (Connect("1"), NeverCall())), (NoCalls, (Announce("Noted."),)), (Heard, (DONE,)))
    performance = Performance(world.part(HANDOFF, made), world.tools())
    running = asyncio.create_task(performance.run())
    await until(lambda: ("say", "Noted.") in world.done, 5.0)
    performance.happened(Heard())
    await running
    both = bridge("1") | announced("1")
    told = [one for one in world.done if one in (NeverCall(), ("say", "Noted."), both, bridge("1"))]
    assert told == [NeverCall(), both, ("say", "Noted."), bridge("1")]
