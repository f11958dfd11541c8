"""That holes in the heap are given back, and looked for only when the process has grown."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import subprocess
import sys
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from gateway.app import edge, heap
from gateway.config import Settings
from gateway.tasks import Tasks
from tests.e2e.servers import until

pytestmark = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="glibc's")


HOLES = """
import ctypes
from gateway.app import heap

least = heap.held()
junk = [bytes(3000) for _ in range(8000)]
kept = junk[::50]
del junk
grown = heap.held()
assert grown > least + heap.WORTH_IT
print(grown - heap.trim(ctypes.CDLL(None), least))
"""


SETTLED = """
import gc
from gateway.app import edge, heap

before = len(gc.get_objects())
heap.settle()
print(len(gc.get_objects()) / before)
"""


def test_what_lasts_is_not_looked_at_again() -> None:
    """In a process of its own: nothing of this one's would be collected any more."""
    left = subprocess.run([sys.executable, "-c", SETTLED], capture_output=True, text=True, timeout=60, check=True)
    assert float(left.stdout) < 0.05


async def test_the_edge_settles_once_it_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    @asynccontextmanager
    async def running(_: Settings) -> AsyncIterator[SimpleNamespace]:
        done.append("serves")
        yield SimpleNamespace(edge=SimpleNamespace(drivers=()), drain=drain)

    async def drain(*_: object) -> None:
        done.append("drains")

    async def until_stopped() -> asyncio.Event:
        return asyncio.Event()

    for name, made in (("configure", lambda *_, **__: None), ("running", running), ("until_stopped", until_stopped)):
        monkeypatch.setattr(edge, name, made)
    monkeypatch.setattr(edge, "settle", lambda: done.append("settles"))
    await edge.run(Settings.model_validate({}))
    assert done == ["serves", "settles", "drains"]


def test_holes_are_given_back() -> None:
    """In a process of its own: what others have left in this one's heap may have room for all of it."""
    given = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, timeout=60, check=True)
    assert int(given.stdout) > 10 * 1024 * 1024


async def test_garbage_that_has_memory_of_the_sdk_is_let_go_of_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    class Call:
        """One that is over, with what leads back to it."""

        def __init__(self) -> None:
            self.itself = self

    monkeypatch.setattr(heap, "LOOK", 0.001)
    gc.disable()
    try:
        call = weakref.ref(Call())
        async with Tasks("memory") as tasks:
            tasks.start(heap.keep_tidy())
            await until(lambda: call() is None)
    finally:
        gc.enable()


def test_a_process_that_has_not_grown_is_left_alone() -> None:
    class Never:
        def malloc_trim(self, _: int) -> int:
            raise AssertionError("for nothing")

    now = heap.held()
    assert heap.trim(Never(), now + 1024) <= now + heap.WORTH_IT
