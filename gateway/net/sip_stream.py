"""SIP over TCP and TLS: a `gateway.net.sip_driver.SipDriver` on many connections (RFC 3261 section 18).

Responses go back on the connection that their request came by. A request goes out on a connection to its destination
that is there already, else on a new one.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog

from gateway.errors import SetupFault
from gateway.metrics import counter, gauge
from gateway.net.door import Door
from gateway.net.hosts import literal
from gateway.net.sip_driver import Handler, SipDriver
from gateway.net.sip_udp import check_address
from gateway.net.warden import Warden
from gateway.sip import HostPort
from gateway.sip.framing import PING, PONG, Framer
from gateway.sip.gate import subscriber
from gateway.sip.message import SipSyntaxError
from gateway.sip.ration import Ration
from gateway.sip.transaction import Timers
from gateway.tasks import Tasks

CONNECTING = 5.0
"""Seconds that a connection may take, TLS included."""
WHOLE_WITHIN = 10.0
"""Seconds in which a message that has begun must end: who sends a byte now and then holds a connection for nothing."""
SPEAKS_WITHIN = 60.0
"""Seconds in which a stranger's connection must bring a first message, whole; keep-alives are none."""
HANDSHAKES, BURST_OF_HANDSHAKES = 20.0, 100.0
"""Connections of all strangers with which TLS is agreed on: a second, and at once. Each takes the loop some milliseconds."""
IDLE = 600.0
"""Seconds after which a connection is closed on which nothing more is said; a stranger's keep-alives say nothing."""
LONGEST = 24 * 3600.0
"""The same where a call came about: as long as one may last, whose BYE a caller behind a NAT can only get by its connection."""
KEEP_ALIVE = 30.0
"""Seconds between two keep-alives on a connection that we made, and between the system's own on any."""
_LOST = 4
"""Unanswered keep-alives of the system's after which a peer counts as gone."""
PATIENCE = 1.0
"""Seconds that a connection may take which datagrams can stand in for."""
REMEMBERED = 600.0
"""Seconds for which such an address isn't tried again."""
BREATH = 0.5
"""Seconds until connections are taken again, after the system had no room for one."""
_BACKLOG = 100
_UNSENT = 1024 * 1024
"""Bytes that may wait for a peer who doesn't read."""
CONNECTIONS = gauge("sip_connections", "SIP connections over TCP and TLS")
REFUSED = counter("sip_connections_refused", "SIP connections that were closed by us", "why")

log = structlog.get_logger(__name__)


class _Connection:
    """One connection, made by us or by a peer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.framer = Framer()
        self.used = False
        """Whether a message came by it."""
        self.spoke_at = asyncio.get_running_loop().time()
        """When the latest one came, or it began."""
        _keep(writer.get_extra_info("socket"))

    def speaks_for(self, name: str) -> bool:
        """Whether the peer has proven to be of that name; only one that we called over TLS has proven anything."""
        tls = self.writer.get_extra_info("ssl_object")
        return tls is not None and certified(tls.getpeercert() or {}, name)

    def ping(self) -> bool:
        """Send a keep-alive, whose answer isn't waited for: many a peer gives none. As `send`."""
        self.framer.pinged = True
        return self.send(PING)

    def send(self, data: bytes) -> bool:
        """False when the peer is gone, or doesn't read what it is sent."""
        if self.writer.is_closing():
            return False
        if self.writer.transport.get_write_buffer_size() > _UNSENT:
            REFUSED.labels("doesn't read").inc()
            self.writer.transport.abort()
            return False
        self.writer.write(data)
        return True


class SipStream(SipDriver):
    """SIP on the connections of one listening port. Made by `serve`."""

    def __init__(
        self,
        handler: Handler,
        *,
        advertise: str,
        limit: int,
        secured: ssl.SSLContext | None,
        calls: ssl.SSLContext | None,
        keep_alive: float,
    ) -> None:
        super().__init__(handler, advertise=advertise, limit=limit)
        self.transport = "TLS" if secured else "TCP"
        self._secured = secured
        self._door = Door()
        self._handshakes = Ration.full(HANDSHAKES, BURST_OF_HANDSHAKES, self.now())
        self._keep_alive = keep_alive
        self._calls = calls
        """For connections that we make; None for plain TCP."""
        self._names: dict[HostPort, str] = {}
        self._connections: dict[HostPort, _Connection] = {}
        self._waiting: dict[HostPort, list[bytes]] = {}
        self._refusing: dict[HostPort, float] = {}
        """Addresses that took no connection, and until when that is remembered."""
        self._tasks = Tasks("sip stream")
        self._listening: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None

    def guard(self, warden: Warden) -> None:
        """As `SipDriver.guard`; connections of whom it shuts out are closed."""
        super().guard(warden)
        warden.watch(self._close_of)

    def start(self, listening: socket.socket, timers: Timers) -> None:
        """Begin; for `serve`."""
        self._listening = listening
        self._begin(timers)
        self._accepting = self._tasks.start(self._accept(listening), "sip accept")

    @property
    def address(self) -> HostPort:
        """Where it listens, with the real port."""
        assert self._listening is not None, "the driver is started first"
        host, port = self._listening.getsockname()[:2]
        return host, port

    def reaches(self, destination: HostPort) -> bool:
        """Whether there is a connection to it."""
        return destination in self._connections

    async def connects(self, destination: HostPort) -> bool:
        """Whether there is a connection, now or within PATIENCE."""
        if self.reaches(destination):
            return True
        if self._refusing.get(destination, 0.0) > self.now():
            return False
        try:
            connection = await self._open(destination, PATIENCE)
        except (OSError, TimeoutError):
            self._forget_refusals()
            self._refusing[destination] = self.now() + REMEMBERED
            return False
        self._connections[destination] = connection
        self._tasks.start(self._carry_ours(connection, destination), "sip connection")
        return True

    def named(self, destination: HostPort, name: str) -> None:
        """The name by which a destination was looked up: its certificate must be for it."""
        self._names[destination] = name

    async def _accept(self, listening: socket.socket) -> None:
        """Take connections, and look at whose they are before anything is spent on them."""
        with listening:
            while True:
                try:
                    taken, peer = await self._loop.sock_accept(listening)
                except OSError as bad:
                    log.warning("sip connections not taken", transport=self.transport, why=type(bad).__name__)
                    await asyncio.sleep(BREATH)
                else:
                    self._look_at(taken, peer[:2])

    def _look_at(self, taken: socket.socket, source: HostPort) -> None:
        known = self.warden.knows(source)
        if self.warden.shuts_out(source):
            taken.close()
        elif self._secured and not known and not self._handshakes.take(self.now()):
            REFUSED.labels("crowded").inc()
            taken.close()
        elif not self._door.enter(source[0], known=known):
            REFUSED.labels("too many").inc()
            taken.close()
        else:
            self._tasks.start(self._let_in(taken, source), "sip connection")

    async def _let_in(self, taken: socket.socket, source: HostPort) -> None:
        """Agree on TLS, where that is spoken, and carry a connection that a peer made to its end."""
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        within = CONNECTING if self._secured else None
        connection = None
        try:
            transport, _ = await self._loop.connect_accepted_socket(
                lambda: protocol, taken, ssl=self._secured, ssl_handshake_timeout=within
            )
            connection = _Connection(reader, asyncio.StreamWriter(transport, protocol, reader, self._loop))
            await self._carry(connection, source)
        except (OSError, TimeoutError):  # ssl.SSLError is an OSError
            REFUSED.labels("no TLS").inc()
        finally:
            self._door.leave(source[0])
            if connection is None or not connection.used:
                self.warden.knocked(source)

    def _close_of(self, name: str) -> None:
        """Close the connections of one who is shut out."""
        for source, connection in self._connections.items():
            if subscriber(source[0]) == name:
                REFUSED.labels("shut out").inc()
                connection.writer.transport.abort()

    async def stop(self) -> None:
        """End the connections; for `serve`, after `close`."""
        await self._tasks.__aexit__(None, None, None)

    def _send(self, data: bytes, destination: HostPort) -> bool:
        connection = self._connections.get(destination)
        name = self._names.get(destination) if self._calls else None
        # One address may have several names, and the connection may be one that the other has proven (RFC 5922).
        usable = connection is not None and (name is None or connection.speaks_for(name))
        if connection is not None and usable and connection.send(data):
            return True
        if destination in self._waiting:
            self._waiting[destination].append(data)
        else:
            self._waiting[destination] = [data]
            self._tasks.start(self._connect(destination), "sip connect")
        return True

    def _close(self) -> None:
        if self._accepting is not None:
            self._accepting.cancel()  # which closes what it listens on
        for connection in self._connections.values():
            connection.writer.close()

    async def _connect(self, destination: HostPort) -> None:
        """Connect, send what waits, and carry the connection to its end."""
        try:
            connection = await self._open(destination, CONNECTING)
        except (OSError, TimeoutError) as bad:
            log.info("sip not connected", transport=self.transport, why=type(bad).__name__)
            del self._waiting[destination]
            self._bounced(destination)
            return
        for data in self._waiting.pop(destination):
            connection.send(data)
        await self._carry_ours(connection, destination)

    async def _open(self, destination: HostPort, within: float) -> _Connection:
        name = self._names.get(destination, destination[0])
        async with asyncio.timeout(within):
            return _Connection(
                *await asyncio.open_connection(
                    *destination, ssl=self._calls, server_hostname=name if self._calls else None
                )
            )

    def _forget_refusals(self) -> None:
        now = self.now()
        self._refusing = {where: until for where, until in self._refusing.items() if until > now}

    async def _carry_ours(self, connection: _Connection, destination: HostPort) -> None:
        """Carry a connection that we made, with keep-alives (RFC 5626 section 3.5.1)."""
        keeping = self._tasks.start(self._ping(connection), "sip keep-alive")
        try:
            await self._carry(connection, destination)
        finally:
            keeping.cancel()

    async def _ping(self, connection: _Connection) -> None:
        while True:
            await asyncio.sleep(self._keep_alive)
            if not connection.ping():
                return

    async def _carry(self, connection: _Connection, source: HostPort) -> None:
        """Read a connection until it ends; then what waits for it fails."""
        self._connections[source] = connection
        CONNECTIONS.inc()
        try:
            await self._read(connection, source)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the peer is gone: that is what comes next
        except TimeoutError:
            REFUSED.labels("idle").inc()
        except SipSyntaxError:
            REFUSED.labels("malformed").inc()
            self.warden.disturbed(source)
        finally:
            CONNECTIONS.dec()
            if self._connections.get(source) is connection:
                del self._connections[source]
            connection.writer.transport.abort()
            if not self._closed:
                self._loop.call_soon(self._bounced, source)

    async def _read(self, connection: _Connection, source: HostPort) -> None:
        framer = connection.framer
        began: float | None = None
        while True:
            async with asyncio.timeout_at(self._due(connection, source, began)):
                data = await connection.reader.read(65536)
            if not data:
                return
            messages = framer.feed(data)
            if not messages and not self.warden.knows(source) and self.warden.shuts_out(source):
                return  # a message counts as it is received; what is none does, too
            for message in messages:
                began, connection.used, connection.spoke_at = None, True, self.now()
                self._received(message, source)
            began = (began or self.now()) if framer.partial else None
            if framer.pings:
                framer.pings = 0
                connection.send(PONG)

    def _due(self, connection: _Connection, source: HostPort, began: float | None) -> float:
        """When something must have come; `began`: when a message did that isn't whole yet."""
        if self.warden.knows(source):
            due = self.now() + (LONGEST if connection.used else IDLE)
        else:
            due = connection.spoke_at + (IDLE if connection.used else SPEAKS_WITHIN)
        return due if began is None else min(due, began + WHOLE_WITHIN)


def _keep(sock: socket.socket) -> None:
    """Let the system look after a connection on which little is said: a peer that vanished is told of, and a NAT
    doesn't forget it."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", KEEP_ALIVE), ("TCP_KEEPINTVL", KEEP_ALIVE), ("TCP_KEEPCNT", _LOST)):
        if hasattr(socket, name):  # not every system lets it be said
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), int(value))


def certified(certificate: Mapping[str, Any], name: str) -> bool:
    """Whether a certificate that was verified is for the host `name`, an IP address or a DNS name (RFC 5922 section 7.2,
    RFC 6125: a `*` stands for one label)."""
    wanted = name.strip("[]").lower().rstrip(".")
    for kind, value in certificate.get("subjectAltName", ()):
        given = str(value).lower().rstrip(".")
        if kind == "IP Address" and literal((wanted, 0)) and literal((given, 0)):
            if ipaddress.ip_address(wanted) == ipaddress.ip_address(given):
                return True
        elif kind == "DNS" and not literal((wanted, 0)):
            wild = given.startswith("*.") and wanted.partition(".")[2] == given[2:] and given.count(".") > 1
            if given == wanted or wild:
                return True
    return False


async def _listen(host: str, port: int) -> socket.socket:
    """A socket that connections can be taken from. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:  # IPv4 has listeners of its own; `::` must not take their place
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        made.listen(_BACKLOG)
    except OSError:
        made.close()
        raise
    return made


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
    secured: ssl.SSLContext | None = None,
    calls: ssl.SSLContext | None = None,
    keep_alive: float = KEEP_ALIVE,
) -> AsyncIterator[SipStream]:
    """Serve SIP over TCP on `host`:`port` (0: any port) while the context lasts; over TLS with `secured`, the context of
    our own certificate. `calls`: that of the connections that we make then. `keep_alive`: seconds between two on each of
    those. Otherwise as `gateway.net.sip_udp.serve`.
    """
    check_address(host, advertise)
    sip = SipStream(handler, advertise=advertise, limit=limit, secured=secured, calls=calls, keep_alive=keep_alive)
    try:
        listening = await _listen(host, port)
    except OSError as bad:
        raise SetupFault(
            f"SIP port {port}/tcp on {host} can't be had ({bad.strerror}).",
            remedy="Stop what uses it, or choose another with OFFHOOK_SIP_PORT or OFFHOOK_SIP_TLS_PORT.",
        ) from bad
    sip.start(listening, timers or Timers())
    try:
        yield sip
    finally:
        await sip.close(grace)
        await sip.stop()
