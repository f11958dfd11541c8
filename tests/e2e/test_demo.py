"""`offhook demo`, stopped and killed amid its first call: whatever ends it, nothing that it has started is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.e2e.gateway import ENDS_WITHIN, READY_WITHIN

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

MARK = "OFFHOOK_DEMO_OF_TEST"
"""All that the demo starts inherits it."""
STARTED = ("redis-server", "livekit-server", "gateway speech", "gateway edge", "gateway control", "gateway worker")


class Shown:
    """A demo that runs."""

    def __init__(self, process: subprocess.Popen[bytes], mark: str) -> None:
        self.process, self._mark = process, mark
        self._family: set[psutil.Process] = set()

    def left(self) -> dict[int, str]:
        """The command lines of whatever the demo has started, and of itself."""
        with suppress(psutil.NoSuchProcess):  # Redis writes its title over the environment that it has inherited
            self._family.update(psutil.Process(self.process.pid).children(recursive=True))
        self._family.update(one for one in psutil.process_iter() if self._is_of_it(one))
        found = {}
        for one in self._family:
            with suppress(psutil.NoSuchProcess):
                if one.is_running() and one.status() != psutil.STATUS_ZOMBIE:
                    found[one.pid] = " ".join(one.cmdline())
        return found

    def _is_of_it(self, one: psutil.Process) -> bool:
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            return one.environ().get(MARK) == self._mark
        return False


def wait_for(condition: Callable[[], object], within: float, screen: Path) -> None:
    """Look until it is so."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, screen.read_text()
        time.sleep(0.1)


@contextmanager
def demo_in_a_call(state: Path) -> Iterator[Shown]:
    """The demo, whose first call is answered. Whatever of it is left at the end is killed."""
    command = [sys.executable, "-m", "gateway", "demo", "--state", str(state)]
    screen = state / "screen"
    with screen.open("wb") as output:
        demo = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, MARK: str(state)}, start_new_session=True
        )
        shown = Shown(demo, str(state))
        try:
            wait_for(lambda: "Answered after" in screen.read_text(), READY_WITHIN, screen)
            lines = "\n".join(shown.left().values())
            assert [name for name in STARTED if name not in lines] == []
            yield shown
        finally:
            for pid in shown.left():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            demo.wait()


@pytest.mark.parametrize(
    "by", [signal.SIGTERM, *(pytest.param(one, marks=pytest.mark.long) for one in (signal.SIGINT, signal.SIGKILL))]
)
def test_nothing_is_left_of_a_demo_that_is_ended(tmp_path: Path, by: signal.Signals) -> None:
    with demo_in_a_call(tmp_path) as shown:
        os.killpg(shown.process.pid, by)  # as a shell's `kill %1` and a terminal do
        status = shown.process.wait(ENDS_WITHIN)
        if by is signal.SIGKILL:  # its gateway ends by itself then
            wait_for(lambda: not shown.left(), ENDS_WITHIN, tmp_path / "screen")
        else:
            assert status == 1
            assert "nothing that the demo has started is left" in (tmp_path / "screen").read_text()
        assert shown.left() == {}
        assert not (tmp_path / "run.json").exists()
