"""Tests of how a call has ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.conduct.acts import machines
from gateway.dispatch.ended import ending, given_up
from gateway.handoff.asked import Asked
from gateway.handoff.machine import Transfer
from gateway.handoff.state import Third
from gateway.terms.act import Handoff, Ring, Wait
from gateway.terms.call import Call, Left, Pool
from gateway.terms.ending import Ending
from gateway.terms.event import Kind
from tests.contract.calls import a_call

NOW = 1_764_000_000.0
HANDOFF = Handoff("desk")
HUNG_UP, LOST = Left("desk-1", NOW), Left("desk-1", NOW, lost=True)
GONE = {"bridged": "desk-1", "left": LOST}
"""A caller whose human's line was lost."""
WAITS = Transfer(HANDOFF, begun=True, since=NOW, asked=(Asked("desk-1", "ana", 25.0, NOW + 25.0),))
TALKS = replace(WAITS, asked=(), talking="desk-1", talks_with="ana", taken=NOW)
RUNG_BACK = replace(WAITS, rung_back="ana")


def the_call(**changes: object) -> Call:
    return replace(a_call(), **changes)  # type: ignore[arg-type]  # names of Call's


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Ending.ABANDONED),
        ({"told": frozenset({Kind.ANSWERED.value})}, Ending.ABANDONED),
        ({"told": frozenset({Kind.ANSWERED.value}), "pool": Pool.HOUSE}, Ending.SERVED),
        ({"told": frozenset({Kind.TURN.value})}, Ending.SERVED),
        ({"told": frozenset({Kind.TURN.value, Kind.CALLBACK.value})}, Ending.CALLBACK),
        ({"reject": 404}, Ending.REJECTED),
        ({"act": HANDOFF, "bridged": "desk-1"}, Ending.SERVED),
        ({"act": HANDOFF, "bridged": "desk-1", "left": HUNG_UP}, Ending.SERVED),
        ({"act": HANDOFF, **GONE}, Ending.ABANDONED),
        ({"act": HANDOFF, **GONE, "bridged": "desk-2"}, Ending.SERVED),
    ],
)
def test_a_call_ends_by_what_became_of_its_caller(changes: dict[str, object], expected: Ending) -> None:
    assert ending(the_call(**changes)) is expected


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (None, Ending.ABANDONED),
        (WAITS, Ending.ABANDONED),
        (TALKS, Ending.SERVED),
        (replace(TALKS, third=Third.ASIDE, third_leg="desk-2"), Ending.SERVED),
        (RUNG_BACK, Ending.SERVED),
        (replace(RUNG_BACK, asked=(Asked("desk-2", "ben", 25.0, NOW + 25.0),)), Ending.ABANDONED),
    ],
    ids=["not begun", "rings", "talks", "asks a third in private", "is rung back", "another rings after that"],
)
def test_who_talked_with_an_agent_and_is_given_to_a_human_is_served_once_one_takes_them(
    machine: Transfer | None, expected: Ending
) -> None:
    """None of them is connected to the caller as they go: the human, if any, talks with the third, or hears it ring."""
    checkpoint = machines.written(machine) if machine else ""
    given = the_call(act=HANDOFF, told=frozenset({Kind.ANSWERED.value, Kind.TURN.value}), checkpoint=checkpoint)
    assert ending(given) is expected
    assert ending(replace(given, told=given.told | {Kind.MESSAGE.value})) is Ending.MESSAGE


@pytest.mark.parametrize("act", [Wait("desk"), Ring(None)])
def test_who_talked_with_an_agent_and_then_waited_has_abandoned_the_call(act: Wait | Ring) -> None:
    assert ending(the_call(act=act, told=frozenset({Kind.TURN.value}))) is Ending.ABANDONED


@pytest.mark.parametrize(("left", "expected"), [(None, Ending.LOST), (LOST, Ending.LOST), (HUNG_UP, Ending.SERVED)])
def test_who_was_hung_up_on_lacks_no_job(left: Left | None, expected: Ending) -> None:
    assert given_up(the_call(bridged="desk-1" if left else "", left=left)) is expected
