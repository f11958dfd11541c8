"""How often is called, and what for, over all replicas. `MemoryMeter` here and `redis_meter` implement the port;
tests/contract holds both to one suite. The arithmetic is pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from gateway.guard.judge import Passed
from gateway.terms.call import Call
from gateway.terms.outbound import DAY, HOUR, Rules
from gateway.terms.personal import Number

_CALL, _CALLER, _ROUTE, _SPENT = "call:", "caller:", "route:", "spent:"


@dataclass(frozen=True, slots=True)
class Cap:
    """What is counted together, and how much of it there may be."""

    key: str
    window: float
    """Seconds that what was counted counts for."""
    most: float
    amount: float = 1.0
    """That this once adds."""

    @property
    def money(self) -> bool:
        """Whether it counts money, not calls."""
        return self.key.startswith(_SPENT)


class Meter(Protocol):
    """Every method raises `gateway.errors.Unavailable` when the store doesn't answer: what can't be counted isn't
    called."""

    async def take(self, once: str, caps: Sequence[Cap]) -> str:
        """Count this `once` (a name of its own; the same again counts once) with all the caps, or with none when one of
        them has no room: that one's key, "" when all have. All at once, however many ask at the same time."""
        ...

    async def settle(self, once: str, caps: Sequence[Cap]) -> None:
        """What it came to in the end: each cap's `amount` counts instead, 0 for nothing at all. What has been forgotten
        by then stays forgotten."""
        ...


@dataclass(frozen=True, slots=True)
class For:
    """For whose sake is called."""

    call: str
    caller: Number | None
    """None where it is withheld."""
    route: str
    asked: bool
    """A caller or a model has asked for it, so that it is counted though the plan names whom it is for."""


def of_call(call: Call, *, asked: bool) -> For:
    """For a call's sake."""
    return For(call.id, call.caller, call.route, asked)


def caps(rules: Rules, passed: Passed, now: float, sake: For) -> tuple[Cap, ...]:
    """The caps that a call counts with. `now`: seconds since the epoch."""
    found: list[Cap] = []
    most = rules.outbound.caps
    if sake.asked or not passed.named:
        found += [
            Cap(_CALL + sake.call, DAY, most.call),
            Cap(_CALLER + _hidden(sake.caller), HOUR, most.caller),
            Cap(_ROUTE + sake.route, HOUR, most.route),
        ]
    spend = rules.outbound.spend
    if spend.a_day > 0:
        found.append(Cap(_SPENT + day_of(now, rules.timezone), 2 * DAY, spend.a_day, passed.price * spend.minutes))
    return tuple(found)


def day_of(now: float, timezone: str) -> str:
    """The day of a time (seconds since the epoch) in a zone, such as 2026-11-28."""
    return datetime.fromtimestamp(now, ZoneInfo(timezone)).date().isoformat()


def _hidden(caller: Number | None) -> str:
    """A caller's number as a key: the same for the same number, and nobody reads it there."""
    return hashlib.sha256(caller.reveal().encode()).hexdigest()[:24] if caller is not None else "withheld"


class MemoryMeter:
    """Implements `Meter` in one process's memory. `clock`: seconds since the epoch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counted: dict[str, dict[str, tuple[float, float]]] = {}

    async def take(self, once: str, caps: Sequence[Cap]) -> str:
        """See the port."""
        now = self._clock()
        for cap in caps:
            kept = {name: one for name, one in self._counted.get(cap.key, {}).items() if one[0] > now - cap.window}
            self._counted[cap.key] = kept
            if sum(amount for name, (_, amount) in kept.items() if name != once) + cap.amount > cap.most:
                return cap.key
        for cap in caps:
            self._counted[cap.key][once] = (now, cap.amount)
        return ""

    async def settle(self, once: str, caps: Sequence[Cap]) -> None:
        """See the port."""
        for cap in caps:
            counted = self._counted.get(cap.key, {})
            if once not in counted:
                continue
            if cap.amount > 0:
                counted[once] = (counted[once][0], cap.amount)
            else:
                del counted[once]
