"""How many connections peers may hold. Pure: who comes and goes is told."""

from __future__ import annotations

from collections import Counter

from gateway.sip.gate import subscriber

AT_ONCE = 1000
"""Connections of all peers."""
OF_STRANGERS = 500
"""Of those, what strangers may hold; so that there is room for who is known."""
OF_ONE = 20
"""What one stranger may hold: a whole office behind a NAT."""


class Door:
    """Of one listening port."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()
        """Connections, by whose they are."""
        self._all = 0

    def enter(self, source: str, *, known: bool) -> bool:
        """Whether one more from there is let in, who must `leave` later; at an IP address."""
        name = subscriber(source)
        full = self._all >= (AT_ONCE if known else OF_STRANGERS)
        if full or (not known and self._held[name] >= OF_ONE):
            return False
        self._held[name] += 1
        self._all += 1
        return True

    def leave(self, source: str) -> None:
        """One from there has ended."""
        name = subscriber(source)
        self._all -= 1
        self._held[name] -= 1
        if self._held[name] <= 0:
            del self._held[name]
