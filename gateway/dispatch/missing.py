"""Tells of the callers whom teams have missed. Each control looks; each thing is told once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from gateway.callbacks.machine import Booking
from gateway.callbacks.missed import SETTLE, Missed, alarm, digest_day, digested, escalated
from gateway.dialplan.plan import Plan
from gateway.metrics import counter
from gateway.terms.delivery import Delivery

ESCALATED_FOR = 8 * 86400.0
"""Seconds after a call for which somebody else may still be told of it."""
ESCALATE_LOOK = 10.0
"""Seconds between two looks at what somebody else is to be told of."""
DAY = 86400.0
MISSED = counter("handoffs_missed", "Callers whom nobody of a team took", "team")

log = structlog.get_logger(__name__)


class Handoffs(Protocol):
    """The part of `gateway.records.missed.MissedHandoffs` that is used; see there."""

    async def fresh(self, before: float) -> Sequence[Missed]: ...
    async def unescalated(self, since: float) -> Sequence[Missed]: ...
    async def since(self, team: str, begin: float) -> Sequence[Missed]: ...
    async def waiting(self, team: str) -> Sequence[Booking]: ...
    async def told(self, one: Missed, deliveries: Sequence[Delivery], now: float) -> bool: ...
    async def escalated(self, one: Missed, deliveries: Sequence[Delivery], now: float) -> None: ...
    async def digested(self, team: str, day: str) -> bool: ...
    async def digest(self, team: str, day: str, deliveries: Sequence[Delivery], now: float) -> bool: ...


class MissedWatch:
    """Call `look` every second. `plan`: the one in force; `clock`: seconds since the epoch."""

    def __init__(self, handoffs: Handoffs, plan: Callable[[], Plan], clock: Callable[[], float]) -> None:
        self._handoffs, self._plan, self._clock = handoffs, plan, clock
        self._looked = float("-inf")

    async def look(self) -> None:
        """Tell whoever is to be told now. Raises Unavailable."""
        plan, now = self._plan(), self._clock()
        for one in await self._handoffs.fresh(now - SETTLE):
            team = plan.teams.get(one.team)
            if await self._handoffs.told(one, alarm(one, team.notify if team else (), plan.zone), now):
                MISSED.labels(one.team).inc()
                log.warning("nobody of a team took a caller", call=one.call, team=one.team)
        if now - self._looked >= ESCALATE_LOOK:
            self._looked = now
            await self._escalate(plan, now)
        await self._digests(plan, now)

    async def _escalate(self, plan: Plan, now: float) -> None:
        for one in await self._handoffs.unescalated(now - ESCALATED_FOR):
            team = plan.teams.get(one.team)
            to = team.escalate if team is not None else None
            deliveries = escalated(one, to, plan.zone, now) if to is not None else []
            # What is dealt with only by a promise may yet be broken: it is looked at again.
            if deliveries or (deliveries is not None and (to is None or not _promised(one))):
                await self._handoffs.escalated(one, deliveries, now)

    async def _digests(self, plan: Plan, now: float) -> None:
        for name, team in plan.teams.items():
            day = digest_day(team.digest, plan.zone, now) if team.digest else ""
            if not day or await self._handoffs.digested(name, day):
                continue
            to = (team.digest.to if team.digest else ()) or team.notify
            missed, waiting = await self._handoffs.since(name, now - DAY), await self._handoffs.waiting(name)
            await self._handoffs.digest(name, day, digested(name, day, missed, waiting, to, plan.zone), now)


def _promised(one: Missed) -> bool:
    """Whether it counts as dealt with only because a callback is to come."""
    booking = one.booking
    return booking is not None and not booking.ended and not one.dealt_by and not one.reached and not one.message_done
