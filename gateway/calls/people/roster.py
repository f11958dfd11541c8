"""Who of a team takes calls now, as control publishes it for the jobs. `redis_roster` and this file's `MemoryRosters`
implement the port; tests/contract holds both to one suite."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from gateway.errors import OurFault
from gateway.terms.act import Callee


@dataclass(frozen=True, slots=True)
class Roster:
    """A team's members on duty, in the plan's order, and how they are rung."""

    team: str
    members: tuple[Callee, ...] = ()
    """None when nobody takes calls now: their hours, their being away, the team's hours."""
    ring: str = "ringall"
    """One of `gateway.dialplan.people.RINGS`."""
    ring_for: float = 20.0
    """Seconds."""
    wrap_up: float = 0.0
    """Seconds."""
    timezone: str = "UTC"
    """IANA name: where a day of "calls taken today" begins at midnight."""
    open: bool = True
    """Whether the team's hours say yes."""
    owner_first: bool = False
    """Whether whoever has talked with a caller last is rung first."""

    def day(self, now: float) -> str:
        """The day of a time (seconds since the epoch), such as 2026-11-28."""
        return datetime.fromtimestamp(now, ZoneInfo(self.timezone)).date().isoformat()


class Rosters(Protocol):
    """Every method raises `gateway.errors.Unavailable` when the store does not answer."""

    async def get(self, team: str) -> Roster | None:
        """The team's roster; None when none was published, or it was lost."""
        ...

    async def all(self) -> Mapping[str, Roster]:
        """Every team's."""
        ...

    async def put(self, rosters: Mapping[str, Roster]) -> bool:
        """Make these the rosters, and forget every other team's; whether anything was written: what is the same already
        isn't."""
        ...


def written(roster: Roster) -> str:
    """The roster as JSON."""
    return json.dumps(asdict(roster), sort_keys=True)


def read(text: str) -> Roster:
    """The roster of that JSON. Raises OurFault when another program, or another version of this one, wrote it."""
    try:
        fields = json.loads(text)
        members = tuple(Callee(one["name"], one["address"]) for one in fields["members"])
        known = {name: fields[name] for name in ("team", "ring", "ring_for", "wrap_up", "timezone")}
        first = bool(fields.get("owner_first", False))
        return Roster(members=members, owner_first=first, open=bool(fields.get("open", True)), **known)
    except (KeyError, ValueError, TypeError) as bad:
        raise OurFault("A team's roster can't be read from the store.") from bad


class MemoryRosters:
    """Implements `Rosters` in one process's memory."""

    def __init__(self) -> None:
        self._rosters: dict[str, Roster] = {}

    async def get(self, team: str) -> Roster | None:
        """See the port."""
        return self._rosters.get(team)

    async def all(self) -> Mapping[str, Roster]:
        """See the port."""
        return dict(self._rosters)

    async def put(self, rosters: Mapping[str, Roster]) -> bool:
        """See the port."""
        changed = self._rosters != dict(rosters)
        self._rosters = dict(rosters)
        return changed
