"""The outbox in memory, for tests of whoever delivers: it passes the same contract tests as the one in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.records.groups import Row
from gateway.records.outbox import LEASE, URGENT_LEASE, WITH_IT, Due, next_try, until_of
from gateway.terms.delivery import Delivery


@dataclass(frozen=True, slots=True)
class Kept:
    """A delivery as it stands."""

    due: Due
    at: float | None
    """When to try it; None: delivered, or given up."""
    delivered: float | None = None
    error: str | None = None


class MemoryOutbox:
    """See `gateway.records.outbox.Deliveries`. `rows`: what `about` finds, by the call's id."""

    def __init__(self, rows: Mapping[str, Row] | None = None) -> None:
        self.rows = dict(rows or {})
        self.kept: dict[str, Kept] = {}

    def put(self, delivery: Delivery, now: float) -> None:
        """Put a delivery in; nothing happens when it is there already."""
        one = Due(
            delivery.id, delivery.kind, delivery.subject, delivery.call, delivery.address, delivery.content,
            delivery.urgent, now, until_of(delivery, now), 0,
        )  # fmt: skip
        self.kept.setdefault(one.id, Kept(one, now if delivery.due is None else delivery.due))

    async def claim(self, now: float, most: int, *, urgent: bool) -> Sequence[Due]:
        """See Deliveries."""
        waiting = [
            one for one in self.kept.values() if one.at is not None and one.at <= now and one.due.urgent is urgent
        ]
        found = sorted(waiting, key=lambda one: one.at or 0.0)[:most]
        lease = URGENT_LEASE if urgent else LEASE
        ours = [replace(one, due=replace(one.due, tries=one.due.tries + 1), at=now + lease) for one in found]
        self.kept |= {one.due.id: one for one in ours}
        return [one.due for one in ours]

    async def about(self, due: Due) -> Row | None:
        """See Deliveries."""
        return self.rows.get(due.call) if due.call else {}

    async def delivered(self, due: Due, now: float, *, also: Sequence[str] = ()) -> None:
        """See Deliveries."""
        self.kept[due.id] = replace(self.kept[due.id], at=None, delivered=now, error=None)
        for one in also:
            if one in self.kept and not self.kept[one].due.tries:
                self.kept[one] = replace(self.kept[one], at=None, error=WITH_IT)

    async def failed(self, due: Due, why: str, now: float, *, again: bool = True, wait: float = 0.0) -> bool:
        """See Deliveries."""
        later = next_try(due, now, again=again, wait=wait)
        self.kept[due.id] = replace(self.kept[due.id], at=later, error=why)
        return later is not None
