"""Stands before a provider, passes on what is said either way, and does wrong when it is told to.

    async with FaultServer("http://127.0.0.1:7890") as server:
        settings = {"OFFHOOK_SPEECH_URL": server.url}
        server.set(Kind.LLM, Fault(Does.STALL, Phase.FIRST))
        ...
        server.clear()

It looks no deeper into a connection than the head of its one request: each answer ends its connection, so that a client
comes with a new one for each request. A fault may be set and cleared at any time, from the loop that the server runs in.
What a connection was struck by, it keeps: who has stalled stays silent.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.faults.faults import Does, Fault, Kind, Phase, answer, close_frame, garbage, kind_of

_PIECE = 2**14
_HEAD_MOST = 2**16
_LOST = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


@dataclass(eq=False)
class _Connection:
    kind: Kind
    websocket: bool
    client: asyncio.StreamReader
    back: asyncio.StreamWriter
    passed: int = 0
    """Bytes of the answer's body that the client got."""
    struck: set[Phase] = field(default_factory=set)
    rate: int = 0
    deaf: bool = False
    """Nothing is taken from the client any more."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the client has ended its side."""


class FaultServer:
    """A proxy before `upstream` (http://HOST:PORT). Use it as a context manager; `upstream` may be changed."""

    def __init__(self, upstream: str, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.upstream = upstream
        self._host, self._port = host, port
        self._faults: dict[Kind, list[Fault]] = {}
        self._open: dict[asyncio.Task[None], _Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Condition()
        self.seen: Counter[Kind] = Counter()
        """Requests so far, by kind."""
        self.struck: Counter[Kind] = Counter()
        """Faults done so far, by kind."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, self._host, self._port, limit=_HEAD_MOST)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def url(self) -> str:
        """Where it listens: http://HOST:PORT."""
        return f"http://{self._host}:{self._port}"

    def set(self, kind: Kind, *faults: Fault) -> None:
        """From now on do `faults` to requests of the kind, in place of what was set before."""
        self._faults[kind] = list(faults)

    def clear(self, kind: Kind | None = None) -> None:
        """Do no more wrong to requests of the kind, or to any."""
        for one in Kind if kind is None else (kind,):
            self._faults.pop(one, None)

    def cut(self, kind: Kind) -> int:
        """End every open connection of the kind at once; how many there were."""
        cut = [task for task, connection in self._open.items() if connection.kind is kind]
        for task in cut:
            task.cancel()
        return len(cut)

    def live(self, kind: Kind) -> int:
        """How many connections of the kind are open."""
        return sum(connection.kind is kind for connection in self._open.values())

    async def until(self, met: Callable[[Self], bool], within: float = 10.0) -> None:
        """Return once `met(self)`, looked at when a request comes, a fault strikes or a connection ends. Raises
        TimeoutError."""
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(lambda: met(self))

    # One connection.

    def _accepted(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(client, back))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            head = await client.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            websocket = re.search(rb"(?im)^upgrade:\s*websocket", head) is not None
            connection = _Connection(kind_of(path), websocket, client, back)
            self._open[task] = connection
            await self._note(self.seen, connection.kind)
            if await self._strike(connection, Phase.CONNECT):
                await self._exchange(connection, head)
        except (*_LOST, IndexError):
            pass
        finally:
            self._open.pop(task, None)
            back.transport.abort()
            async with self._changed:
                self._changed.notify_all()

    async def _exchange(self, connection: _Connection, head: bytes) -> None:
        where = urlsplit(self.upstream)
        source, sink = await asyncio.open_connection(where.hostname, where.port, limit=_HEAD_MOST)
        try:
            sink.write(_to(where.netloc, head, websocket=connection.websocket))
            asking = asyncio.create_task(self._ask(connection, sink))
            telling = asyncio.create_task(self._tell(connection, source))
            try:
                await asyncio.wait({asking, telling}, return_when=asyncio.FIRST_COMPLETED)
                if not connection.gone.is_set():  # the upstream takes no more, but may have more to say
                    await asyncio.wait({telling})
            finally:
                for task in (asking, telling):
                    task.cancel()
                await asyncio.wait({asking, telling})
        finally:
            sink.transport.abort()

    async def _ask(self, connection: _Connection, sink: asyncio.StreamWriter) -> None:
        while piece := await _read(connection):
            with suppress(*_LOST):
                sink.write(piece)
                await sink.drain()
        connection.gone.set()

    async def _tell(self, connection: _Connection, source: asyncio.StreamReader) -> None:
        with suppress(*_LOST):
            connection.back.write(await source.readuntil(b"\r\n\r\n"))
            await connection.back.drain()
            if not await self._strike(connection, Phase.FIRST):
                return
            while piece := await source.read(self._next(connection)):
                # Looked at once there is something to say: who is struck meanwhile says it no more.
                if not await self._strike(connection, Phase.MIDDLE):
                    return
                connection.back.write(piece)
                await connection.back.drain()
                connection.passed += len(piece)
                if connection.rate:
                    await asyncio.sleep(len(piece) / connection.rate)
        await _end(connection)

    def _next(self, connection: _Connection) -> int:
        """How much to read: no more than passes before a fault."""
        if connection.rate:
            return max(1, connection.rate // 20)
        waiting = [f.after - connection.passed for f in self._of(connection) if f.phase is Phase.MIDDLE]
        return min([_PIECE, *(left for left in waiting if left > 0)])

    # Faults.

    def _of(self, connection: _Connection) -> list[Fault]:
        return self._faults.get(connection.kind, [])

    def _take(self, connection: _Connection, phase: Phase) -> Fault | None:
        """The fault of the phase, if the connection is due for one; it counts as done."""
        if phase in connection.struck:
            return None
        for place, fault in enumerate(self._of(connection)):
            if fault.phase is not phase or fault.times == 0:
                continue
            if phase is Phase.MIDDLE and connection.passed < fault.after:
                continue
            if fault.times is not None:
                self._faults[connection.kind][place] = replace(fault, times=fault.times - 1)
            connection.struck.add(phase)
            return fault
        return None

    async def _strike(self, connection: _Connection, phase: Phase) -> bool:
        """Do what is to be done in the phase; whether the connection goes on."""
        fault = self._take(connection, phase)
        if fault is None:
            return True
        await self._note(self.struck, connection.kind)
        return await _DOING[fault.does](connection, fault)

    async def _note(self, counter: Counter[Kind], kind: Kind) -> None:
        counter[kind] += 1
        async with self._changed:
            self._changed.notify_all()


async def _delay(_: _Connection, fault: Fault) -> bool:
    await asyncio.sleep(fault.seconds)
    return True


async def _drip(connection: _Connection, fault: Fault) -> bool:
    connection.rate = fault.rate
    return True


async def _stall(connection: _Connection, fault: Fault) -> bool:
    if fault.phase is Phase.CONNECT:  # nobody else takes what the client says
        while await _read(connection):
            pass
        return False
    await asyncio.Event().wait()
    return False


async def _half_open(connection: _Connection, _: Fault) -> bool:
    connection.deaf = True
    await asyncio.Event().wait()
    return False


async def _status(connection: _Connection, fault: Fault) -> bool:
    if fault.phase is Phase.CONNECT:
        connection.back.write(answer(fault))
    elif connection.websocket:
        connection.back.write(close_frame(fault))
    return await _truncate(connection, fault)


async def _truncate(connection: _Connection, fault: Fault) -> bool:
    await _end(connection, alone=fault.phase is Phase.CONNECT)
    return False


async def _garbage(connection: _Connection, fault: Fault) -> bool:
    connection.back.write(garbage(fault.phase, websocket=connection.websocket))
    return await _stall(connection, fault)


_DOING: dict[Does, Callable[[_Connection, Fault], Awaitable[bool]]] = {
    Does.DELAY: _delay,
    Does.STALL: _stall,
    Does.HALF_OPEN: _half_open,
    Does.STATUS: _status,
    Does.TRUNCATE: _truncate,
    Does.GARBAGE: _garbage,
    Does.DRIP: _drip,
}


async def _read(connection: _Connection) -> bytes:
    """What the client says next; b"" once it has ended its side. Never returns when we are deaf."""
    try:
        piece = await connection.client.read(_PIECE)
    except OSError:
        piece = b""
    if connection.deaf:
        await asyncio.Event().wait()
    return piece


async def _end(connection: _Connection, *, alone: bool = False) -> None:
    """End our side in order, and wait a moment for the client to end its own: a connection that is closed while it says
    something is reset, and what it was told is lost. `alone`: nobody else reads what it says."""
    with suppress(*_LOST, TimeoutError):
        connection.back.write_eof()
        async with asyncio.timeout(1):
            await connection.back.drain()
            while alone and await _read(connection):
                pass
            if not alone:
                await connection.gone.wait()


def _to(host: str, head: bytes, *, websocket: bool) -> bytes:
    """The request's head for the upstream: its name, and one request a connection."""
    lines = [line for line in head[:-4].split(b"\r\n") if not line.lower().startswith(b"host:")]
    if not websocket:
        lines = [line for line in lines if not line.lower().startswith(b"connection:")] + [b"Connection: close"]
    return b"\r\n".join([lines[0], f"Host: {host}".encode(), *lines[1:]]) + b"\r\n\r\n"
