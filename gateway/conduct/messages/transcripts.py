"""Messages to be written down, in Redis: jobs ask for it, the agents' worker does it beside its jobs, whenever the
engine that hears is up.

`offhook:messages:unheard` is a sorted set of what is to be heard, by when to try it. A worker that takes one moves it
into the future, so that another has it should this one die.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.calls.store.port import CallStore
from gateway.conduct.messages.tapes import Tape, Tapes
from gateway.conduct.sound import opus
from gateway.conduct.talk.port import Pcm, Transcriber
from gateway.conduct.tell import Teller
from gateway.errors import OurFault, Unavailable
from gateway.metrics import EDGE_ERRORS, counter
from gateway.rtp import RATE
from gateway.terms.call import CallId
from gateway.terms.event import Event, Kind

LOOK = 1.0
"""Seconds between two looks at what is to be heard."""
AFTER_FAILURE = 5.0
LEASE = 180.0
"""Seconds that hearing one may take before another worker tries."""
ELSEWHERE = 15.0
"""Seconds after which one whose file isn't here is offered again: another machine may have it."""
AT_MOST = 7 * 86400.0
"""Seconds after which nobody tries any more."""
WITHIN = 5.0
"""Seconds that Redis may take."""
_KEY = "offhook:messages:unheard"
_TAKE = """
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 1)
if found[1] then redis.call('ZADD', KEYS[1], ARGV[2], found[1]) end
return found[1]
"""

TRANSCRIBED = counter("messages_transcribed", "Messages that were written down")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Unheard:
    """One message that is to be written down."""

    call: CallId
    id: str
    file: str
    """Its name in the messages' directory."""
    language: str
    """BCP 47 tag."""
    left: float
    """Seconds since the epoch."""


class Transcripts:
    """What is to be written down. Every method raises gateway.errors.Unavailable when Redis does not answer."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._take = redis.register_script(_TAKE)

    async def want(self, message: Unheard) -> None:
        """Ask for a message to be written down; asking again does no harm."""
        written = json.dumps(asdict(message), sort_keys=True)
        await self._run(lambda: self._redis.zadd(_KEY, {written: message.left}, nx=True))

    async def take(self, now: float) -> Unheard | None:
        """The one that has waited longest, for LEASE seconds ours; None when there is none. `now`: seconds since the
        epoch. Raises OurFault for one that another version has written: it waits for that one as long, and the next call
        finds another."""
        found = await self._run(lambda: self._take(keys=[_KEY], args=[now, now + LEASE]))
        try:
            return Unheard(**json.loads(found)) if found else None
        except (ValueError, TypeError) as bad:
            raise OurFault("A message that is to be written down can't be read.") from bad

    async def later(self, message: Unheard, at: float) -> None:
        """Try it again at that time."""
        written = json.dumps(asdict(message), sort_keys=True)
        await self._run(lambda: self._redis.zadd(_KEY, {written: at}, xx=True))

    async def done(self, message: Unheard) -> None:
        """It is written down, or never will be."""
        await self._run(lambda: self._redis.zrem(_KEY, json.dumps(asdict(message), sort_keys=True)))

    async def _run(self, ask: Callable[[], Any]) -> Any:
        try:
            async with asyncio.timeout(WITHIN):
                return await cast(Awaitable[Any], ask())
        except (RedisError, OSError, TimeoutError) as bad:
            raise Unavailable("Redis doesn't answer about the messages that are to be written down.") from bad


def telling(teller: Teller, transcripts: Transcripts, language: str) -> Callable[[Tape], Awaitable[None]]:
    """How a call's recorder tells of a message: in the record, durably, then to whoever writes it down."""

    async def tell(tape: Tape) -> None:
        await teller.told(Kind.MESSAGE, tape.event, tape.left)
        await transcripts.want(Unheard(tape.call, tape.id, tape.file, language, tape.left))

    return tell


async def transcribe_messages(
    transcripts: Transcripts, tapes: Tapes, transcriber: Transcriber, store: CallStore
) -> None:
    """Write messages down, for ever. An engine that fails is asked again a while later."""
    down = False
    while True:
        pause = LOOK
        try:
            message = await transcripts.take(time.time())
            if message is not None:
                pause = await _transcribe(message, transcripts, tapes, transcriber, store)
            down = False
        except Unavailable as bad:
            if not down:
                log.warning("messages can't be written down now", why=str(bad))
            down, pause = True, AFTER_FAILURE
        except Exception:  # the edge of what runs beside jobs: one message must not keep the others from being heard
            EDGE_ERRORS.labels("transcripts").inc()
            log.exception("what writes messages down met what it didn't expect")
        await asyncio.sleep(pause)


async def _transcribe(
    message: Unheard, transcripts: Transcripts, tapes: Tapes, transcriber: Transcriber, store: CallStore
) -> float:
    """Write one down; the seconds until the next."""
    now = time.time()
    try:
        samples = await asyncio.to_thread(partial(opus.read, tapes.directory / message.file))
    except OSError:
        await (
            transcripts.later(message, now + ELSEWHERE) if now - message.left < AT_MOST else transcripts.done(message)
        )
        return 0.0
    except ValueError as bad:
        log.error("a message can't be played", call=message.call, why=str(bad))
        await transcripts.done(message)
        return 0.0
    try:
        text = await transcriber.transcribe(Pcm(RATE, samples.tobytes()), message.language)
    except Unavailable:
        if now - message.left >= AT_MOST:
            await transcripts.done(message)
        else:
            # The older it is, the less it matters when.
            await transcripts.later(message, now + AFTER_FAILURE + max(0.0, now - message.left) / 4)
        raise
    await store.tell(Event(message.call, Kind.TRANSCRIBED, time.time(), {"id": message.id, "text": text}))
    await transcripts.done(message)
    TRANSCRIBED.inc()
    return 0.0
