"""What is done to a running gateway: its processes are killed and stopped, their connections cut and held."""

from __future__ import annotations

import asyncio
import os
import re
import time
from contextlib import suppress
from pathlib import Path

import psutil
from redis.exceptions import RedisError

from gateway.calls.store.redis_store import RedisStore
from gateway.errors import OffhookError
from gateway.redis_client import open_client
from tests.chaos.between import PROVIDERS, Between
from tests.chaos.judge import Deed, Fault, Target
from tests.e2e.gateway import Stack

COMMANDS = {
    Target.CONTROL: "gateway control",
    Target.SPEECH: "gateway speech",
    Target.EDGE: "gateway edge",
    Target.REDIS: "redis-server",
    Target.LIVEKIT: "livekit-server",
}
NOBODY = ("127.0.0.1", "1")
"""Whose replica a Redis is made that is to take no writes."""
GOES_ON = 5.0
"""Seconds that Redis may take to do what it is asked."""
_TAKEN = re.compile(r"the call is taken.*")


class Harm:
    """Does faults to one gateway, and says what was done when."""

    def __init__(self, stack: Stack, between: Between) -> None:
        self._stack, self._between = stack, between

    async def do(self, target: Target, deed: Deed, lasts: float, *, pool: str = "", call: str = "") -> Fault | None:
        """Do it and return when it is over; None when there was nothing to do it to. `pool`: whose worker; `call`: the
        id of the call whose job it is."""
        if target is Target.JOB and deed is Deed.CUT:
            return await self._cut_off(call)
        if target in PROVIDERS or deed in {Deed.CUT, Deed.HOLD}:
            return await self._in_between(target, deed, lasts)
        if deed in {Deed.RESTART, Deed.REFUSE}:
            return await self._ask_redis(deed, lasts)
        one = job(self._stack, call) if target is Target.JOB else self._process(target, pool)
        if one is None:
            return None
        at = time.monotonic()
        with suppress(psutil.NoSuchProcess):
            if deed is Deed.KILL:
                one.kill()
                return Fault(target, deed, at)
            one.suspend()
            try:
                await asyncio.sleep(lasts)  # the fault itself: nothing is waited for
            finally:
                with suppress(psutil.NoSuchProcess):
                    one.resume()
            return Fault(target, deed, at, time.monotonic())
        return None

    async def _cut_off(self, call: str) -> Fault | None:
        """Cut the media of the call's job, for good."""
        with suppress(psutil.Error):
            if (one := job(self._stack, call)) and (ports := media_ports(one)):
                at = time.monotonic()
                await self._between.cut_off(ports)
                return Fault(Target.JOB, Deed.CUT, at)
        return None

    async def _in_between(self, target: Target, deed: Deed, lasts: float) -> Fault:
        at = time.monotonic()
        await self._between.begin(deed, target)
        if target not in PROVIDERS and deed is Deed.CUT:
            return Fault(target, deed, at)
        try:
            await asyncio.sleep(lasts)  # the fault itself
        finally:
            await self._between.end(target)
        return Fault(target, deed, at, time.monotonic())

    async def _ask_redis(self, deed: Deed, lasts: float) -> Fault:
        """Done by Redis itself: `up` starts it again where it was shut down."""
        client, at = open_client(self._stack.run.redis_url), time.monotonic()
        try:
            async with asyncio.timeout(lasts + GOES_ON):
                if deed is Deed.RESTART:
                    await client.shutdown(save=True)
                    return Fault(Target.REDIS, deed, at)
                await client.replicaof(*NOBODY)
                try:
                    await asyncio.sleep(lasts)  # the fault itself
                finally:
                    await client.replicaof("NO", "ONE")
            return Fault(Target.REDIS, deed, at, time.monotonic())
        finally:
            await client.aclose()

    def _process(self, target: Target, pool: str) -> psutil.Process | None:
        words = f"worker --pool {pool}" if target is Target.WORKER else COMMANDS[target]
        with suppress(psutil.Error):
            for child in psutil.Process(self._stack.pid).children():
                with suppress(psutil.Error):
                    if words in " ".join(child.cmdline()):
                        return child
        return None


def job(stack: Stack, call: str) -> psutil.Process | None:
    """The process that took the call last, by the workers' logs."""
    found = ""
    for pool in ("agents", "house"):
        for line in _tail(stack.state / "logs" / f"worker-{pool}.log"):
            if (told := _TAKEN.search(line)) and f"call={call}" in told[0]:
                found = max(found, line)  # lines begin with their time
    pid = re.search(r"pid=(\d+)", found)
    with suppress(psutil.Error):
        if pid and (one := psutil.Process(int(pid[1]))).is_running():
            return one
    return None


def media_ports(one: psutil.Process) -> frozenset[int]:
    """The UDP ports that a process has. Raises psutil.Error."""
    return frozenset(each.laddr.port for each in one.net_connections("udp") if each.laddr)


def conducted(stack: Stack, pool: str, call: str) -> bool:
    """Whether a job of that pool's worker had the call: who was served by the other has lost nothing with it."""
    log = stack.state / "logs" / f"worker-{pool}.log"
    return any((told := _TAKEN.search(line)) and f"call={call}" in told[0] for line in _tail(log, 2_000_000))


async def call_id(stack: Stack, caller: str) -> str:
    """The id of that caller's live call; "" for none, or when Redis doesn't answer."""
    client = open_client(stack.run.redis_url)
    try:
        async with asyncio.timeout(2):
            return next(
                (call.id for call in await RedisStore(client).live() if call.caller and call.caller.reveal() == caller),
                "",
            )
    except (OffhookError, RedisError, OSError, TimeoutError):
        return ""
    finally:
        await client.aclose()


def _tail(log: Path, size: int = 200_000) -> list[str]:
    """The last lines."""
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - size))
        return file.read().decode(errors="replace").splitlines()
    return []
