"""Tests of what is to be done about a call."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.app.catalogue import load as catalogue
from gateway.dialplan.load import load
from gateway.dialplan.plan import Plan
from gateway.dialplan.state import State
from gateway.dispatch.decide import (
    FALLS,
    LASTS,
    RINGS,
    STEADY,
    TRIES,
    TRIES_AGENT,
    TRIES_ANSWERED,
    Arrival,
    Do,
    arrived,
    compare,
    falls,
    late,
    metadata,
    sent_to,
    supervise,
)
from gateway.terms.act import Handoff, Recall, Wait
from gateway.terms.call import Call, CallId, Left, Phase, Pool
from gateway.terms.event import Kind
from gateway.terms.personal import Number
from gateway.terms.times import THERE_WITHIN, patience

NOW = 1_764_000_000.0
JOB_WITHIN = patience(0)
HANDOFF = Handoff("desk")
LOST = Left("desk-1", NOW, lost=True)
RECALL = Recall("CB_1", "desk", ())
HEARD = {"phase": Phase.TAKEN, "heard": 1}
"""Its job came, and the caller heard it."""
GONE = {"bridged": "desk-1", "left": LOST}
"""A caller whose human's line was lost."""


def the_plan() -> Plan:
    plan = load(Path(__file__).parents[3] / "dialplans", catalogue(), datetime(2026, 11, 23, 15, tzinfo=UTC)).plan
    assert plan
    return plan


def arrival(dialed: str = "15105550100", caller: str = "+1 510 555 0177", call: str = "SCL_1") -> Arrival:
    return Arrival(CallId(call), "call-_x", "sip_1", Number(dialed), Number(caller), "ST_1", joined=True)


def a_call(**changes: object) -> Call:
    return replace(arrived(the_plan(), arrival(), NOW)[0], **changes)  # type: ignore[arg-type]  # names of Call's


def test_an_arrival_opens_a_call_by_the_plan() -> None:
    call = a_call()
    assert (call.route, call.brief.agent, call.pool, call.reject) == ("sales", "sales", Pool.AGENTS, 0)
    assert call.dialed == Number("+15105550100")
    assert call.caller == Number("+15105550177")
    assert (call.epoch, call.dispatched, call.started, call.plan) == (1, NOW, NOW, the_plan().version)


def test_a_caller_whom_no_worker_is_there_for_is_turned_away_at_once() -> None:
    state = State(nobody=True)
    call, limits = arrived(the_plan(), arrival(), NOW, state)
    assert (call.reject, call.why, limits) == (503, "no worker is there", {})
    assert arrived(the_plan(), arrival("+15105550900"), NOW, state)[0].reject == 603, (
        "the plan's word is the better one"
    )
    assert not arrived(the_plan(), replace(arrival(), attended=True), NOW, state)[0].reject, "a job is with them"


@pytest.mark.parametrize("withheld", ["", "anonymous", "Restricted"])
def test_a_withheld_number_is_no_caller(withheld: str) -> None:
    assert arrived(the_plan(), arrival(caller=withheld), NOW)[0].caller is None


def test_a_rejected_number_opens_a_call_that_says_so() -> None:
    assert arrived(the_plan(), arrival("+15105550900"), NOW)[0].reject == 603


def test_a_dispatch_tells_nothing_personal() -> None:
    assert json.loads(metadata(a_call())) == {"call": "SCL_1", "epoch": 1, "late": 0}


@pytest.mark.parametrize(
    ("changes", "holder", "after", "do"),
    [
        ({}, None, JOB_WITHIN - 0.1, Do.NOTHING),
        ({}, None, JOB_WITHIN, Do.DISPATCH),
        ({"late": 1}, None, patience(1) - 0.1, Do.NOTHING),
        ({"late": 1}, None, patience(1), Do.DISPATCH),
        ({}, "AJ_1", 100.0, Do.NOTHING),
        ({"phase": Phase.TAKEN}, None, 0.1, Do.DISPATCH),
        ({"phase": Phase.TAKEN, "tries": TRIES - 1, "told": frozenset({"answered"})}, None, 0.1, Do.DISPATCH),
        ({**HEARD, "tries": TRIES}, None, STEADY + JOB_WITHIN - 0.1, Do.LEAD_ON),
        ({**HEARD, "tries": TRIES}, None, STEADY + JOB_WITHIN, Do.DISPATCH),
        ({**HEARD, "tries": TRIES, "heard": 0}, None, 100.0, Do.LEAD_ON),
        ({"phase": Phase.TAKEN, "tries": 2}, None, STEADY + JOB_WITHIN - 0.1, Do.DISPATCH),
        ({"phase": Phase.TAKEN, "tries": 2}, None, STEADY + JOB_WITHIN, Do.LEAD_ON),
        ({"phase": Phase.TAKEN, "tries": 1}, None, RINGS - 0.1, Do.DISPATCH),
        ({"phase": Phase.TAKEN, "tries": 1}, None, RINGS, Do.LEAD_ON),
        ({"tries": 2, "act": Wait("crew"), "pool": Pool.HOUSE}, None, RINGS - 0.1, Do.DISPATCH),
        ({"tries": 2, "act": Wait("crew"), "pool": Pool.HOUSE}, None, RINGS, Do.GIVE_UP),
        ({"told": frozenset({"answered"}), "act": Wait("crew"), "pool": Pool.HOUSE}, None, RINGS, Do.DISPATCH),
        ({"bridged": "ana"}, None, RINGS, Do.DISPATCH),
        ({**HEARD, "tries": TRIES, "epoch": 2}, None, 100.0, Do.LEAD_ON),
        ({**HEARD, "tries": TRIES, "falls": FALLS - 1}, None, STEADY + JOB_WITHIN, Do.DISPATCH),
        ({**HEARD, "tries": TRIES, "falls": FALLS}, None, STEADY + JOB_WITHIN, Do.LEAD_ON),
        ({**HEARD, "tries": TRIES, "falls": FALLS}, None, LASTS + JOB_WITHIN, Do.DISPATCH),
        ({**HEARD, "tries": TRIES, "heard": 0, "act": RECALL, "pool": Pool.HOUSE}, None, 100.0, Do.DISPATCH),
        ({"tries": TRIES_AGENT}, None, STEADY, Do.LEAD_ON),
        ({"phase": Phase.TAKEN, "reject": 603}, None, JOB_WITHIN - 0.1, Do.NOTHING),
        ({"tries": TRIES_AGENT}, None, JOB_WITHIN, Do.LEAD_ON),
        ({"tries": TRIES_ANSWERED}, None, JOB_WITHIN, Do.DISPATCH),
        ({"tries": TRIES_ANSWERED, "told": frozenset({"answered"})}, None, JOB_WITHIN, Do.LEAD_ON),
        ({"tries": TRIES, "act": Wait("crew"), "pool": Pool.HOUSE}, None, JOB_WITHIN, Do.GIVE_UP),
        ({"epoch": 9, "act": Wait("crew"), "pool": Pool.HOUSE}, None, JOB_WITHIN, Do.DISPATCH),
        ({"tries": TRIES, "bridged": "ana", "act": Wait("crew"), "pool": Pool.HOUSE}, None, JOB_WITHIN, Do.DISPATCH),
        ({"tries": TRIES, "act": HANDOFF, "pool": Pool.HOUSE, **GONE}, None, JOB_WITHIN, Do.GIVE_UP),
        ({"tries": TRIES - 1, "act": HANDOFF, "pool": Pool.HOUSE, **GONE}, None, JOB_WITHIN, Do.DISPATCH),
        ({"tries": TRIES, "pool": Pool.HOUSE, **GONE, "bridged": "desk-2"}, None, JOB_WITHIN, Do.DISPATCH),
        ({"epoch": TRIES}, "AJ_5", JOB_WITHIN, Do.NOTHING),
        ({"phase": Phase.ENDED}, None, 100.0, Do.NOTHING),
        ({"reject": 603}, None, JOB_WITHIN - 0.1, Do.NOTHING),
        ({"reject": 603}, None, JOB_WITHIN, Do.TURN_AWAY),
        ({"reject": 603, "phase": Phase.ENDED}, None, 100.0, Do.NOTHING),
    ],
)
def test_a_call_without_a_job_gets_another(
    changes: dict[str, object], holder: str | None, after: float, do: Do
) -> None:
    assert supervise(a_call(**changes), holder, NOW + after) is do


@pytest.mark.parametrize(
    ("changes", "after", "silent", "next_late"),
    [
        ({"phase": Phase.TAKEN}, 1.0, True, 1),
        ({"phase": Phase.TAKEN, "late": 1}, 1.0, True, 2),
        ({**HEARD, "late": 5}, STEADY + patience(5) - 0.1, True, 6),
        ({**HEARD, "late": 5}, STEADY + patience(5), True, 1),
        ({"phase": Phase.TAKEN, "late": 1}, 1.0, False, 1),
        ({**HEARD, "late": 1}, STEADY, False, 0),
        ({"phase": Phase.TAKEN, "late": 1}, STEADY, False, 1),
        ({"late": 1}, 100.0, True, 1),
    ],
    ids=[
        "first",
        "second",
        "before it served",
        "after it served",
        "dead",
        "dead after it served",
        "dead unheard",
        "never came",
    ],
)
def test_jobs_that_are_late_in_a_row_are_counted(
    changes: dict[str, object], after: float, silent: bool, next_late: int
) -> None:
    assert late(a_call(**changes), NOW + after, silent=silent) == next_late


@pytest.mark.parametrize(
    ("changes", "after", "next_falls"),
    [
        ({"falls": 1}, STEADY, 1),
        ({**HEARD, "falls": 1}, STEADY - 0.1, 1),
        ({**HEARD, "falls": 1}, STEADY, 2),
        ({**HEARD, "falls": 1}, LASTS, 0),
    ],
    ids=["never heard", "failed at once", "fell", "lasted"],
)
def test_jobs_that_fall_in_a_row_are_counted(changes: dict[str, object], after: float, next_falls: int) -> None:
    assert falls(a_call(**changes), NOW + after, silent=False) == next_falls


@pytest.mark.parametrize(
    ("changes", "holder", "do"),
    [
        ({}, None, Do.DISPATCH),
        ({"tries": TRIES_AGENT}, None, Do.LEAD_ON),
        ({}, "AJ_2", Do.NOTHING),
        ({"phase": Phase.ENDED}, None, Do.NOTHING),
        ({"reject": 603}, None, Do.NOTHING),
    ],
)
def test_a_call_whose_job_is_known_to_be_gone_waits_for_nothing(
    changes: dict[str, object], holder: str | None, do: Do
) -> None:
    assert supervise(a_call(**changes), holder, NOW, lost=True) is do


@pytest.mark.parametrize(
    ("changes", "holder", "do"),
    [
        ({}, None, Do.LEAD_ON),
        ({"phase": Phase.TAKEN}, None, Do.LEAD_ON),
        ({"phase": Phase.TAKEN}, "AJ_1", Do.NOTHING),
        ({"act": Wait("crew"), "pool": Pool.HOUSE}, None, Do.NOTHING),
        ({"act": Wait("crew"), "pool": Pool.AGENTS}, None, Do.NOTHING),
        ({"reject": 603}, None, Do.NOTHING),
        ({"phase": Phase.ENDED}, None, Do.NOTHING),
    ],
)
def test_a_call_that_needs_an_agent_goes_on_at_once_where_no_worker_has_any(
    changes: dict[str, object], holder: str | None, do: Do
) -> None:
    assert supervise(a_call(**changes), holder, NOW + 0.1, no_agent=True) is do


def test_who_talked_with_an_agent_until_all_workers_were_gone_waits_for_another_agent() -> None:
    """LiveKit is away, and with it everybody who could say what the plan says instead."""
    talking = a_call(phase=Phase.TAKEN, told=frozenset({Kind.ANSWERED.value}))
    assert supervise(talking, None, NOW + 0.1, lost=True, no_agent=True, no_house=True) is Do.DISPATCH
    assert supervise(talking, None, NOW + 0.1, lost=True, no_agent=True) is Do.LEAD_ON
    assert supervise(a_call(), None, NOW + 0.1, no_agent=True, no_house=True) is Do.LEAD_ON, "a new caller isn't kept"


@pytest.mark.parametrize(
    ("changes", "slots", "pool"),
    [
        ({}, {Pool.AGENTS: 0, Pool.HOUSE: 20}, Pool.AGENTS),
        ({"act": Wait("crew"), "pool": Pool.HOUSE}, {}, Pool.HOUSE),
        ({"act": Wait("crew"), "pool": Pool.HOUSE}, {Pool.AGENTS: 20, Pool.HOUSE: 20}, Pool.HOUSE),
        ({"act": Wait("crew"), "pool": Pool.HOUSE}, {Pool.AGENTS: 20, Pool.HOUSE: 0}, Pool.AGENTS),
        ({"act": Wait("crew"), "pool": Pool.HOUSE}, {Pool.AGENTS: 0, Pool.HOUSE: 0}, Pool.HOUSE),
        ({"pool": Pool.HOUSE}, {Pool.AGENTS: 20, Pool.HOUSE: 0}, Pool.HOUSE),
    ],
)
def test_an_agents_job_does_the_houses_work_where_the_house_is_away(
    changes: dict[str, object], slots: dict[Pool, int], pool: Pool
) -> None:
    assert sent_to(a_call(**changes), slots) is pool


@given(st.sets(st.integers(0, 6)), st.sets(st.integers(0, 6)), st.floats(0, 30))
def test_rooms_and_store_are_compared(there: set[int], known: set[int], age: float) -> None:
    callers = {CallId(f"SCL_{n}"): arrival(call=f"SCL_{n}") for n in there}
    template = a_call()
    live = [replace(template, id=CallId(f"SCL_{n}")) for n in known]
    found = compare(callers, live, NOW + age, rooms=())
    assert {one.call for one in found.unknown} == {f"SCL_{n}" for n in there - known}
    assert {one.id for one in found.gone} == ({f"SCL_{n}" for n in known - there} if age >= THERE_WITHIN else set())


@pytest.mark.parametrize(
    ("phase", "room", "age", "gone"),
    [
        (Phase.TAKEN, "", THERE_WITHIN, True),
        (Phase.TAKEN, "", THERE_WITHIN - 0.1, False),
        (Phase.TAKEN, "its own", THERE_WITHIN, False),
        (Phase.ROUTED, "", THERE_WITHIN, False),
    ],
    ids=["its room is gone", "it has just begun", "its room is there", "no job has come yet"],
)
def test_a_call_that_we_make_is_over_once_its_room_is_no_more(phase: Phase, room: str, age: float, gone: bool) -> None:
    """Nobody calls there, so that no SIP service tells of its end; and LiveKit's webhook may be lost, or sent nowhere."""
    call = a_call(act=RECALL, phase=phase)
    found = compare({}, [call], NOW + age, rooms={call.room} if room else ())
    assert list(found.gone) == ([call] if gone else [])
