"""`offhook up`, as an operator meets it: what it says, what it survives, and that nothing of it is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from gateway.phone.phone import Phone
from gateway.up import runfile
from tests.e2e.gateway import Stack, running_gateway
from tests.e2e.servers import livekit_server, redis_server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

NAMES = {
    "redis": "redis-server",
    "livekit-server": "livekit-server",
    "speech": "gateway speech",
    "edge": "gateway edge",
    "control": "gateway control",
    "worker-agents": "gateway worker --pool agents",
    "worker-house": "gateway worker --pool house",
}


def up(state: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `up` where it must refuse."""
    command = [sys.executable, "-m", "gateway", "up", "--ports", "auto", "--state", str(state), *arguments]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False
    )


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence, as one line; no traceback, exit status 2."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    return " ".join(done.stderr.split())


def children(up_pid: int) -> dict[str, psutil.Process]:
    """Our children by name."""
    found = {}
    for child in psutil.Process(up_pid).children():
        with suppress(psutil.NoSuchProcess):
            line = " ".join(child.cmdline())
            found.update({name: child for name, words in NAMES.items() if words in line})
    return found


def wait_for(condition: Callable[[], object], within: float = 30.0) -> None:
    """Look until it is so."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it didn't come true in time"
        time.sleep(0.05)


async def line_check(sip: str) -> None:
    """A call to the echo line, whole."""
    async with Phone(sip) as phone:
        call = await phone.dial("echo")
        await call.answered()
        await call.tone([659.0])
        await call.press("#")
        await call.ended()


def test_a_second_gateway_on_one_state_is_refused(stack: Stack) -> None:
    assert "runs on" in refusal(up(stack.state))
    assert runfile.read(stack.state) is not None, "the first one is left alone"


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert str(port) in refusal(up(tmp_path / "s", "--sip-port", str(port)))


def test_a_missing_livekit_server_is_said_with_the_remedy(tmp_path: Path) -> None:
    done = up(tmp_path / "s", PATH="/usr/bin:/bin", XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert "make up" in refusal(done)


def test_a_setting_that_cannot_be_is_named(tmp_path: Path) -> None:
    assert "OFFHOOK_CALLS_AT_ONCE" in refusal(up(tmp_path / "s", OFFHOOK_CALLS_AT_ONCE="many"))


def test_a_wrong_dial_plan_is_told_by_file_and_line(tmp_path: Path) -> None:
    plans = tmp_path / "plans"
    plans.mkdir()
    (plans / "main.yaml").write_text("offhook: 1\nnumbers:\n  banana: sales\nroutes:\n  sales: {agent: sale}\n")
    said = refusal(up(tmp_path / "s", OFFHOOK_DIALPLANS=str(plans)))
    assert "main.yaml:3:3" in said
    assert "Did you mean 'sales'?" in said


@pytest.mark.long
def test_nothing_survives_a_killed_up(tmp_path: Path) -> None:
    with pytest.raises(ProcessLookupError), running_gateway(tmp_path) as gateway:
        family = psutil.Process(gateway.pid).children(recursive=True)
        assert len(family) > len(NAMES)
        os.kill(gateway.pid, signal.SIGKILL)
        wait_for(lambda: not [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE], 10)
        os.waitpid(gateway.pid, 0)
        raise ProcessLookupError
    assert (tmp_path / "run.json").exists()
    with running_gateway(tmp_path) as again:  # what the killed one left is in nobody's way
        assert runfile.read(tmp_path) == again.run


@pytest.mark.long
async def test_a_child_that_dies_is_started_again_and_said_so(tmp_path: Path) -> None:
    with running_gateway(tmp_path) as gateway:
        assert set(children(gateway.pid)) == set(NAMES)
        for name in NAMES:
            before = children(gateway.pid)[name].pid
            os.kill(before, signal.SIGKILL)
            await asyncio.to_thread(wait_for, lambda name=name, before=before: _came_back(gateway, name, before))
        await line_check(gateway.sip)
        screen = (tmp_path / "screen").read_text()
        assert screen.count("starting it again") >= len(NAMES)


def _came_back(gateway: Stack, name: str, before: int) -> bool:
    now = children(gateway.pid).get(name)
    back = f"  {name:<15} is back" in (gateway.state / "screen").read_text()
    return now is not None and now.pid != before and back


@pytest.mark.long  # two starts of everything
async def test_servers_that_run_already_are_used(tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis, livekit_server(tmp_path, redis) as livekit:
        given = {
            "REDIS_URL": redis,
            "LIVEKIT_URL": livekit.url,
            "LIVEKIT_API_KEY": livekit.key,
            "LIVEKIT_API_SECRET": livekit.secret,
        }
        with running_gateway(tmp_path / "state", **given) as gateway:
            assert set(children(gateway.pid)) == set(NAMES) - {"redis", "livekit-server"}
            await line_check(gateway.sip)
