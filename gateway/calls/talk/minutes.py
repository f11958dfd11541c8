"""The minutes that a route gives a call with an agent: warned before their end, then over. Pure: time is told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

WARN_BEFORE = 60.0
"""Seconds before the end that the caller is told of it; half of what is left where that is less."""


class Then(Enum):
    """What is to be done."""

    WARN = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Minutes:
    """One call's. Make it by `start`; `due` returns the next one."""

    ends: float
    """Infinite where nothing limits the call."""
    warns: float = float("inf")
    over: bool = False

    @staticmethod
    def start(ends: float, now: float) -> Minutes:
        """`ends`: when the minutes are up, 0 for never."""
        return Minutes(ends, ends - min(WARN_BEFORE, (ends - now) / 2)) if ends else Minutes(float("inf"))

    @property
    def deadline(self) -> float:
        """When `due` must be called, on the clock that `now` is taken from; infinite for never."""
        return float("inf") if self.over else min(self.warns, self.ends)

    def due(self, now: float) -> tuple[Minutes, Then | None]:
        """What follows from the deadline having passed; nothing before it."""
        if now < self.deadline or self.over:
            return self, None
        if now >= self.ends:
            return replace(self, over=True), Then.END
        return replace(self, warns=float("inf")), Then.WARN
