"""That holes in the heap are given back, and looked for only when the process has grown."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from gateway.app import heap

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
print(grown - heap.tidy(ctypes.CDLL(None), least))
"""


def test_holes_are_given_back() -> None:
    """In a process of its own: what others have left in this one's heap may have room for all of it."""
    given = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, timeout=60, check=True)
    assert int(given.stdout) > 10 * 1024 * 1024


def test_a_process_that_has_not_grown_is_left_alone() -> None:
    class Never:
        def malloc_trim(self, _: int) -> int:
            raise AssertionError("for nothing")

    now = heap.held()
    assert heap.tidy(Never(), now + 1024) <= now + heap.WORTH_IT
