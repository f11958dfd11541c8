"""The rim of a call's room: joins and publishes, tells what happens there as the script's inputs, hangs up.

It watches one participant, the caller's, by its identity: whoever else is in the room is not heard, and their keys
don't count.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog
from livekit import rtc
from livekit.rtc.participant import PublishTrackError

from gateway.conduct.events import Active, CallerLeft, CallerSeen, Input, Joined, Listening, Out, Relieved
from gateway.conduct.sfu.staying import Doubt, Staying
from gateway.errors import Unavailable
from gateway.terms.ending import Party
from gateway.terms.legs import LOST

log = structlog.get_logger(__name__)

STATUS = "sip.callStatus"
ACTIVE = "active"

_BY = {
    # The caller's BYE and lost media look alike here (livekit-sip leaves by itself for both): never a guess.
    rtc.DisconnectReason.CLIENT_INITIATED: Party.UNKNOWN,
    rtc.DisconnectReason.PARTICIPANT_REMOVED: Party.GATEWAY,
    rtc.DisconnectReason.ROOM_DELETED: Party.GATEWAY,
    rtc.DisconnectReason.ROOM_CLOSED: Party.GATEWAY,
    rtc.DisconnectReason.CONNECTION_TIMEOUT: Party.NETWORK,
    rtc.DisconnectReason.SIGNAL_CLOSE: Party.NETWORK,
    rtc.DisconnectReason.MEDIA_FAILURE: Party.NETWORK,
    rtc.DisconnectReason.SIP_TRUNK_FAILURE: Party.NETWORK,
}
"""Who ended a leg, by LiveKit's reason; the others are UNKNOWN."""

RETURNS_WITHIN = 3.0
"""Seconds within which a SIP service that joins anew, in its own place, must be there: until then the caller is."""
UNSURE_FOR = 0.5
"""Seconds for which somebody who is gone without a reason isn't believed to be: the SDK says so of everybody when its own
connection is lost, and tells of that before or after."""
ASTRAY = "the connection to LiveKit was lost"

_FINAL = {
    rtc.DisconnectReason.ROOM_DELETED,
    rtc.DisconnectReason.ROOM_CLOSED,
    rtc.DisconnectReason.CLIENT_INITIATED,
}
"""Why a job may be out of a room in which nothing goes on. One that was removed has made room for another job: the call
goes on, and whoever talks with the caller must not be dropped."""


def astray(room: rtc.Room) -> bool:
    """Whether our own connection is lost, and being made anew: whoever seems to be gone may be there."""
    return room.connection_state == rtc.ConnectionState.CONN_RECONNECTING


class CallRoom:
    """One job's presence in the caller's room. `happened` gets the script's inputs, `pressed` the caller's keys, both
    on the event loop's thread and in their order."""

    def __init__(
        self,
        room: rtc.Room,
        caller: str,
        happened: Callable[[Input], None],
        pressed: Callable[[str], None],
        doubt: Doubt | None = None,
    ) -> None:
        self._room, self._caller = room, caller
        self._happened, self._pressed = happened, pressed
        self._staying = Staying(room, doubt)
        self._joined = False
        self._returning: asyncio.TimerHandle | None = None
        self._unsure = False
        """The caller is gone without a reason."""
        self._track: asyncio.Future[rtc.RemoteAudioTrack] = asyncio.get_running_loop().create_future()
        self._gone: asyncio.Future[rtc.RemoteAudioTrack] = asyncio.get_running_loop().create_future()

    async def join(self, connect: Callable[[], Awaitable[None]], publish: Callable[[], Awaitable[None]]) -> None:
        """Connect and publish what the caller hears; then tell of the caller.

        Raises gateway.errors.Unavailable when LiveKit doesn't let us in.
        """
        self._watch()
        try:
            await connect()
            await publish()
        except (rtc.ConnectError, PublishTrackError) as bad:
            raise Unavailable("LiveKit doesn't let the job into the room.") from bad
        self._joined = True
        self._happened(Joined())
        for participant in self._room.remote_participants.values():
            self._came(participant)

    async def stay(self) -> None:
        """Once joined, see again and again whether LiveKit reaches us, and tell when it doesn't any more: nobody hears us then,
        though nobody else may take the call. Returns then."""
        await self._staying.astray()
        log.warning("LiveKit doesn't reach this job any more", state=self._room.connection_state)
        self._out(ASTRAY)

    async def hear(self, rate: int, frame_ms: int) -> AsyncIterator[bytes]:
        """The caller's audio, mono 16-bit; it ends when the caller is gone. One reader at a time."""
        while (track := await self._until_gone(self._track)) is not None:
            stream = rtc.AudioStream.from_track(track=track, sample_rate=rate, num_channels=1, frame_size_ms=frame_ms)
            try:
                async for event in stream:
                    yield bytes(event.frame.data)
            finally:
                await stream.aclose()
            if self._track.done() and self._track.result() is track:  # the SIP service publishes another after a fault
                self._track = asyncio.get_running_loop().create_future()

    async def _until_gone(self, awaited: asyncio.Future[rtc.RemoteAudioTrack]) -> rtc.RemoteAudioTrack | None:
        await asyncio.wait({awaited, self._gone}, return_when=asyncio.FIRST_COMPLETED)
        return None if self._gone.done() else awaited.result()

    def _watch(self) -> None:
        on = self._room.on
        on("participant_connected", self._came)
        on("participant_disconnected", self._went)
        on("participant_attributes_changed", lambda _changed, who: self._came(who))
        on("track_subscribed", self._subscribed)
        on("track_unsubscribed", self._unsubscribed)
        on("track_published", self._published)
        on("local_track_subscribed", lambda _: self._happened(Listening()))
        on("sip_dtmf_received", self._key)
        on("reconnecting", self._astray)
        on("disconnected", self._disconnected)

    def _came(self, participant: rtc.Participant) -> None:
        if not self._joined or participant.identity != self._caller:
            return
        self._returned()
        self._happened(CallerSeen())
        if participant.attributes.get(STATUS) == ACTIVE:
            self._happened(Active())

    def _went(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity != self._caller:
            return
        reason = participant.disconnect_reason or rtc.DisconnectReason.UNKNOWN_REASON
        self._returned()
        loop = asyncio.get_running_loop()
        if reason == rtc.DisconnectReason.DUPLICATE_IDENTITY:
            # The service has lost its connection to LiveKit and joins anew; its caller hears nothing of that.
            self._returning = loop.call_later(RETURNS_WITHIN, self._left, reason)
        elif reason == rtc.DisconnectReason.UNKNOWN_REASON:
            self._returning, self._unsure = loop.call_later(UNSURE_FOR, self._left, reason), True
            if astray(self._room):
                self._astray()
        else:
            self._left(reason, lost=LOST in participant.attributes)

    def _returned(self) -> None:
        self._unsure = False
        if self._returning is not None:
            self._returning.cancel()
            self._returning = None

    def _astray(self) -> None:
        """It is us who are gone, together with all that we knew of the room: the call goes on there, or will, with another
        job. A connection that is only resumed takes nobody away."""
        if self._unsure:
            self._out(ASTRAY)

    def _left(self, reason: rtc.DisconnectReason.ValueType, *, lost: bool = False) -> None:
        self._gone.cancel()
        by = Party.NETWORK if lost else _BY.get(reason, Party.UNKNOWN)
        self._happened(CallerLeft(by, rtc.DisconnectReason.Name(reason).lower()))

    def _subscribed(self, track: rtc.Track, _: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> None:
        if participant.identity != self._caller or not isinstance(track, rtc.RemoteAudioTrack):
            return
        if self._track.done():
            self._track = asyncio.get_running_loop().create_future()
        self._track.set_result(track)

    def _unsubscribed(self, track: rtc.Track, *_: object) -> None:
        """Whoever wants to hear the caller waits until the job is subscribed again: this track has ended."""
        if self._track.done() and not self._track.cancelled() and self._track.result() is track:
            self._track = asyncio.get_running_loop().create_future()

    def _published(self, _: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> None:
        if self._joined and participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT:
            self._happened(Relieved())

    def _key(self, dtmf: rtc.SipDTMF) -> None:
        if dtmf.participant is not None and dtmf.participant.identity == self._caller:
            self._pressed(dtmf.digit)

    def _disconnected(self, reason: rtc.DisconnectReason.ValueType) -> None:
        self._out(rtc.DisconnectReason.Name(reason).lower(), final=reason in _FINAL)

    def _out(self, reason: str, *, final: bool = False) -> None:
        self._returned()
        self._gone.cancel()
        self._happened(Out(reason, final=final))
