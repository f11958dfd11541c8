from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.mixer import LONGEST, Mixer
from gateway.rtp import Samples


def frame(value: int) -> Samples:
    return np.full(160, value, np.int16)


def values(frames: list[Samples]) -> list[int]:
    assert all(len(each) == 160 and each.dtype == np.int16 for each in frames)
    return [int(each[0]) for each in frames]


def test_one_track_passes_at_once() -> None:
    mixer = Mixer()
    assert [values(mixer.add("a", frame(n), n * 0.02)) for n in range(3)] == [[0], [1], [2]]


def together(mixer: Mixer, now: float, **tracks: int) -> list[int]:
    """One frame of each track, all but at once."""
    return [
        v
        for n, (track, value) in enumerate(tracks.items())
        for v in values(mixer.add(track, frame(value), now + n / 1000))
    ]


def test_two_tracks_are_added_without_delay() -> None:
    mixer = Mixer()
    assert together(mixer, 0.0, a=1, b=10) == [1]  # the second came when the first had gone out
    assert together(mixer, 0.02, a=2, b=20) == [22]
    assert together(mixer, 0.04, b=30, a=3) == [33]
    assert not any(mixer._waiting.values())


@pytest.mark.parametrize(
    ("one", "other", "total"), [(30000, 10000, 32767), (-30000, -10000, -32768), (30000, -1, 29999)]
)
def test_loud_tracks_saturate(one: int, other: int, total: int) -> None:
    mixer = Mixer()
    together(mixer, 0.0, a=0, b=0)
    assert together(mixer, 0.02, a=one, b=other) == [total]


def test_a_track_that_pauses_holds_the_others_up_only_briefly() -> None:
    mixer = Mixer()
    together(mixer, 0.0, a=1, b=10)
    assert together(mixer, 0.02, a=2) == []
    assert together(mixer, 0.04, a=3) == []
    assert together(mixer, 0.06, a=4) == [2, 3, 4]
    assert together(mixer, 0.08, a=5) == [5]
    assert together(mixer, 0.10, a=6, b=10) == [6]
    assert together(mixer, 0.12, a=7, b=20) == [27]


def test_a_stall_of_ours_takes_nothing_from_anyone() -> None:
    mixer = Mixer()
    together(mixer, 0.0, a=1, b=10)
    assert together(mixer, 0.5, a=2, b=20) == [22]


def test_a_track_that_ends_is_forgotten() -> None:
    mixer = Mixer()
    together(mixer, 0.0, a=1, b=10)
    mixer.remove("b")
    assert together(mixer, 0.02, a=2) == [2]


steps = st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 0.05)), max_size=60)


@given(steps)
def test_nothing_piles_up_and_nothing_is_heard_twice(happened: list[tuple[str, float]]) -> None:
    mixer, now, given_, out = Mixer(), 0.0, 0, 0
    for track, pause in happened:
        now += pause
        given_ += 1
        out += sum(values(mixer.add(track, frame(1), now)))
        assert all(len(queue) <= LONGEST for queue in mixer._waiting.values())
    waiting = sum(len(queue) for queue in mixer._waiting.values())
    assert out + waiting <= given_


@given(st.integers(5, 30))
def test_a_lone_track_runs_on_without_loss(frames: int) -> None:
    mixer, heard = Mixer(), []
    together(mixer, 0.0, a=0, b=0)
    for number in range(1, frames):
        heard += together(mixer, number * 0.02, a=number)
    assert heard == list(range(1, frames))
