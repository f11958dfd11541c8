"""The workers' part of messages, wired: recording, writing down, keeping what dead jobs left."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from redis.asyncio import Redis

from gateway.app.catalogue import registry
from gateway.calls.acts.cues import RecordingEnded
from gateway.calls.store.redis_store import RedisStore
from gateway.conduct.messages.record import Hear, Recorder
from gateway.conduct.messages.salvage import salvage_messages
from gateway.conduct.messages.tapes import Tapes
from gateway.conduct.messages.transcripts import Transcripts, telling, transcribe_messages
from gateway.conduct.talk.port import Agents
from gateway.conduct.tell import Teller
from gateway.config import Settings
from gateway.terms.act import Record
from gateway.terms.call import Call


async def transcribe(settings: Settings, redis: Redis) -> None:
    """The agents' worker's, for ever: messages are written down."""
    transcriber = cast(Agents, registry()).transcriber(settings)
    await transcribe_messages(Transcripts(redis), Tapes(settings.messages), transcriber, RedisStore(redis))


async def salvage(settings: Settings, redis: Redis) -> None:
    """The house's worker's, for ever: messages whose jobs are dead are kept."""
    await salvage_messages(Tapes(settings.messages), RedisStore(redis), Transcripts(redis))


def recorder(
    settings: Settings,
    redis: Redis,
    call: Call,
    teller: Teller,
    hear: Hear,
    happened: Callable[[RecordingEnded], None],
    act: Record,
) -> Recorder:
    """A job's, for one act: use it as a context."""
    told = telling(teller, Transcripts(redis), call.brief.language)
    return Recorder(call.id, Tapes(settings.messages), hear, told, happened, about=act)
