from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.rtp import FRAME, FRAME_SECONDS, Audio
from gateway.rtp.jitter import MAX_DELAY, PATIENCE, JitterBuffer


def played(
    arrivals: Iterable[tuple[int, float]],
    frames: int,
    *,
    size: int = FRAME,
    first: int = 2**32 - 500,
    phase: float = 0.0,
) -> tuple[JitterBuffer, list[Audio]]:
    """Packet n holds the value n+1 throughout and arrives at the given time; ticks come every 20 ms."""
    buffer, waiting, out = JitterBuffer(), sorted(arrivals, key=lambda arrival: arrival[1]), []
    for tick in range(frames):
        now = tick * FRAME_SECONDS + phase
        while waiting and waiting[0][1] <= now:
            number, at = waiting.pop(0)
            samples = np.full(size, number + 1, np.int16)
            buffer.put((first + number * size) & 0xFFFFFFFF, samples, at)
        out.append(buffer.take(now))
        assert buffer.delay <= MAX_DELAY
        assert len(out[-1].samples) == FRAME
    return buffer, out


def steady(count: int, late: Callable[[int], float] = lambda _: 0.0) -> list[tuple[int, float]]:
    return [(number, number * FRAME_SECONDS + late(number)) for number in range(count)]


def values(frames: list[Audio]) -> list[int]:
    return [int(frame.samples[0]) for frame in frames if not frame.concealed and frame.samples.any()]


def test_a_steady_stream_comes_out_whole_a_frame_later_at_most() -> None:
    buffer, out = played(steady(200), 202, phase=0.006)
    assert values(out) == list(range(1, 201))
    assert out[0].samples[0] == 1 or out[1].samples[0] == 1
    assert buffer.late == 0
    assert buffer.concealed <= 2, "only what comes after the end is made up"


def test_silence_before_anything_came_is_not_concealment() -> None:
    buffer = JitterBuffer()
    frame = buffer.take(0.0)
    assert not frame.samples.any()
    assert not frame.concealed
    assert buffer.concealed == 0


@pytest.mark.parametrize("size", [80, 240, 320, 480])
def test_packets_of_other_lengths(size: int) -> None:
    ticks = range(400)
    arrivals = [(number, number * size / 8000) for number in range(100)]
    _, out = played(arrivals, len(ticks), size=size, phase=0.007)
    real = np.concatenate([frame.samples for frame in out if not frame.concealed and frame.samples.any()])
    assert real.tolist()[: 90 * size] == [n + 1 for n in range(100) for _ in range(size)][: 90 * size]


def test_a_lost_packet_is_made_up_and_costs_no_delay() -> None:
    buffer, out = played([arrival for arrival in steady(300) if arrival[0] not in (50, 120, 121)], 305, phase=0.01)
    assert values(out) == [n + 1 for n in range(300) if n not in (50, 120, 121)]
    assert buffer.concealed - 3 <= 2 * PATIENCE / FRAME_SECONDS
    when = [index for index, frame in enumerate(out) if frame.samples[0] == 300 and not frame.concealed]
    begun = [index for index, frame in enumerate(out) if frame.samples[0] == 1 and not frame.concealed]
    assert when[0] - begun[0] == 299
    gap = out[begun[0] + 50]
    assert gap.concealed
    assert 0 < abs(int(gap.samples[0])) <= 50


def test_a_made_up_frame_fades_to_silence() -> None:
    buffer = JitterBuffer()
    buffer.put(0, np.full(FRAME, 9000, np.int16), 0.0)
    levels = [int(np.abs(buffer.take(0.02 + 0.02 * tick).samples).max()) for tick in range(6)]
    assert levels[0] == 9000
    assert levels[1] == 9000
    assert levels[2] < 6100
    assert levels[3] < 3100
    assert levels[4:] == [0, 0]


def test_reordered_and_repeated_packets() -> None:
    arrivals = steady(100, lambda number: 0.015 if number % 10 == 3 else 0.0) + steady(100, lambda _: 0.001)
    _, out = played(arrivals, 110, phase=0.018)
    assert values(out) == list(range(1, 101))


def test_late_packets_make_the_delay_grow_once() -> None:
    buffer, out = played(steady(600, lambda number: 0.03 if number > 100 else 0.0), 610, phase=0.006)
    assert values(out)[:101] == list(range(1, 102))
    assert values(out) == list(range(1, 601)), "they come late but none is lost"
    assert buffer.concealed <= 3 + PATIENCE / FRAME_SECONDS


def test_delay_that_is_no_longer_needed_goes_without_a_lost_word() -> None:
    buffer, out = played(steady(1500, lambda number: 0.05 if number < 50 else 0.0), 1510, phase=0.006)
    delays = [
        index - number for index, frame in enumerate(out) if (number := int(frame.samples[0])) and not frame.concealed
    ]
    assert delays[20] >= 2
    assert delays[-1] <= 1
    assert buffer.late == 0


def test_jitter_within_bounds_settles() -> None:
    shake = [0.0, 0.03, 0.01, 0.04, 0.002, 0.025]
    buffer, out = played(steady(2000, lambda number: shake[number * 7 % 6]), 2010, phase=0.004)
    assert len(values(out)) >= 1950
    assert buffer.concealed <= 60


def test_a_stall_ends_in_little_delay() -> None:
    buffer, out = played(
        steady(400, lambda number: max(0.0, (150 - number) * 0.02) if 100 <= number < 150 else 0.0), 405
    )
    assert values(out)[-1] == 400
    late = [
        index - int(frame.samples[0]) for index, frame in enumerate(out) if frame.samples.any() and not frame.concealed
    ]
    assert late[-1] <= MAX_DELAY / FRAME_SECONDS
    assert buffer.delay <= MAX_DELAY


def test_a_pause_is_silence_and_the_next_talkspurt_comes_promptly() -> None:
    arrivals = [arrival for arrival in steady(400) if not 100 <= arrival[0] < 300]
    _, out = played(arrivals, 405, phase=0.006)
    assert not any(frame.samples.any() for frame in out[110:299])
    assert values(out) == [*range(1, 101), *range(301, 401)]


def test_a_new_clock_starts_anew() -> None:
    buffer = JitterBuffer()
    heard = []
    for number in range(100):
        timestamp = number * FRAME if number < 50 else 3_000_000_000 + number * FRAME
        buffer.put(timestamp, np.full(FRAME, number + 1, np.int16), number * FRAME_SECONDS)
        heard.append(buffer.take(number * FRAME_SECONDS + 0.01))
    assert values(heard)[-40:] == list(range(61, 101))


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 700), st.floats(0, 0.05)), max_size=60),
    st.integers(0, 3),
)
@settings(max_examples=200)
def test_whatever_comes_a_frame_goes_out_and_little_is_kept(packets: list[tuple[int, int, float]], ticks: int) -> None:
    buffer, now = JitterBuffer(), 0.0
    for timestamp, length, later in packets:
        now += later
        buffer.put(timestamp, np.ones(length, np.int16), now)
        for _ in range(ticks):
            assert len(buffer.take(now).samples) == FRAME
        assert buffer.delay <= MAX_DELAY
