"""A TCP proxy between our processes and a server of theirs, whose connections can be cut and held."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

PENDING = 1 << 20
"""Bytes on their way to a side that reads slowly from which the other side is read no more."""


class Proxy:
    """Passes connections on to a port of this machine. Make it by `proxy`."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._pairs: set[_Side] = set()
        self._passing = asyncio.Event()
        self._passing.set()

    def __len__(self) -> int:
        """Connections that are up."""
        return len(self._pairs) // 2

    def cut(self) -> None:
        """Close all connections at once, as a network does that forgets them; new ones are let through."""
        for side in list(self._pairs):
            side.transport.abort()

    def hold(self) -> None:
        """Let nothing through any more: connections stay up and new ones are taken, and nobody answers."""
        self._passing.clear()
        for side in self._pairs:
            side.transport.pause_reading()

    def go_on(self) -> None:
        """Let through what was held, and what comes."""
        self._passing.set()
        for side in self._pairs:
            self.read_on(side)

    def read_on(self, side: _Side) -> None:
        """A side's: it may be read, if anything may and there is somebody to write it to."""
        if self._passing.is_set() and side.other is not None:
            side.transport.resume_reading()

    def inside(self) -> asyncio.Protocol:
        """The protocol of a connection that comes in."""
        return _Near(self)

    async def connect(self, near: _Near) -> None:
        """Connect one that came in with the server."""
        await self._passing.wait()
        loop = asyncio.get_running_loop()
        try:
            _, far = await loop.create_connection(lambda: _Side(self), "127.0.0.1", self._upstream)
        except OSError:
            near.transport.abort()
            return
        if near.transport.is_closing():
            far.transport.abort()
            return
        near.other, far.other = far, near
        self.read_on(near)
        self.read_on(far)

    def up(self, side: _Side) -> None:
        """A side's: it is connected."""
        side.transport.pause_reading()  # until the other end is there
        self._pairs.add(side)

    def down(self, side: _Side) -> None:
        """A side's: it isn't any more."""
        self._pairs.discard(side)


class _Side(asyncio.Protocol):
    """One end; what it gets it writes to the other."""

    transport: asyncio.Transport
    other: _Side | None = None

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(PENDING)
        self._proxy.up(self)

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None:
            self._proxy.read_on(self.other)

    def connection_lost(self, bad: Exception | None) -> None:
        self._proxy.down(self)
        if self.other is not None:
            self.other.transport.close()


class _Near(_Side):
    """The end at our process."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._connecting = asyncio.create_task(self._proxy.connect(self), name="proxy connects")

    def connection_lost(self, bad: Exception | None) -> None:
        self._connecting.cancel()
        super().connection_lost(bad)


@asynccontextmanager
async def proxy(port: int, upstream: int) -> AsyncIterator[Proxy]:
    """A proxy at that port of this machine, until the block ends."""
    made = Proxy(upstream)
    server = await asyncio.get_running_loop().create_server(made.inside, "127.0.0.1", port)
    try:
        yield made
    finally:
        server.close()
        made.cut()
        await server.wait_closed()
