"""Events that the store doesn't take, kept in files of this machine until it does.

A job that can't tell its events writes them down here as they happen, so that they outlive it however it ends; it holds
a lock on its file (flock(2)), which the kernel lets go with it. What a job has left, its machine's workers tell
(`ship`). An event has an id of its own, so that one which was told and is told again counts once.

A file is a call's: JSON, one event a line, readable by the gateway's user alone. It holds what was said.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import structlog

from gateway.calls.store import wire
from gateway.errors import OurFault, Unavailable
from gateway.metrics import counter
from gateway.terms.event import Event

SHIP = 1.0
"""Seconds between two looks at what jobs have left."""
MOST = 2_000_000
"""Characters that one job may write: hours of talk."""
_ENDING = ".events"

SPOOLED = counter("events_spooled", "Events that were kept on disk because the store didn't take them")
SHIPPED = counter("events_shipped", "Events that a job had left on disk and that were told after it")
DAMAGED = counter("events_damaged", "Lines of a spool that couldn't be read")

log = structlog.get_logger(__name__)


class Spool:
    """One job's file. Nothing is on disk until `keep`."""

    def __init__(self, directory: Path, name: str) -> None:
        """`name`: of the job, in which no two are alike."""
        self._path = directory / f"{name}{_ENDING}"
        self._file: TextIO | None = None

    @property
    def open(self) -> bool:
        """Whether something is kept."""
        return self._file is not None

    def keep(self, events: Iterable[Event]) -> bool:
        """Write events down, after those before; False when the disk doesn't take them. The writes are small and end
        in the system's memory: the loop isn't held up."""
        try:
            if self._file is None:
                self._file = _locked(self._path)
            for event in events:
                if self._file.tell() > MOST:
                    return False
                self._file.write(json.dumps(wire.event_fields(event)) + "\n")
                SPOOLED.inc()
            self._file.flush()
        except OSError as bad:
            log.error("an event couldn't be kept on disk", why=bad.strerror)
            return False
        return True

    def clear(self) -> None:
        """All was told: nothing is left to keep."""
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            self.close()

    def close(self) -> None:
        """Leave what is there to `ship`."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _locked(path: Path) -> TextIO:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return os.fdopen(descriptor, "a", encoding="utf-8")


async def ship(directory: Path, tell: Callable[[Event], Awaitable[None]]) -> int:
    """Tell what jobs that are gone have left in the directory, in order; how many events. Raises Unavailable: what
    isn't told stays."""
    told = 0
    for path in sorted(directory.glob(f"*{_ENDING}")):
        with _left(path) as lines:
            for event in _read(lines):
                await tell(event)
                SHIPPED.inc()
                told += 1
            if lines is not None:
                path.unlink(missing_ok=True)
    if told:
        log.info("what jobs had left was told", events=told)
    return told


async def keep_shipping(directory: Path, tell: Callable[[Event], Awaitable[None]]) -> None:
    """Tell what jobs leave, for ever."""
    while True:
        with suppress(Unavailable):
            await ship(directory, tell)
        await asyncio.sleep(SHIP)


@contextmanager
def _left(path: Path) -> Iterator[TextIO | None]:
    """The file's lines, while no other worker can have them; None while its job or another worker has it."""
    with suppress(FileNotFoundError), path.open(encoding="utf-8", errors="replace") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            # Another worker may have told it and taken it away between our look and our lock.
            yield file if path.exists() else None
        return
    yield None


def _read(lines: TextIO | None) -> Iterator[Event]:
    for line in lines or ():
        try:
            yield wire.read_event("", json.loads(line))
        except (OurFault, ValueError, TypeError, KeyError, AttributeError):
            DAMAGED.inc()  # a job that was killed as it wrote has left half a line
            log.warning("a line of a spool can't be read")
