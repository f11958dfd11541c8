from __future__ import annotations

import numpy as np

from gateway.rtp import RATE
from gateway.rtp.ringing import ringing


def test_a_second_on_and_four_off_without_a_seam() -> None:
    whole = ringing(0, 6 * RATE)
    parts = np.concatenate([ringing(at, 1600) for at in range(0, 6 * RATE, 1600)])
    assert np.array_equal(whole, parts)
    loud = np.abs(whole.reshape(-1, RATE // 10)).max(axis=1) > 1000
    assert loud.tolist() == [True] * 10 + [False] * 40 + [True] * 10
