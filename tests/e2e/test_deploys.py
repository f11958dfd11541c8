"""Workers and controls that are replaced while calls go on: no call fails, and none is cut."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import IO

import psutil
import pytest

from gateway.phone.call import Call
from gateway.phone.phone import Phone
from tests.e2e.gateway import PLANS, Stack, running_gateway
from tests.e2e.records import record, sip_id
from tests.e2e.servers import free_port, until

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(240)]

DRAIN = 10
"""Seconds after which a worker leaves its calls to others."""
CALLERS = 3
READY_WITHIN = 60.0
AT_ONCE = 2.0
"""Seconds for a process to say that it ends, on a busy machine."""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A gateway whose processes are replaced here."""
    state = tmp_path_factory.mktemp("deploys")
    with running_gateway(state, OFFHOOK_DRAIN_SECONDS=str(DRAIN), OFFHOOK_IDLE_JOBS="3") as found:
        yield found


def child(stack: Stack, words: str) -> psutil.Process:
    """One of the gateway's processes, by its command."""
    for one in psutil.Process(stack.pid).children():
        with suppress(psutil.Error):
            if words in " ".join(one.cmdline()):
                return one
    raise LookupError(words)


def readiness(address: str) -> str:
    """ "" when it is ready, else why not."""
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=2):
            return ""
    except urllib.error.HTTPError as bad:
        return bad.read().decode().strip()
    except OSError as bad:
        return str(bad)


async def readies(address: str, why: str | None = "", within: float = READY_WITHIN) -> None:
    """Return once its readiness is this; None for any that isn't ready."""
    async with asyncio.timeout(within):
        while (found := await asyncio.to_thread(readiness, address)) != why and not (found and why is None):
            await asyncio.sleep(0.02)


def _start(words: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "gateway", *words], env=environment, stderr=log)


def other(*words: str) -> str:
    """What the log of `another` such process is called."""
    return f"another-{'-'.join(words)}"


@asynccontextmanager
async def another(
    stack: Stack, *words: str, drain: float = DRAIN
) -> AsyncIterator[tuple[subprocess.Popen[bytes], str]]:
    """One more process of a kind, beside the gateway's own, that is ready; and its address. `drain`: its deadline."""
    port, run = free_port(), stack.run
    environment = {
        **os.environ,
        "LIVEKIT_URL": run.livekit_url,
        "LIVEKIT_API_KEY": run.livekit_api_key,
        "LIVEKIT_API_SECRET": run.livekit_api_secret,
        "REDIS_URL": run.redis_url,
        "OFFHOOK_SPEECH_URL": run.speech_url,
        "OFFHOOK_STATE": str(stack.state),
        "OFFHOOK_DIALPLANS": str(PLANS),
        "OFFHOOK_HTTP_PORT": str(port),
        "OFFHOOK_DRAIN_SECONDS": str(drain),
        "OFFHOOK_IDLE_JOBS": "3",
    }
    address = f"http://127.0.0.1:{port}"
    with (stack.state / "logs" / f"{other(*words)}.log").open("ab") as log:
        process = _start(words, environment, log)
        try:
            await readies(address)
            yield process, address
        finally:
            process.terminate()
            process.wait(30)


@dataclass
class Load:
    """Callers who dial again and again; each call must be answered, heard to its end, and end by itself."""

    callers = CALLERS
    begins = "+1510555017"
    """The callers' numbers, but for their last digit."""
    stack: Stack
    served: list[str] = field(default_factory=list)
    """The calls, by the records' key."""
    failed: list[str] = field(default_factory=list)

    async def serve(self, phone: Phone, number: int) -> Call:
        """One call. Raises whatever its caller meets."""
        call = await phone.dial("echo")
        await call.answered(20)
        await call.heard(20)
        await call.wait(1.5 + number)  # the chime is over
        await call.press("#")
        await call.ended(20)
        assert call.signalling.ended_by == "them"
        return call

    async def dial(self, number: int) -> None:
        """Call until cancelled."""
        async with Phone(self.stack.sip, caller=f"{self.begins}{number}") as phone:
            while True:
                began = time.monotonic()
                try:
                    self.served.append(sip_id(await self.serve(phone, number)))
                except Exception as bad:  # noqa: BLE001  whatever a caller meets is a failed call
                    self.failed.append(f"{bad} after {time.monotonic() - began:.1f} s")


@asynccontextmanager
async def loaded(load: Load) -> AsyncIterator[Load]:
    """Callers meanwhile. At the end, none of their calls may have failed."""
    callers = [asyncio.create_task(load.dial(number)) for number in range(load.callers)]
    try:
        yield load
    finally:
        for one in callers:
            one.cancel()
        await asyncio.wait(callers)
    print(f"{len(load.served)} calls served, {len(load.failed)} failed")
    assert not load.failed
    assert len(load.served) >= load.callers


async def test_workers_are_replaced_one_after_the_other_under_load(own: Stack) -> None:
    async with another(own, "worker", "--pool", "house") as (_, _), loaded(Load(own)):
        await asyncio.sleep(5.0)
        old = child(own, "worker --pool house")
        old.send_signal(signal.SIGTERM)
        await readies(own.run.http["worker-house"], "ending: no new calls", AT_ONCE)
        await until(lambda: not old.is_running(), 60.0)
        await readies(own.run.http["worker-house"])
        await asyncio.sleep(2.0)
        # the other of the two leaves at the end of `another`, amid the load
    async with loaded(Load(own)), another(own, "worker", "--pool", "house") as (second, _):
        second.terminate()
        await until(lambda: second.poll() is not None, 60.0)
        await asyncio.sleep(3.0)


async def test_a_call_that_outlasts_the_deadline_is_handed_over(own: Stack) -> None:
    async with another(own, "worker", "--pool", "house"), Phone(own.sip, caller="+15105550177") as phone:
        calls = [await phone.dial("echo") for _ in range(4)]
        for call in calls:
            await call.answered(20)
            await call.tone([659.0], 20)
        child(own, "worker --pool house").send_signal(signal.SIGTERM)
        await readies(own.run.http["worker-house"], None, AT_ONCE)
        await asyncio.sleep(DRAIN + 6.0)  # the deadline, and the way to another job
        for call in calls:
            assert call.signalling.ended is None
            await call.press("5")
            await call.pressed("5", 5)
            await call.press("#")
            await call.ended(10)
            found = await record(own, sip_id(call), ending="served")
            assert len(found["attempts"]) in (1, 2)
        await readies(own.run.http["worker-house"])


async def test_one_control_drains_and_the_other_leads(own: Stack) -> None:
    async with another(own, "control") as (second, address), loaded(Load(own)):
        first = child(own, "gateway control")
        first.send_signal(signal.SIGTERM)
        await until(lambda: not first.is_running(), 20.0)
        await asyncio.sleep(3.0)
        await readies(own.run.http["control"])
        second.terminate()
        await readies(address, None, AT_ONCE)
        await asyncio.sleep(3.0)
        assert second.wait(20) == 0
