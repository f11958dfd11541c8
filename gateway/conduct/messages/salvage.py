"""Keeps the messages whose jobs are dead and whose callers are gone: the house's worker does it beside its jobs."""

from __future__ import annotations

import asyncio
import time
from functools import partial

import structlog

from gateway.calls.store.port import CallStore
from gateway.conduct.messages.tapes import Tape, Tapes
from gateway.conduct.messages.transcripts import Transcripts, Unheard
from gateway.errors import Unavailable
from gateway.metrics import EDGE_ERRORS, counter
from gateway.terms.call import Phase
from gateway.terms.event import Event, Kind

LOOK = 30.0
"""Seconds between two looks."""
AGE = 60.0
"""Seconds that nobody has written to a recording, before it may be nobody's."""

SALVAGED = counter("messages_salvaged", "Messages of calls whose jobs had died")

log = structlog.get_logger(__name__)


async def salvage_messages(tapes: Tapes, store: CallStore, transcripts: Transcripts) -> None:
    """Look for ever, on every machine that holds a messages' directory."""
    while True:
        try:
            await salvage_once(tapes, store, transcripts, time.time())
        except (Unavailable, OSError) as bad:
            log.warning("left-over messages can't be looked at now", why=str(bad))
        except Exception:  # the edge of what runs beside jobs: nobody else would look
            EDGE_ERRORS.labels("salvage").inc()
            log.exception("the look at left-over messages met what it didn't expect")
        await asyncio.sleep(LOOK)


async def salvage_once(tapes: Tapes, store: CallStore, transcripts: Transcripts, now: float) -> None:
    """Keep every recording that is left over, and tell of it. `now`: seconds since the epoch.

    One that can't be kept holds up no other. Raises Unavailable, OSError.
    """
    for tape in await asyncio.to_thread(partial(tapes.left_over, now - AGE)):
        try:
            await _look_at(tape, tapes, store, transcripts, now)
        except Unavailable:
            raise
        except OSError as bad:
            log.warning("a left-over message can't be kept now", call=tape.call, why=str(bad))
        except Exception:  # an edge: such as a call that another version has written
            EDGE_ERRORS.labels("salvage").inc()
            log.exception("a left-over message met what wasn't expected", call=tape.call)


async def _look_at(tape: Tape, tapes: Tapes, store: CallStore, transcripts: Transcripts, now: float) -> None:
    call = await store.get(tape.call)
    if call is None or call.phase is Phase.ENDED:
        await _keep(tape, tapes, store, transcripts, now, call.brief.language if call else "en-US")


async def _keep(
    tape: Tape, tapes: Tapes, store: CallStore, transcripts: Transcripts, now: float, language: str
) -> None:
    kept = await asyncio.to_thread(partial(tapes.salvage, tape, now))
    if kept is None:
        return
    await store.tell(Event(kept.call, Kind.MESSAGE, kept.left, kept.event))
    await transcripts.want(Unheard(kept.call, kept.id, kept.file, language, kept.left))
    await asyncio.to_thread(partial(tapes.told, kept))
    SALVAGED.inc()
    log.info("a message was salvaged", call=kept.call)
