"""When a job is cut off from LiveKit, by what comes to it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.conduct.sfu.reach import MISSES, Reach


@pytest.mark.parametrize(
    ("looks", "lost"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 8], False),
        ([1] * MISSES, False),
        ([1] * (MISSES + 1), True),
        # One packet in all the time is enough, and of a new pair of addresses less has come than of the old one.
        ([9, *[9] * (MISSES - 1), 10, *[10] * (MISSES - 1), 2], False),
        # Nothing that is told is nothing that came.
        ([1, *[None] * (MISSES - 1)], False),
        ([1, *[None] * MISSES], True),
        ([1, *[None] * (MISSES - 1), 1], True),
        ([None] * MISSES, True),
    ],
)
def test_a_connection_is_lost_by_which_nothing_comes(looks: Sequence[int | None], lost: bool) -> None:
    seen = Reach()
    for each in looks:
        seen = seen.looked(each)
    assert seen.lost is lost
