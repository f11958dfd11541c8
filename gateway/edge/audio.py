"""Audio of a call's room: the caller's frames into our track, everybody else's tracks into one stream of frames."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum, auto
from functools import partial

import numpy as np
from livekit import rtc

from gateway.edge.frames import Listener, Speaker
from gateway.edge.mixer import Mixer
from gateway.rtp import FRAME_SECONDS, RATE, Samples
from gateway.rtp.waiting import waiting

ALONE = 0.25
"""Seconds without anybody to hear until the line is filled: whoever hands a caller over takes less."""


QUIET = 100
"""Of 32,768: the peak of a frame in which a caller hears nothing."""
LATE = 0.06
"""Seconds without a frame after which a track has stopped."""
STILL_FOR = 12.0
"""Seconds at most for which the line is filled because a job stands still: another is there by then."""
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


def _nobody(*_: Samples) -> None:
    """Hears nothing."""


class Why(Enum):
    """How it is known that whoever speaks stands still."""

    TOLD = auto()
    """LiveKit's API says so."""
    SEEN = auto()
    """No packets come."""


class Ears:
    """The room's audio tracks, mixed. `heard` gets each frame of 20 ms, at `rate` samples a second, on the event loop; where whoever spoke
    is gone and nobody else has come, or stands still (`still`), two soft notes, again and again, unless there is to be `silence`
    then. Set `rate` before the first track."""

    def __init__(self, heard: Callable[[Samples], None], begins: Callable[[], None] = lambda: None) -> None:
        """`begins` is told before the first frame of somebody before whom there was silence."""
        self._heard, self._begins = heard, begins
        self._mixer = Mixer()
        self._listening: dict[str, Listener] = {}
        self._direct: set[str] = set()
        """Who is heard past LiveKit (`gateway.edge.switchboard`)."""
        self.silence = False
        self.rate = RATE
        self._waiting: asyncio.TimerHandle | None = None
        self._still: asyncio.TimerHandle | None = None
        """Set while whoever speaks stands still: looks whether frames come at all."""
        self._why: set[Why] = set()
        self._since = self._last = 0.0
        """Since when they do, and when the last frame came."""
        self._at = 0
        """Samples of the notes that were heard since."""

    def open(self, track: rtc.Track) -> None:
        """Listen to a track that was subscribed. The same track again replaces it."""
        sid = track.sid
        self.close(sid)
        self._listening[sid] = Listener(track, partial(self._add, sid), partial(self.close, sid), self.rate)
        self._wait_no_more()
        self.goes_on()

    def close(self, sid: str) -> None:
        """Listen to a track no longer."""
        if (listener := self._listening.pop(sid, None)) is not None:
            listener.close()
            self._lost(sid)

    def let_in(self, who: str) -> None:
        """Hear somebody past LiveKit, from now on; again does no harm."""
        self._direct.add(who)
        self._wait_no_more()
        self.goes_on()

    def bring(self, who: str, frame: Samples) -> None:
        """20 ms of what they say, at `rate`."""
        if who in self._direct:
            self._add(who, frame)

    def shut_out(self, who: str) -> None:
        """Hear them past LiveKit no longer."""
        if who in self._direct:
            self._direct.remove(who)
            self._lost(who)

    def hears(self, sid: str) -> bool:
        """Whether a track is listened to."""
        return sid in self._listening

    def silent(self, sid: str) -> bool:
        """Whether a track alone is to be heard, and nothing is heard of it."""
        alone = sid in self._listening and self._one_alone()
        return alone and not self.silence and self._mixer.silent(sid, asyncio.get_running_loop().time())

    def still(self, why: Why = Why.TOLD) -> None:
        """The only one to be heard stands still: fill what is silent of them, until they sound again, another comes, or
        `goes_on`."""
        if self.silence or not self._one_alone():
            return
        self._why.add(why)
        if self._still is None:
            loop = asyncio.get_running_loop()
            self._since, self._at = loop.time(), 0
            self._still = loop.call_later(LATE, self._look)

    def goes_on(self, why: Why | None = None) -> None:
        """They don't stand still any more, by all that is known, or as far as it is known so."""
        self._why -= {why} if why is not None else set(Why)
        if self._still is not None and not self._why:
            self._still.cancel()
            self._still = None

    def _one_alone(self) -> bool:
        return len(self._listening) + len(self._direct) == 1

    def close_all(self) -> None:
        """Listen to nothing more, for good."""
        self.silence = True
        self.goes_on()
        self._wait_no_more()
        for sid in list(self._listening):
            self.close(sid)
        for who in list(self._direct):
            self.shut_out(who)
        self._heard = self._begins = _nobody  # the call has us: both would stay until Python looks for garbage

    def _lost(self, source: str) -> None:
        self._mixer.remove(source)
        if not self._listening and not self._direct and not self.silence and self._waiting is None:
            loop = asyncio.get_running_loop()
            self._waiting = loop.call_later(ALONE, self._fill, 0, loop.time() + ALONE)

    def _fill(self, at: int, began: float) -> None:
        size = round(FRAME_SECONDS * self.rate)
        self._heard(waiting(at, size, self.rate))
        at += size
        self._waiting = asyncio.get_running_loop().call_at(began + at / self.rate, self._fill, at, began)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _look(self) -> None:
        """A track that has stopped brings no frames to put the notes in the place of: they come by the clock then."""
        loop = asyncio.get_running_loop()
        self._still = None
        if not (self._listening or self._direct) or loop.time() - self._since > STILL_FOR:
            return
        if loop.time() - self._last > LATE:
            self._heard(self._note())
        self._still = loop.call_later(FRAME_SECONDS, self._look)

    def _note(self) -> Samples:
        size = round(FRAME_SECONDS * self.rate)
        self._at += size
        return waiting(self._at - size, size, self.rate)

    def _add(self, sid: str, frame: Samples) -> None:
        self._last = asyncio.get_running_loop().time()
        for mixed in self._mixer.add(sid, frame, self._last):
            if self._mixer.begins:
                self._begins()
            if self._still is not None:
                if int(np.abs(mixed.astype(np.int32)).max()) < QUIET:
                    self._heard(self._note())
                    continue
                self.goes_on()
            self._heard(mixed)
