"""An agent's stand-in in the room: publishes a tone, hears the caller, takes and sends digits.

Its frames pass the SDK's Python by as the edge's do: ten of them in the process of the edge would else keep it busy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
from livekit import api, rtc

from gateway.edge.frames import Listener, Speaker
from gateway.rtp import FRAME, RATE
from tests.e2e.rtp_probe import BEHIND, LISTENING, mostly
from tests.e2e.servers import LiveKit, until


class RoomPeer:
    """A participant of one room. `tone` (Hz) is what it says."""

    def __init__(self, name: str, rate: int = RATE) -> None:
        self.name, self.rate = name, rate
        self.tone = 600.0
        self.level = 6000
        self.room = rtc.Room()
        self.heard: list[np.ndarray] = []
        """20 ms frames of the caller at `rate`."""
        self.keys: list[str] = []
        self.statuses: list[str] = []
        """`sip.callStatus` as it changed."""
        self.left: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._speaker: Speaker | None = None
        self._listeners: list[Listener] = []

    def last(self, seconds: float) -> np.ndarray:
        """The latest samples heard of the caller."""
        frames = self.heard[-round(seconds * 50) :]
        return np.concatenate(frames) if frames else np.zeros(0, np.int16)

    async def hears(self, frequency: float, within: float = 20.0) -> None:
        """Return once half a second of mostly that tone has been heard."""
        await until(lambda: mostly(self.last(0.5), frequency, self.rate), within, LISTENING)

    @property
    def caller(self) -> rtc.RemoteParticipant | None:
        """The SIP participant, if it is there."""
        sip = [p for p in self.room.remote_participants.values() if p.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP]
        return sip[0] if sip else None

    async def press(self, key: str) -> None:
        """Send a digit into the room."""
        await self.room.local_participant.publish_dtmf(code="0123456789*#ABCD".index(key), digit=key)

    def start(self) -> None:
        """Listen; call it before connecting."""
        self.room.on("track_subscribed", lambda track, *_: self._hear(track))
        self.room.on("sip_dtmf_received", lambda dtmf: self.keys.append(dtmf.digit))
        self.room.on("participant_connected", lambda who: self._note(who.attributes))
        self.room.on("participant_attributes_changed", lambda changed, _: self._note(changed))
        self.room.on("participant_disconnected", lambda who: self.left.append(who.identity))

    async def speak(self) -> None:
        """Publish the tone."""
        self._source = rtc.AudioSource(self.rate, 1, queue_size_ms=0)
        track = rtc.LocalAudioTrack.create_audio_track(self.name, self._source)
        microphone = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self.room.local_participant.publish_track(track, microphone)
        self._speaker = Speaker(self._source, self.rate)
        self._tasks.append(asyncio.create_task(self._tone(self._speaker)))

    async def close(self) -> None:
        """Leave."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for listener in self._listeners:
            listener.close()
        await self.room.disconnect()
        if self._speaker is not None:
            self._speaker.close()
            await self._source.aclose()

    def _note(self, attributes) -> None:
        if status := attributes.get("sip.callStatus"):
            self.statuses.append(status)

    async def _tone(self, speaker: Speaker) -> None:
        due, phase = time.monotonic(), 0
        while True:
            due = max(due + 0.02, time.monotonic() - BEHIND)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            size = FRAME * self.rate // RATE
            times = (np.arange(size) + phase) / self.rate
            phase += size
            speaker.say((self.level * np.sin(2 * np.pi * self.tone * times)).astype(np.int16))

    def _hear(self, track: rtc.Track) -> None:
        self._listeners.append(Listener(track, self.heard.append, lambda: None, self.rate))


@asynccontextmanager
async def room_peer(
    livekit: LiveKit, room: str, name: str = "agent", tone: float = 600.0, *, deaf: bool = False, rate: int = RATE
) -> AsyncIterator[RoomPeer]:
    """Somebody who is in the room and speaks while the context lasts. `deaf`: they listen to nobody. `rate`: samples a second of
    what they say and hear."""
    grants = api.VideoGrants(room_join=True, room=room)
    token = api.AccessToken(livekit.key, livekit.secret).with_identity(name).with_grants(grants).to_jwt()
    peer = RoomPeer(name, rate)
    peer.tone = tone
    peer.start()
    await peer.room.connect(livekit.url, token, rtc.RoomOptions(auto_subscribe=not deaf))
    try:
        for who in peer.room.remote_participants.values():
            peer._note(who.attributes)
        await peer.speak()
        yield peer
    finally:
        await peer.close()


@asynccontextmanager
async def silent_peer(
    livekit: LiveKit, room: str, name: str = "watcher", kind: str = "standard"
) -> AsyncIterator[rtc.Room]:
    """Somebody who is in the room and publishes nothing, so that a call goes on ringing. `kind`: of a participant."""
    grants = api.VideoGrants(room_join=True, room=room, agent=kind == "agent")
    token = (
        api.AccessToken(livekit.key, livekit.secret).with_identity(name).with_kind(kind).with_grants(grants).to_jwt()
    )
    made = rtc.Room()
    await made.connect(livekit.url, token)
    try:
        yield made
    finally:
        await made.disconnect()
