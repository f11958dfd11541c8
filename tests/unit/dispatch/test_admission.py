"""One more call, or not: by slots and by how long callers wait."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.shared.working import Working
from gateway.dialplan.state import State
from gateway.dispatch.admission import ALL_TALK, ANY, EASES, ENOUGH, WINDOW, Load, Pace, bounds, counted, fuller, load
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
    if len(took) < (2 if slow else ENOUGH):
        assert not pace.slow
        return
    assert sum(one > pace.p90 for one in took) <= max(1, len(took) / 10)
    assert pace.slow is (pace.p90 >= at_most * (EASES if slow else 1.0))
    assert bool(pace.why) is pace.slow
    assert not Pace(slow=slow).next(took, 0.0).slow, "no bound, no overload"


@pytest.mark.parametrize("turns", range(ENOUGH, 40))
def test_one_slow_answer_alone_turns_nobody_away(turns: int) -> None:
    assert not Pace().next([1.0] * (turns - 1) + [60.0], 5.0).slow


FAST, SLOW, AT_MOST = 1.5, 7.0, 5.0


@pytest.mark.parametrize("turns", range(2, ENOUGH))
def test_agents_stay_too_slow_while_the_few_answers_that_are_left_are(turns: int) -> None:
    """Whoever is answered after ten seconds asks three times in half a minute."""
    slow = Pace(slow=True)
    assert slow.next([SLOW] * turns, AT_MOST).slow
    assert slow.next([SLOW] * turns, AT_MOST).next([FAST] * turns, AT_MOST) == Pace(FAST, turns)
    assert not slow.next([FAST] * (turns - 1) + [SLOW], AT_MOST).slow, "one is no rule"
    assert not Pace().next([SLOW] * turns, AT_MOST).slow, "nor are so few at first"


@pytest.mark.parametrize("left", [[], [SLOW]])
def test_agents_whom_hardly_anybody_asks_any_more_are_given_new_callers(left: Sequence[float]) -> None:
    assert not Pace(slow=True).next(left, AT_MOST).slow


def noticed(every: float, judged: Callable[[Sequence[float]], bool]) -> float:
    """Seconds from when all answers became slow until it is noticed, where there is one `every` so many seconds."""
    before = int(WINDOW / every)
    times = [(n * every, FAST if n < before else SLOW) for n in range(3 * before)]
    begun = before * every
    return next(at for at, _ in times if judged([took for then, took in times if at - WINDOW < then <= at])) - begun


def slowest_but_for_a_tenth(took: Sequence[float]) -> bool:
    return len(took) >= ENOUGH and sorted(took)[int(len(took) * 0.9)] >= AT_MOST


@pytest.mark.parametrize("every", [0.25, 0.5, 1.0, 1.5, 2.0, 3.0])
def test_answers_that_are_all_slow_are_noticed_with_the_second_of_them(every: float) -> None:
    late = noticed(every, lambda took: Pace().next(took, AT_MOST).slow)
    assert late - noticed(every, slowest_but_for_a_tenth) in (0.0, every)
    if every <= 2.0:  # as many answers as a tenth of is two
        assert late <= 3.0


def test_of_rare_slow_answers_few_fill_the_agents() -> None:
    """One answer in fifty, where there is one each three seconds."""
    draw = random.Random(1)
    took = [SLOW if draw.random() < 0.02 else FAST for _ in range(3000)]
    windows = [took[n : n + 10] for n in range(len(took) - 10)]
    full = sum(Pace().next(window, AT_MOST).slow for window in windows)
    assert full < sum(map(slowest_but_for_a_tenth, windows)) / 4
