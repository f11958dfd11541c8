"""Tests of one child process."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from gateway.up.process import Process


async def last_words(tmp_path: Path, program: str, status: int) -> list[str]:
    """What a child of that Python program leaves to be told."""
    process = await Process.start([sys.executable, "-c", program], {}, tmp_path / "child.log", clean=str.upper)
    async with asyncio.timeout(20):
        ended, words = await process.ended()
    assert ended == status
    return words


async def test_the_last_lines_of_a_child_are_told_as_the_log_has_them(tmp_path: Path) -> None:
    words = await last_words(tmp_path, "for n in range(20): print('line', n)", 0)
    assert words == [f"LINE {n}" for n in range(12, 20)]
    assert (tmp_path / "child.log").read_text().startswith("LINE 0\n")


async def test_a_sentence_for_the_operator_is_told_whole_and_as_it_is(tmp_path: Path) -> None:
    program = (
        "print('begin'); print('offhook: The plan is wrong:'); print('  main.yaml:3:3: +1 510'); raise SystemExit(2)"
    )
    assert await last_words(tmp_path, program, 2) == ["offhook: The plan is wrong:", "  main.yaml:3:3: +1 510"]
    assert "THE PLAN IS WRONG" in (tmp_path / "child.log").read_text()


async def test_a_child_that_is_stopped_takes_what_it_started_with_it(tmp_path: Path) -> None:
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    process = await Process.start([sys.executable, "-c", program], {}, tmp_path / "child.log", clean=str)
    async with asyncio.timeout(20):
        await process.stop()
        status, _ = await process.ended()
    assert status < 0
