from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rtp import FRAME
from gateway.rtp.statistics import Reception


@given(st.integers(0, 0xFFFF), st.sets(st.integers(1, 300), max_size=200))
def test_what_is_missing_between_first_and_last_is_lost(first: int, missing: set[int]) -> None:
    reception = Reception()
    kept = [number for number in range(302) if number not in missing]
    for number in kept:
        reception.packet((first + number) & 0xFFFF)
    assert (reception.received, reception.lost) == (len(kept), len(missing))


def test_reordered_and_repeated_packets_are_not_lost() -> None:
    reception = Reception()
    for number in (3, 1, 2, 2, 5, 4):
        reception.packet(number)
    assert reception.lost == 0


def test_a_jump_is_a_new_beginning() -> None:
    reception = Reception()
    for number in (10, 12, 20000, 20001, 20003):
        reception.packet(number)
    assert (reception.received, reception.lost) == (5, 2)


def test_numbers_come_unwrapped() -> None:
    reception = Reception()
    assert [reception.packet(number) for number in (65534, 0, 65535)] == [65534, 65536, 65535]


def test_jitter_is_the_mean_deviation_of_transit() -> None:
    reception = Reception()
    for number in range(2000):
        reception.timing(number * FRAME, number * 0.02 + (0.004 if number % 2 else 0.0))
    assert reception.jitter == pytest.approx(0.004, rel=0.01)


def test_a_steady_stream_has_no_jitter_across_the_clock_s_wrap_and_jumps() -> None:
    reception = Reception()
    for number in range(50):
        reception.timing((2**32 - 10 * FRAME + number * FRAME) & 0xFFFFFFFF, number * 0.02)
    reception.timing(3_000_000_000, 1.02)
    assert reception.jitter == pytest.approx(0.0, abs=1e-6)
