"""The line between a worker and its jobs, with jobs that are processes of their own."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.app.watch import LOOK, Watch, Watched
from gateway.metrics import exposition
from gateway.terms.times import patience
from tests.e2e.servers import until

JOB = """
import asyncio, os, sys, time
from gateway.app import watch
from gateway.app.watch import Watched, watched
from gateway.metrics import counter, seconds
watch.COUNTS = 1
COUNTED, TOOK = counter("test_jobs_alone", "Of jobs alone", "where"), seconds("test_jobs_took", "Of jobs alone")
async def run():
    stopped = asyncio.Event()
    async with watched(sys.argv[1], Watched(os.getpid(), "SCL_1", 2, "AJ_1", int(sys.argv[3])), stopped.set):
        COUNTED.labels("here").inc(2)
        TOOK.observe(0.3)
        print("there", flush=True)
        if sys.argv[2] == "block":
            time.sleep(60)
        if sys.argv[2] == "fail":
            raise ValueError
        if sys.argv[2] == "wait":
            await asyncio.wait_for(stopped.wait(), 60)
    print("stopped", flush=True)
asyncio.run(run())
"""


class Lost(asyncio.Queue[tuple[Watched, bool]]):
    """What the watch tells."""

    async def put_watched(self, job: Watched, hung: bool) -> None:
        self.put_nowait((job, hung))


@asynccontextmanager
async def a_job(watch: Watch, how: str, late: int = 0) -> AsyncIterator[asyncio.subprocess.Process]:
    command = [sys.executable, "-c", JOB, watch.path, how, str(late)]
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=quiet)
    try:
        assert process.stdout
        assert await process.stdout.readline() == b"there\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("how", ["wait", "fail"])
async def test_a_job_that_dies_is_told_of_at_once(how: str) -> None:
    lost = Lost()
    async with Watch(lost.put_watched) as watch, a_job(watch, how) as job:
        if how == "wait":
            job.kill()
        async with asyncio.timeout(5):
            told, hung = await lost.get()
        assert told == Watched(job.pid, told.call, 2, "AJ_1")
        assert not hung
    assert lost.empty(), "told once"


async def test_a_job_that_stands_still_for_a_moment_is_told_of_and_so_is_its_going_on() -> None:
    lost, still = Lost(), Lost()
    async with Watch(lost.put_watched, still.put_watched) as watch, a_job(watch, "wait") as job:
        job.send_signal(signal.SIGSTOP)
        stopped = time.monotonic()
        async with asyncio.timeout(5):
            assert (await still.get())[1]
        assert time.monotonic() - stopped < LOOK + 1.0
        job.send_signal(signal.SIGCONT)
        async with asyncio.timeout(5):
            assert not (await still.get())[1]
    assert still.empty()


async def test_a_job_that_says_that_it_is_done_is_not_told_of() -> None:
    lost = Lost()
    async with Watch(lost.put_watched) as watch, a_job(watch, "end") as job:
        await job.wait()
        await asyncio.sleep(0.1)
    assert lost.empty()


@pytest.mark.parametrize(
    ("how", "late"), [("block", 0), ("wait", 0), ("wait", 1)], ids=["blocked", "stopped", "stopped where many are late"]
)
async def test_a_job_that_hangs_is_killed(how: str, late: int) -> None:
    lost = Lost()
    async with Watch(lost.put_watched) as watch, a_job(watch, how, late) as job:
        stopped = time.monotonic()
        if how == "wait":
            os.kill(job.pid, signal.SIGSTOP)
        async with asyncio.timeout(patience(late) + 10):
            told, hung = await lost.get()
            assert (told.pid, hung) == (job.pid, True)
            assert await job.wait() == -signal.SIGKILL
        assert time.monotonic() - stopped > patience(late) - LOOK


async def test_a_job_whose_worker_is_gone_is_stopped() -> None:
    lost = Lost()
    async with Watch(lost.put_watched) as watch, a_job(watch, "wait") as job:
        await until(lambda: watch.jobs == 1)
        await watch.__aexit__(None, None, None)
        assert job.stdout
        async with asyncio.timeout(5):
            assert b"stopped\n" in await job.stdout.read()


async def test_a_process_that_hangs_ends_soon_after_its_worker() -> None:
    hangs = "import sys, time; from gateway.app.watch import die_with; die_with(sys.argv[1], 0.2); print(flush=True); time.sleep(60)"
    async with Watch(Lost().put_watched) as watch:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", hangs, watch.path, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout
        await process.stdout.readline()
        assert process.returncode is None
    async with asyncio.timeout(10):
        assert await process.wait() == -signal.SIGKILL


async def test_what_killed_workers_left_is_removed_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def left(name: str) -> Path:
        home = tmp_path / name
        home.mkdir()
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(home / "jobs"))
        return home

    dead, begins = left("offhook-dead"), left("offhook-begins")
    other = tmp_path / "offhook-plan-x"
    other.mkdir()
    async with Watch(Lost().put_watched) as lives:
        for path in (dead / "jobs", lives.path):
            os.utime(path, (1.0, 1.0))
        async with Watch(Lost().put_watched):
            assert not dead.exists()
            assert all(each.exists() for each in (begins, other, Path(lives.path)))


def counted(name: str) -> float:
    """A sample of the worker's metrics."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", exposition().decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


@pytest.mark.parametrize("how", ["end", "fail", "wait"])
async def test_what_a_job_has_counted_is_the_workers_to_tell(how: str) -> None:
    sample, took = 'offhook_test_jobs_alone_total{where="here"}', "offhook_test_jobs_took_seconds_count"
    before = counted(sample), counted(took)
    lost = Lost()
    async with Watch(lost.put_watched) as watch, a_job(watch, how) as job:
        await until(lambda: counted(sample) == before[0] + 2)
        if how == "wait":
            job.kill()
        await until(lambda: watch.jobs == 0)
    assert (counted(sample), counted(took)) == (before[0] + 2, before[1] + 1), "once, and for good"
