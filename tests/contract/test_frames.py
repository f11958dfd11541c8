"""What gateway.edge.frames leans on, on the installed SDK and an unmodified livekit-server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import numpy as np
import pytest
from livekit import api, rtc

from gateway.edge.frames import Frames, Listener, Speaker, frames
from gateway.rtp import FRAME, FRAME_SECONDS, RATE, Samples
from tests.e2e.rtp_probe import power
from tests.e2e.servers import LiveKit, livekit_server, redis_server, until


@pytest.fixture(scope="module")
def livekit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKit]:
    directory = tmp_path_factory.mktemp("servers")
    with redis_server(directory) as redis_url, livekit_server(directory, redis_url) as found:
        yield found


@asynccontextmanager
async def room(livekit: LiveKit, name: str, who: str) -> AsyncIterator[rtc.Room]:
    token = api.AccessToken(livekit.key, livekit.secret).with_identity(who)
    made = rtc.Room()
    await made.connect(livekit.url, token.with_grants(api.VideoGrants(room_join=True, room=name)).to_jwt())
    try:
        yield made
    finally:
        await made.disconnect()


class Pair:
    """Somebody who says tones by our Speaker, and the track of it that somebody else has."""

    def __init__(self, speaker: Speaker, source: rtc.AudioSource, track: rtc.Track) -> None:
        self.speaker, self.source, self.track = speaker, source, track

    async def say(self, frequency: float, seconds: float) -> None:
        """As the pacer does: a frame each 20 ms. Every frame is a memory of its own that is overwritten at once."""
        due, at = asyncio.get_running_loop().time(), 0
        while at < seconds * RATE:
            frame = (6000 * np.sin(2 * np.pi * frequency * (at + np.arange(FRAME)) / RATE)).astype(np.int16)
            self.speaker.say(frame)
            frame.fill(32767)
            at, due = at + FRAME, due + FRAME_SECONDS
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))


@asynccontextmanager
async def pair(livekit: LiveKit, name: str) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        hearing = await stack.enter_async_context(room(livekit, name, "hears"))
        came: asyncio.Future[rtc.Track] = asyncio.get_running_loop().create_future()
        hearing.on("track_subscribed", lambda track, *_: came.done() or came.set_result(track))
        saying = await stack.enter_async_context(room(livekit, name, "says"))
        source = rtc.AudioSource(RATE, 1, queue_size_ms=0)
        stack.push_async_callback(source.aclose)
        await saying.local_participant.publish_track(rtc.LocalAudioTrack.create_audio_track("says", source))
        speaker = Speaker(source)
        stack.callback(speaker.close)
        yield Pair(speaker, source, await asyncio.wait_for(came, 10))


def tone(heard: list[Samples], frequency: float) -> float:
    """The tone's share of the last half second, of half a second at least."""
    last = heard[-25:]
    return power(np.concatenate(last), frequency) if len(last) == 25 else 0.0


async def test_what_is_said_is_heard_in_frames_of_20_ms(livekit: LiveKit) -> None:
    async with pair(livekit, "tones") as two:
        heard: list[Samples] = []
        listener = Listener(two.track, heard.append, lambda: None)
        await two.say(600, 2)
        assert tone(heard, 600) > 0.7
        assert {len(frame) for frame in heard} == {FRAME}
        await two.say(1200, 1)
        assert tone(heard, 1200) > 0.7
        listener.close()
        count = len(heard)
        await two.say(600, 0.3)
        assert len(heard) == count, "a closed listener hears nothing"


async def test_the_sdks_own_stream_and_source_go_on_beside_ours(livekit: LiveKit) -> None:
    async with pair(livekit, "beside") as two, room(livekit, "beside-2", "alone") as alone:
        ours: list[Samples] = []
        listener = Listener(two.track, ours.append, lambda: None)
        stream = rtc.AudioStream.from_track(track=two.track, sample_rate=RATE, num_channels=1, frame_size_ms=20)
        theirs = rtc.AudioSource(RATE, 1, queue_size_ms=0)
        await alone.local_participant.publish_track(rtc.LocalAudioTrack.create_audio_track("theirs", theirs))
        saying = asyncio.create_task(two.say(600, 2))
        sdk: list[Samples] = []
        async for event in stream:
            sdk.append(np.frombuffer(event.frame.data, np.int16))
            await asyncio.wait_for(theirs.capture_frame(rtc.AudioFrame(bytes(160), RATE, 1, 80)), 5)
            if tone(sdk, 600) > 0.7 and tone(ours, 600) > 0.7:
                break
        await saying
        await stream.aclose()
        await theirs.aclose()
        listener.close()


async def test_a_tracks_end_is_told_and_nothing_is_left(livekit: LiveKit) -> None:
    found: Frames = frames()
    ended: list[str] = []
    async with pair(livekit, "ends") as two:
        listener = Listener(two.track, lambda _: None, lambda: ended.append("ended"))
        await two.say(600, 0.5)
        assert found.speakers
        assert found.listeners
        closed = Listener(two.track, lambda _: None, lambda: ended.append("closed"))
        closed.close()
    await until(lambda: not found.listeners)
    await until(lambda: ended == ["ended"])
    assert not found.speakers
    listener.close()


async def test_a_source_that_is_gone_takes_nothing_more(livekit: LiveKit, caplog: pytest.LogCaptureFixture) -> None:
    async with pair(livekit, "gone") as two:
        await two.source.aclose()
        await two.say(600, 0.1)
        assert not frames().speakers, "it is given up, rather than asked again"
