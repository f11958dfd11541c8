"""A userspace UDP relay between many clients and one server, which can forget some of the clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import cast

Address = tuple[str, int]


class _Far(asyncio.DatagramProtocol):
    """The server's side, for one client."""

    def __init__(self, relay: UdpRelay, client: Address) -> None:
        self._relay, self._client = relay, client

    def datagram_received(self, data: bytes, _: Address) -> None:
        self._relay.back(data, self._client)


class UdpRelay(asyncio.DatagramProtocol):
    """The clients' side. Make it by `udp_relay`."""

    def __init__(self, server: Address) -> None:
        self._server = server
        self._far: dict[Address, asyncio.Task[asyncio.DatagramTransport]] = {}
        self._cut: frozenset[int] = frozenset()

    def cut(self, ports: Iterable[int]) -> None:
        """Carry nothing more from and to clients at these ports."""
        self._cut |= frozenset(ports)

    @property
    def carries(self) -> frozenset[int]:
        """Ports of the clients that have sent something."""
        return frozenset(client[1] for client in self._far)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, source: Address) -> None:
        if source[1] in self._cut:
            return
        far = self._far.get(source)
        if far is None:
            far = self._far[source] = asyncio.create_task(self._connect(source), name="relay connects")
        if far.done():
            far.result().sendto(data)
        else:
            far.add_done_callback(lambda made: made.result().sendto(data))

    async def _connect(self, client: Address) -> asyncio.DatagramTransport:
        loop = asyncio.get_running_loop()
        return (await loop.create_datagram_endpoint(lambda: _Far(self, client), remote_addr=self._server))[0]

    def back(self, data: bytes, client: Address) -> None:
        """The server's side's: it has answered."""
        if client[1] not in self._cut:
            self._transport.sendto(data, client)

    def close(self) -> None:
        """Carry nothing more."""
        self._transport.abort()
        for far in self._far.values():
            if far.done() and not far.exception():
                far.result().abort()


@asynccontextmanager
async def udp_relay(at: Address, server: Address) -> AsyncIterator[UdpRelay]:
    """A relay at an address, until the block ends."""
    loop = asyncio.get_running_loop()
    made = (await loop.create_datagram_endpoint(lambda: UdpRelay(server), at))[1]
    try:
        yield made
    finally:
        made.close()
