"""Members and lines in Redis (6.2 or newer).

| key | holds |
| --- | --- |
| `offhook:member:<name>` | a hash: what `Member` tells, and for the call that holds them `until`, `wrap`, `on` (the day) |
| `offhook:line:<team>` | the calls that wait, by the time since which they do |
| `offhook:beats:<team>` | the same calls, by when their places go without another beat |
| `offhook:team:<team>` | a hash: `last` rung, average `talk` |
| `offhook:queued:<call>` | a hash: `epoch`, `line:<team>`, `member:<name>` = team ("" for none), `tried:<team>:<name>` |

What must be atomic is a script: Redis runs one at a time. Whether a call lives, `offhook:live` of the call store says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from gateway.calls.people import members_scripts
from gateway.calls.people.members import Member, Place, Waiting
from gateway.calls.shared.redis_answering import answering, text
from gateway.calls.shared.redis_scripts import Scripts
from gateway.terms.call import CallId


class RedisMembers:
    """Implements `gateway.calls.people.members.Members`. The client is the caller's to close; make it with
    `gateway.redis_client`."""

    def __init__(self, redis: Redis) -> None:
        self._scripts = Scripts(redis, members_scripts.ALL)

    async def beat(
        self, call: CallId, epoch: int, team: str, since: float, names: Sequence[str], now: float
    ) -> Place | None:
        """See the port."""
        found = await self._run("beat", call, epoch, team, repr(since), repr(now), *names)
        if found is None:
            return None
        rank, mine, queued, last, talk, members = found
        tried = f"tried:{team}:"
        fields = _pairs(queued)
        return Place(
            position=int(rank) + 1,
            members=[_member(one) for one in members],
            mine=frozenset(text(name) for name in mine),
            tried={name.removeprefix(tried): int(times) for name, times in fields.items() if name.startswith(tried)},
            last=text(last),
            talk=float(text(talk)) if talk else None,
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
        how = (int(everyone), repr(wrap_up), day)
        return tuple(text(name) for name in await self._run("reserve", call, epoch, team, repr(now), *how, *order))

    async def hold(self, call: CallId, epoch: int, name: str, now: float, *, talks: bool) -> bool:
        """See the port."""
        return bool(await self._run("hold", call, epoch, name, repr(now), int(talks)))

    async def claim(self, call: CallId, epoch: int) -> bool:
        """See the port."""
        return bool(await self._run("claim", call, epoch))

    async def leave(self, call: CallId, epoch: int, team: str, now: float) -> None:
        """See the port."""
        await self._run("leave", call, epoch, team, repr(now))

    async def release(
        self, call: CallId, epoch: int, team: str, name: str, now: float, *, took: bool, missed: bool
    ) -> None:
        """See the port."""
        await self._run("release", call, epoch, team, name, repr(now), int(took), int(missed))

    async def forget(self, call: CallId, now: float) -> None:
        """See the port."""
        await self._run("forget", call, repr(now))

    async def look(self, names: Sequence[str], now: float) -> Sequence[Member]:
        """See the port."""
        return [_member(one) for one in await self._run("look", repr(now), *names)] if names else []

    async def waiting(self, team: str, now: float) -> Waiting:
        """See the port."""
        calls, first = await self._run("waiting", team, repr(now))
        return Waiting(int(calls), float(text(first)) if first else None)

    async def _run(self, script: str, *arguments: str | int) -> Any:
        async with answering():
            return await self._scripts[script](args=arguments)


def _member(told: Any) -> Member:
    name, holder, flat = told
    fields = _pairs(flat)
    return Member(
        name=text(name),
        call=text(holder),
        since=float(fields.get("since", 0)) if holder else 0.0,
        rest=float(fields.get("rest", 0)),
        paused=float(fields.get("paused", 0)),
        ended=float(fields.get("ended", 0)),
        taken=int(fields.get("taken", 0)),
        day=fields.get("day", ""),
        missed=int(fields.get("missed", 0)),
    )


def _pairs(flat: Sequence[Any]) -> dict[str, str]:
    texts = [text(part) for part in flat]
    return dict(zip(texts[::2], texts[1::2], strict=True))
