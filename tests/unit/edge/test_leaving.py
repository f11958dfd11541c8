"""What the SDK is told before it leaves a room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import pytest
from livekit import rtc

from gateway.edge import leaving
from gateway.net.signalling import Line

NO_REASON = rtc.DisconnectReason.CLIENT_INITIATED


class Room:
    """Notes what it is asked for; understands what a line says, if it `listens`."""

    def __init__(self, *, connected: bool = True, listens: bool = True) -> None:
        self.local_participant = self
        self.connected, self.listens = connected, listens
        self.done: list[str] = []
        self.moved: Callable[[], None] = lambda: None

    def on(self, event: str, heard: Callable[[], None]) -> None:
        assert event == "moved"
        self.moved = heard

    def isconnected(self) -> bool:
        return self.connected

    def unregister_rpc_method(self, method: str) -> None:
        self.done.append(method)

    async def disconnect(self, *, reason: int) -> None:
        self.done.append(f"disconnect for {reason}")


class Through(Line):
    """The line of a room."""

    def __init__(self, room: Room, *, there: bool = True, late: bool = False) -> None:
        super().__init__("ws://lk", None, lambda: room.done.append("close"))
        self.room, self.there, self.late = room, there, late

    def empty(self) -> bool:
        self.room.done.append("empty")
        if self.there and self.room.listens:
            asyncio.get_running_loop().call_soon(self.understood)
        return self.there

    def leave(self, reason: int) -> None:
        self.room.done.append(f"leave for {reason}")
        if self.late:
            asyncio.get_running_loop().call_soon(self.understood)

    def understood(self) -> None:
        self.room.done.append("moved")
        self.room.moved()


async def left(room: Room, line: Line | None = None) -> list[str]:
    await leaving.leave(cast("rtc.Room", room), line or Through(room), ["hear"], NO_REASON, "call")
    return room.done


async def test_the_sdk_leaves_once_it_knows_that_nobody_is_there() -> None:
    assert await left(Room()) == ["hear", "empty", "moved", "disconnect for 1", "close"]


async def test_others_dont_wait_for_an_sdk_that_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving, "SOON", 0.0)
    room = Room(listens=False)
    done = ["hear", "empty", "leave for 1", "moved", "disconnect for 1", "close"]
    assert await left(room, Through(room, late=True)) == done


async def test_it_leaves_all_the_same_if_it_never_learns_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving, "SOON", 0.0)
    monkeypatch.setattr(leaving, "LEAVING", 0.0)
    assert await left(Room(listens=False)) == ["hear", "empty", "leave for 1", "disconnect for 1", "close"]


async def test_it_leaves_at_once_where_it_cant_be_told() -> None:
    room = Room()
    assert await left(room, Through(room, there=False)) == ["hear", "empty", "disconnect for 1", "close"]
    assert await left(Room(connected=False)) == ["hear", "disconnect for 1", "close"]


async def test_a_room_that_isnt_left_in_time_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stuck(Room):
        async def disconnect(self, *, reason: int) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(leaving, "LEAVING", 0.0)
    assert await left(Stuck()) == ["hear", "empty", "moved", "close"]
