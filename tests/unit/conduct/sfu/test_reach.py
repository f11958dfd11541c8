"""When a job is cut off from LiveKit, by what comes to it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from gateway.conduct.sfu.reach import FLOWS, LOOK, LOST, QUIET, SOON, Reach

MISSES = round(LOST / LOOK)


def seen(looks: Sequence[int | None], after: float = LOOK) -> Reach:
    found = Reach()
    for each in looks:
        found = found.looked(each, after)
    return found


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
    assert seen(looks).lost is lost


def test_it_takes_as_long_whenever_looks_are_taken() -> None:
    looks = next(number for number in range(1000) if seen([None] * number, SOON).lost)
    assert LOST <= looks * SOON < LOST + SOON


FLOWING = [9000, 9000 + FLOWS]


@pytest.mark.parametrize(
    ("looks", "ceased"),
    [
        ([1], False),
        ([*FLOWING], False),
        ([*FLOWING, FLOWING[-1]], True),
        ([*FLOWING, FLOWING[-1], None], True),
        # It stopped soon after a look.
        ([*FLOWING, FLOWING[-1] + 2, FLOWING[-1] + 2], True),
        # Reports come, then checks.
        ([*FLOWING, FLOWING[-1] + 2, FLOWING[-1] + 3, FLOWING[-1] + 3], False),
        # What came as we connected.
        ([9000, 9000], False),
        ([9000, 9002, 9002], False),
        ([9000, 9002, 9002, None], True),
        ([9000, 9002, 9002, 9003], False),
        # Another connection, of which less has come.
        ([*FLOWING, 50, 50 + FLOWS, 50 + FLOWS], True),
        ([9000, 50, 50], False),
    ],
)
def test_nothing_comes_though_it_ought_to(looks: Sequence[int | None], ceased: bool) -> None:
    """A track brings a packet each 20 ms; reports and checks come within QUIET, two looks."""
    assert seen(looks).ceased is ceased


def test_a_track_flows_at_whatever_pace_looks_are_taken() -> None:
    each = 0.02
    for after in (SOON, LOOK):
        assert seen([9000, 9000 + round(after / each)], after).flows
    assert not seen([9000, 9007], SOON).flows, "what we ask for, a report, and checks"


def test_a_line_without_a_track_is_quiet_for_longer() -> None:
    def looks(first: Sequence[int]) -> int:
        return next(more for more in range(100) if seen([*first, *[first[-1]] * more], SOON).ceased)

    assert (looks([9000, 9002]), looks(FLOWING)) == (math.ceil(QUIET / SOON), 1)
