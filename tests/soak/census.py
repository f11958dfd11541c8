"""What a gateway holds while nobody calls: files, ports, tasks, memory, rooms, keys."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress

import aiohttp
import psutil

from tests.chaos import leftovers
from tests.e2e.gateway import Stack
from tests.soak.judge import Census

NAMES = {
    "gateway edge": "edge",
    "gateway control": "control",
    "gateway speech": "speech",
    "worker --pool agents": "worker-agents",
    "worker --pool house": "worker-house",
    "livekit-server": "livekit-server",
    "redis-server": "redis",
}
"""Processes by what their command lines have."""
_TASKS = re.compile(r"^offhook_tasks (\S+)$", re.MULTILINE)
_PER_PROCESS = "job"


def processes(stack: Stack) -> Mapping[str, psutil.Process]:
    """The gateway's, by name."""
    found = {}
    for child in psutil.Process(stack.pid).children():
        with suppress(psutil.Error):
            words = " ".join(child.cmdline())
            found.update({name: child for part, name in NAMES.items() if part in words})
    return found


def cpu(stack: Stack) -> float:
    """Seconds of CPU that the gateway's processes have taken, with those of their children that have ended."""
    total = 0.0
    for one in processes(stack).values():
        with suppress(psutil.Error):
            family = [one, *one.children(recursive=True)]
            for each in family:
                with suppress(psutil.Error):
                    took = each.cpu_times()
                    total += took.user + took.system
                    total += took.children_user + took.children_system
    return total


async def census(stack: Stack) -> Census:
    """How much there is of each. Raises TimeoutError and the servers' errors when one doesn't answer."""
    livekit = int(stack.run.livekit_url.rpartition(":")[2])
    shared = dict(await leftovers.census(stack, livekit))
    jobs = float(shared.pop(_PER_PROCESS, 0))
    found = {name: await asyncio.to_thread(held, one) for name, one in processes(stack).items()}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        for name, address in stack.run.http.items():
            async with session.get(f"{address}/metrics") as answer:
                if name in found and (tasks := _TASKS.search(await answer.text())):
                    found[name]["tasks"] = float(tasks[1])
    return Census(found, {"jobs in rooms": jobs, **{what: float(count) for what, count in shared.items()}})


def held(one: psutil.Process) -> dict[str, float]:
    """What a process holds. Of memory only what is its own: its share of files' pages, such as the libraries', is the larger the
    fewer others there are on the machine that have them open (measured: 14 MB of control's beside 3, of the edge's more)."""
    memory = one.memory_info()
    return {
        "files": float(one.num_fds()),
        "udp ports": float(len(one.net_connections("udp"))),
        "threads": float(one.num_threads()),
        "megabytes": round((memory.rss - memory.shared) / 2**20, 1),
        "children": float(len(one.children(recursive=True))),
    }
