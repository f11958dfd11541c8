"""Members and lines in one process's memory: for tests, and a gateway of one process that may forget."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from gateway.calls.people.line import averaged
from gateway.calls.people.members import MISSES, PAUSE, REST, TTL, Member, Place, Stage, Waiting
from gateway.terms.call import CallId


@dataclass(slots=True)
class _Hold:
    call: CallId
    team: str
    until: float
    wrap_up: float
    day: str


@dataclass(slots=True)
class _Queued:
    epoch: int = 0
    tried: dict[tuple[str, str], int] = field(default_factory=dict)


class MemoryMembers:
    """Implements `gateway.calls.people.members.Members`; `live` says whether a call lives."""

    def __init__(self, live: Callable[[CallId], bool]) -> None:
        self._live = live
        self._members: dict[str, Member] = {}
        self._holds: dict[str, _Hold] = {}
        self._lines: dict[str, dict[CallId, tuple[float, float]]] = defaultdict(dict)
        """By team and call: since when it waits, until when it is believed to."""
        self._queued: dict[CallId, _Queued] = {}
        self._last: dict[str, str] = {}
        self._talk: dict[str, float] = {}

    async def beat(
        self, call: CallId, epoch: int, team: str, since: float, names: Sequence[str], now: float
    ) -> Place | None:
        """See the port."""
        if not self._live(call) or self._stale(call, epoch):
            return None
        queued = self._queued.setdefault(call, _Queued())
        queued.epoch = epoch
        self._lines[team][call] = (since, now + TTL)
        mine = [name for name, hold in self._holds.items() if hold.call == call]
        for name in mine:
            self._holds[name].until = now + TTL
        return Place(
            position=self._line(team, now).index(call) + 1,
            members=await self.look(names, now),
            mine=frozenset(mine),
            tried={name: times for (of, name), times in queued.tried.items() if of == team},
            last=self._last.get(team, ""),
            talk=self._talk.get(team),
        )

    async def reserve(
        self,
        call: CallId,
        epoch: int,
        team: str,
        order: Sequence[str],
        now: float,
        *,
        everyone: bool,
        wrap_up: float,
        day: str,
    ) -> tuple[str, ...]:
        """See the port."""
        line = self._line(team, now)
        if self._stale(call, epoch) or call not in line:
            return ()
        free = [one.name for one in await self.look(order, now) if one.stage(now) is Stage.FREE]
        need = sum(not self._rings(ahead, team, now) for ahead in line[: line.index(call)])
        if everyone:
            taken = free if need == 0 else []
        else:
            taken = free[:1] if len(free) > need and not self._rings(call, team, now) else []
        for name in taken:
            self._members[name] = replace(self._member(name), since=0.0)
            self._holds[name] = _Hold(call, team, now + TTL, wrap_up, day)
            tried = self._queued[call].tried
            tried[team, name] = tried.get((team, name), 0) + 1
            self._last[team] = name
        return tuple(taken)

    async def hold(self, call: CallId, epoch: int, name: str, now: float, *, talks: bool) -> bool:
        """See the port."""
        if not self._live(call) or self._stale(call, epoch):
            return False
        self._queued.setdefault(call, _Queued()).epoch = epoch
        if (by := self._held(name, now)) not in ("", call):
            return False
        if not by:
            self._members[name] = replace(self._member(name), since=0.0)
            self._holds[name] = _Hold(call, "", now, 0.0, "")
        self._holds[name].until = now + TTL
        if talks and not self._member(name).since:
            self._members[name] = replace(self._member(name), since=now)
        return True

    async def claim(self, call: CallId, epoch: int) -> bool:
        """See the port."""
        if self._stale(call, epoch):
            return False
        self._queued.setdefault(call, _Queued()).epoch = epoch
        return True

    async def leave(self, call: CallId, epoch: int, team: str, now: float) -> None:
        """See the port."""
        if self._stale(call, epoch):
            return
        self._lines[team].pop(call, None)
        for name, hold in self._holds.items():
            if (hold.team, hold.call) == (team, call) and not self._member(name).since:
                self._members[name] = replace(self._member(name), since=now)

    async def release(
        self, call: CallId, epoch: int, team: str, name: str, now: float, *, took: bool, missed: bool
    ) -> None:
        """See the port."""
        hold = self._holds.get(name)
        if self._stale(call, epoch) or hold is None or hold.call != call:
            return
        if took:
            self._talked(name, team, now)
            return
        del self._holds[name]
        member = replace(self._member(name), since=0.0)
        if missed and member.missed + 1 >= MISSES:
            member = replace(member, missed=0, paused=now + PAUSE)
        elif missed:
            member = replace(member, missed=member.missed + 1)
        self._members[name] = replace(member, rest=now + REST) if call in self._lines[team] else member

    async def forget(self, call: CallId, now: float) -> None:
        """See the port."""
        for line in self._lines.values():
            line.pop(call, None)
        for name, hold in sorted(self._holds.items(), key=lambda one: one[0]):
            if hold.call == call and self._member(name).since:
                self._talked(name, hold.team, now)
            elif hold.call == call:
                del self._holds[name]
        self._queued.pop(call, None)

    async def look(self, names: Sequence[str], now: float) -> Sequence[Member]:
        """See the port."""
        found = []
        for name in names:
            member, call = self._member(name), self._held(name, now)
            found.append(replace(member, call=call, since=member.since if call else 0.0))
        return found

    async def waiting(self, team: str, now: float) -> Waiting:
        """See the port."""
        line = self._line(team, now)
        return Waiting(len(line), self._lines[team][line[0]][0] if line else None)

    def _talked(self, name: str, team: str, now: float) -> None:
        hold, member = self._holds.pop(name), self._member(name)
        if not team:
            self._members[name] = replace(member, since=0.0, ended=now, missed=0)
            return
        if member.since:
            self._talk[team] = averaged(self._talk.get(team), now - member.since)
        self._members[name] = replace(
            member,
            since=0.0,
            ended=now,
            rest=now + hold.wrap_up,
            day=hold.day,
            taken=member.taken_on(hold.day) + 1,
            missed=0,
        )

    def _stale(self, call: CallId, epoch: int) -> bool:
        return call in self._queued and self._queued[call].epoch > epoch

    def _line(self, team: str, now: float) -> list[CallId]:
        line = self._lines[team]
        for call in [call for call, (_, until) in line.items() if until <= now]:
            del line[call]
        return sorted(line, key=lambda call: (line[call][0], call))

    def _rings(self, call: CallId, team: str, now: float) -> bool:
        return any(hold.team == team and self._held(name, now) == call for name, hold in self._holds.items())

    def _held(self, name: str, now: float) -> str:
        hold = self._holds.get(name)
        if hold is None:
            return ""
        alive = self._live(hold.call) if self._member(name).since else hold.until > now
        return hold.call if alive else ""

    def _member(self, name: str) -> Member:
        return self._members.get(name, Member(name))
