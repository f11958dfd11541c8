"""How a call leaves its room."""

from __future__ import annotations

from typing import cast

from livekit import rtc

from gateway.edge.room import RPCS, LiveKit, RoomLeg, RoomUser


class Room:
    """Notes what it is asked for; its own participant, too."""

    def __init__(self, connected: bool) -> None:
        self.local_participant = self
        self.connected = connected
        self.asked: list[str] = []

    def isconnected(self) -> bool:
        return self.connected

    def unregister_rpc_method(self, method: str) -> None:
        self.asked.append(method)

    async def disconnect(self, *, reason: int) -> None:
        self.asked.append("disconnect")


async def left(room: Room) -> list[str]:
    leg = RoomLeg(LiveKit("", "", ""), cast("RoomUser", _User()), "call")
    leg._room = cast("rtc.Room", room)
    await leg.leave("")
    return room.asked


class _User:
    def on_room_begins(self) -> None:
        """Nobody does."""

    def on_room_audio(self, frame: object) -> None:
        pass


async def test_the_sdk_keeps_no_room_by_its_rpc_methods() -> None:
    assert await left(Room(connected=True)) == [*RPCS, "disconnect"]


async def test_a_room_that_the_server_has_ended_is_left_as_it_is() -> None:
    assert await left(Room(connected=False)) == ["disconnect"]
