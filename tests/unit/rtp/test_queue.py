from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.rtp import FRAME, Samples
from gateway.rtp.queue import SendQueue


def ramp(count: int, start: int = 1) -> Samples:
    return (np.arange(start, start + count) % 30000).astype(np.int16)


def loud(value: int = 9000) -> Samples:
    return np.tile(np.array([value, -value], np.int16), FRAME // 2)


@given(st.lists(st.integers(0, 500), max_size=20), st.booleans())
def test_any_lengths_come_out_as_frames_in_order(lengths: list[int], live: bool) -> None:
    queue, pushed = SendQueue(60.0, live=live), 0
    for length in lengths:
        queue.push(ramp(length, 1 + pushed))
        pushed += length
    frames = []
    while queue.seconds:
        if (frame := queue.take()) is not None:
            frames.append(frame)
    out = np.concatenate(frames) if frames else np.zeros(0, np.int16)
    assert len(out) % FRAME == 0
    assert len(out) - pushed < FRAME
    assert out[:pushed].tolist() == ramp(pushed).tolist()
    assert not out[pushed:].any()


def test_silence_that_waits_is_left_out_before_who_begins_to_speak() -> None:
    for taken, kept in ((0.0, 0), (0.011, 0), (0.013, 1)):
        queue = SendQueue(1.0, live=True)
        queue.take(1.0)
        for _ in range(3):
            queue.push(np.zeros(FRAME, np.int16), 1.0)
        queue.catch_up(1.0 + taken)
        queue.push(loud(), 1.0 + taken)
        assert round(queue.seconds / 0.02) == 1 + kept, "one stays where the next take is near"
        assert queue.dropped == 3 - kept


def test_what_was_said_is_never_left_out() -> None:
    queue = SendQueue(1.0, live=True)
    queue.push(loud())
    queue.push(np.zeros(FRAME, np.int16))
    queue.catch_up(0.0)
    assert queue.dropped == 0


def test_a_full_queue_drops_its_oldest() -> None:
    queue = SendQueue(0.1, live=True)
    for number in range(8):
        queue.push(np.full(FRAME, number, np.int16))
    assert round(queue.seconds, 3) == 0.1
    assert queue.dropped == 3
    frame = queue.take()
    assert frame is not None
    assert frame[0] == 3


def test_a_live_part_of_a_frame_waits_for_the_rest() -> None:
    queue = SendQueue(1.0, live=True)
    queue.push(ramp(80))
    assert queue.take() is None
    queue.push(ramp(80, 81))
    frame = queue.take()
    assert frame is not None
    assert frame.tolist() == ramp(160).tolist()
    queue.push(ramp(80))
    assert queue.take() is None
    last = queue.take()
    assert last is not None
    assert last[:80].tolist() == ramp(80).tolist()
    assert not last[80:].any()


def test_clearing_tells_how_much_is_forgotten() -> None:
    queue = SendQueue(9.0, live=False)
    queue.push(ramp(2000))
    assert queue.clear() == 0.25
    assert queue.seconds == 0
    assert queue.take() is None


def test_delay_that_never_runs_out_is_trimmed_at_a_quiet_moment() -> None:
    queue = SendQueue(2.0, live=True)
    for _ in range(3):
        queue.push(loud())
    for _ in range(600):
        queue.push(loud())
        queue.take()
    assert round(queue.seconds, 2) == 0.06, "loud speech isn't cut for a little delay"
    for _ in range(1000):
        queue.push(np.zeros(FRAME, np.int16))
        queue.take()
    assert round(queue.seconds, 2) == 0.02


def test_much_delay_is_trimmed_at_once() -> None:
    queue = SendQueue(2.0, live=True)
    for _ in range(50):
        queue.push(loud())
    for _ in range(250 * 60):
        queue.push(loud())
        queue.take()
    assert queue.seconds <= 0.1


def test_a_file_is_never_trimmed() -> None:
    queue = SendQueue(60.0, live=False)
    queue.push(np.zeros(600 * FRAME, np.int16))
    for _ in range(600):
        assert queue.take() is not None
    assert queue.take() is None
    assert queue.dropped == 0


def run(queue: SendQueue, times: list[float], frame: Samples, begin: int = 0) -> list[int]:
    """Frames come at those times and are taken each 20 ms; the numbers of the takes that got none, from `begin`."""
    missed, coming = [], iter(times)
    at = next(coming)
    for take in range(begin, begin + len(times)):
        while at <= take * 0.02:
            queue.push(frame, at)
            at = next(coming, float("inf"))
        if queue.take(take * 0.02) is None:
            missed.append(take)
    return missed


def early(seconds: float, count: int, begin: int = 0) -> list[float]:
    """Times of a producer whose frames come so long before they are taken."""
    return [number * 0.02 - seconds for number in range(begin, begin + count)]


def test_a_spare_frame_that_nobody_needs_is_left_out_when_it_is_quiet() -> None:
    queue = SendQueue(0.24, live=True)
    queue.push(loud(), -0.02)
    assert not run(queue, early(0.012, 400), loud())
    assert round(queue.seconds, 2) == 0.02, "what is loud isn't cut for it"
    assert not run(queue, early(0.012, 400, 400), np.zeros(FRAME, np.int16), 400)
    assert queue.seconds == 0


def test_a_spare_frame_stays_where_frames_come_in_the_last_moment() -> None:
    queue = SendQueue(0.24, live=True)
    queue.push(np.zeros(FRAME, np.int16), -0.02)
    assert not run(queue, early(0.003, 2000), np.zeros(FRAME, np.int16))
    assert round(queue.seconds, 2) == 0.02


@given(st.integers(300, 1500), st.floats(0.009, 0.019))
def test_what_comes_late_now_and_then_is_missed_ever_more_seldom(apart: int, before: float) -> None:
    """Each `apart` takes one frame comes after its take; ten minutes of it."""
    queue, count = SendQueue(0.24, live=True), 30_000
    queue.push(np.zeros(FRAME, np.int16), -0.02)
    times = [
        at + (before + 0.004 if number % apart == apart - 1 else 0) for number, at in enumerate(early(before, count))
    ]
    assert len(run(queue, times, np.zeros(FRAME, np.int16))) <= 7
