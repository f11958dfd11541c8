"""The notes that fill a line on which nobody is."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.rtp import FRAME, RATE
from gateway.rtp.waiting import waiting


@given(st.integers(0, 10 * RATE), st.integers(1, 3 * FRAME))
def test_frames_follow_each_other_without_a_seam(start: int, count: int) -> None:
    whole = waiting(start, count + FRAME)
    assert np.array_equal(np.concatenate([waiting(start, count), waiting(start + count, FRAME)]), whole)


def test_it_is_heard_at_once_softly_and_again() -> None:
    two = waiting(0, 4 * RATE).astype(int)
    assert 1500 < np.abs(two).max() < 6000
    assert np.abs(two[: RATE // 10]).max() > 1500
    assert not two[RATE // 2 : 2 * RATE].any()
    assert np.array_equal(two[: 2 * RATE], two[2 * RATE :])
