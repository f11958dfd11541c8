"""What people say elsewhere than on the phone that rings them: by the link of a card, that they can't take the call, for which
the job of the call looks, or that they do, in their browser, and the keys that they press there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.terms.call import CallId

KEPT = 600.0
"""Seconds; no phone rings for longer."""


class Answers(Protocol):
    """Every method raises `gateway.errors.Unavailable` when the store doesn't answer."""

    async def decline(self, call: CallId, leg: str) -> None:
        """Whoever that leg rings doesn't take the call."""
        ...

    async def declined(self, call: CallId) -> frozenset[str]:
        """The legs of the call of which that was said."""
        ...

    async def take(self, call: CallId, leg: str, tab: str) -> bool:
        """Whoever that leg rings takes the call in a tab of their browser. Whether it is the first to say so, or the same
        again: a link is good for one."""
        ...

    async def press(self, call: CallId, leg: str, keys: str) -> None:
        """Whoever's browser that leg is presses keys."""
        ...

    async def pressed(self, call: CallId) -> Sequence[tuple[str, str]]:
        """The legs and the keys that were pressed in the call since this was last asked, in their order. Each is given out
        once, whoever asks: a job that takes the call over mustn't do again what was done."""
        ...


class MemoryAnswers:
    """Implements Answers in one process."""

    def __init__(self) -> None:
        self._declined: dict[CallId, set[str]] = {}
        self._tabs: dict[tuple[CallId, str], str] = {}
        self._keys: dict[CallId, list[tuple[str, str]]] = {}

    async def decline(self, call: CallId, leg: str) -> None:
        """See the port."""
        self._declined.setdefault(call, set()).add(leg)

    async def declined(self, call: CallId) -> frozenset[str]:
        """See the port."""
        return frozenset(self._declined.get(call, ()))

    async def take(self, call: CallId, leg: str, tab: str) -> bool:
        """See the port."""
        return self._tabs.setdefault((call, leg), tab) == tab

    async def press(self, call: CallId, leg: str, keys: str) -> None:
        """See the port."""
        self._keys.setdefault(call, []).append((leg, keys))

    async def pressed(self, call: CallId) -> Sequence[tuple[str, str]]:
        """See the port."""
        return tuple(self._keys.pop(call, ()))
