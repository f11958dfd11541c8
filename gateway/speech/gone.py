"""Clients that go before all was sent: a caller who talks over a sentence, or hangs up, ends what it was made for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def may_go(handler: Handler, went: Callable[[], None] = lambda: None) -> Handler:
    """A handler that ends in silence where its client has gone, after `went`; aiohttp would log a traceback as an error."""

    @wraps(handler)
    async def serve(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ConnectionError:
            if request.transport is not None and not request.transport.is_closing():
                raise  # it is another's connection
            went()
            return broken_off(request)

    return serve


def broken_off(request: web.Request) -> web.Response:
    """What a handler is to return that can't send the rest: the connection ends, by which the client knows."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()
