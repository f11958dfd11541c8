"""What a caller hears when whoever spoke is gone: the tracks are a stand-in's, the time is the loop's."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from gateway.edge import audio
from gateway.edge.audio import Ears, Why
from gateway.rtp import FRAME, Samples
from tests.e2e.servers import until


class Heard(list[Samples]):
    """The frames that came."""


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    monkeypatch.setattr(audio, "Listener", lambda _track, add, *_: SimpleNamespace(close=lambda: None, add=add))
    monkeypatch.setattr(audio, "ALONE", 0.02)
    return Heard()


def track(sid: str) -> Any:
    return cast(Any, SimpleNamespace(sid=sid))


async def test_the_line_is_filled_from_when_nobody_is_there_until_somebody_is(heard: Heard) -> None:
    ears = Ears(heard.append)
    await asyncio.sleep(0.06)
    assert not heard, "who never was there leaves no gap"
    ears.open(track("a"))
    ears.open(track("b"))
    ears.close("a")
    await asyncio.sleep(0.06)
    assert not heard, "the other is there"
    ears.close("b")
    await until(lambda: len(heard) > 3)
    assert all(len(frame) == FRAME for frame in heard)
    assert max(abs(int(sample)) for frame in heard for sample in frame) > 0
    ears.open(track("c"))
    came = len(heard)
    await asyncio.sleep(0.06)
    assert len(heard) == came
    ears.close("c")
    ears.open(track("d"))
    await asyncio.sleep(0.06)
    assert len(heard) == came, "it takes a moment to hand a caller over"
    ears.close_all()
    await asyncio.sleep(0.06)
    assert len(heard) == came, "the call is over"


async def test_who_begins_to_speak_is_told_of_before_they_are_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(
        audio, "Listener", lambda track, add, *_: told.append(add) or SimpleNamespace(close=lambda: None)
    )
    ears = Ears(lambda frame: told.append(int(frame[0])), lambda: told.append("begins"))
    ears.open(track("job"))
    ears.open(track("caller"))
    (job, caller), told[:] = told, []
    for hear, value in ((job, 0), (caller, 500), (job, 0), (caller, 600)):
        cast(Any, hear)(np.full(FRAME, value, np.int16))
    assert told == [0, "begins", 500, 600]


async def test_a_leg_that_hears_whom_it_is_told_to_isnt_filled(heard: Heard) -> None:
    ears = Ears(heard.append)
    ears.silence = True
    ears.open(track("a"))
    ears.close("a")
    await asyncio.sleep(0.06)
    assert not heard


def said(ears: Ears, loudness: int) -> None:
    """A frame of the one who is there."""
    [listener] = ears._listening.values()
    cast(Any, listener).add(np.full(FRAME, loudness, np.int16))


def loud(heard: Heard) -> bool:
    return any(int(np.abs(frame).max()) > audio.QUIET for frame in heard)


async def test_what_is_silent_of_a_job_that_stands_still_is_filled_until_it_sounds(heard: Heard) -> None:
    ears = Ears(heard.append)
    ears.open(track("a"))
    said(ears, 0)
    assert not loud(heard), "an agent that listens is silent"
    ears.still()
    for _ in range(3):
        said(ears, 0)
    assert len(heard) == 4 and loud(heard), "a frame for a frame"
    heard.clear()
    said(ears, 5000)
    said(ears, 0)
    assert [int(frame.max()) for frame in heard] == [5000, 0], "it has gone on"


async def test_a_track_that_has_stopped_is_filled_by_the_clock(heard: Heard) -> None:
    ears = Ears(heard.append)
    ears.open(track("a"))
    ears.still()
    await until(lambda: loud(heard))
    ears.goes_on()
    came = len(heard)
    await asyncio.sleep(0.1)
    assert len(heard) == came


async def test_what_is_told_of_a_job_and_what_is_seen_of_it_end_apart(heard: Heard) -> None:
    """Its worker says that it stands still: that packets of silence come proves nothing."""
    ears = Ears(heard.append)
    ears.open(track("a"))
    assert ears.hears("a") and ears.silent("a")
    ears.still()
    ears.still(Why.SEEN)
    ears.goes_on(Why.SEEN)
    await until(lambda: loud(heard))
    ears.still(Why.SEEN)
    ears.goes_on(Why.TOLD)
    heard.clear()
    await until(lambda: len(heard) > 3)
    ears.goes_on(Why.SEEN)
    came = len(heard)
    await asyncio.sleep(0.1)
    assert len(heard) == came


async def test_a_track_is_silent_while_nothing_sounds_of_it_and_it_alone_is_heard(heard: Heard) -> None:
    ears = Ears(heard.append)
    assert not ears.silent("a") and not ears.hears("a")
    ears.open(track("a"))
    said(ears, 5000)
    assert not ears.silent("a")
    await until(lambda: ears.silent("a"))
    ears.open(track("b"))
    assert not ears.silent("a"), "another is there"
    ears.close("b")
    assert ears.silent("a")
    ears.silence = True
    assert not ears.silent("a"), "a leg isn't filled"


async def test_nobody_is_filled_but_one_alone_who_stands_still(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    ears = Ears(heard.append)
    ears.still()
    ears.open(track("a"))
    ears.open(track("b"))
    ears.still()
    await asyncio.sleep(0.1)
    assert not heard, "two talk"
    ears.close("b")
    ears.still()
    ears.open(track("c"))
    await asyncio.sleep(0.1)
    assert not heard, "another has come"
    monkeypatch.setattr(audio, "STILL_FOR", 0.0)
    ears.close("c")
    ears.still()
    await asyncio.sleep(0.1)
    assert not heard, "for too long"
    ears.close_all()
    ears.still()
    await asyncio.sleep(0.1)
    assert not heard
