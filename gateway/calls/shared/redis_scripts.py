"""Lua scripts of a store in Redis, by name."""

from __future__ import annotations

from collections.abc import Mapping

from redis.asyncio import Redis
from redis.commands.core import AsyncScript


class Scripts:
    """A store's scripts, each made ready when it is first run: a job runs few of those that it could, and each that is
    read and hashed costs it memory of its own."""

    def __init__(self, redis: Redis, texts: Mapping[str, str]) -> None:
        self._redis, self._texts = redis, texts
        self._ready: dict[str, AsyncScript] = {}

    def __getitem__(self, name: str) -> AsyncScript:
        """The script of that name. Raises KeyError when there is none."""
        if (found := self._ready.get(name)) is None:
            found = self._ready[name] = self._redis.register_script(self._texts[name])
        return found
