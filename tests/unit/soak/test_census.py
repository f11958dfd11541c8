"""What a process of a soak is said to hold."""

from __future__ import annotations

import mmap
from pathlib import Path

import psutil

from tests.soak.census import held

PAGES = 32 * 2**20
"""Bytes."""


def _megabytes() -> float:
    return held(psutil.Process())["megabytes"]


def test_memory_is_what_a_process_has_for_itself() -> None:
    before = _megabytes()
    kept = b"x" * PAGES
    assert _megabytes() - before > len(kept) / 2**20 - 4


def test_pages_of_files_that_others_may_share_are_not_counted(tmp_path: Path) -> None:
    """However many others share them now."""
    file = tmp_path / "library"
    file.write_bytes(b"x" * PAGES)
    before = _megabytes()
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ) as library:
        assert sum(library[each] for each in range(0, PAGES, mmap.PAGESIZE))
        assert _megabytes() - before < 4
