from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from livekit import rtc
from livekit.rtc._ffi_client import FfiClient, FfiQueue
from livekit.rtc._proto.audio_frame_pb2 import CaptureAudioFrameCallback
from livekit.rtc._proto.ffi_pb2 import FfiEvent, FfiRequest

from gateway.edge import frames
from gateway.edge.frames import BACKLOG, Frames, Speaker
from gateway.metrics import EDGE_ERRORS
from gateway.rtp import FRAME

SAMPLES = ctypes.POINTER(ctypes.c_int16)
TAKEN = FfiEvent(capture_audio_frame=CaptureAudioFrameCallback(async_id=7)).SerializeToString()
"""What the native side tells of a part that the source with the handle 7 has taken."""


class Native:
    """The SDK's side: takes a part when asked, and tells so when the test wants it to."""

    def __init__(self) -> None:
        self.speakers: dict[bytes, Speaker] = {}
        self.taken: list[int] = []
        self.works = True

    def asking(self, asked: bytes) -> Callable[[], bool]:
        return partial(self._take, asked)

    def _take(self, asked: bytes) -> bool:
        given = FfiRequest.FromString(asked).capture_audio_frame.buffer
        part = np.ctypeslib.as_array(ctypes.cast(given.data_ptr, SAMPLES), (given.samples_per_channel,))
        assert len(set(part)) == 1
        self.taken.append(int(part[0]))
        return self.works

    def tell(self) -> None:
        """A part was taken."""
        self.speakers[TAKEN].on_said()


@pytest.fixture
def native(monkeypatch: pytest.MonkeyPatch) -> Native:
    made = Native()
    monkeypatch.setattr(frames, "frames", lambda: made)
    return made


@pytest.fixture
def speaker(native: Native) -> Speaker:
    del native
    return Speaker(cast("rtc.AudioSource", SimpleNamespace(_ffi_handle=SimpleNamespace(handle=7))))


def frame(number: int) -> np.ndarray:
    """Its halves are told apart: 2n and 2n + 1."""
    return np.repeat(np.array([2 * number, 2 * number + 1], np.int16), FRAME // 2)


def test_a_frame_is_given_once_the_one_before_was_taken(native: Native, speaker: Speaker) -> None:
    speaker.say(frame(1))
    speaker.say(frame(2))
    assert native.taken == [2, 3]
    native.tell()
    assert native.taken == [2, 3], "its memory isn't free yet"
    native.tell()
    assert native.taken == [2, 3, 4, 5]
    native.tell()
    native.tell()
    speaker.say(frame(3))
    assert native.taken[4:] == [6, 7], "it goes on after a pause"


def test_what_is_stale_is_forgotten_the_oldest_first(native: Native, speaker: Speaker) -> None:
    for number in range(10):
        speaker.say(frame(number))
    for _ in range(2 * BACKLOG):
        native.tell()
    assert native.taken == [0, 1, *range(2 * (10 - BACKLOG), 20)]


def test_one_that_is_closed_or_refused_asks_no_more(native: Native, speaker: Speaker) -> None:
    native.works = False
    speaker.say(frame(1))
    assert not native.speakers
    speaker.say(frame(2))
    speaker.on_said()
    assert native.taken == [2]


class Told(Frames):
    """The process's events, as the native side codes them, without it."""

    def __init__(self) -> None:
        super().__init__(cast("FfiClient", SimpleNamespace(queue=FfiQueue())))

    def _keep_thread(self) -> None:
        pass

    def tell(self, event: FfiEvent) -> None:
        """Tell it by our callback."""
        coded = event.SerializeToString()
        memory = ctypes.create_string_buffer(coded, len(coded))
        self.came(ctypes.addressof(memory), len(coded))


class Counted:
    """A Speaker that counts what it is told."""

    told = 0

    def on_said(self) -> None:
        self.told += 1


@pytest.mark.parametrize(("error", "counted"), [("", 0), ("InvalidState - failed to capture frame", 1)])
def test_what_the_native_side_tells_reaches_its_speaker(error: str, counted: int) -> None:
    """A part that was refused is told in other bytes, and frees the memory all the same."""
    told, speaker = Told(), Counted()
    told.speakers[TAKEN] = cast("Speaker", speaker)
    before = EDGE_ERRORS.labels("room audio")._value.get()
    told.tell(FfiEvent(capture_audio_frame=CaptureAudioFrameCallback(async_id=7, error=error or None)))
    assert speaker.told == 1
    assert EDGE_ERRORS.labels("room audio")._value.get() == before + counted


def test_what_isn_t_ours_goes_to_whoever_waits_for_the_sdk_s_events(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()
    passed: list[int] = []
    monkeypatch.setattr(frames, "ffi_event_callback", lambda _, size: passed.append(size))
    other = FfiEvent(capture_audio_frame=CaptureAudioFrameCallback(async_id=8))
    told.tell(other)
    assert passed == [other.ByteSize()]
