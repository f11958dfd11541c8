"""The caller is told that the minutes are nearly up, once, then they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.talk.minutes import Minutes, Then


def test_a_warning_a_minute_before_then_the_end() -> None:
    minutes = Minutes.start(1000.0 + 900.0, 1000.0)
    assert minutes.deadline == 1840.0
    assert minutes.due(1839.9) == (minutes, None)
    warned, then = minutes.due(1840.0)
    assert (then, warned.deadline) == (Then.WARN, 1900.0)
    over, then = warned.due(1900.1)
    assert (then, over.deadline) == (Then.END, float("inf"))
    assert over.due(2000.0) == (over, None)


def test_a_call_of_one_minute_is_warned_halfway() -> None:
    assert Minutes.start(1060.0, 1000.0).deadline == 1030.0


def test_nothing_limits_a_call_without_minutes() -> None:
    assert Minutes.start(0.0, 1000.0).deadline == float("inf")


@given(st.floats(1e9, 2e9), st.floats(-100.0, 86400.0), st.lists(st.floats(0.0, 7200.0), max_size=20))
def test_it_ends_once_and_never_early(now: float, left: float, passed: list[float]) -> None:
    ends = now + left
    minutes, told = Minutes.start(ends, now), []
    for seconds in passed:
        now += seconds
        minutes, then = minutes.due(now)
        if then is Then.END:
            assert now >= ends
        told += [then] if then else []
        assert now < ends or Then.END in told
    assert told in ([], [Then.WARN], [Then.END], [Then.WARN, Then.END])
