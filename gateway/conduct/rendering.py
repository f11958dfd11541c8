"""Renders the lines that are wanted ahead of calls: the agents' worker does it beside its jobs."""

from __future__ import annotations

import asyncio

import structlog

from gateway.conduct.port import Renderer
from gateway.conduct.prompts import PromptBook
from gateway.errors import Unavailable
from gateway.metrics import counter, gauge

LOOK = 1.0
"""Seconds between two looks at what is wanted."""
AFTER_FAILURE = 5.0

RENDERED = counter("prompts_rendered", "Lines rendered ahead of calls")
MISSING = gauge("prompts_missing", "Wanted lines that aren't rendered yet")

log = structlog.get_logger(__name__)


async def render_ahead(book: PromptBook, renderer: Renderer) -> None:
    """Render whatever is wanted and missing, for ever. A provider that fails is asked again a while later."""
    down = False
    while True:
        try:
            missing = await book.missing(renderer.voice)
            MISSING.set(len(missing))
            for line in missing:
                await book.put(renderer.voice, line, await renderer.render(line))
                RENDERED.inc()
            down = False
        except Unavailable as bad:
            if not down:
                log.warning("prompts can't be rendered now", why=str(bad))
            down = True
        await asyncio.sleep(AFTER_FAILURE if down else LOOK)
