"""One gateway for the tests that place calls: `offhook up`, as an operator runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gateway.up import runfile
from gateway.up.runfile import RunFile

pytest_plugins = ["gateway.phone.fixture"]

READY_WITHIN = 60.0
ENDS_WITHIN = 30.0


class Stack:
    """A running gateway."""

    def __init__(self, run: RunFile, state: Path, plans: Path) -> None:
        self.run, self.state, self.plans = run, state, plans

    def log(self, name: str) -> str:
        """What a process has logged."""
        return (self.state / "logs" / f"{name}.log").read_text(errors="replace")

    def offhook(self, *arguments: str) -> str:
        """What a command prints about this gateway."""
        command = [sys.executable, "-m", "gateway", *arguments]
        environment = {**os.environ, "OFFHOOK_STATE": str(self.state), "COLUMNS": "100"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=True)
        return done.stdout


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The gateway; when the tests are over nothing of it may be left."""
    state, plans = tmp_path_factory.mktemp("state"), Path(__file__).parent / "plans"
    command = [sys.executable, "-m", "gateway", "up", "--ports", "auto", "--state", str(state)]
    environment = {**os.environ, "OFFHOOK_DIALPLANS": str(plans), "OFFHOOK_LOG_LEVEL": "debug"}
    screen = (state / "screen").open("wb")
    process = subprocess.Popen(command, stdout=screen, stderr=screen, env=environment)
    family: list[psutil.Process] = []
    try:
        deadline = time.monotonic() + READY_WITHIN
        while (run := runfile.read(state)) is None:
            assert process.poll() is None, (state / "screen").read_text()
            assert time.monotonic() < deadline, (state / "screen").read_text()
            time.sleep(0.05)
        yield Stack(run, state, plans)
        family = psutil.Process(process.pid).children(recursive=True)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            screen.close()
    left = [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    assert not left, f"left behind: {left}"


@pytest.fixture(scope="session")
def phone_target(stack: Stack) -> str:
    """Where the tests' phone dials."""
    return stack.run.sip
