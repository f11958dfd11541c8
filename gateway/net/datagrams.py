"""A UDP socket on the event loop that also learns, on Linux, that nobody listens where a datagram was sent.

asyncio's own datagram transport keeps the address of such an ICMP error to itself; RFC 3261 section 18.4 needs it.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
import sys
from collections.abc import Callable

from gateway.errors import SetupFault
from gateway.sip import HostPort

_LINUX = sys.platform == "linux"
_RECVERR = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}
"""IP_RECVERR and IPV6_RECVERR of linux/in.h and linux/in6.h; Python 3.11 has no names for them."""
_UNREACHABLE = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN)
_BURST = 64
"""Datagrams read before other tasks get their turn."""
_BUFFER = 1 << 20


async def bind(host: str, port: int, *, what: str, remedy: str) -> socket.socket:
    """A non-blocking UDP socket bound to `host` (address or name) and `port` (0: any).

    Raises SetupFault in words for an operator: `what` names the use ("SIP"), `remedy` what to do.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        made = socket.socket(family, kind, protocol)
    except OSError as bad:
        raise SetupFault(f"{what} can't be served on {host}: {bad.strerror}.", remedy=remedy) from bad
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        if family == socket.AF_INET6:  # IPv4 has listeners of its own; `::` must not take their place
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if _LINUX:
            made.setsockopt(*_RECVERR[socket.AddressFamily(family)], 1)
        made.bind(address)
    except OSError as bad:
        made.close()
        why = "is in use" if bad.errno == errno.EADDRINUSE else f"can't be bound ({bad.strerror})"
        raise SetupFault(f"{what} port {port}/udp on {host} {why}.", remedy=remedy) from bad
    return made


class Datagrams:
    """Reads a bound socket for as long as it is open, and writes it.

    `received(data, source)` and `bounced(destination)` are called on the loop, and must not block.
    """

    def __init__(
        self,
        bound: socket.socket,
        received: Callable[[bytes, HostPort], None],
        bounced: Callable[[HostPort], None],
    ) -> None:
        self._socket = bound
        self._received = received
        self._bounced = bounced
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(bound, self._readable)

    @property
    def address(self) -> HostPort:
        """The address it is bound to, with the real port."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    def send(self, data: bytes, destination: HostPort) -> bool:
        """Send to an IP address. False: it can't be reached from here. A full buffer loses the datagram, as UDP may."""
        for _ in range(2):
            try:
                self._socket.sendto(data, destination)
            except BlockingIOError:
                return True
            except OSError as bad:
                # An earlier datagram's ICMP error is reported by the next call: take it, and try once more.
                if bad.errno not in _UNREACHABLE or not self._drain_errors():
                    return False
            except OverflowError:
                return False
            else:
                return True
        return False

    def close(self) -> None:
        """Stop reading and give the port back. May be called twice."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    def _readable(self) -> None:
        self._drain_errors()
        for _ in range(_BURST):
            if self._socket.fileno() < 0:
                return
            try:
                data, source = self._socket.recvfrom(65536)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                if not self._drain_errors():
                    return
            else:
                self._received(data, source[:2])

    def _drain_errors(self) -> int:
        """Read the error queue (ip(7), IP_RECVERR); returns how many errors there were."""
        count = 0
        while _LINUX and count < _BURST and self._socket.fileno() >= 0:
            try:
                _, extra, _, destination = self._socket.recvmsg(0, 512, socket.MSG_ERRQUEUE)
            except OSError:
                break
            count += 1
            # struct sock_extended_err begins with ee_errno, a 32-bit number in the machine's order.
            codes = [struct.unpack_from("=I", body)[0] for _, _, body in extra if len(body) >= 4]
            if destination and any(code in _UNREACHABLE for code in codes):
                self._loop.call_soon(self._bounced, destination[:2])
        return count
