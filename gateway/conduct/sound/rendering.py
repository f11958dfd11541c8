"""Renders the lines that are wanted ahead of calls: the agents' worker does it beside its jobs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from gateway.conduct.sound.prompts import PromptBook
from gateway.conduct.talk.port import Renderer
from gateway.errors import Unavailable
from gateway.metrics import EDGE_ERRORS, counter, gauge
from gateway.terms.catalogue import Line

LOOK = 1.0
"""Seconds between two looks at what is wanted."""
WAIT = 5.0
"""Seconds that one wait for what callers ask for may last; the next begins at once."""
AFTER_FAILURE = 5.0
ASIDE = 600.0
"""Seconds for which a line that can't be rendered is left aside: it must not hold up the others, nor cost each second."""

RENDERED = counter("prompts_rendered", "Lines rendered ahead of calls")
MISSING = gauge("prompts_missing", "Wanted lines that aren't rendered yet")

log = structlog.get_logger(__name__)


async def render_ahead(book: PromptBook, renderer: Renderer) -> None:
    """Render what callers wait for at once, and beside it whatever is wanted and missing, for ever. A provider that
    fails is asked again a while later; a line that can't be rendered, such as one that is too long, is left aside."""
    rendering = _Rendering(book, renderer)
    async with asyncio.TaskGroup() as both:
        both.create_task(_for_ever(rendering.asked, "asked for"), name="render what is asked for")
        both.create_task(_for_ever(rendering.missing, "wanted"), name="render what is wanted")


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
        except Exception:  # the edge of what runs beside jobs: nothing else renders
            EDGE_ERRORS.labels("rendering").inc()
            log.exception("what renders prompts met what it didn't expect", which=which)
            await asyncio.sleep(AFTER_FAILURE)


class _Rendering:
    def __init__(self, book: PromptBook, renderer: Renderer) -> None:
        self._book, self._renderer = book, renderer
        self._aside: dict[Line, float] = {}
        """Lines that can't be rendered, by the monotonic time until which they aren't tried."""

    async def asked(self) -> None:
        """Wait for a line that a caller waits for, and render it."""
        line = await self._book.asked(WAIT)
        if line is not None and await self._book.get(self._renderer.voice, line) is None:
            await self._render(line)

    async def missing(self) -> None:
        """Render what is wanted and isn't there."""
        missing = await self._book.missing(self._renderer.voice)
        MISSING.set(len(missing))
        now = time.monotonic()
        self._aside = {line: until for line, until in self._aside.items() if until > now}
        for line in missing:
            await self._render(line)
        await asyncio.sleep(LOOK)

    async def _render(self, line: Line) -> None:
        if self._aside.get(line, 0.0) > time.monotonic():
            return
        try:
            await self._book.put(self._renderer.voice, line, await self._renderer.render(line))
        except Unavailable:
            raise
        except ValueError as bad:
            self._aside[line] = time.monotonic() + ASIDE
            log.error("a line can't be rendered", letters=len(line.spoken), why=str(bad))
        except Exception:  # an edge: what one line brings about is no other's fault
            self._aside[line] = time.monotonic() + ASIDE
            EDGE_ERRORS.labels("rendering").inc()
            log.exception("a line met what wasn't expected", letters=len(line.spoken))
        else:
            RENDERED.inc()
