"""Legs that are dropped: those of our SIP service are told all at once, the others are removed by LiveKit's API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from livekit import rtc
from livekit.rtc.participant import PublishDataError

from gateway.conduct.legs.dropping import LEAVES_WITHIN, Dropping
from gateway.tasks import Tasks
from gateway.terms.legs import DROP, EDGE
from tests.unit.conduct.virtual import run


class Room(rtc.EventEmitter[str]):
    """A room with legs, and LiveKit's API; what was done in it, and when."""

    name = "call-_x"

    def __init__(self, ours: Iterable[str], others: Iterable[str] = ()) -> None:
        super().__init__()
        self.remote_participants = {
            f"leg-{name}": SimpleNamespace(identity=f"leg-{name}", attributes=attributes)
            for names, attributes in ((ours, {EDGE: "1"}), (others, {}))
            for name in names
        }
        self.local_participant = self
        self.connection_state: int = rtc.ConnectionState.CONN_CONNECTED
        self.deaf = False
        self.stays = False
        self.told: list[tuple[float, list[str]]] = []
        self.removed: list[tuple[float, str]] = []

    def isconnected(self) -> bool:
        return self.connection_state == rtc.ConnectionState.CONN_CONNECTED

    async def publish_data(self, payload: bytes, *, topic: str, destination_identities: list[str]) -> None:
        assert payload
        assert topic == DROP
        if self.deaf:
            raise PublishDataError("the data channel is closed")
        self.told.append((asyncio.get_running_loop().time(), destination_identities))
        await asyncio.sleep(0.3)
        for identity in () if self.stays else destination_identities:
            self.emit("participant_disconnected", self.remote_participants.pop(identity))

    async def remove_participant(self, who: Any) -> None:
        self.removed.append((round(asyncio.get_running_loop().time(), 3), who.identity))
        self.remote_participants.pop(who.identity)


def dropped(room: Room, *names: str) -> Room:
    async def drop() -> None:
        made: Any = room
        async with Tasks("legs") as tasks:
            dropping = Dropping(made, made, tasks)
            for name in (*names, *names[:1]):  # one of them twice, as its attributes change meanwhile
                dropping.drop(name)
            await tasks.settled(10.0)
            dropping.stop()

    run(drop())
    return room


def test_all_that_are_dropped_at_once_are_told_by_one_packet_and_livekit_is_asked_nothing() -> None:
    room = dropped(Room(ours="abc"), "a", "b")
    assert room.told == [(0.0, ["leg-a", "leg-b"])]
    assert room.removed == []
    assert list(room.remote_participants) == ["leg-c"]


def test_whoevers_sip_service_isnt_ours_is_removed_at_once() -> None:
    room = dropped(Room(ours="a", others="bc"), "b", "c", "a")
    assert room.told == [(0.0, ["leg-a"])]
    assert sorted(set(room.removed))[:2] == [(0.0, "leg-b"), (0.0, "leg-c")]


def test_one_that_was_told_and_stays_is_removed() -> None:
    room = Room(ours="a")
    room.stays = True
    assert dropped(room, "a").removed == [(LEAVES_WITHIN, "leg-a")]


@pytest.mark.parametrize("away", [True, False])
def test_whom_a_packet_cant_reach_is_removed_at_once(away: bool) -> None:
    room = Room(ours="a")
    room.deaf = not away
    if away:
        room.connection_state = rtc.ConnectionState.CONN_RECONNECTING
    assert dropped(room, "a").removed[0] == (0.0, "leg-a")
