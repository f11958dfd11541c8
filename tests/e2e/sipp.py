"""Runs SIPp (Debian's sip-tester), a SIP implementation that nobody here wrote, as a caller.

Media isn't SIPp's: the scenarios name an RTP port that the test itself serves.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.servers import free_port

SCENARIOS = Path(__file__).parent / "sipp"
CALLER = "+15105550123"


@dataclass
class Sipp:
    """A SIPp that runs one scenario."""

    process: asyncio.subprocess.Process
    directory: Path

    async def ended(self, within: float = 30.0) -> None:
        """Wait for its end; AssertionError with its messages unless every call went as the scenario says."""
        async with asyncio.timeout(within):
            status = await self.process.wait()
        assert status == 0, f"SIPp ended with {status}:\n{self.report()}"

    def report(self) -> str:
        """What it has to say of a failure."""
        files = sorted([*self.directory.glob("*errors*"), *self.directory.glob("*messages*")])
        return "\n".join(file.read_text(errors="replace")[-6000:] for file in files)

    def times(self) -> list[dict[str, float]]:
        """Each measured interval (scenario's rtd) in seconds: [{"180": 0.01}, …]."""
        found = []
        for file in self.directory.glob("*rtt*.csv"):
            for line in file.read_text().splitlines()[1:]:
                _, milliseconds, name = line.split(";")[:3]
                found.append({name: float(milliseconds) / 1000})
        return found


@asynccontextmanager
async def sipp(
    directory: Path,
    scenario: str,
    target: tuple[str, int],
    dialed: str,
    *,
    rtp: int = 9,
    pause: float = 0.0,
    calls: int = 1,
    at_once: int = 1,
    fill: Mapping[str, str] | None = None,
) -> AsyncIterator[Sipp]:
    """Start a scenario of SCENARIOS; ended when the context is left.

    `pause`: seconds of its `<pause/>`. `rtp`: port that its SDP names. `fill`: what replaces `{name}` in the file.
    """
    binary = shutil.which("sipp")
    assert binary, "SIPp isn't installed (Debian: sip-tester)"
    file = _filled(directory, scenario, fill or {})
    command = [
        *(binary, f"{target[0]}:{target[1]}", "-sf", str(file), "-s", dialed, "-i", "127.0.0.1"),
        *("-p", str(free_port()), "-m", str(calls), "-r", str(at_once), "-l", str(at_once)),
        *("-d", str(round(pause * 1000)), "-key", "rtp", str(rtp), "-key", "caller", CALLER),
        *("-nostdin", "-timeout", "60", "-timeout_error", "-trace_err", "-trace_msg", "-trace_rtt", "-rtt_freq", "1"),
    ]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=directory,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield Sipp(process, directory)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _filled(directory: Path, scenario: str, fill: Mapping[str, str]) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    text = (SCENARIOS / f"{scenario}.xml").read_text()
    file = directory / f"{scenario}.xml"
    file.write_text(re.sub(r"\{(\w+)\}", lambda found: fill[found[1]], text))
    return file
