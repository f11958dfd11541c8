"""What a caller has said at a menu that led them to an agent: the agent answers it, and they needn't say it again."""

from __future__ import annotations

import asyncio

import structlog

from gateway.conduct.talk.port import Stage, Transcriber
from gateway.errors import Unavailable
from gateway.terms.act import Because
from gateway.terms.said_digits import hidden
from gateway.terms.turn import Speaker

WITHIN = 4.0
"""Seconds for making out what was said: as long as the agent says what it is. It greets after that."""

log = structlog.get_logger(__name__)


def led_by_words(stage: Stage) -> bool:
    """Whether the caller has said something on the way here that nobody has answered yet; a job may have died over it."""
    theirs = any(turn.speaker is not Speaker.AGENT for turn in stage.turns)
    return stage.call.because == Because.SPEECH.value and not theirs


async def words_before(stage: Stage, transcriber: Transcriber) -> str:
    """The words said on the way here, digits hidden where the route seals them; "" when there are none, or they can't
    be made out in time."""
    try:
        async with asyncio.timeout(WITHIN):
            said = await stage.spoken()
            words = await transcriber.transcribe(said, stage.brief.language) if said is not None else ""
    except (Unavailable, TimeoutError) as bad:
        log.warning("what the caller has said can't be made out", why=str(bad) or "It took too long.")
        return ""
    return hidden(words) if stage.brief.sealed else words
