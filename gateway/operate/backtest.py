"""Recorded calls through another plan: which of them would go another way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.dialplan.actions import Agent, Reject
from gateway.dialplan.headers import headers_of
from gateway.dialplan.overrides import Override
from gateway.dialplan.plan import Plan
from gateway.dialplan.route import Ask, Decision, decide
from gateway.dialplan.state import state_of
from gateway.records.schema import CALLS
from gateway.terms.personal import Number

_COLUMNS = tuple(
    CALLS.c[name]
    for name in [
        "id",
        "opened",
        "dialed",
        "caller",
        "diverted_from",
        "attestation",
        "route",
        "plan",
        "reject_status",
        "agent",
    ]
)
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


Past = Callable[[str], Awaitable[Plan | None]]
"""The plan that a call was routed by, given its version; None where it isn't kept."""


async def backtest(
    plan: Plan, records: AsyncConnection | None, since: float, past: Past, overrides: Sequence[Override] = ()
) -> Moved:
    """Route every call that control routed since (seconds since the epoch) by the plan.

    `overrides`: those that counted since; each call is routed by those of its time. How busy the routes were isn't
    recorded: a call that went another way than its own plan says by what is known counts as moved only when the two
    plans differ on it.
    """
    if records is None:
        return Moved(0, ())
    query = select(*_COLUMNS).where(CALLS.c.opened >= since).order_by(CALLS.c.opened.desc())
    found: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    looked_at, old = 0, dict[str, Plan | None]()
    async with records.stream(query) as rows:
        async for mapping in rows.mappings():
            row = dict(mapping)
            looked_at += 1
            before, after = _went(row), _goes(plan, row, overrides)
            if before.same(after):
                continue
            version = str(row["plan"] or "")
            if version not in old:
                old[version] = await past(version)
            its_own = old[version]
            if its_own is None or _goes(its_own, row, overrides) != after:
                found[str(row["dialed"] or ""), str(before), str(after)].append(str(row["id"]))
    groups = [Group(*key, len(calls), tuple(calls[:_SHOWN])) for key, calls in found.items()]
    return Moved(looked_at, tuple(sorted(groups, key=lambda one: (-one.count, one.dialed))))


@dataclass(frozen=True, slots=True)
class _End:
    """Where a call went: a route of the same name may do something else in another plan."""

    route: str
    does: str
    """The agent, or the SIP status; "" where that wasn't recorded."""

    def same(self, other: _End) -> bool:
        return self.route == other.route and self.does in ("", other.does)

    def __str__(self) -> str:
        if self.route and self.does and self.does != self.route:
            return f"{self.route} ({self.does})"
        return self.route or self.does or "nowhere"


def _went(row: Mapping[str, object]) -> _End:
    return _End(str(row["route"] or ""), str(row["reject_status"] or row["agent"] or ""))


def _goes(plan: Plan, row: Mapping[str, object], overrides: Sequence[Override]) -> _End:
    caller = Number(str(row["caller"])) if row["caller"] else None
    opened = float(str(row["opened"]))
    headers = headers_of(str(row["diverted_from"] or ""), str(row["attestation"] or ""))
    ask = Ask(str(row["dialed"] or ""), caller, datetime.fromtimestamp(opened, UTC), headers, key=str(row["id"]))
    state = state_of(overrides, opened)
    return _end(decide(plan, ask, state))


def _end(decision: Decision) -> _End:
    action = decision.action
    does = str(action.status) if isinstance(action, Reject) else action.name if isinstance(action, Agent) else ""
    return _End(decision.route, does)
