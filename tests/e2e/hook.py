"""A webhook of the tests' own, to which the gateway tells something."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def hook(port: int, take: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[None]:
    """Serve /hook at the port: `take` answers what is posted there."""
    app = web.Application()
    app.add_routes([web.post("/hook", take)])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield
    finally:
        await runner.cleanup()
