"""Keys as they come, gathered into what the caller keyed in. Pure: time is told.

A number ends with #, or when no key came for a while. `0` alone means a person, unless a number is being asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

PAUSE = 2.0
"""Seconds without a key after which what was keyed in is taken as whole."""
LONGEST = 32


@dataclass(frozen=True, slots=True)
class Keypad:
    """What was keyed in so far; `press` and `due` return the next one."""

    keys: str = ""
    deadline: float = float("inf")
    """When `due` must be called, on the clock that `now` is taken from."""

    def press(self, key: str, now: float, *, expected: bool) -> tuple[Keypad, str]:
        """A key; `expected`: a number is being asked for. Returns what is whole by it: digits, "0" for a person."""
        if key == "#":
            return Keypad(), self.keys
        if not self.keys and key == "0" and not expected:
            return Keypad(), "0"
        if not key.isdecimal():
            return self, ""
        return Keypad((self.keys + key)[:LONGEST], now + PAUSE), ""

    def due(self, now: float) -> tuple[Keypad, str]:
        """Time has passed."""
        return (Keypad(), self.keys) if now >= self.deadline else (self, "")
