"""One press told once, though a peer may tell of it in several ways: by events, by INFO, as tones. Pure.

Some PBXs send INFO and events for each key, and some gateways let the tones through besides. Whichever is first counts;
what another way tells of the same key within a moment is the same press. Two presses told the same way are two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

SAME = 1.5
"""Seconds within which another way's word of a key is of the same press, beyond the time that the key was down: a signalling
path may be that much slower than media, or lose a request once and repeat it."""
_REMEMBERED = 32


class Way(StrEnum):
    """How a press is told."""

    EVENT = "event"
    """RFC 4733."""
    INFO = "info"
    TONE = "tone"


@dataclass(slots=True)
class _Press:
    key: str = field(repr=False)
    at: float
    ways: set[Way]


class Presses:
    """One call's keys."""

    def __init__(self) -> None:
        self._lately: list[_Press] = []

    def told(self, way: Way, key: str, now: float, lasted: float = 0.0) -> bool:
        """Whether this is a press that wasn't told yet. `now`: seconds; `lasted`: seconds that the key was down before
        it was told."""
        for press in self._lately:
            if press.key == key and way not in press.ways and now - press.at <= SAME + lasted:
                press.ways.add(way)
                return False
        self._lately = [*self._lately[1 - _REMEMBERED :], _Press(key, now, {way})]
        return True
