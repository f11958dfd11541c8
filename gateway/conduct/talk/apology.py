"""What a caller hears where their agent, or whatever else was done for them, can't go on: that we are sorry, and that they are called
back where they can be. Nobody is kept in silence: whatever fails here too, there is a tone."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from gateway.conduct.acts.house import House
from gateway.conduct.sound import tones
from gateway.conduct.talk.cast import Cast
from gateway.conduct.talk.stage import CallStage
from gateway.metrics import EDGE_ERRORS
from gateway.terms.act import Talk
from gateway.terms.call import Call
from gateway.terms.catalogue import Cue, Line, Lines

log = structlog.get_logger(__name__)


async def apologise(stage: CallStage, call: Call, reason: str, *, cast: Cast, house: House, lines: Lines) -> None:
    """Let the agent go and tell its caller; return once all is said, or queued. `reason`: what failed; `lines`: what agents
    say word for word."""
    try:
        await cast.close()
        stage.voice.clear()
        if isinstance(call.act, Talk):
            await _say_sorry(stage, lines(call.brief))
        else:
            await house.call_back(stage, call, reason)
    except Exception as bug:  # whatever it is, the caller isn't kept in silence for it
        EDGE_ERRORS.labels("apology").inc()
        log.exception("the caller couldn't be told", why=type(bug).__name__)
        stage.voice.send(tones.reorder(stage.voice.rate).data)


async def _say_sorry(stage: CallStage, lines: Sequence[Line]) -> None:
    cue = Cue.SORRY_CALLBACK if await stage.call_back("the agent failed") else Cue.SORRY
    found = [line for line in lines if line.cue is cue]
    audio = await stage.prompt(found[0]) if found else None
    stage.voice.send((audio or tones.reorder(stage.voice.rate)).data)
