"""The recognizers' processes: shares streams among them, and starts one that dies again.

A stream whose process dies ends with Unavailable: its client connects anew, as it does when a cloud's server goes.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Self

import structlog

from gateway.errors import Unavailable
from gateway.metrics import counter, gauge
from gateway.speech.frames import HEAD, Kind, pack, read_heard
from gateway.speech.recognizer import Heard

STREAMS_EACH = 20
"""Streams one process hears in real time on half a core."""
START_AGAIN = 0.5
"""Seconds until a process that died is started again."""
READY_WITHIN = 20.0
"""Seconds a process may take to load."""
_LATEST = 2**20
"""Bytes that may wait for a process: more, and it is hopelessly behind."""

STREAMS = gauge("speech_streams", "Streams being heard")
DIED = counter("speech_recognizers_died", "Recognizers' processes that died")

log = structlog.get_logger(__name__)


class Stream:
    """One stream: feed it, and iterate over what is heard. Made by `Pool.open`."""

    def __init__(self, number: int, worker: _Worker) -> None:
        self.number = number
        self._worker = worker
        self._heard: asyncio.Queue[Heard | None | Unavailable] = asyncio.Queue()

    def feed(self, data: bytes) -> None:
        """Audio, as the client sent it. Raises Unavailable when the process is gone or far behind."""
        self._worker.send(self.number, Kind.AUDIO, data)

    async def drain(self) -> None:
        """Return once the process has taken most of what it was fed. Raises Unavailable when it is gone."""
        await self._worker.drain()

    def finish(self) -> None:
        """End the utterance under way; None is among what is heard once that is done."""
        self._worker.send(self.number, Kind.FINISH)

    async def heard(self) -> AsyncIterator[Heard | None]:
        """What is heard, as it comes; None when a `finish` is done. Raises Unavailable when the process dies."""
        while True:
            got = await self._heard.get()
            if isinstance(got, Unavailable):
                raise got
            yield got

    def close(self) -> None:
        """The stream is over."""
        self._worker.release(self)

    def tell(self, heard: Heard | None | Unavailable) -> None:
        """The worker's."""
        self._heard.put_nowait(heard)


class _Worker:
    """One process, while it lives."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.streams: dict[int, Stream] = {}
        self.ready = asyncio.Event()
        self.gone = False

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, stream: int, kind: Kind, body: bytes = b"") -> None:
        sink = self._process.stdin
        if self.gone or sink is None or sink.transport.get_write_buffer_size() > _LATEST:
            raise Unavailable("The recognizer is gone or too busy.")
        sink.write(pack(stream, kind, body))

    async def drain(self) -> None:
        sink = self._process.stdin
        try:
            if sink is not None:
                await sink.drain()
        except ConnectionError as bad:
            raise Unavailable("The recognizer is gone.") from bad

    def release(self, stream: Stream) -> None:
        if self.streams.pop(stream.number, None) is not None:
            STREAMS.dec()
            with suppress(Unavailable):
                self.send(stream.number, Kind.CLOSE)

    async def read(self) -> None:
        """Pass on what it hears until its output ends."""
        source = self._process.stdout
        if source is None:
            return
        with suppress(asyncio.IncompleteReadError):
            while True:
                stream, kind, length = HEAD.unpack(await source.readexactly(HEAD.size))
                body = await source.readexactly(length)
                if kind == Kind.READY:
                    self.ready.set()
                elif found := self.streams.get(stream):
                    found.tell(read_heard(body) if kind == Kind.HEARD else None)

    async def end(self) -> None:
        """End the process, and every stream it still hears."""
        self.gone = True
        for stream in list(self.streams.values()):
            stream.tell(Unavailable("The recognizer died."))
            self.release(stream)
        if self._process.stdin is not None:
            self._process.stdin.close()
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


class Pool:
    """The processes. Use it as a context manager."""

    def __init__(self, processes: int) -> None:
        self._size = processes
        self._workers: list[_Worker] = []
        self._numbers = itertools.count(1)
        self._keeping: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._keeping = [asyncio.create_task(self._keep(), name="recognizer") for _ in range(self._size)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._keeping:
            task.cancel()
        await asyncio.wait(self._keeping)

    @property
    def why_not_ready(self) -> str:
        """Why not every process hears yet, or ""."""
        ready = sum(worker.ready.is_set() for worker in self._workers)
        return "" if ready == self._size else f"{ready} of {self._size} recognizers are ready"

    @property
    def pids(self) -> list[int]:
        """The processes' ids."""
        return [worker.pid for worker in self._workers]

    def open(self, *, encoding: str, rate: int, endpointing: float) -> Stream:
        """A new stream. `rate`: samples a second; `endpointing`: seconds of silence that end an utterance.

        Raises Unavailable when no process is ready, or all are full.
        """
        ready = [worker for worker in self._workers if worker.ready.is_set() and not worker.gone]
        worker = min(ready, key=lambda each: len(each.streams), default=None)
        if worker is None or len(worker.streams) >= STREAMS_EACH:
            raise Unavailable("No recognizer is free.")
        stream = Stream(next(self._numbers), worker)
        parameters = {"encoding": encoding, "rate": rate, "endpointing": endpointing}
        worker.send(stream.number, Kind.OPEN, json.dumps(parameters).encode())
        worker.streams[stream.number] = stream
        STREAMS.inc()
        return stream

    async def _keep(self) -> None:
        while True:
            try:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "gateway.speech.process", stdin=PIPE, stdout=PIPE
                )
            except OSError as bad:
                log.error("a recognizer can't be started yet", why=bad.strerror)
            else:
                await self._hear(_Worker(process))
                DIED.inc()
                log.error("a recognizer died; it is started again", pid=process.pid)
            await asyncio.sleep(START_AGAIN)

    async def _hear(self, worker: _Worker) -> None:
        """Let it hear until it dies, or doesn't get ready in time."""
        self._workers.append(worker)
        reading = asyncio.create_task(worker.read(), name="read a recognizer")
        ready = asyncio.create_task(worker.ready.wait(), name="recognizer ready")
        try:
            await asyncio.wait({reading, ready}, timeout=READY_WITHIN, return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                await asyncio.wait({reading})
        finally:
            self._workers.remove(worker)
            for task in (reading, ready):
                task.cancel()
            await asyncio.shield(worker.end())
            await asyncio.wait({reading, ready})
