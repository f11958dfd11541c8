"""What a call of the house costs: CPU and memory of its job's process, beside an idle one and a bare participant."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import psutil

from gateway.app.worker import LIGHT
from tests.e2e.gateway import Stack

_MARK, _OTHER = "gateway.conduct.warm", "agents.runner"
"""In the command line of the process that the house's jobs are forked from, and so in theirs; the other pool's has both."""
MEGABYTE = 2**20


@dataclass(frozen=True)
class Cost:
    """What each of some processes takes."""

    cpu: float
    """Median share of a core."""
    uss: float
    """Median bytes of its own, which nobody shares."""
    pss: float
    """Median bytes, shared ones by halves, thirds …"""


def jobs(stack: Stack) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """The house's processes that have a call, and those that are warm. A call's has sockets for its media."""
    family = psutil.Process(stack.pid).children(recursive=True)
    marked = {one.pid: one for one in family if _marked(one)}
    forked = [one for one in marked.values() if one.ppid() in marked]
    busy = [one for one in forked if one.net_connections(kind="udp")]
    return busy, [one for one in forked if one not in busy]


def _marked(process: psutil.Process) -> bool:
    try:
        return any(_MARK in part and _OTHER not in part for part in process.cmdline())
    except psutil.Error:
        return False


async def cost(processes: Sequence[psutil.Process], seconds: float) -> Cost:
    """What they take for a while from now on."""
    begun, before = time.monotonic(), [_cpu(one) for one in processes]
    await asyncio.sleep(seconds)
    lasted = time.monotonic() - begun
    cpu = [(_cpu(one) - earlier) / lasted for one, earlier in zip(processes, before, strict=True)]
    memory = [one.memory_full_info() for one in processes]
    return Cost(
        statistics.median(cpu),
        statistics.median(one.uss for one in memory),
        statistics.median(one.pss for one in memory),
    )


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@asynccontextmanager
async def bare(stack: Stack, count: int, how: str) -> AsyncIterator[tuple[list[psutil.Process], float]]:
    """As many bare participants, each in a process, two in a room, that do what `bare_voice` says; and the bytes that one
    has before it joins."""
    run = stack.run
    async with AsyncExitStack() as exits:
        started = [
            await exits.enter_async_context(
                _python(run.livekit_url, run.livekit_api_key, run.livekit_api_secret, f"bare-{how}-{n // 2}", how)
            )
            for n in range(count)
        ]
        before = [int(await _line(one)) for one in started]
        for one in started:
            assert await _line(one) == "up"
        yield [psutil.Process(one.pid) for one in started], statistics.median(before)


async def _line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()


@asynccontextmanager
async def _python(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.bare_voice", *arguments,
        stdout=asyncio.subprocess.PIPE, env={**os.environ, **LIGHT},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        await process.wait()
