from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from livekit import rtc

from gateway.edge import frames
from gateway.edge.frames import BACKLOG, Speaker
from gateway.rtp import FRAME


class Native:
    """The SDK's side: takes a part when asked, and says so when the test wants it to."""

    def __init__(self) -> None:
        self.speakers: dict[int, Speaker] = {}
        self.taken: list[int] = []
        self.works = True
        self.speaker: Speaker | None = None

    def request(self, _: bytes) -> bool:
        assert self.speaker is not None
        part = np.frombuffer(self.speaker._memory, np.int16)
        assert len(set(part)) == 1
        self.taken.append(int(part[0]))
        return self.works


@pytest.fixture
def native(monkeypatch: pytest.MonkeyPatch) -> Native:
    made = Native()
    monkeypatch.setattr(frames, "frames", lambda: made)
    source = SimpleNamespace(_ffi_handle=SimpleNamespace(handle=7))
    made.speaker = Speaker(cast("rtc.AudioSource", source))
    return made


def frame(number: int) -> np.ndarray:
    """Its halves are told apart: 2n and 2n + 1."""
    return np.repeat(np.array([2 * number, 2 * number + 1], np.int16), FRAME // 2)


def test_a_part_is_given_once_the_one_before_was_taken(native: Native) -> None:
    speaker = native.speakers[7]
    speaker.say(frame(1))
    speaker.say(frame(2))
    assert native.taken == [2]
    for _ in range(4):
        speaker.on_said("")
    assert native.taken == [2, 3, 4, 5]
    speaker.say(frame(3))
    assert native.taken[4:] == [6], "it goes on after a pause"


def test_what_is_stale_is_forgotten_the_oldest_first(native: Native) -> None:
    speaker = native.speakers[7]
    for number in range(10):
        speaker.say(frame(number))
    for _ in range(20):
        speaker.on_said("")
    assert native.taken == [0, *range(2 * (10 - BACKLOG), 20)]


def test_one_that_is_closed_or_refused_asks_no_more(native: Native) -> None:
    speaker = native.speakers[7]
    native.works = False
    speaker.say(frame(1))
    assert 7 not in native.speakers
    speaker.say(frame(2))
    speaker.on_said("late")
    assert native.taken == [2]
