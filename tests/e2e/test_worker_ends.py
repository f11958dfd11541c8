"""What becomes of the calls of a worker that is killed, or told to stop: each test has the only one."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from agents.echo import CHIME
from gateway.calls.store.port import Lost
from gateway.phone.call import silence
from tests.e2e.job_lab import Desk, Servers, line, worker
from tests.e2e.servers import until

__all__ = ["line"]

pytestmark = pytest.mark.e2e


async def test_a_killed_worker_takes_its_jobs_along_and_another_goes_on(
    servers: Servers, tmp_path: Path, line: Desk
) -> None:
    async with worker(tmp_path, *servers) as first:
        phone = await line.dial()
        await phone.answered()
        await phone.tone([CHIME[-1]])
        family = first.family()
        call = await line.call()
        first.process.kill()
        killed = time.monotonic()
        assert await line.store.lost(2.5) == Lost(call.id, 1), (
            "control hears of it, though no worker is left to tell it"
        )
        print(f"given back after {time.monotonic() - killed:.3f} s")
        assert await line.store.holder(call.id) is None
        await until(lambda: not any(each.is_running() and each.status() != "zombie" for each in family))
        assert "a task was cancelled" not in first.log.read_text()
    async with worker(tmp_path, *servers) as second:
        await phone.say(silence(0.1))
        await line.again(call, 1)
        await phone.tone([CHIME[-1]])
        assert line.kinds(call).count("taken") == 2
        await phone.press("4")
        await phone.pressed("4")
        assert second.calls() == 1


async def test_a_worker_told_to_stop_lets_its_calls_end(servers: Servers, tmp_path: Path, line: Desk) -> None:
    async with worker(tmp_path, *servers) as house:
        phone = await line.dial()
        await phone.answered()
        await phone.tone([CHIME[-1]])
        house.process.terminate()
        await until(lambda: not house.ready())
        await phone.press("4")
        await phone.pressed("4")
        assert house.process.poll() is None
        await phone.hang_up()
        await until(lambda: house.process.poll() is not None, 20)
        assert house.process.returncode == 0
        assert not house.log.read_text().count("Traceback")
