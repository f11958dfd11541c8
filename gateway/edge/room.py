"""The room's side of a call: joins as a SIP participant, publishes, subscribes, passes digits, and leaves no trace.

It translates between the LiveKit SDK and the call's events, and decides nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

import structlog
from livekit import rtc

from gateway import sdk_log
from gateway.edge import switchboard
from gateway.edge.audio import Ears, Mouth, Why
from gateway.edge.events import EndAsked, Event, Joined, RoomGone, ServiceDown
from gateway.edge.frames import frames
from gateway.edge.heard import Heard, read
from gateway.edge.jobs import is_job
from gateway.edge.keys import Keys
from gateway.edge.last_words import LastWords
from gateway.edge.leaving import leave
from gateway.edge.leg import CALL_STATUS, REJECT
from gateway.edge.others import Others
from gateway.edge.seat import LiveKit, Seat, token_of
from gateway.edge.switchboard import Place, Switchboard
from gateway.net.signalling import Line, Relay
from gateway.rtp import RATE, Samples
from gateway.tasks import Tasks
from gateway.terms import gap
from gateway.terms.direct import HEAR, MISSING, UNHEARD
from gateway.terms.last_words import LAST_WORDS
from gateway.terms.legs import DROP, EDGE, LEG, LOST
from gateway.terms.line import LINE
from gateway.terms.renew import RENEW
from gateway.terms.times import ENTERS_WITHIN

SIGNAL = 5.0
"""Seconds that one attempt to reach the server may take."""
LINGER = 30.0
"""Seconds that leaving waits for a joining under way, which the SDK can't break off."""
CUT_OFF = frozenset({rtc.DisconnectReason.CONNECTION_TIMEOUT, rtc.DisconnectReason.MEDIA_FAILURE})
"""Reasons to leave for which nobody has hung up."""
SMALL = 1.0
"""Seconds that setting the last status may take, which leaving waits for."""
SETTING = 5.0
"""Seconds that the server may take to confirm attributes; on a busy machine it is late, and they are set all the same."""
ANSWERED = 0.25
"""Seconds after an RPC that its answer is sure to be sent; the SDK doesn't tell when, and leaving cuts it off."""
DROPPED_STAYS = 0.3
"""Seconds for which a leg that was told to end is still in its room: taking its connections apart costs the two who are just being
connected there more than the call that ends."""
RPCS = ("lk.sip.EndCall", "lk.sip.GetRemoteHeaders", LINE)
BITRATE = 80_000
"""Bits a second of our track: from there on Opus codes speech and silence alike by its cheap transform. What the SDK does
by itself, 48,000, costs more than twice the time in the encoder (1.8–2.2 % of a core a call instead of 0.9–1.0)."""

log = structlog.get_logger(__name__)


async def warm() -> None:
    """Let the SDK start its threads now, so that they have the precedence that the caller's thread has now.

    One worker of its own does: all that its workers tell us waits for the GIL anyway, and two of them wait for each other
    as well. TOKIO_WORKER_THREADS in the environment is taken as it is.
    """
    os.environ.setdefault("TOKIO_WORKER_THREADS", "1")
    sdk_log.spare()
    frames()
    await rtc.AudioSource(RATE, 1, queue_size_ms=0).aclose()


class RoomUser(Protocol):
    """The call, as its room sees it; called on the event loop, must not block."""

    def post(self, event: Event) -> None:
        """Something happened."""

    def on_room_audio(self, frame: Samples) -> None:
        """What the room says, 20 ms at the rate that was joined with."""

    def on_room_begins(self) -> None:
        """Somebody is heard for the first time: what was said before and waits yet is silence."""

    def on_room_key(self, key: str) -> None:
        """Somebody in the room pressed a key for the caller to hear."""

    def on_rpc(self, method: str, asked: Mapping[str, object]) -> Mapping[str, object]:
        """Somebody in the room calls a method of RPCS; its answer."""


class RoomLeg:
    """One call's place in its room. `join` once, then `leave` once, at any time."""

    def __init__(self, livekit: LiveKit, board: Switchboard, relay: Relay, user: RoomUser, call_id: str) -> None:
        self._livekit, self._board, self._relay = livekit, board, relay
        self._user = user
        self._call_id = call_id
        self._tasks = Tasks("room")
        self._ears = Ears(user.on_room_audio, user.on_room_begins)
        self._rate = RATE
        self._keys = Keys(call_id, livekit.secret)
        self._last_words = LastWords(self._ears, livekit.secret)
        self._heard = Heard(board, call_id)
        self._room: rtc.Room | None = None
        self._line: Line | None = None
        """By which the SDK is told of the room."""
        self._mouth: Mouth | None = None
        self._connecting: asyncio.Future[None] | None = None
        self._left = False
        self._others = Others(self._ears, self._tasks, user.post, user.on_room_key, call_id)
        self._place: Place | None = None
        self._methods: Sequence[str] = ()
        """What others in the room may ask of us."""
        self._renewing = asyncio.Lock()
        self._stay_until = 0.0
        self._gone = asyncio.Event()
        """We are out of the room, and haven't left it."""

    @property
    def participant(self) -> str:
        """Our participant's id, `PA_…`; "" while not joined."""
        return self._room.local_participant.sid if self._room is not None else ""

    @property
    def attributes(self) -> Mapping[str, str]:
        """Our participant's attributes now; none while not joined."""
        return self._room.local_participant.attributes if self._connected() and self._room else {}

    def join(self, seat: Seat, attributes: Mapping[str, str], rate: int = RATE) -> None:
        """Begin to join and publish; Joined, ServiceDown or RoomGone is posted, and TrackThere as soon as it is so.
        `rate`: samples a second of what is said and heard."""
        self._rate = self._ears.rate = rate
        ours = {EDGE: self._livekit.run} if EDGE in attributes else {}
        self._tasks.start(self._join(seat, {**attributes, **ours}), "join")

    def say(self, frame: Samples) -> None:
        """Speak 20 ms of the caller's audio into the room."""
        if self._place is not None:
            self._place.say(frame)
        if self._mouth is not None and self._heard.needed():
            self._mouth.say(frame)

    def press(self, key: str) -> None:
        """Send a key the caller pressed as a SipDTMF packet; a flood of keys is cut off."""
        self._keys.press(key)

    async def set_status(self, status: str) -> None:
        """Set `sip.callStatus`."""
        await self.set_attributes({CALL_STATUS: status})

    async def set_attributes(self, attributes: dict[str, str], within: float = SETTING) -> None:
        """Set attributes of our participant; a failure is only logged, as nobody can do anything about it. `within`:
        seconds to wait for the server's word."""
        if not self._connected() or self._room is None:
            return
        try:
            async with asyncio.timeout(within):
                await self._room.local_participant.set_attributes(attributes)
        except TimeoutError:
            log.warning("attributes not confirmed", call=self._call_id, names=sorted(attributes))

    async def leave(self, status: str, reason: int = rtc.DisconnectReason.CLIENT_INITIATED) -> None:
        """Set the status if one is given, and leave for LiveKit's `reason`; joining that is under way is waited for, since it can't be
        broken off: a participant that nobody knows of would stay behind.
        """
        self._left = True
        self._heard.close()
        self._others.close()
        if self._place is not None:
            self._place.leave()
        self._last_words.forget()
        if self._connecting is not None:
            await asyncio.wait([self._connecting], timeout=LINGER)
        if status:
            lost = {LOST: "1"} if reason in CUT_OFF else {}
            await self.set_attributes({CALL_STATUS: status, **lost}, SMALL)
        await asyncio.sleep(max(0.0, self._stay_until - asyncio.get_running_loop().time()))
        await self._tasks.__aexit__(None, None, None)
        self._ears.close_all()
        if self._room is not None and self._line is not None:
            await leave(self._room, self._line, self._methods, reason, self._call_id)
        if self._mouth is not None:
            await self._mouth.close()
        await self._part()

    async def _part(self) -> None:
        """Let go of the room and the call, which have us: all would stay until Python looks for garbage, and what the SDK has of them."""
        if self._room is not None:
            for event, handler in self._handlers().items():
                self._room.off(event, handler)
        last = [self._room, self._mouth, *self._others.release()]
        self._room = self._mouth = self._connecting = None
        del self._user
        await asyncio.to_thread(last.clear)  # the SDK takes connections apart then: 1.4 ms (p50) and up to 16

    async def _join(self, seat: Seat, attributes: Mapping[str, str]) -> None:
        try:
            room = await self._connect(seat, attributes)
            if room is None or self._left:
                return
            self._subscribe_to_all()
            await self._publish(room, seat.identity)
        except (rtc.ConnectError, rtc.participant.PublishTrackError) as bad:
            if isinstance(bad, rtc.participant.PublishTrackError) and await self._put_out():
                return
            log.warning("room not joined", call=self._call_id, why=type(bad).__name__)
            self._user.post(ServiceDown("the room can't be joined"))
        except TimeoutError:
            log.warning("room not joined", call=self._call_id, why="took too long")
            self._user.post(ServiceDown("the room can't be joined in time"))

    async def _put_out(self) -> bool:
        """Whether publishing failed because we were put out of the room: RoomGone tells it then, or has."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SMALL):
                await self._gone.wait()
        return self._gone.is_set()

    async def _connect(self, seat: Seat, attributes: Mapping[str, str]) -> rtc.Room | None:
        self._others.isolated = self._ears.silence = LEG in attributes
        room = self._room = rtc.Room()
        for event, told in self._handlers().items():
            room.on(event, told)
        token = seat.token or token_of(self._livekit, seat, attributes)
        # Two peer connections: publishing is then ready as soon as we are connected (measured: 85 ms instead of 105).
        options = rtc.RoomOptions(auto_subscribe=False, connect_timeout=SIGNAL, single_peer_connection=False)
        line = self._line = self._relay.line(seat.url or self._livekit.url)
        connecting = room.connect(line.url, token, options)
        self._connecting = asyncio.ensure_future(connecting)
        self._connecting.add_done_callback(_noticed)
        # Waited for rather than awaited: cancelling us must not cancel it (see `leave`).
        await asyncio.wait([self._connecting], timeout=ENTERS_WITHIN)
        if not self._connecting.done():
            raise TimeoutError
        self._connecting.result()
        line.catching = True
        if not self._left:
            # No human's phone is asked what others say.
            ears: switchboard.Ears = self._ears if self._others.isolated else self._last_words
            self._place = self._others.place = self._board.enter(seat.room, seat.identity, ears)
            self._heard.watch(room, self._place)
        # Not before: where no room is there yet the SDK makes a runtime for the track alone, whose threads can be gone while the
        # room still has the track. Where the SDK takes such a room apart, as 1.2 does, that is a crash.
        self._mouth = Mouth(seat.identity, self._rate)
        rpcs = self._rpcs(room)
        for method, handler in rpcs.items():
            room.local_participant.register_rpc_method(method, handler)
        self._methods = tuple(rpcs)
        return room

    def _rpcs(self, room: rtc.Room) -> Mapping[str, rtc.participant.RpcHandler]:
        """What others in the room may ask of us; all of it is taken back when we leave."""
        asked: dict[str, rtc.participant.RpcHandler] = {method: partial(self._on_rpc, method) for method in RPCS}
        keys, hear, last_words = (
            partial(each, room) for each in (self._keys.asked, self._on_hear, self._last_words.asked)
        )
        asked |= {RENEW: self._on_renew, gap.KEYS: keys, HEAR: hear, LAST_WORDS: last_words}
        return {method: partial(self._serve, handler) for method, handler in asked.items()}

    def _serve(
        self, handler: rtc.participant.RpcHandler, called: rtc.RpcInvocationData
    ) -> Awaitable[str | None] | str | None:
        """Whoever asks anything may be a job that hears us, of which the one that has said otherwise doesn't know."""
        self._heard.asked(called.caller_identity)
        return handler(called)

    async def _publish(self, room: rtc.Room, identity: str) -> None:
        if self._mouth is None:
            return
        await self._publish_track(room, self._mouth)
        self._mouth.open()
        self._tasks.start(self._keys.send(room), "keys")
        self._user.post(Joined())

    async def _publish_track(self, room: rtc.Room, mouth: Mouth) -> None:
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, red=False, dtx=False)
        options.audio_encoding.max_bitrate = BITRATE
        async with asyncio.timeout(ENTERS_WITHIN):
            await room.local_participant.publish_track(mouth.track, options)

    async def _on_renew(self, _: rtc.RpcInvocationData) -> str:
        """Somebody in the room wants our track to be another: see `gateway.conduct.sfu.renewing`. LiveKit's API alone decides who
        hears it."""
        async with self._renewing:
            if self._room is None or self._mouth is None or self._left:
                raise rtc.RpcError(rtc.RpcError.ErrorCode.APPLICATION_ERROR, "The call is over.")
            us = self._room.local_participant
            before = list(us.track_publications)
            try:
                self._heard.changed()  # LiveKit tells of a track once something is said on it
                self._mouth.renew()
                await self._publish_track(self._room, self._mouth)
                for sid in before:
                    await us.unpublish_track(sid)
            except (rtc.participant.PublishTrackError, rtc.participant.UnpublishTrackError, TimeoutError) as bad:
                log.warning("track not published anew", call=self._call_id, why=type(bad).__name__)
                raise rtc.RpcError(rtc.RpcError.ErrorCode.APPLICATION_ERROR, "LiveKit doesn't take it.") from bad
        self._stay_until = asyncio.get_running_loop().time() + ANSWERED
        return "{}"

    def _on_hear(self, room: rtc.Room, called: rtc.RpcInvocationData) -> str:
        """A job says whom of this process we hear directly, and whether anybody hears us by LiveKit: the RPC of
        `gateway.terms.direct`. Raises RpcError."""
        self._heard.changed()
        told = read(called.payload)
        if not is_job(room, called.caller_identity, told.proof, self._livekit.secret):
            raise rtc.RpcError(gap.NOT_YET, "Jobs alone say who hears whom.")
        if self._place is None or self._left:
            return json.dumps({MISSING: told.whom or []})  # whoever leaves hears nobody
        missing = self._hear(self._place, told.whom) if told.whom is not None else []
        unheard = self._heard.say(called.caller_identity, told.unheard and not self._renewing.locked())
        self._stay_until = asyncio.get_running_loop().time() + ANSWERED
        return json.dumps({MISSING: missing, UNHEARD: unheard})

    def _hear(self, place: Place, whom: Sequence[str]) -> list[str]:
        missing = place.hear(whom)
        self._others.heard_directly(place)
        return missing

    def _handlers(self) -> Mapping[rtc.room.EventTypes, Callable[..., None]]:
        """Of what happens in the room; the same each time."""
        return {
            "track_published": self._others.wants,
            "participant_connected": self._others.came,
            "track_subscribed": self._others.subscribed,
            "track_unsubscribed": self._on_unsubscribed,
            "participant_disconnected": self._others.left,
            "sip_dtmf_received": self._others.pressed,
            "reconnected": self._subscribe_to_all,
            "data_received": self._on_data,
            "disconnected": self._on_gone,
            "moved": self._on_empty,
        }

    def _subscribe_to_all(self) -> None:
        for participant in self._room.remote_participants.values() if self._room is not None else ():
            self._others.came(participant)
            for publication in participant.track_publications.values():
                self._others.wants(publication, participant)

    def _on_unsubscribed(self, _: rtc.Track, publication: rtc.RemoteTrackPublication) -> None:
        self._others.unsubscribed(publication)

    def _on_data(self, packet: rtc.DataPacket) -> None:
        """LiveKit's API alone, which has no participant, tells how the caller's job is; the job, too, that a leg is to end."""
        if packet.topic == DROP:
            self._on_drop(packet.participant)
            return
        if packet.topic != gap.STILL or packet.participant is not None:
            return
        if packet.data == gap.STANDS:
            self._ears.still()
        else:
            self._ears.goes_on(Why.TOLD)

    def _on_drop(self, sender: rtc.RemoteParticipant | None) -> None:
        """Nobody else in the room may end a leg so, and no caller's call ends so."""
        if self._others.isolated and (sender is None or sender.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT):
            self._stay_until = asyncio.get_running_loop().time() + DROPPED_STAYS
            self._user.post(EndAsked())

    def _on_empty(self) -> None:
        """The SDK knows of nobody in the room: as we are leaving, or because the server has put us out."""
        if self._line is not None and self._line.put_out is not None:
            self._on_gone(self._line.put_out)

    def _on_gone(self, reason: int) -> None:
        if self._gone.is_set():
            return
        self._gone.set()
        if not self._left and self._room is not None:
            self._user.post(RoomGone(reason, self._room.local_participant.attributes.get(REJECT, "")))

    def _on_rpc(self, method: str, called: rtc.RpcInvocationData) -> str:
        try:
            asked = json.loads(called.payload or "{}")
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            raise rtc.RpcError(rtc.RpcError.ErrorCode.APPLICATION_ERROR, "The payload must be a JSON object.")
        self._stay_until = asyncio.get_running_loop().time() + ANSWERED
        return json.dumps(self._user.on_rpc(method, asked))

    def _connected(self) -> bool:
        return self._room is not None and self._room.isconnected() and not self._gone.is_set()


def _noticed(connecting: asyncio.Future[None]) -> None:
    """Take note of a failure that nobody waits for any more, so that asyncio doesn't complain of it."""
    if not connecting.cancelled():
        connecting.exception()
