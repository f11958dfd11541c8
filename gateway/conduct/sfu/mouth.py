"""The job's one track in the call's room, published only while somebody is to hear it: two who talk by themselves must
cost nothing, and even silence is encoded and sent."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

import numpy as np
import structlog
from livekit import rtc
from livekit.rtc.participant import PublishTrackError, UnpublishTrackError

from gateway.calls.hearing import VOICE
from gateway.conduct.sound import play
from gateway.metrics import EDGE_ERRORS
from gateway.rtp import RATE, Samples
from gateway.tasks import Tasks

log = structlog.get_logger(__name__)

BITRATE = 80_000
"""Bits a second that Opus may take: encoding at the SDK's 48,000 costs twice as much (see tests/bench/README.md)."""
AUDIBLE = 100
"""Of 32,768: the loudest sample of what counts as something to hear, 50 dB below the loudest."""
CLOSE_AFTER = 1.0
"""Seconds for which nobody must want to hear us before the track goes: it would hold up the subscriptions of those who
have just been connected."""
RECENT = 8.0
"""Seconds of what was said that `recent` tells."""
PUBLISH_WITHIN = 5.0
"""Seconds that LiveKit may take to publish a track or to take it back."""


class Mouth:
    """Implements `play.Sink`. Use it as a context, left after what plays on it; `open` once the room is connected."""

    def __init__(self, room: rtc.Room, rate: int, name: str = VOICE) -> None:
        """`rate`: samples a second of what is said; `name`: the track's."""
        self._room, self.rate, self._name = room, rate, name
        self._source: rtc.AudioSource | None = play.source(rate)
        self._sid = ""
        self._publication: rtc.LocalTrackPublication | None = None
        self._wanted = True
        self._opened = asyncio.Event()
        self._turn = asyncio.Lock()
        self._tasks = Tasks("mouth")
        self.sounds: Callable[[float], None] | None = None
        """Told until when it sounds (`time.monotonic`) as it is given something that can be heard."""
        self._recent: deque[rtc.AudioFrame] = deque()
        self._seconds = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._tasks.__aexit__(kind, error, trace)
        await self._free()

    async def open(self) -> None:
        """Publish the track. Raises livekit's PublishTrackError."""
        source = self._source = self._source or play.source(self.rate)
        track = rtc.LocalAudioTrack.create_audio_track(self._name, source)
        self._publication = await self._room.local_participant.publish_track(track, publishing())
        self._sid = self._publication.sid
        self._opened.set()

    async def taken(self) -> None:
        """Return once somebody is subscribed to the track, which is open."""
        if self._publication is not None:
            await self._publication.wait_for_subscription()

    async def close(self) -> None:
        """Take the track back, for good. What LiveKit doesn't do in time it does when we leave."""
        self._wanted = False
        async with self._turn:
            try:
                async with asyncio.timeout(PUBLISH_WITHIN):
                    if self._sid:
                        await self._close()
            except (UnpublishTrackError, TimeoutError) as bad:
                log.warning("a track couldn't be taken back", why=type(bad).__name__)

    def heard(self, heard: bool) -> None:
        """From now on somebody is to hear us, or nobody."""
        if heard is not self._wanted:
            self._wanted = heard
            self._tasks.start(self._settle(), "open or close")

    @property
    def published(self) -> bool:
        """Whether there is a track, so that somebody is to hear us."""
        return bool(self._sid)

    @property
    def queued_duration(self) -> float:
        """See Sink."""
        return self._source.queued_duration if self._source is not None else 0.0

    def recent(self) -> Samples:
        """What was said of late, RECENT seconds of it, at gateway.rtp.RATE; what was taken back again is in it."""
        if not self._recent:
            return np.zeros(0, np.int16)
        said = np.concatenate([np.frombuffer(frame.data, np.int16) for frame in self._recent])
        step = self.rate // RATE
        fewer: Samples = said[: len(said) // step * step].reshape(-1, step).mean(axis=1).astype(np.int16)
        return fewer

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """See Sink. What is said to nobody takes its time and is lost."""
        self._remember(frame)
        if self._source is None and self._wanted:
            await self._opened.wait()
        if self._source is not None:
            await self._source.capture_frame(frame)
            if self.sounds is not None and audible(frame):
                self.sounds(time.monotonic() + self.queued_duration)
        else:
            await asyncio.sleep(frame.duration)

    async def wait_for_playout(self) -> None:
        """See Sink."""
        if self._source is not None:
            await self._source.wait_for_playout()

    def clear_queue(self) -> None:
        """See Sink."""
        if self._source is not None:
            self._source.clear_queue()

    def _remember(self, frame: rtc.AudioFrame) -> None:
        self._recent.append(frame)
        self._seconds += frame.duration
        while self._seconds - self._recent[0].duration >= RECENT:
            self._seconds -= self._recent.popleft().duration

    async def _settle(self) -> None:
        await asyncio.sleep(0.0 if self._wanted else CLOSE_AFTER)
        async with self._turn:
            try:
                async with asyncio.timeout(PUBLISH_WITHIN):
                    if self._wanted and not self._sid:
                        await self.open()
                    elif not self._wanted and self._sid:
                        await self._close()
            except (PublishTrackError, UnpublishTrackError, TimeoutError) as bad:
                EDGE_ERRORS.labels("mouth").inc()
                log.warning("the voice's track isn't as it should be", why=type(bad).__name__)

    async def _close(self) -> None:
        await self._room.local_participant.unpublish_track(self._sid)
        self._sid = ""
        self._opened.clear()
        await self._free()

    async def _free(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            await source.aclose()


def audible(frame: rtc.AudioFrame) -> bool:
    """Whether anything of it can be heard on a telephone."""
    samples = np.frombuffer(frame.data, np.int16)
    return bool(samples.size) and int(max(samples.max(), -int(samples.min()))) >= AUDIBLE


def publishing() -> rtc.TrackPublishOptions:
    """How a voice for telephones is published."""
    options = rtc.TrackPublishOptions()
    options.source = rtc.TrackSource.SOURCE_MICROPHONE
    # Redundancy and gaps in silence cost the SIP service decoding, and win nothing on a telephone line.
    options.red = False
    options.dtx = False
    options.audio_encoding.max_bitrate = BITRATE
    return options
