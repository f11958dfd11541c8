"""Listening to a room's events for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from livekit import rtc


class Listening:
    """Listeners of one owner; `stop` takes them away again, and leaves those of others."""

    def __init__(self, room: rtc.Room) -> None:
        self._room = room
        self._listeners: list[tuple[Any, Callable[..., object]]] = []

    def on(self, event: str, listener: Callable[..., object]) -> None:
        """Call `listener` for each `event` (of rtc.Room)."""
        named: Any = event
        self._room.on(named, listener)
        self._listeners.append((named, listener))

    def stop(self) -> None:
        """Listen no longer."""
        for event, listener in self._listeners:
            self._room.off(event, listener)
        self._listeners.clear()
