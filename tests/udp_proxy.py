"""A userspace UDP proxy between two ends, with a bad network in it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from tests.bad_network import Network

Address = tuple[str, int]


class UdpProxy(asyncio.DatagramProtocol):
    """Between two ends, which both send to it: what comes from one goes to the other, as far as the network lets it."""

    def __init__(self, one: Address, two: Address, network: Network) -> None:
        self._to = {one: two, two: one}
        self._network = network
        self.carried = self.lost = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.address: Address = transport.get_extra_info("sockname")[:2]

    def datagram_received(self, data: bytes, source: Address) -> None:
        if (there := self._to.get(source[:2])) is None:
            return
        delays = self._network.delays()
        self.carried += 1
        self.lost += not delays
        for delay in delays:
            asyncio.get_running_loop().call_later(delay, self._transport.sendto, data, there)

    def error_received(self, error: OSError) -> None:
        """An end is gone; nothing is to be done."""

    def close(self) -> None:
        """Carry nothing more."""
        self._transport.abort()


@asynccontextmanager
async def udp_proxy(one: Address, two: Address, draw: random.Random) -> AsyncIterator[UdpProxy]:
    """A proxy whose `address` both ends take for the other's."""
    loop = asyncio.get_running_loop()
    made = (await loop.create_datagram_endpoint(lambda: UdpProxy(one, two, Network(draw)), ("127.0.0.1", 0)))[1]
    try:
        yield made
    finally:
        made.close()
