"""Between the LiveKit SDK and livekit-server: signalling goes through here, so that the SDK can be told what no server tells.

    async with relaying() as relay:
        line = relay.line("wss://livekit.example")
        await room.connect(line.url, token)
        line.catching = True       from now on the SDK isn't told that the server has put us out, but what `empty` tells
        line.empty()               the SDK is told that nobody else is in the room, and hears no more of the server
        line.leave(reason)         if the SDK takes its time: the server is told that we leave
        await room.disconnect()
        line.close()

All else is passed on as it is. The SDK comes, without TLS, to a port of this host's own address; whoever doesn't know a line's
name gets no answer there.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, NamedTuple, cast
from urllib.parse import urlsplit

import structlog
from google.protobuf.message import DecodeError
from livekit.protocol import models, rtc

from gateway.errors import PeerFault
from gateway.net.websocket import BINARY, CLOSE, BrokenFrame, Frame, client_frame, read_frame, server_frame
from gateway.tasks import Tasks, cancelled

HOST: Final = "127.0.0.1"
CONNECTING = 5.0
"""Seconds that the SDK's request and a connection to the server may take, TLS included; the server's answer as long."""
LINGERS = 5.0
"""Seconds for which a connection may outlive its line: the SDK's goodbye has to reach the server."""
LONGEST_HEAD = 2**18
"""Bytes of a request, which holds a token with all attributes of a call, or of an answer that isn't a WebSocket's."""
_END: Final = b"\r\n\r\n"
_LEAVE: Final = bytes([rtc.SignalResponse.LEAVE_FIELD_NUMBER << 3 | 2])
"""With what a message begins by which the server puts us out: the field's number, and that a length follows."""
_EMPTY: Final = server_frame(BINARY, rtc.SignalResponse(room_moved=rtc.RoomMovedResponse()).SerializeToString())
"""We are in another room now, and nobody else is there."""
_BYE: Final = server_frame(CLOSE, b"")

log = structlog.get_logger(__name__)


class UnknownLine(PeerFault):
    """A request that names no line, or is none for a WebSocket."""


class Server(NamedTuple):
    """A livekit-server's address."""

    host: str
    port: int
    secured: bool
    told: bytes
    """Host and port as its URL spells them."""
    path: bytes
    """Before all that is asked for there."""

    @classmethod
    def of(cls, url: str) -> Server | None:
        """From `ws:`, `wss:`, `http:` or `https:`; None for anything else."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return None
        if parts.scheme not in ("ws", "wss", "http", "https") or not parts.hostname:
            return None
        secured = parts.scheme in ("wss", "https")
        told = parts.netloc.rpartition("@")[2].encode()
        return cls(parts.hostname, port or (443 if secured else 80), secured, told, parts.path.rstrip("/").encode())


class _Ends(NamedTuple):
    """A connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, data: bytes) -> None:
        if not self.writer.is_closing():
            self.writer.write(data)


class Line:
    """One room's signalling. `Relay.line` makes it; `close` it in the end."""

    def __init__(self, url: str, server: Server | None, forget: Callable[[], None] = lambda: None) -> None:
        self.url = url
        """What the SDK is to connect to."""
        self.server = server
        """None: the SDK connects to it by itself."""
        self.catching = False
        """When the server puts us out of the room the SDK is told what `empty` tells instead, goes on as if it were connected, and
        is to leave."""
        self.put_out: int | None = None
        """LiveKit's DisconnectReason for which the server has done so."""
        self._forget = forget
        self._carrying: set[asyncio.Task[Any]] = set()
        self._sdk: _Ends | None = None
        self._server: _Ends | None = None
        self._whole = True
        """No message to the SDK is half sent."""
        self._emptying = self._deaf = False
        self._held = False
        """The server knows that we are out of the room before the SDK has said so."""

    @property
    def over(self) -> bool:
        """The SDK is about to leave, and isn't to connect anew."""
        return self._emptying or self._deaf

    def empty(self) -> bool:
        """Tell the SDK that nobody else is in the room: its event `moved` says that it has understood, and all that it was told
        before. False: it can't be told, as it isn't connected, or not through us."""
        if self._sdk is None:
            return False
        self._emptying = True
        self._say_empty()
        return True

    def leave(self, reason: int) -> None:
        """Tell the server in the SDK's place that we leave, for LiveKit's `reason`."""
        if self._server is not None and self.put_out is None:
            told = rtc.LeaveRequest(action=rtc.LeaveRequest.DISCONNECT, reason=cast("models.DisconnectReason", reason))
            self._server.send(client_frame(BINARY, rtc.SignalRequest(leave=told).SerializeToString()))
            self._held = True

    def close(self) -> None:
        """The SDK has left the room, or never entered it: what is still connected may go on for LINGERS. Again does no harm."""
        self._forget()
        for task in self._carrying:
            asyncio.get_running_loop().call_later(LINGERS, task.cancel)

    async def carry(self, sdk: _Ends, server: _Ends) -> None:
        """Pass on what both say until one of them ends it, in a task of its own. Raises OSError, TimeoutError, EOFError,
        LimitOverrunError and BrokenFrame."""
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        try:
            await self._carry(sdk, server)
        finally:
            self._carrying.discard(task)

    async def _carry(self, sdk: _Ends, server: _Ends) -> None:
        async with asyncio.timeout(CONNECTING):
            answer = await server.reader.readuntil(_END)
        sdk.send(answer)
        if not answer.startswith(b"HTTP/1.1 101 "):
            return
        self._sdk, self._server, self._whole = sdk, server, True
        up = asyncio.create_task(self._up(sdk, server), name="signalling up")
        try:
            await self._down(sdk, server)
            if self._held:
                await up  # the SDK has yet to leave
        finally:
            if self._sdk is sdk:
                self._sdk = self._server = None
            await cancelled(up)

    async def _up(self, sdk: _Ends, server: _Ends) -> None:
        try:
            while (frame := await read_frame(sdk.reader)) is not None:
                server.send(frame.raw)
                with suppress(OSError):  # what is read of it tells
                    await server.writer.drain()
                if frame.opcode == CLOSE and self._deaf:
                    sdk.send(_BYE)  # the server's wouldn't reach it
                    break
        except (OSError, BrokenFrame) as bad:
            log.info("signalling broken off by the SDK", why=type(bad).__name__)
        finally:
            server.writer.close()

    async def _down(self, sdk: _Ends, server: _Ends) -> None:
        while (frame := await read_frame(server.reader)) is not None:
            if self._deaf:
                continue
            if self._catches(frame):
                self._emptying = True
            else:
                sdk.send(frame.raw)
                self._whole = self._whole if frame.control else frame.final
            self._say_empty()
            await sdk.writer.drain()

    def _say_empty(self) -> None:
        if self._emptying and self._whole and self._sdk is not None:
            self._sdk.send(_EMPTY)
            self._emptying, self._deaf = False, True

    def _catches(self, frame: Frame) -> bool:
        """Whether the frame puts us out, and the SDK isn't to hear it; why, is noted then."""
        if not (self.catching and frame.final and frame.opcode == BINARY and frame.payload.startswith(_LEAVE)):
            return False
        try:
            leave = rtc.SignalResponse.FromString(frame.payload).leave
        except DecodeError:
            return False
        if leave.can_reconnect or leave.action != rtc.LeaveRequest.DISCONNECT:
            return False
        self.put_out, self._held = leave.reason, True
        return True


class Relay:
    """All rooms' signalling of a process. `relaying` makes it."""

    def __init__(self) -> None:
        self._lines: dict[bytes, Line] = {}
        self._port = 0
        self._context: ssl.SSLContext | None = None

    def begin(self, port: int) -> None:
        """It can be reached by that port from now on."""
        self._port = port

    def line(self, url: str) -> Line:
        """For one more room; `url`: its server, as the SDK would take it. Where a proxy leads there, or stands between the SDK and
        us, the SDK connects by itself; so it does to what is no URL, and tells."""
        server = Server.of(url)
        if server is None or _proxied(server.secured, os.environ):
            return Line(url, None)
        name = secrets.token_hex(16)
        key = name.encode()
        made = self._lines[key] = Line(f"ws://{HOST}:{self._port}/{name}", server, lambda: self._forget(key))
        return made

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry what the SDK has connected for, to its end."""
        try:
            async with asyncio.timeout(CONNECTING):
                line, where, request = self._asked(await reader.readuntil(_END))
                server = _Ends(*await self._connect(where))
            try:
                server.send(request)
                await line.carry(_Ends(reader, writer), server)
            finally:
                server.writer.close()
        except (OSError, TimeoutError, EOFError, asyncio.LimitOverrunError, PeerFault) as bad:
            log.info("signalling broken off", why=type(bad).__name__)
        finally:
            writer.close()

    def _asked(self, head: bytes) -> tuple[Line, Server, bytes]:
        """Whose request that is, and what it asks which server. Raises UnknownLine."""
        first, _, headers = head.partition(b"\r\n")
        method, _, target = first.partition(b" /")
        name, slash, rest = target.partition(b"/")
        line = self._lines.get(name)
        if line is None or line.over or line.server is None or b"upgrade: websocket" not in headers.lower():
            raise UnknownLine("Nobody is expected there.")
        kept = [row for row in headers.split(b"\r\n") if not row.lower().startswith(b"host:")]
        asked = b"%s %s%s%s" % (method, line.server.path, slash, rest)
        return line, line.server, b"\r\n".join([asked, b"Host: " + line.server.told, *kept])

    async def _connect(self, server: Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if server.secured and self._context is None:
            self._context = await asyncio.to_thread(ssl.create_default_context)
        context = self._context if server.secured else None
        return await asyncio.open_connection(server.host, server.port, ssl=context, limit=LONGEST_HEAD)

    def _forget(self, name: bytes) -> None:
        self._lines.pop(name, None)


@asynccontextmanager
async def relaying() -> AsyncIterator[Relay]:
    """A relay that can be reached while the context lasts."""
    relay = Relay()
    async with Tasks("signalling") as tasks:

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.start(relay.serve(reader, writer))

        listening = await asyncio.start_server(accept, HOST, 0, limit=LONGEST_HEAD)
        try:
            relay.begin(listening.sockets[0].getsockname()[1])
            yield relay
        finally:
            listening.close()


def _proxied(secured: bool, environment: Mapping[str, str]) -> bool:
    """Whether the SDK would ask a proxy: for us, or for a server that is reached by TLS."""
    names = ["HTTP_PROXY", "http_proxy", *(("HTTPS_PROXY", "https_proxy") if secured else ())]
    return any(environment.get(name) for name in names)
