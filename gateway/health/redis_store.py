"""The circuits in Redis: `offhook:health:<provider>`, gone an hour after the last change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from redis.asyncio import Redis
from redis.exceptions import WatchError

from gateway.calls.shared.redis_answering import answering, text
from gateway.errors import Unavailable
from gateway.health.circuit import Circuit, State
from gateway.health.store import Change

KEPT = 3600
"""Seconds that a circuit is kept; by then it may be tried anew anyway."""
_TRIES = 20
_PREFIX = "offhook:health:"


class RedisHealth:
    """See gateway.health.store.HealthStore."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def look(self, names: Sequence[str]) -> Mapping[str, Circuit]:
        """See HealthStore."""
        if not names:
            return {}
        async with answering():
            found = await self._redis.mget([_key(name) for name in names])
        return {name: _read(each) for name, each in zip(names, found, strict=True)}

    async def out(self) -> Mapping[str, Circuit]:
        """See HealthStore."""
        async with answering():
            names = [text(key).removeprefix(_PREFIX) async for key in self._redis.scan_iter(f"{_PREFIX}*", count=1000)]
        found = await self.look(names)
        return {name: circuit for name, circuit in found.items() if circuit.state is not State.CLOSED}

    async def change(self, name: str, change: Change) -> Circuit:
        """See HealthStore."""
        key = _key(name)
        async with answering(), self._redis.pipeline() as pipe:
            for _ in range(_TRIES):
                await pipe.watch(key)
                before = _read(await pipe.get(key))
                changed = change(before)
                if changed == before:
                    return before
                pipe.multi()  # type: ignore[no-untyped-call]
                pipe.set(key, str(changed), ex=KEPT)
                try:
                    await pipe.execute()
                except WatchError:
                    continue
                return changed
        raise Unavailable("Too many processes change what is known of a provider.")


def _key(name: str) -> str:
    return f"{_PREFIX}{name}"


def _read(found: object) -> Circuit:
    if not isinstance(found, str | bytes):
        return Circuit()
    try:
        return Circuit.parse(found)
    except ValueError:  # another version's
        return Circuit()
