"""Recorded calls through another plan: which of them would go another way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.dialplan.actions import Reject
from gateway.dialplan.plan import Plan
from gateway.dialplan.route import Ask, Decision, decide
from gateway.dialplan.state import State
from gateway.dispatch.decide import served
from gateway.records.schema import CALLS
from gateway.terms.personal import Number

_SHOWN = 20
"""Calls of a group that are named."""


@dataclass(frozen=True, slots=True)
class Group:
    """Calls to one number that went one way and would go another."""

    dialed: str
    before: str
    after: str
    count: int
    calls: tuple[str, ...]
    """The newest of them."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What came of a backtest."""

    looked_at: int
    groups: tuple[Group, ...]
    """The largest first."""


async def backtest(plan: Plan, records: AsyncConnection | None, since: float) -> Moved:
    """Route every call that control routed since (seconds since the epoch) by the plan. Limits and overrides of the
    time aren't known any more: what was routed by them is told as moved."""
    if records is None:
        return Moved(0, ())
    columns = (CALLS.c.id, CALLS.c.opened, CALLS.c.dialed, CALLS.c.caller, CALLS.c.route, CALLS.c.reject_status)
    query = select(*columns).where(CALLS.c.opened >= since).order_by(CALLS.c.opened.desc())
    found: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    looked_at = 0
    async with records.stream(query) as rows:
        async for row in rows.mappings():
            looked_at += 1
            before, after = _went(dict(row)), _goes(plan, dict(row))
            if before != after:
                found[str(row["dialed"] or ""), before, after].append(str(row["id"]))
    groups = [Group(*key, len(calls), tuple(calls[:_SHOWN])) for key, calls in found.items()]
    return Moved(looked_at, tuple(sorted(groups, key=lambda one: (-one.count, one.dialed))))


def _went(row: Mapping[str, object]) -> str:
    return str(row["route"] or row["reject_status"] or "nowhere")


def _goes(plan: Plan, row: Mapping[str, object]) -> str:
    caller = Number(str(row["caller"])) if row["caller"] else None
    at = datetime.fromtimestamp(float(str(row["opened"])), UTC)
    ask = Ask(str(row["dialed"] or ""), caller, at, key=str(row["id"]))
    return _named(served(plan, decide(plan, ask), ask, State()))


def _named(decision: Decision) -> str:
    return decision.route or (str(decision.action.status) if isinstance(decision.action, Reject) else "nowhere")
