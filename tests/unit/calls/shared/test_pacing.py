"""The maths of pacing."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.shared.pacing import slot

rates = st.floats(0.1, 100)


@given(rates, st.lists(st.floats(0, 5), min_size=2, max_size=30))
def test_no_two_dials_are_closer_than_the_rate_allows(rate: float, gaps: list[float]) -> None:
    now, due, dialed = 1000.0, 0.0, []
    for gap in gaps:
        now += gap
        wait, due = slot(due, rate, now)
        assert wait >= 0
        dialed.append(now + wait)
    assert all(after - before >= 1 / rate - 1e-6 for before, after in pairwise(dialed))


@given(rates, st.integers(1, 50))
def test_no_slot_is_wasted_while_dials_wait(rate: float, dials: int) -> None:
    due, waits = 0.0, []
    for _ in range(dials):
        wait, due = slot(due, rate, 1000.0)
        waits.append(wait)
    assert abs(waits[-1] - (dials - 1) / rate) < 1e-6


@given(rates, st.floats(0, 1e6))
def test_a_trunk_that_was_quiet_dials_at_once(rate: float, quiet: float) -> None:
    _, due = slot(0.0, rate, 1000.0)
    wait, _ = slot(due, rate, due + quiet)
    assert wait == 0
