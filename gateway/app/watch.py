"""The line between a worker and its jobs, by which each learns at once that the other is dead.

A job opens the worker's Unix socket, says which call it conducts, and then beats; the kernel closes the connection of a
process that dies, however it dies. A job whose loop is blocked beats no more: it is killed, so that another can serve
its caller. A worker that sees a job go without a word gives its call back (`CallStore.release`).

Beside its beats a job says what it has counted: the worker's metrics have it (`gateway.tally`).
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import json
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import structlog

from gateway.errors import Unavailable
from gateway.metrics import EDGE_ERRORS, JOBS, REGISTRY, counter
from gateway.tally import Said, said
from gateway.tasks import Tasks
from gateway.terms.call import CallId
from gateway.terms.times import patience

DIED = counter("jobs_died", "Jobs that ended without a word", "why")
BEAT = 0.5
"""Seconds between two of a job's beats."""
LOOK = 1.0
"""Seconds that the worker waits for one before it counts a miss. It counts, rather than times: a worker that itself was
stopped wakes to one miss and to all the beats that came meanwhile."""
COUNTS = 10
"""Beats from one telling of what a job has counted to the next."""
_LINE = 2**20
"""Bytes that a job may say at once: its counts are some thousands."""
HUNG = "hung"
_HOME, _SOCKET = "offhook-", "jobs"
_YOUNG = 60.0
"""Seconds in which a socket that nobody listens at may yet be listened at."""
_BEAT, _DONE = b".\n", b"done\n"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Watched:
    """What a job says of itself."""

    pid: int
    call: CallId
    epoch: int
    job: str
    late: int = 0
    """See `gateway.terms.times.patience`: after so many seconds without a beat it hangs."""


async def _nobody(_job: Watched, _still: bool) -> None:
    """Nobody wants to know."""


class Watch:
    """The worker's end. Use it as a context; jobs are told `path`. `lost` is called once for each job that ended without
    a word, with whether it hung; it may raise gateway.errors.Unavailable: the lease of the call runs out by itself."""

    def __init__(
        self,
        lost: Callable[[Watched, bool], Awaitable[None]],
        still: Callable[[Watched, bool], Awaitable[None]] = _nobody,
    ) -> None:
        """`still` is told of a job that has missed a beat, and of one that beats again; what it raises of
        gateway.errors.Unavailable is logged."""
        self._lost, self._still = lost, still
        _forget_the_dead()
        self._home = Path(tempfile.mkdtemp(prefix=_HOME))  # only we may look into it
        self.path = str(self._home / _SOCKET)
        self._tasks = Tasks("watch")
        self._server: asyncio.Server | None = None

    @property
    def jobs(self) -> int:
        """Jobs that are watched now."""
        return len(self._tasks)

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._server = await asyncio.start_unix_server(self._came, self.path, limit=_LINE)
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._server is not None:
            self._server.close()
        await self._tasks.__aexit__(None, None, None)
        shutil.rmtree(self._home, ignore_errors=True)

    def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._tasks.start(self._attend(reader), "a job")
        task.add_done_callback(lambda _: writer.close())

    async def _attend(self, reader: asyncio.StreamReader) -> None:
        job: Watched | None = None
        try:
            job = await _said(reader)
            if job is not None and (why := await self._ended(reader, job)):
                DIED.labels(why).inc()
                log.error("a job is gone without a word", call=job.call, epoch=job.epoch, job=job.job, why=why)
                await self._lost(job, why == HUNG)
        except Unavailable as bad:
            log.warning("a call couldn't be given back; its lease runs out", why=str(bad))
        except OSError as bad:
            EDGE_ERRORS.labels("watch").inc()
            log.warning("a job can't be watched", why=str(bad))
        finally:
            if job is not None:
                JOBS.gone(job.job)

    async def _ended(self, reader: asyncio.StreamReader, job: Watched) -> str:
        """Wait until the job has ended; why it did so without a word, "" when it said that it was done."""
        misses, killed = 0, False
        while True:
            try:
                async with asyncio.timeout(LOOK):
                    line = await reader.readline()
            except TimeoutError:
                misses += 1
                if misses == 1:
                    self._tasks.start(self._tell_still(job, still=True), "stands still")
                if misses * LOOK >= patience(job.late) and not killed:
                    log.error("a job hangs; it is killed", call=job.call, job=job.job)
                    killed = True
                    with suppress(ProcessLookupError):
                        os.kill(job.pid, signal.SIGKILL)
                continue
            except ConnectionError:
                line = b""
            if line == _DONE:
                return ""
            if not line:
                return HUNG if killed else "died"
            if misses:
                self._tasks.start(self._tell_still(job, still=False), "goes on")
            misses = 0
            if line != _BEAT:
                _counted(job, line)

    async def _tell_still(self, job: Watched, *, still: bool) -> None:
        try:
            await self._still(job, still)
        except Unavailable as bad:
            log.debug("the caller of a job that stands still can't be told", call=job.call, why=str(bad))


def _forget_the_dead() -> None:
    """Remove what workers that were killed have left: a socket that nobody listens at, in a directory of its own."""
    for path in Path(tempfile.gettempdir()).glob(f"{_HOME}*/{_SOCKET}"):
        with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.setblocking(False)
            if path.stat().st_mtime < time.time() - _YOUNG and line.connect_ex(str(path)) == errno.ECONNREFUSED:
                shutil.rmtree(path.parent, ignore_errors=True)


def die_with(path: str, within: float) -> None:
    """End this process at the latest `within` seconds after the worker whose watch `path` is, whatever our loop does
    then: one that hangs, and whom nobody kills any more, would keep all that the worker has forked alive. Starts a
    thread."""
    line = socket.socket(socket.AF_UNIX)
    try:
        line.connect(path)
    except OSError as bad:
        log.warning("this process may outlive its worker", why=str(bad))
        line.close()
        return

    def wait() -> None:
        with suppress(OSError):
            line.recv(1)
        time.sleep(within)  # a thread's wait: the loop may hang
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, name="worker", daemon=True).start()


async def _said(reader: asyncio.StreamReader) -> Watched | None:
    line = await reader.readline()
    try:
        return Watched(**json.loads(line))
    except (ValueError, TypeError):
        return None  # it died before it could say anything: control sees that no job has come


def _counted(job: Watched, line: bytes) -> None:
    try:
        JOBS.told(job.job, json.loads(line))
    except (ValueError, TypeError, AttributeError):
        EDGE_ERRORS.labels("watch").inc()  # of half a line it was killed at, or of another version of this program


@asynccontextmanager
async def watched(path: str, job: Watched, orphaned: Callable[[], None]) -> AsyncIterator[None]:
    """The job's end: be watched for as long as the context lasts. `orphaned` is called when the worker is gone. Leave it
    by an exception when the call may go on: the worker gives it back then."""
    try:
        reader, writer = await asyncio.open_unix_connection(path)
    except OSError as bad:
        log.warning("nobody watches over this job", why=str(bad))
        yield
        return
    writer.write(json.dumps(asdict(job)).encode() + b"\n")
    try:
        async with Tasks("watched") as tasks:
            tasks.start(_beat(writer), "beats")
            tasks.start(_notice(reader, orphaned), "worker")
            try:
                yield
            finally:
                writer.write(_counts(said(REGISTRY)))
            writer.write(_DONE)
    finally:
        writer.close()


async def _beat(writer: asyncio.StreamWriter) -> None:
    for number in itertools.count(1):
        if writer.is_closing():
            return
        writer.write(_BEAT)
        if number % COUNTS == 0:
            writer.write(_counts(said(REGISTRY)))
        await asyncio.sleep(BEAT)


def _counts(counted: Said) -> bytes:
    return json.dumps(counted).encode() + b"\n"


async def _notice(reader: asyncio.StreamReader, orphaned: Callable[[], None]) -> None:
    with suppress(OSError):
        await reader.read(1)
    log.warning("the worker is gone")
    orphaned()
