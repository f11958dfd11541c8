"""Renders the lines that are wanted ahead of calls: the agents' worker does it beside its jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from gateway.conduct.port import Renderer
from gateway.conduct.prompts import PromptBook
from gateway.errors import Unavailable
from gateway.metrics import counter, gauge
from gateway.terms.catalogue import Line

LOOK = 1.0
"""Seconds between two looks at what is wanted."""
WAIT = 5.0
"""Seconds that one wait for what callers ask for may last; the next begins at once."""
AFTER_FAILURE = 5.0

RENDERED = counter("prompts_rendered", "Lines rendered ahead of calls")
MISSING = gauge("prompts_missing", "Wanted lines that aren't rendered yet")

log = structlog.get_logger(__name__)


async def render_ahead(book: PromptBook, renderer: Renderer) -> None:
    """Render what callers wait for at once, and beside it whatever is wanted and missing, for ever. A provider that
    fails is asked again a while later."""
    async with asyncio.TaskGroup() as both:
        both.create_task(_for_ever(partial(_asked, book, renderer), "asked for"), name="render what is asked for")
        both.create_task(_for_ever(partial(_missing, book, renderer), "wanted"), name="render what is wanted")


async def _for_ever(work: Callable[[], Awaitable[None]], which: str) -> None:
    down = False
    while True:
        try:
            await work()
            down = False
        except Unavailable as bad:
            if not down:
                log.warning("prompts can't be rendered now", which=which, why=str(bad))
            down = True
            await asyncio.sleep(AFTER_FAILURE)


async def _asked(book: PromptBook, renderer: Renderer) -> None:
    line = await book.asked(WAIT)
    if line is not None and await book.get(renderer.voice, line) is None:
        await _render(book, renderer, line)


async def _missing(book: PromptBook, renderer: Renderer) -> None:
    missing = await book.missing(renderer.voice)
    MISSING.set(len(missing))
    for line in missing:
        await _render(book, renderer, line)
    await asyncio.sleep(LOOK)


async def _render(book: PromptBook, renderer: Renderer, line: Line) -> None:
    await book.put(renderer.voice, line, await renderer.render(line))
    RENDERED.inc()
