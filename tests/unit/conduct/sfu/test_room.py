"""What happens in a call's room, as the script's inputs: by the room's own events, without a server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from livekit import rtc
from livekit.rtc._proto.stats_pb2 import RtcStats

from gateway.conduct.events import Active, CallerLeft, CallerSeen, Input, Joined, Leave, Out
from gateway.conduct.sfu import reach, staying
from gateway.conduct.sfu import room as rooms
from gateway.conduct.sfu.room import CallRoom
from gateway.conduct.sfu.staying import Doubt
from gateway.terms.ending import Party
from tests.e2e.servers import until
from tests.unit.conduct.test_script import TO_TALKING, play

CALLER = "sip_1"


@dataclass
class Participant:
    identity: str = CALLER
    disconnect_reason: int = 0
    attributes: dict[str, str] = field(default_factory=lambda: {rooms.STATUS: rooms.ACTIVE})


class Room(rtc.EventEmitter[str]):
    """The part of `rtc.Room` that a CallRoom watches."""

    def __init__(self) -> None:
        super().__init__()
        self.remote_participants = {CALLER: Participant()}
        self.local_participant = self
        self.connection_state: int = rtc.ConnectionState.CONN_CONNECTED
        self.comes: list[int] = []
        """What has come at each look; the SDK tells nothing after the last."""

    async def get_rtc_stats(self) -> rtc.RtcStats:
        if not self.comes:
            raise RuntimeError("the room isn't connected")
        told = RtcStats()
        told.candidate_pair.candidate_pair.responses_received = self.comes.pop(0)
        return rtc.RtcStats(publisher_stats=[told], subscriber_stats=[])

    async def publish_track(self, *_: object) -> None:
        """Published."""


@dataclass
class World:
    ours: CallRoom
    room: Room
    seen: list[Input]
    keys: list[str]

    def leaves(self, reason: int) -> None:
        self.room.emit("participant_disconnected", Participant(disconnect_reason=reason))

    def reconnects(self) -> None:
        self.room.connection_state = rtc.ConnectionState.CONN_RECONNECTING
        self.room.emit("reconnecting")


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(rooms, "RETURNS_WITHIN", 0.05)
    monkeypatch.setattr(rooms, "UNSURE_FOR", 0.05)
    made, seen, keys = Room(), list[Input](), list[str]()
    ours = CallRoom(cast(Any, made), CALLER, seen.append, keys.append)

    async def done() -> None:
        """Connected, or published."""

    await ours.join(done, done)
    assert [type(one) for one in seen] == [Joined, CallerSeen, Active]
    seen.clear()
    return World(ours, made, seen, keys)


async def test_a_caller_who_hangs_up_has_left_at_once(world: World) -> None:
    world.leaves(rtc.DisconnectReason.CLIENT_INITIATED)
    assert [type(one) for one in world.seen] == [CallerLeft]


@pytest.mark.parametrize("lost", [True, False])
async def test_a_caller_whose_line_is_lost_hasnt_hung_up(world: World, lost: bool) -> None:
    """LiveKit keeps no such reason of a service that leaves by itself: its attribute tells."""
    gone = Participant(disconnect_reason=rtc.DisconnectReason.CLIENT_INITIATED)
    gone.attributes |= {rooms.LOST: "1"} if lost else {}
    world.room.emit("participant_disconnected", gone)
    [left] = world.seen
    assert left == CallerLeft(Party.NETWORK if lost else Party.UNKNOWN, "client_initiated")
    _, effects = play(*TO_TALKING, left)
    assert Leave("the caller left", lost=lost) in effects


async def test_a_sip_service_that_joins_anew_has_not_left(world: World) -> None:
    world.leaves(rtc.DisconnectReason.DUPLICATE_IDENTITY)
    world.room.emit("participant_connected", Participant())
    passed = asyncio.Event()
    asyncio.get_running_loop().call_later(3 * rooms.RETURNS_WITHIN, passed.set)
    await passed.wait()
    assert not [one for one in world.seen if isinstance(one, CallerLeft)]


async def test_one_that_does_not_come_back_has_left(world: World) -> None:
    world.leaves(rtc.DisconnectReason.DUPLICATE_IDENTITY)
    assert world.seen == []
    await until(lambda: world.seen, 2.0)
    assert [type(one) for one in world.seen] == [CallerLeft]


async def test_a_job_that_was_put_out_leaves_the_call_to_another(world: World) -> None:
    world.room.emit("disconnected", rtc.DisconnectReason.PARTICIPANT_REMOVED)
    world.room.emit("disconnected", rtc.DisconnectReason.ROOM_DELETED)
    assert [one.final for one in world.seen if isinstance(one, Out)] == [False, True]


@pytest.mark.parametrize("told_first", [True, False])
async def test_who_seems_gone_because_our_connection_is_lost_is_left_to_another_job(
    world: World, told_first: bool
) -> None:
    steps = [world.reconnects, lambda: world.leaves(rtc.DisconnectReason.UNKNOWN_REASON)]
    for step in steps if told_first else reversed(steps):
        step()
    assert world.seen == [Out(rooms.ASTRAY)]
    _, effects = play(*TO_TALKING, *world.seen)
    assert effects == [Leave(rooms.ASTRAY, give_back=True, goes_on=True)]


async def test_a_connection_that_is_resumed_takes_nobody_away(world: World) -> None:
    world.reconnects()
    assert world.seen == []


async def test_a_job_that_nothing_reaches_any_more_leaves_the_call_to_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection to LiveKit is lost, and it keeps its lease: nobody else would come."""
    monkeypatch.setattr(reach, "LOOK", 0.001)
    monkeypatch.setattr(reach, "LOST", 0.005)
    world.room.comes = [*range(1, 20), *[19] * 2, 20, *[20] * 2]
    await asyncio.wait_for(world.ours.stay(), 2.0)
    assert world.room.comes == []
    assert world.seen == [Out(rooms.ASTRAY)]
    _, effects = play(*TO_TALKING, *world.seen)
    assert effects == [Leave(rooms.ASTRAY, give_back=True, goes_on=True)]


async def test_a_job_whose_own_way_is_cut_leaves_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((reach, "SOON"), (reach, "QUIET"), (staying, "COMES")):
        monkeypatch.setattr(module, name, 0.001)
    monkeypatch.setattr(staying, "LATE", 60.0)
    made, seen = Room(), list[Input]()
    made.comes = [1, 2, 2, 2, 2]

    async def yes() -> bool:
        return True

    ours = CallRoom(cast(Any, made), CALLER, seen.append, lambda _: None, Doubt(lambda: True, yes, yes))
    await asyncio.wait_for(ours.stay(), 2.0)
    assert seen == [Out(rooms.ASTRAY)]
    assert made.comes == []


async def test_who_is_gone_without_a_reason_has_left_in_the_end(world: World) -> None:
    world.leaves(rtc.DisconnectReason.UNKNOWN_REASON)
    assert world.seen == []
    await until(lambda: world.seen, 2.0)
    assert [type(one) for one in world.seen] == [CallerLeft]


async def test_only_the_callers_keys_count(world: World) -> None:
    for who, key in [(CALLER, "4"), ("leg-ana", "9"), (None, "8"), (CALLER, "1")]:
        sent_by = cast(Any, Participant(who)) if who else None
        world.room.emit("sip_dtmf_received", rtc.SipDTMF(code=int(key), digit=key, participant=sent_by))
    assert world.keys == ["4", "1"]
