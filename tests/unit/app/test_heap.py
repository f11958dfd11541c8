"""That holes in the heap are given back, and looked for only when the process has grown."""

from __future__ import annotations

import ctypes
import sys

import pytest

from gateway.app import heap

pytestmark = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="glibc's")


def test_holes_are_given_back() -> None:
    libc, least = ctypes.CDLL(None), heap.held()
    junk = [bytes(3000) for _ in range(8000)]
    kept = junk[::50]
    del junk
    grown = heap.held()
    assert grown > least + heap.WORTH_IT
    after = heap.tidy(libc, least)
    assert after < grown - 10 * 1024 * 1024
    assert sys.getsizeof(kept[0]) > 3000


def test_a_process_that_has_not_grown_is_left_alone() -> None:
    class Never:
        def malloc_trim(self, _: int) -> int:
            raise AssertionError("for nothing")

    now = heap.held()
    assert heap.tidy(Never(), now + 1024) <= now + heap.WORTH_IT
