"""What somebody says who is called for a call, or is in its room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from livekit import rtc

from gateway.calls.hearing import leg as identity_of
from gateway.conduct.sfu.listening import Listening
from gateway.rtp import RATE


async def leg_audio(room: rtc.Room, leg: str, frame_ms: int) -> AsyncIterator[bytes]:
    """The audio of a leg from when the hearing matrix lets us hear it, mono 16 bits at RATE, in frames of `frame_ms`; it ends with the
    leg's track."""
    found: asyncio.Future[rtc.RemoteAudioTrack] = asyncio.get_running_loop().create_future()

    def subscribed(track: rtc.Track | None, who: rtc.RemoteParticipant) -> None:
        if who.identity == identity_of(leg) and isinstance(track, rtc.RemoteAudioTrack) and not found.done():
            found.set_result(track)

    listening = Listening(room)
    listening.on("track_subscribed", lambda track, _, who: subscribed(track, who))
    try:
        if (who := room.remote_participants.get(identity_of(leg))) is not None:
            for publication in who.track_publications.values():
                subscribed(publication.track, who)
        track = await found
    finally:
        listening.stop()
    stream = rtc.AudioStream.from_track(track=track, sample_rate=RATE, num_channels=1, frame_size_ms=frame_ms)
    try:
        async for event in stream:
            yield bytes(event.frame.data)
    finally:
        await stream.aclose()
