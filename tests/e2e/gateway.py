"""A whole gateway for tests: `offhook up`, as an operator runs it.

With OFFHOOK_SIP (host:port) its calls go through that SIP service, such as a livekit-sip, in place of the embedded edge;
REDIS_URL and LIVEKIT_URL then name the servers that it uses.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import yaml
from livekit import api

from gateway.up import runfile
from gateway.up.runfile import RunFile
from tests.e2e.servers import free_port

EXTERNAL_SIP = os.environ.get("OFFHOOK_SIP", "")
LIVEKIT_SIP = bool(EXTERNAL_SIP) and os.environ.get("OFFHOOK_SIP_SERVICE", "livekit-sip") == "livekit-sip"
"""Whether calls go through a livekit-sip: what it is known to do otherwise may then fail."""
TRUNKS = Path(__file__).parents[2] / "sip-trunk.example.yaml"
PLANS = Path(__file__).parent / "plans"
READY_WITHIN = 25.0 + float(os.environ.get("OFFHOOK_PATIENCE") or 60.0)
"""Seconds that all may take to start; OFFHOOK_PATIENCE, which `up` reads, is for slow machines."""
ENDS_WITHIN = 30.0


@dataclass(frozen=True)
class Stack:
    """A running gateway."""

    run: RunFile
    state: Path
    pid: int
    """Of `up`."""
    ready_after: float
    """Seconds from its start until everything was ready."""
    callees: int = 0
    """UDP port at which all that the gateway dials rings."""

    @property
    def sip(self) -> str:
        """host:port to dial."""
        return EXTERNAL_SIP or self.run.sip

    def livekit(self) -> api.LiveKitAPI:
        """LiveKit's API; a context manager."""
        there = self.run.livekit_url.replace("ws", "http", 1)
        return api.LiveKitAPI(there, self.run.livekit_api_key, self.run.livekit_api_secret)

    def log(self, name: str) -> str:
        """What a process has logged."""
        return (self.state / "logs" / f"{name}.log").read_text(errors="replace")

    def offhook(self, *arguments: str) -> str:
        """What a command prints about this gateway."""
        done = self._run(*arguments)
        done.check_returncode()
        return done.stdout

    def fails(self, *arguments: str) -> str:
        """What a command prints that doesn't come true."""
        done = self._run(*arguments)
        assert done.returncode, done.stdout
        return done.stdout + done.stderr

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gateway", *arguments]
        environment = {**os.environ, "OFFHOOK_STATE": str(self.state), "COLUMNS": "100"}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


def _trunks(path: Path, callees: int, more: Sequence[Mapping[str, object]]) -> Path:
    """The trunk file of the repository, with trunks to our callees."""
    written = yaml.safe_load(TRUNKS.read_text())
    usual = {
        "address": f"127.0.0.1:{callees}",
        "transport": "udp",
        "numbers": ["+15105550100"],
        "caller_id": "passthrough",
        "calls_per_second": 50,
    }
    carrier = {**usual, "name": "carrier", "default": True}
    written["livekit"]["outbound_trunks"] = [carrier, *({**usual, **one} for one in more)]
    path.write_text(yaml.safe_dump(written))
    return path


@contextmanager
def running_gateway(
    state: Path,
    plans: Path = PLANS,
    trunks: Sequence[Mapping[str, object]] = (),
    *,
    program: str = "gateway",
    arguments: Sequence[str] = (),
    **environment: str,
) -> Iterator[Stack]:
    """The gateway, on free ports; nothing of it may be left at the end. `trunks`: outbound ones beside the default, as
    the trunk file has them; what they don't say is as the default has it. `program`: the module that is run with the
    command `up`; `arguments`: more of them."""
    command = [sys.executable, "-m", program, "up", "--ports", "auto", "--state", str(state), *arguments]
    command += ["--sip", "external"] if EXTERNAL_SIP else []
    state.mkdir(parents=True, exist_ok=True)
    callees = free_port()
    command += ["--trunks", str(_trunks(state / "trunks.yaml", callees, trunks))]
    everything: Mapping[str, str] = {**os.environ, "OFFHOOK_DIALPLANS": str(plans), **environment}
    started = time.monotonic()
    with (state / "screen").open("wb") as screen:
        process = subprocess.Popen(command, stdout=screen, stderr=screen, env=everything)
        family: list[psutil.Process] = []
        try:
            while (run := runfile.read(state)) is None:
                assert process.poll() is None, (state / "screen").read_text()
                assert time.monotonic() < started + READY_WITHIN, (state / "screen").read_text()
                time.sleep(0.05)
            yield Stack(run, state, process.pid, time.monotonic() - started, callees)
        finally:
            with suppress(psutil.NoSuchProcess):
                family = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGINT)
            try:
                process.wait(ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise
    left = [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    assert not left, f"left behind: {left}"
