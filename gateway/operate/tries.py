"""Wrong links, counted by where they come from. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque

MOST, WITHIN = 20, 60.0
"""Wrong links that one address may try in so many seconds, before it is told to wait."""
_KNOWN = 1000
"""Addresses that are remembered."""


class Tries:
    """Times are seconds, never going back."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def wrong(self, source: str, now: float) -> bool:
        """A link from there was wrong; whether they try too many."""
        times = self._wrong.setdefault(source, deque(maxlen=MOST + 1))
        self._wrong.move_to_end(source)
        times.append(now)
        while len(self._wrong) > _KNOWN:
            self._wrong.popitem(last=False)
        return len(times) > MOST and times[0] > now - WITHIN
