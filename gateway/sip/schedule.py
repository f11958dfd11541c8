"""Which of many transactions has something to do next, without looking at each of them."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import count
from typing import Generic, Protocol, TypeVar


class Timed(Protocol):
    """Something with a deadline that moves."""

    scheduled: float | None
    """When its entry in the heap that counts is due; the schedule's own note."""

    def deadline(self) -> float | None:
        """When it wants to be looked at, in seconds; None: never."""


T = TypeVar("T", bound=Timed)
_FEW = 64
"""Entries that count no more and are borne with."""


class Schedule(Generic[T]):
    """A heap of deadlines. `note` each member after anything that may have moved its deadline."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._ticket = count()
        self._void = 0
        """Entries that count no more, about: some may be gone already."""

    def note(self, member: T) -> None:
        """Take in the member's present deadline. One that moved later is found out when the old one comes."""
        due = member.deadline()
        if due is None:
            self.drop(member)
        elif member.scheduled is None or due < member.scheduled:
            self.drop(member)
            self._push(member, due)

    def drop(self, member: T) -> None:
        """Let go of a member: it isn't held until its deadline comes."""
        if member.scheduled is None:
            return
        member.scheduled = None
        self._void += 1
        if self._void > max(_FEW, len(self._heap) // 2):
            self._heap = [entry for entry in self._heap if entry[0] == entry[2].scheduled]
            heapq.heapify(self._heap)
            self._void = 0

    def deadline(self) -> float | None:
        """The earliest deadline of all members."""
        self._tidy()
        return self._heap[0][0] if self._heap else None

    def due(self, now: float) -> Iterator[T]:
        """Each member whose deadline has come, the earliest first; `note` it again once it was served."""
        while (first := self.deadline()) is not None and first <= now:
            member = heapq.heappop(self._heap)[2]
            member.scheduled = None
            yield member

    def _push(self, member: T, due: float) -> None:
        member.scheduled = due
        heapq.heappush(self._heap, (due, next(self._ticket), member))

    def _tidy(self) -> None:
        """Make the first entry a true one: drop what was overtaken, push what moved later again."""
        while self._heap:
            entry, _, member = self._heap[0]
            due = member.deadline()
            if entry == member.scheduled == due:
                return
            heapq.heappop(self._heap)
            if entry == member.scheduled:
                member.scheduled = None
                self.note(member)
