"""How a call leaves its room, whom it hears there, and which keys."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import ClassVar, cast

import pytest
from livekit import rtc
from livekit.protocol.models import AudioTrackFeature

from gateway.edge import codes
from gateway.edge.audio import Mouth
from gateway.edge.events import RoomGone
from gateway.edge.keys import SIGNS
from gateway.edge.leg import REJECT
from gateway.edge.room import RPCS, RoomLeg, RoomUser
from gateway.edge.seat import LiveKit, Seat
from gateway.edge.switchboard import Switchboard
from gateway.net.signalling import Line, Relay
from gateway.terms.direct import HEAR, MISSING, OF, UNHEARD
from gateway.terms.gap import KEYS, PROOF, proof
from gateway.terms.last_words import LAST_WORDS
from gateway.terms.legs import LEG
from gateway.terms.renew import RENEW

SECRET = "s" * 32


class Room:
    """Notes what it is asked for; its own participant, too."""

    def __init__(self, connected: bool) -> None:
        self.local_participant = self
        self.connected = connected
        self.asked: list[str] = []

    def isconnected(self) -> bool:
        return self.connected

    def on(self, *_: object) -> None:
        """What happens in it doesn't matter."""

    off = on

    def unregister_rpc_method(self, method: str) -> None:
        self.asked.append(method)

    async def disconnect(self, *, reason: int) -> None:
        self.asked.append("disconnect")


async def left(room: Room) -> list[str]:
    leg = RoomLeg(LiveKit("", "", ""), Switchboard(), Relay(), cast("RoomUser", _User()), "call")
    leg._room, leg._line = cast("rtc.Room", room), Line("ws://lk", None)
    leg._methods = tuple(leg._rpcs(leg._room))
    await leg.leave("")
    return room.asked


class _User:
    def on_room_begins(self) -> None:
        """Nobody does."""

    def on_room_audio(self, frame: object) -> None:
        pass

    def on_room_key(self, key: str) -> None:
        pass

    def post(self, event: object) -> None:
        pass


async def test_the_sdk_keeps_no_room_by_its_rpc_methods() -> None:
    assert await left(Room(connected=True)) == [*RPCS, RENEW, KEYS, HEAR, LAST_WORDS, "disconnect"]


async def test_nor_one_that_the_server_has_ended() -> None:
    assert await left(Room(connected=False)) == [*RPCS, RENEW, KEYS, HEAR, LAST_WORDS, "disconnect"]


async def test_the_call_learns_that_it_was_put_out_once_all_before_it_is_known() -> None:
    """The word of it overtakes the SDK's events else: an attribute that says why came before."""
    posted: list[object] = []
    user = _User()
    user.post = posted.append  # type: ignore[method-assign]
    leg = RoomLeg(LiveKit("", "", ""), Switchboard(), Relay(), cast("RoomUser", user), "call")
    line = leg._line = Line("ws://lk", None)
    us = SimpleNamespace(attributes={REJECT: "404"})
    room = cast("rtc.Room", SimpleNamespace(local_participant=us, isconnected=lambda: True))
    leg._room = room
    leg._on_empty()
    assert posted == [], "it leaves by itself"
    assert leg._connected()
    line.put_out = rtc.DisconnectReason.PARTICIPANT_REMOVED
    leg._on_empty()
    leg._on_empty()
    assert posted == [RoomGone(rtc.DisconnectReason.PARTICIPANT_REMOVED, "404")]
    assert not leg._connected(), "nothing that is set would be confirmed"


async def test_our_track_is_made_once_the_room_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is made before may have a runtime of the SDK's for itself, which can be gone before the room lets go of the track."""
    done: list[str] = []

    class Entered(Room):
        def register_rpc_method(self, *_: object) -> None:
            pass

        async def connect(self, *_: object) -> None:
            done.append("connect")

    def mouth(*_: object) -> None:
        done.append("track")

    monkeypatch.setattr("gateway.edge.room.rtc.Room", lambda: Entered(connected=True))
    monkeypatch.setattr("gateway.edge.room.Mouth", mouth)
    leg = RoomLeg(LiveKit("", "key", SECRET), Switchboard(), Relay(), cast("RoomUser", _User()), "call")
    await leg._connect(Seat("room", "caller"), {})
    assert done == ["connect", "track"]


class Us:
    """Our participant, which publishes."""

    def __init__(self) -> None:
        self.track_publications: dict[str, object] = {"TR_1": object()}
        self.refuses = False
        self.done: list[str] = []

    async def publish_track(self, track: rtc.LocalAudioTrack, _: object) -> None:
        if self.refuses:
            raise rtc.participant.PublishTrackError("no")
        self.done.append(f"publish {track.name}")

    async def unpublish_track(self, sid: str) -> None:
        self.done.append(f"unpublish {sid}")


def talking(us: Us) -> RoomLeg:
    leg = RoomLeg(LiveKit("", "", ""), Switchboard(), Relay(), cast("RoomUser", _User()), "call")
    room = Room(connected=True)
    room.local_participant = us  # type: ignore[assignment]
    leg._room, leg._mouth = cast("rtc.Room", room), Mouth("leg-1")
    return leg


async def test_the_track_of_a_job_is_heeded_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    heeded: list[str] = []

    async def heed(track: SimpleNamespace, *_: object) -> None:
        heeded.append(track.sid)

    monkeypatch.setattr("gateway.edge.others.heed", heed)
    monkeypatch.setattr("gateway.edge.audio.Listener", lambda *_: SimpleNamespace(close=lambda: None))
    leg = RoomLeg(LiveKit("", "", ""), Switchboard(), Relay(), cast("RoomUser", _User()), "call")
    publication = cast("rtc.RemoteTrackPublication", SimpleNamespace(audio_features=[AudioTrackFeature.TF_NO_DTX]))
    for sid, kind in (("human", "PARTICIPANT_KIND_SIP"), ("job", "PARTICIPANT_KIND_AGENT")):
        track = cast("rtc.Track", SimpleNamespace(sid=sid, kind=rtc.TrackKind.KIND_AUDIO))
        who = SimpleNamespace(identity=sid, kind=getattr(rtc.ParticipantKind, kind))
        leg._others.subscribed(track, publication, cast("rtc.RemoteParticipant", who))
    await asyncio.sleep(0)
    assert heeded == ["job"]


ASKED = cast("rtc.RpcInvocationData", None)


async def test_another_track_is_there_before_the_one_it_replaces_is_gone() -> None:
    us = Us()
    leg = talking(us)
    assert await leg._on_renew(ASKED) == "{}"
    assert us.done == ["publish leg-1'", "unpublish TR_1"]


async def test_the_track_stays_where_another_cant_be_published() -> None:
    us = Us()
    us.refuses = True
    leg = talking(us)
    with pytest.raises(rtc.RpcError):
        await leg._on_renew(ASKED)
    assert us.done == []


async def test_a_call_that_is_over_has_no_other_track() -> None:
    leg = talking(Us())
    leg._left = True
    with pytest.raises(rtc.RpcError):
        await leg._on_renew(ASKED)


class Publication:
    """A track of somebody's."""

    def __init__(self, name: str) -> None:
        self.name, self.kind = name, rtc.TrackKind.KIND_AUDIO
        self.subscribed = False

    def set_subscribed(self, on: bool) -> None:
        self.subscribed = on


@pytest.mark.parametrize(("name", "subscribed"), [("leg-1", True), ("leg-1'", False), ("leg-1''", False)])
async def test_only_the_api_lets_anybody_hear_a_track_that_replaces_another(name: str, subscribed: bool) -> None:
    """Who was heard before and joins anew is heard at once; who was taken from us isn't."""
    leg = RoomLeg(LiveKit("", "", ""), Switchboard(), Relay(), cast("RoomUser", _User()), "call")
    leg._others._hearing["TR_1"] = "leg-1"
    publication, them = Publication(name), Them()
    leg._others.wants(cast("rtc.RemoteTrackPublication", publication), cast("rtc.RemoteParticipant", them))
    assert publication.subscribed is subscribed


class Them:
    """Somebody's leg."""

    identity = "leg-1"
    attributes: ClassVar = {LEG: "1"}


async def test_a_humans_codes_are_kept_from_the_callers_phone_and_a_jobs_keys_arent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = asyncio.Queue[str]()

    class User(_User):
        def on_room_key(self, key: str) -> None:
            told.put_nowait(key)

    def pressed(sender: object, keys: str) -> None:
        for key in keys:
            leg._others.pressed(
                cast("rtc.SipDTMF", SimpleNamespace(participant=sender, digit=key, code=SIGNS.index(key)))
            )

    leg = RoomLeg(LiveKit("", "", ""), Switchboard(), Relay(), cast("RoomUser", User()), "call")
    human, job = (
        SimpleNamespace(identity="leg-1", attributes={LEG: "1"}, track_publications={}),
        SimpleNamespace(identity="job", attributes={}, track_publications={}),
    )
    monkeypatch.setattr(codes, "HELD", 60.0)
    pressed(human, "7*2")
    pressed(job, "*2")
    assert "".join(told.get_nowait() for _ in range(told.qsize())) == "7*2"
    monkeypatch.setattr(codes, "HELD", 0.01)
    pressed(human, "*")
    assert told.empty()
    assert await asyncio.wait_for(told.get(), 5.0) == "*"


class Asks:
    """A call of the RPC HEAR, by a job."""

    def __init__(self, *whom: str, proven: bool = True) -> None:
        self.caller_identity = "job"
        made = proof(SECRET if proven else "other", "room", "job")
        self.payload = json.dumps({PROOF: made, OF: list(whom)})


def placed(board: Switchboard, identity: str) -> tuple[RoomLeg, rtc.Room]:
    leg = RoomLeg(LiveKit("", "", SECRET), board, Relay(), cast("RoomUser", _User()), "call")
    leg._place = board.enter("room", identity, leg._ears)
    room = SimpleNamespace(name="room", remote_participants={})
    return leg, cast("rtc.Room", room)


async def test_a_job_says_whom_a_phone_hears_directly_and_who_isnt_here() -> None:
    board = Switchboard()
    (caller, room), _ = placed(board, "sip_caller"), placed(board, "leg-1")
    answer = caller._on_hear(room, cast("rtc.RpcInvocationData", Asks("leg-1", "leg-2")))
    assert json.loads(answer) == {MISSING: ["leg-2"], UNHEARD: False}
    assert caller._place is not None
    assert list(caller._place.hears) == ["leg-1"]
    await caller.leave("")
    answer = caller._on_hear(room, cast("rtc.RpcInvocationData", Asks("leg-1")))
    assert json.loads(answer) == {MISSING: ["leg-1"]}, "whoever leaves hears nobody"
    assert list(caller._place.hears) == []


async def test_nobody_but_a_job_says_who_hears_whom() -> None:
    board = Switchboard()
    (caller, room), _ = placed(board, "sip_caller"), placed(board, "leg-1")
    with pytest.raises(rtc.RpcError):
        caller._on_hear(room, cast("rtc.RpcInvocationData", Asks("leg-1", proven=False)))
    assert caller._place is not None
    assert list(caller._place.hears) == []
