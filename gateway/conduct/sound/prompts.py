"""Lines rendered before anybody calls, in Redis: whoever needs one says so, the agents' worker renders, jobs play.

A prompt is addressed by its content: the same words in the same voice are the same prompt, whoever asks. The WAVs of
plans lie beside them, ready for the telephone, so that a job plays them on whatever machine it runs.
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

from gateway.conduct.talk.port import Pcm
from gateway.errors import Unavailable
from gateway.terms.catalogue import Line

KEPT = 30 * 24 * 3600
"""Seconds that a prompt is kept after it was last rendered or asked for."""
WITHIN = 5.0
"""Seconds that Redis may take."""
_WANTED = "offhook:prompts:wanted"
_ASKED = "offhook:prompts:asked"
"""A list of lines that callers wait for at this moment; each is taken by one worker."""
_ASKED_MOST, _ASKED_KEPT = 1000, 10
"""How many, and seconds: a caller doesn't wait longer."""
_READY_KEPT = 3
"""Seconds for which it is told that a prompt has been rendered."""
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

    async def ask(self, line: Line, now: float) -> None:
        """Ask for a line that a caller waits for: a worker renders it before anything else."""
        async with (
            _answering("Redis doesn't take the prompt that is wanted."),
            self._redis.pipeline(transaction=False) as pipe,
        ):
            pipe.zadd(_WANTED, {_written(line): now})
            pipe.lpush(_ASKED, _written(line))
            pipe.ltrim(_ASKED, 0, _ASKED_MOST - 1)
            pipe.expire(_ASKED, _ASKED_KEPT)
            await pipe.execute()

    async def asked(self, within: float) -> Line | None:
        """The next line that a caller waits for, taken from all who render; None when there is none `within` seconds,
        at least a tenth of one."""
        async with _answering("Redis doesn't tell which prompts are asked for.", within + WITHIN):
            found = await self._redis.brpop([_ASKED], timeout=max(within, 0.1))
        return _read(found[1]) if found else None

    async def rendered(self, voice: str, line: Line, within: float) -> Pcm | None:
        """The line's audio once it is there, told at once; None when it isn't `within` seconds, more than 0."""
        ready = _ready(voice, line)
        async with _answering("Redis doesn't tell of prompts.", within + WITHIN):
            # Moved to where it was, so that everybody who waits is told.
            # Redis takes fractions of a second; redis-py's type says whole ones.
            await self._redis.blmove(ready, ready, max(within, 0.01), "LEFT", "RIGHT")  # type: ignore[arg-type]
        return await self.get(voice, line)

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
        await self._keep(_key(voice, line), data, _ready(voice, line))

    async def get(self, voice: str, line: Line) -> Pcm | None:
        """The line's audio, if it is there."""
        async with _answering("Redis doesn't give the prompt."):
            data = await self._redis.get(_key(voice, line))
        if not isinstance(data, bytes) or len(data) < _HEAD.size or data[:4] != _MAGIC:
            return None
        return Pcm(_HEAD.unpack_from(data)[1], data[_HEAD.size :])

    async def has_sound(self, address: str) -> bool:
        """Whether a plan's sound is there; it is kept on then."""
        async with _answering("Redis doesn't tell which sounds there are."):
            return bool(await self._redis.expire(_of_sound(address), KEPT))

    async def put_sound(self, address: str, samples: bytes) -> None:
        """Keep a plan's sound: 8 kHz, mono, 16 bit, little-endian."""
        await self._keep(_of_sound(address), samples)

    async def sound(self, address: str, start: int, size: int) -> bytes:
        """A piece of a plan's sound from byte `start` on; less at its end, none after it or when there is none."""
        async with _answering("Redis doesn't give the sound."):
            found = await self._redis.getrange(_of_sound(address), start, start + size - 1)
        return found if isinstance(found, bytes) else b""

    async def _keep(self, key: str, data: bytes, ready: str = "") -> None:
        async with _answering("Redis doesn't keep the prompt."), self._redis.pipeline(transaction=False) as pipe:
            pipe.set(key, data, ex=KEPT)
            if ready:
                pipe.lpush(ready, 1)
                pipe.ltrim(ready, 0, 0)
                pipe.expire(ready, _READY_KEPT)
            await pipe.execute()


@asynccontextmanager
async def _answering(else_: str, within: float = WITHIN) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(within):
            yield
    except (RedisError, OSError, TimeoutError) as bad:
        raise Unavailable(else_) from bad


def _key(voice: str, line: Line) -> str:
    content = f"{voice}\x00{line.language}\x00{line.spoken}"
    return f"offhook:prompt:{hashlib.sha256(content.encode()).hexdigest()}"


def _ready(voice: str, line: Line) -> str:
    return f"{_key(voice, line)}:ready"


def _of_sound(address: str) -> str:
    """The key of `wav:HASH`; prompts have none with a second colon before the hash."""
    return f"offhook:prompt:{address}"


def _written(line: Line) -> str:
    return json.dumps([line.language, line.spoken], ensure_ascii=False)


def _read(member: object) -> Line:
    language, spoken = json.loads(member) if isinstance(member, bytes | str) else ("", "")
    return Line(text=spoken, spoken=spoken, language=language)
