"""Lines rendered before anybody calls, in Redis: whoever needs one says so, the agents' worker renders, jobs play.

A prompt is addressed by its content: the same words in the same voice are the same prompt, whoever asks.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import struct
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.conduct.port import Pcm
from gateway.errors import Unavailable
from gateway.terms.catalogue import Line

KEPT = 30 * 24 * 3600
"""Seconds that a prompt is kept after it was last rendered or asked for."""
WITHIN = 5.0
"""Seconds that Redis may take."""
_WANTED = "offhook:prompts:wanted"
_HEAD = struct.Struct("<4sI")
_MAGIC = b"pcm1"
_LONGEST = 8 * 2**20


class PromptBook:
    """The prompts. Every method raises gateway.errors.Unavailable when Redis does not answer.

    `redis`: a client that doesn't decode responses, since prompts are bytes.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def want(self, lines: Iterable[Line], now: float) -> None:
        """Ask for lines to be rendered soon; cheap, and no harm when they are there. `now`: seconds since the epoch."""
        wanted = {_written(line): now for line in lines if line.spoken}
        if not wanted:
            return
        async with (
            _answering("Redis doesn't take the prompts that are wanted."),
            self._redis.pipeline(transaction=False) as pipe,
        ):
            pipe.zadd(_WANTED, wanted)
            pipe.zremrangebyscore(_WANTED, "-inf", now - KEPT)
            await pipe.execute()

    async def missing(self, voice: str) -> Sequence[Line]:
        """The wanted lines that `voice` hasn't rendered, those asked for last first."""
        async with _answering("Redis doesn't tell which prompts are wanted."):
            wanted = [_read(member) for member in await self._redis.zrevrange(_WANTED, 0, -1)]
            if not wanted:
                return ()
            async with self._redis.pipeline(transaction=False) as pipe:
                for line in wanted:
                    pipe.expire(_key(voice, line), KEPT)
                there = await pipe.execute()
        return [line for line, found in zip(wanted, there, strict=True) if not found]

    async def put(self, voice: str, line: Line, audio: Pcm) -> None:
        """Keep a rendered line. Raises ValueError when it is longer than a prompt may be (8 MiB)."""
        if len(audio.data) > _LONGEST:
            raise ValueError(f"a prompt of {audio.seconds:.0f} s is too long")
        data = _HEAD.pack(_MAGIC, audio.rate) + audio.data
        async with _answering("Redis doesn't keep the prompt."):
            await self._redis.set(_key(voice, line), data, ex=KEPT)

    async def get(self, voice: str, line: Line) -> Pcm | None:
        """The line's audio, if it is there."""
        async with _answering("Redis doesn't give the prompt."):
            data = await self._redis.get(_key(voice, line))
        if not isinstance(data, bytes) or len(data) < _HEAD.size or data[:4] != _MAGIC:
            return None
        return Pcm(_HEAD.unpack_from(data)[1], data[_HEAD.size :])


@asynccontextmanager
async def _answering(else_: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(WITHIN):
            yield
    except (RedisError, OSError, TimeoutError) as bad:
        raise Unavailable(else_) from bad


def _key(voice: str, line: Line) -> str:
    content = f"{voice}\x00{line.language}\x00{line.spoken}"
    return f"offhook:prompt:{hashlib.sha256(content.encode()).hexdigest()}"


def _written(line: Line) -> str:
    return json.dumps([line.language, line.spoken], ensure_ascii=False)


def _read(member: object) -> Line:
    language, spoken = json.loads(member) if isinstance(member, bytes | str) else ("", "")
    return Line(text=spoken, spoken=spoken, language=language)
