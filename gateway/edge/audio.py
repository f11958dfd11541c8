"""Audio of a call's room: the caller's frames into our track, everybody else's tracks into one stream of frames."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from livekit import rtc

from gateway.edge.frames import Listener, Speaker
from gateway.edge.mixer import Mixer
from gateway.rtp import FRAME_SECONDS, RATE, Samples
from gateway.rtp.waiting import waiting

ALONE = 0.25
"""Seconds without anybody to hear until the line is filled: whoever hands a caller over takes less."""


_RENEWED = "'"


def renewed(name: str) -> bool:
    """Whether a track of that name has taken another's place: then LiveKit's API alone decides who hears it."""
    return name.endswith(_RENEWED)


class Mouth:
    """Our track in the room: speaks what the caller says.

    The source has no queue of its own: it would keep whatever delay a busy moment once caused (measured: 45 ms to the
    other side's ear without it, 60 to 90 with 40 ms of queue on a loaded machine), and the caller's frames are paced
    already.
    """

    def __init__(self, name: str, rate: int = RATE) -> None:
        """`rate`: samples a second."""
        self._rate, self._name = rate, name
        self._source = rtc.AudioSource(rate, 1, queue_size_ms=0)
        self.track = rtc.LocalAudioTrack.create_audio_track(name, self._source)
        self._speaker: Speaker | None = None

    def open(self) -> None:
        """Speak, from now on."""
        self._speaker = Speaker(self._source, self._rate)

    def renew(self) -> None:
        """Make another track of what is said, for those who couldn't hear this one a second time."""
        self._name = f"{self._name}{_RENEWED}"
        self.track = rtc.LocalAudioTrack.create_audio_track(self._name, self._source)

    def say(self, frame: Samples) -> None:
        """Say a frame of 20 ms; one is lost while the mouth isn't open."""
        if self._speaker is not None:
            self._speaker.say(frame)

    async def close(self) -> None:
        """Free the SDK's side of it."""
        if self._speaker is not None:
            self._speaker.close()
        await self._source.aclose()


class Ears:
    """The room's audio tracks, mixed. `heard` gets each frame of 20 ms, at `rate` samples a second, on the event loop; where whoever spoke
    is gone and nobody else has come, two soft notes, again and again, unless there is to be `silence` then. Set `rate`
    before the first track."""

    def __init__(self, heard: Callable[[Samples], None], begins: Callable[[], None] = lambda: None) -> None:
        """`begins` is told before the first frame of somebody before whom there was silence."""
        self._heard, self._begins = heard, begins
        self._mixer = Mixer()
        self._listening: dict[str, Listener] = {}
        self.silence = False
        self.rate = RATE
        self._waiting: asyncio.TimerHandle | None = None

    def open(self, track: rtc.Track) -> None:
        """Listen to a track that was subscribed. The same track again replaces it."""
        sid = track.sid
        self.close(sid)
        self._listening[sid] = Listener(track, partial(self._add, sid), partial(self.close, sid), self.rate)
        self._wait_no_more()

    def close(self, sid: str) -> None:
        """Listen to a track no longer."""
        if (listener := self._listening.pop(sid, None)) is not None:
            listener.close()
            self._mixer.remove(sid)
            if not self._listening and not self.silence and self._waiting is None:
                loop = asyncio.get_running_loop()
                self._waiting = loop.call_later(ALONE, self._fill, 0, loop.time() + ALONE)

    def close_all(self) -> None:
        """Listen to nothing more."""
        self.silence = True
        self._wait_no_more()
        for sid in list(self._listening):
            self.close(sid)

    def _fill(self, at: int, began: float) -> None:
        size = round(FRAME_SECONDS * self.rate)
        self._heard(waiting(at, size, self.rate))
        at += size
        self._waiting = asyncio.get_running_loop().call_at(began + at / self.rate, self._fill, at, began)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _add(self, sid: str, frame: Samples) -> None:
        for mixed in self._mixer.add(sid, frame, asyncio.get_running_loop().time()):
            if self._mixer.begins:
                self._begins()
            self._heard(mixed)
