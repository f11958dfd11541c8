"""One more call, or not: by slots and by how long callers wait."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.shared.working import Working
from gateway.dialplan.state import State
from gateway.dispatch.admission import ALL_TALK, ANY, EASES, ENOUGH, Load, Pace, bounds, counted, fuller, load
from gateway.terms.act import TALK, Dismiss
from gateway.terms.call import Call, Pool
from tests.contract.calls import a_call

SLOTS = {Pool.AGENTS: 20, Pool.HOUSE: 10}
AGENTS, HOUSE = counted(Pool.AGENTS), counted(Pool.HOUSE)


def talks() -> Call:
    return replace(a_call(), act=TALK, pool=Pool.AGENTS)


def houses() -> Call:
    return replace(a_call(), act=Dismiss("closed"), pool=Pool.HOUSE)


def test_workers_that_end_bear_what_they_have() -> None:
    there = [Working(True, 3, 20), Working(False, 7, 20)]
    assert load(there) == Load(workers=1, calls=10, slots=27)
    assert load([]) == Load()


@pytest.mark.parametrize(
    ("call", "job", "opens", "expected"),
    [
        (talks(), None, True, {AGENTS: 20}),
        (houses(), None, True, {HOUSE: 10}),
        (talks(), Pool.HOUSE, False, {AGENTS: 20}),
        (talks(), Pool.AGENTS, False, {AGENTS: ANY}),
        (houses(), Pool.AGENTS, False, {AGENTS: ANY}),
        (houses(), Pool.HOUSE, False, {HOUSE: ANY}),
        (houses(), None, False, {HOUSE: ANY}),
    ],
)
def test_who_is_in_is_refused_no_house_and_no_agent_that_they_have(
    call: Call, job: Pool | None, opens: bool, expected: dict[str, int]
) -> None:
    assert bounds(call, job, SLOTS, opens=opens) == expected


def test_a_pool_of_which_nobody_knows_refuses_none() -> None:
    assert bounds(talks(), None, {}, opens=True) == {AGENTS: ANY}
    assert bounds(talks(), None, {Pool.AGENTS: 0}, opens=True) == {AGENTS: ANY}


def test_what_is_full_is_known_for_the_next_decision() -> None:
    state = fuller(State(), "sales", {"sales": 3})
    assert state.calls == {"sales": 3}
    assert not state.overloaded
    both = fuller(state, AGENTS, {AGENTS: 20})
    assert (both.calls, both.overloaded) == ({"sales": 3}, ALL_TALK)


@given(st.lists(st.floats(0.0, 60.0), max_size=60), st.booleans(), st.floats(0.5, 10.0))
def test_nine_of_ten_callers_wait_no_longer_than_told(took: list[float], slow: bool, at_most: float) -> None:
    pace = Pace(slow=slow).next(took, at_most)
    assert pace.turns == len(took)
    if len(took) < ENOUGH:
        assert not pace.slow
        return
    assert sum(one > pace.p90 for one in took) <= len(took) / 10
    assert pace.slow is (pace.p90 >= at_most * (EASES if slow else 1.0))
    assert bool(pace.why) is pace.slow
    assert not Pace(slow=slow).next(took, 0.0).slow, "no bound, no overload"
