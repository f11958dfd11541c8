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
    assert together(mixer, 0.0, a=100, b=1000) == [100]  # the second came when the first had gone out
    assert together(mixer, 0.02, a=200, b=2000) == [2200]
    assert together(mixer, 0.04, b=3000, a=300) == [3300]
    assert not any(mixer._waiting.values())


@pytest.mark.parametrize(
    ("one", "other", "total"), [(30000, 10000, 32767), (-30000, -10000, -32768), (30000, -100, 29900)]
)
def test_loud_tracks_saturate(one: int, other: int, total: int) -> None:
    mixer = Mixer()
    together(mixer, 0.0, a=100, b=100)
    assert together(mixer, 0.02, a=one, b=other) == [total]


def test_a_track_that_pauses_holds_the_others_up_only_briefly() -> None:
    mixer = Mixer()
    together(mixer, 0.0, a=100, b=1000)
    assert together(mixer, 0.02, a=200) == []
    assert together(mixer, 0.04, a=300) == []
    assert together(mixer, 0.06, a=400) == [200, 300, 400]
    assert together(mixer, 0.08, a=500) == [500]
    assert together(mixer, 0.10, a=600, b=1000) == [600]
    assert together(mixer, 0.12, a=700, b=2000) == [2700]


def test_who_has_just_been_let_hear_is_heard_at_once_beside_a_silent_track() -> None:
    """A human has taken the call: the job's track is silent, and takes a moment to go."""
    mixer = Mixer()
    assert values(mixer.add("job", frame(0), 0.0)) == [0]
    assert values(mixer.add("caller", frame(500), 0.013)) == [500]
    assert mixer.begins, "what was said before may be left out"
    assert values(mixer.add("job", frame(3), 0.02)) == []
    for n in range(2, 9):
        assert values(mixer.add("caller", frame(n * 100), 0.013 + n * 0.02)) == [n * 100 + 3 * (n == 2)], (
            "the job's track has gone silently"
        )
        assert not mixer.begins


def test_a_silent_track_that_speaks_is_heard_without_delay() -> None:
    mixer = Mixer()
    together(mixer, 0.0, job=0, caller=0)
    for n in range(1, 5):
        heard = values(mixer.add("caller", frame(500), n * 0.02))
        assert heard == [500]
        assert values(mixer.add("job", frame(0), n * 0.02 + 0.004)) == []
    assert values(mixer.add("caller", frame(500), 0.1)) == [500]
    assert values(mixer.add("job", frame(70), 0.104)) == []
    assert values(mixer.add("caller", frame(600), 0.12)) == [670]


def test_who_is_silent_still_holds_nobody_up_and_goes_on_alone() -> None:
    mixer = Mixer()
    together(mixer, 0.0, job=0, caller=500)
    assert together(mixer, 0.02, caller=500, job=0) == [500]
    told = [mixed for n in range(40) for mixed in values(mixer.add("job", frame(0), 0.04 + n * 0.02))]
    assert told == [0] * (40 - 12), "once the caller has been away for a quarter of a second"


def test_a_stall_of_ours_takes_nothing_from_anyone() -> None:
    mixer = Mixer()
    together(mixer, 0.0, a=100, b=1000)
    assert together(mixer, 0.5, a=200, b=2000) == [2200]


def test_a_track_that_ends_is_forgotten() -> None:
    mixer = Mixer()
    together(mixer, 0.0, a=100, b=1000)
    mixer.remove("b")
    assert together(mixer, 0.02, a=200) == [200]


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
