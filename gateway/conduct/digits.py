"""Keys of a keypad become entries: what an agent takes as one thing said. Pure: the time is an argument.

`0` alone is the way to a person: an entry of noughts and nothing else. It isn't told from a number that begins with
0 until the caller pauses, so a lone 0 waits `LONE` seconds, which is short.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

KEYS = frozenset("0123456789*#ABCD")
GAP = 2.5
"""Seconds without a key that end an entry: people look their number up while they type."""
LONE = 0.8
"""Seconds after which noughts are no beginning of a number."""
MOST = 32
"""Keys of one entry; then it is taken as it stands."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the caller keyed, without the # that ended it."""

    keys: str
    person: bool
    """It asks for a person."""


@dataclass(frozen=True, slots=True)
class Keypad:
    """An entry in the making."""

    keys: str = ""
    last: float = 0.0

    def press(self, key: str, now: float) -> tuple[Keypad, Entry | None]:
        """The next state, and the entry if this key ended it. `*` starts over; a `#` alone is an entry by itself."""
        if key not in KEYS:
            return self, None
        if key == "#":
            return Keypad(), _entry(self.keys or "#")
        if key == "*":
            return Keypad(), None
        grown = replace(self, keys=self.keys + key, last=now)
        return (Keypad(), _entry(grown.keys)) if len(grown.keys) >= MOST else (grown, None)

    @property
    def deadline(self) -> float | None:
        """When `due` will have an entry; None while nothing is keyed."""
        if not self.keys:
            return None
        return self.last + (LONE if _is_noughts(self.keys) else GAP)

    def due(self, now: float) -> tuple[Keypad, Entry | None]:
        """The entry that a pause ended, if one did."""
        if self.deadline is None or now < self.deadline:
            return self, None
        return Keypad(), _entry(self.keys)


def _entry(keys: str) -> Entry:
    return Entry(keys, person=_is_noughts(keys))


def _is_noughts(keys: str) -> bool:
    return set(keys) == {"0"}
