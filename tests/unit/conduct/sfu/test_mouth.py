"""The job's track is there while somebody is to hear it, and what is said meanwhile goes where it should."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from livekit import rtc
from livekit.rtc.participant import UnpublishTrackError

from gateway.conduct.sfu import mouth
from gateway.conduct.sfu.mouth import RECENT, Mouth
from gateway.conduct.sound import play

RATE = 8000
FRAME = rtc.AudioFrame(bytes(320), RATE, 1, 160)


@dataclass
class Source:
    """A native source, written down."""

    taken: list[rtc.AudioFrame] = field(default_factory=list)
    cleared: int = 0
    closed: bool = False
    queued_duration: float = 0.25

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        assert not self.closed
        self.taken.append(frame)

    async def wait_for_playout(self) -> None:
        assert not self.closed

    def clear_queue(self) -> None:
        self.cleared += 1

    async def aclose(self) -> None:
        self.closed = True


class Lab:
    """A room that publishes, and the sources that were made for it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sources: list[Source] = []
        self.published: list[str] = []
        self.changed = asyncio.Event()
        self.stuck = False
        self.options: Any = None
        monkeypatch.setattr(play, "source", self._source)
        monkeypatch.setattr(mouth, "CLOSE_AFTER", 0.0)
        monkeypatch.setattr(rtc.LocalAudioTrack, "create_audio_track", lambda name, source: source)
        self.mouth = Mouth(SimpleNamespace(local_participant=self), RATE)  # type: ignore[arg-type]

    def _source(self, _: int) -> Source:
        self.sources.append(Source())
        return self.sources[-1]

    async def publish_track(self, _: object, options: Any) -> SimpleNamespace:
        self.options = options
        self.published.append(f"TR_{len(self.sources)}")
        self.changed.set()
        return SimpleNamespace(sid=self.published[-1])

    async def unpublish_track(self, sid: str) -> None:
        self.changed.set()
        if self.stuck:
            raise UnpublishTrackError("no")
        self.published.remove(sid)

    async def change(self) -> None:
        async with asyncio.timeout(2):
            await self.changed.wait()
        self.changed.clear()
        await asyncio.sleep(0)


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Lab:
    return Lab(monkeypatch)


async def test_it_is_published_with_what_costs_least(lab: Lab) -> None:
    async with lab.mouth as made:
        await made.open()
        await made.capture_frame(FRAME)
        assert (lab.published, lab.sources[0].taken) == (["TR_1"], [FRAME])
        assert lab.options.audio_encoding.max_bitrate == mouth.BITRATE
        assert not lab.options.red
        assert made.queued_duration == 0.25
    assert lab.sources[0].closed


async def test_what_was_said_of_late_is_known(lab: Lab) -> None:
    frame = rtc.AudioFrame(np.full(RATE * 3, 7, np.int16).tobytes(), RATE, 1, RATE * 3)
    async with lab.mouth as made:
        assert not len(made.recent())
        await made.open()
        await made.capture_frame(FRAME)
        for _ in range(3):
            await made.capture_frame(frame)
        said = made.recent()
        assert RECENT <= len(said) / RATE < RECENT + 3
        assert set(said.tolist()) == {7}
        made.rate = 3 * RATE
        assert len(made.recent()) == len(said) // 3


async def test_whom_nobody_hears_has_no_track_and_no_source(lab: Lab) -> None:
    async with lab.mouth as made:
        assert not made.published
        await made.open()
        assert made.published
        await lab.change()
        made.heard(False)
        await lab.change()
        assert not lab.published
        assert not made.published
        assert lab.sources[0].closed
        async with asyncio.timeout(1):
            await made.capture_frame(FRAME)
            await made.wait_for_playout()
        made.clear_queue()
        assert (made.queued_duration, lab.sources[0].taken, lab.sources[0].cleared) == (0.0, [], 0)


async def test_what_is_said_to_somebody_again_waits_for_the_new_track(lab: Lab) -> None:
    async with lab.mouth as made:
        await made.open()
        await lab.change()
        made.heard(False)
        await lab.change()
        made.heard(True)
        await made.capture_frame(FRAME)
        assert lab.published == ["TR_2"]
        assert lab.sources[1].taken == [FRAME]


async def test_a_moment_without_listeners_changes_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mouth, "CLOSE_AFTER", 0.01)
    async with lab.mouth as made:
        await made.open()
        made.heard(False)
        made.heard(True)
        await made._tasks.settled(1.0)
        assert (lab.published, len(lab.sources)) == (["TR_1"], 1)


async def test_a_track_that_cant_be_taken_back_stays(lab: Lab) -> None:
    lab.stuck = True
    async with lab.mouth as made:
        await made.open()
        await lab.change()
        made.heard(False)
        await lab.change()
        await made.capture_frame(FRAME)
        assert lab.sources[0].taken == [FRAME]
