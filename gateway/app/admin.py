"""The HTTP endpoint every process serves: /healthz, /readyz, /metrics, and what the process adds."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from aiohttp import web

from gateway.config import Settings
from gateway.errors import SetupFault
from gateway.metrics import exposition, gauge

TASKS = gauge("tasks", "Tasks of the process's event loop, as it is asked")

Ready = Callable[[], str]
"""Says why the process isn't ready to serve, or "" when it is."""


@asynccontextmanager
async def admin(settings: Settings, ready: Ready, routes: Iterable[web.RouteDef] = ()) -> AsyncIterator[None]:
    """Serve on `settings.host:http_port` while the context lasts; nothing is served when the port is 0.

    Raises SetupFault when the port can't be had.
    """
    if not settings.http_port:
        yield
        return
    app = web.Application(client_max_size=2**20)
    app.add_routes([*_own_routes(ready), *routes])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await _bind(runner, settings.host, settings.http_port)
        yield
    finally:
        await runner.cleanup()


async def _bind(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as bad:
        why = "is in use" if bad.errno == errno.EADDRINUSE else f"can't be bound ({bad.strerror})"
        raise SetupFault(
            f"HTTP port {port} on {host} {why}.", remedy="Stop what uses it, or set OFFHOOK_HTTP_PORT."
        ) from bad


def _own_routes(ready: Ready) -> list[web.RouteDef]:
    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        why = ready()
        return web.Response(text=f"{why or 'ready'}\n", status=503 if why else 200)

    async def metrics(_: web.Request) -> web.Response:
        TASKS.set(len(asyncio.all_tasks()))
        return web.Response(body=exposition(), headers={"Content-Type": "text/plain; version=0.0.4"})

    return [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)]
