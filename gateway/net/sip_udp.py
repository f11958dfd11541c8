"""SIP over UDP: a `gateway.net.sip_driver.SipDriver` on one socket."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import sipmessage

from gateway.errors import SetupFault
from gateway.net.datagrams import Datagrams, bind
from gateway.net.sip_driver import (
    Handler,
    Incoming,
    NotAcknowledged,
    Sending,
    SipDriver,
    TransactionFailed,
    next_hop,
)
from gateway.sip import HostPort
from gateway.sip.transaction import Timers

__all__ = ["Handler", "Incoming", "NotAcknowledged", "Sending", "SipUdp", "TransactionFailed", "check_address", "serve"]


class SipUdp(SipDriver):
    """SIP on one UDP socket. Made by `serve`."""

    def __init__(self, bound: socket.socket, handler: Handler, *, advertise: str, limit: int, timers: Timers) -> None:
        super().__init__(handler, advertise=advertise, limit=limit)
        self.larger: SipDriver | None = None
        """A stream at the same address, for requests that are too large for a datagram."""
        self._datagrams = Datagrams(bound, self._received, self._bounced)
        self._begin(timers)

    @property
    def address(self) -> HostPort:
        """Where it is bound, with the real port."""
        return self._datagrams.address

    @asynccontextmanager
    async def send(self, request: sipmessage.Request, destination: HostPort | None = None) -> AsyncIterator[Sending]:
        """As `SipDriver.send`. A request that is too large goes by the stream, if the other side takes one (RFC 3261
        section 18.1.1)."""
        where = await self.resolve(destination or next_hop(request))
        if self.larger is not None and self.layer.oversized(request) and await self.larger.connects(where):
            async with self.larger.send(request, where) as sending:
                sending.spare = self
                yield sending
        else:
            async with super().send(request, where) as sending:
                yield sending

    def _send(self, data: bytes, destination: HostPort) -> bool:
        return self._datagrams.send(data, destination)

    def _close(self) -> None:
        self._datagrams.close()


def check_address(host: str, advertise: str) -> None:
    """Raise SetupFault when peers couldn't be told where we are."""
    if (advertise or host) in ("0.0.0.0", "::", ""):
        raise SetupFault(
            "SIP on every interface needs an address that others can reach.",
            remedy=f"Set OFFHOOK_SIP_ADVERTISE, or write {host or '0.0.0.0'}=ADDRESS in OFFHOOK_SIP_HOST.",
        )


@asynccontextmanager
async def serve(
    host: str,
    port: int,
    handler: Handler,
    *,
    advertise: str = "",
    timers: Timers | None = None,
    limit: int = 8192,
    grace: float = 2.0,
) -> AsyncIterator[SipUdp]:
    """Serve SIP over UDP on `host`:`port` (0: any port) while the context lasts.

    `advertise` is the address written into Via and Contact when it isn't `host`. On leaving, handlers are cancelled
    (what they leave unanswered gets 503), and transactions under way have `grace` seconds to end.
    Raises SetupFault when the port can't be had.
    """
    check_address(host, advertise)
    remedy = "Stop what uses it, or choose another with OFFHOOK_SIP_PORT."
    bound = await bind(host, port, what="SIP", remedy=remedy)
    sip = SipUdp(bound, handler, advertise=advertise, limit=limit, timers=timers or Timers())
    try:
        yield sip
    finally:
        await sip.close(grace)
