"""Runs SIPp (Debian's sip-tester), a SIP implementation that nobody here wrote, as a caller or a callee.

Media isn't SIPp's: the scenarios name an RTP port that the test itself serves.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.servers import free_port, until

SCENARIOS = Path(__file__).parent / "sipp"
CALLER = "+15105550123"


@dataclass
class Sipp:
    """A SIPp that runs one scenario."""

    process: asyncio.subprocess.Process
    directory: Path
    own: tuple[str, int]
    """Where it is reached."""

    async def ended(self, within: float = 30.0) -> None:
        """Wait for its end; AssertionError with its messages unless every call went as the scenario says."""
        async with asyncio.timeout(within):
            status = await self.process.wait()
        assert status == 0, f"SIPp ended with {status}:\n{self.report()}"

    def go_on(self) -> None:
        """Let the only call of a scenario over UDP go on, where it waits for that: it gets an OPTIONS of ours, with the
        names of its dialog, since SIPp copies those of the latest message."""
        answered = self._messages().replace("\r", "").rpartition("\nSIP/2.0 200")[2].partition("\n\n")[0]
        names = [line for line in answered.splitlines() if line.startswith(("From:", "To:", "Call-ID:"))]
        via = f"Via: SIP/2.0/UDP 192.0.2.1:9;branch=z9hG4bK{secrets.token_hex(8)}"
        lines = ["OPTIONS sip:go SIP/2.0", via, *names, "CSeq: 1 OPTIONS", "Content-Length: 0", "", ""]
        with socket.socket(socket.AF_INET6 if ":" in self.own[0] else socket.AF_INET, socket.SOCK_DGRAM) as ours:
            ours.sendto("\r\n".join(lines).encode(), self.own)

    def _messages(self) -> str:
        return "".join(file.read_text(errors="replace") for file in self.directory.glob("*messages*"))

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


def hostport(where: tuple[str, int]) -> str:
    """An address as URIs write it."""
    host, port = where
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


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
    transport: str = "UDP",
    media: str = "",
    local: str = "127.0.0.1",
) -> AsyncIterator[Sipp]:
    """Start a scenario of SCENARIOS, or one that `sipp_steps` wrote; ended when the context is left.

    `pause`: seconds of its `<pause/>`, or at most until `Sipp.go_on`. `rtp`, `media`: port and address that its SDP names, by default the one that it
    calls from. `fill`: what replaces `{name}` in the file. `local`: our address.
    """
    arguments = (
        *(hostport(target), "-s", dialed, "-r", str(at_once), "-l", str(at_once)),
        *(("-rp", "20") if calls == 1 else ()),  # SIPp waits that long before its first call, a second by default
        *(*_how(transport), *(("-mi", media) if media else ())),
    )
    own = (local, free_port(local))
    async with _running(directory, scenario, fill or {}, own, rtp, pause, calls, arguments) as made:
        yield made


@asynccontextmanager
async def callee(
    directory: Path,
    scenario: str,
    *,
    rtp: int = 9,
    pause: float = 0.0,
    calls: int = 1,
    fill: Mapping[str, str] | None = None,
    transport: str = "UDP",
    local: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[tuple[Sipp, int]]:
    """Start a scenario of SCENARIOS that waits for calls at an address of ours; with the port that it waits at, by
    default a free one."""
    port = port or free_port(local)
    async with _running(directory, scenario, fill or {}, (local, port), rtp, pause, calls, _how(transport)) as made:
        table = transport.lower() + ("6" if ":" in local else "")
        await until(lambda: _listens(port, table))
        yield made, port


def _how(transport: str) -> tuple[str, ...]:
    return ("-t", "t1") if transport == "TCP" else ()


def _listens(port: int, table: str) -> bool:
    lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    return any(int(line.split()[1].rpartition(":")[2], 16) == port for line in lines)


@asynccontextmanager
async def _running(
    directory: Path,
    scenario: str,
    fill: Mapping[str, str],
    own: tuple[str, int],
    rtp: int,
    pause: float,
    calls: int,
    arguments: tuple[str, ...],
) -> AsyncIterator[Sipp]:
    binary = shutil.which("sipp")
    assert binary, "SIPp isn't installed (Debian: sip-tester)"
    command = [
        *(
            binary,
            *arguments,
            "-sf",
            str(_filled(directory, scenario, {"pause": str(max(1, round(pause * 1000))), **fill})),
        ),
        *("-i", f"[{own[0]}]" if ":" in own[0] else own[0], "-p", str(own[1]), "-m", str(calls)),
        *("-d", str(round(pause * 1000)), "-key", "rtp", str(rtp), "-key", "caller", CALLER),
        *(
            "-nostdin",
            "-timeout",
            str(60 + round(pause)),
            "-timeout_error",
            "-trace_err",
            "-trace_msg",
            "-trace_rtt",
            "-rtt_freq",
            "1",
        ),
    ]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=directory,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield Sipp(process, directory, own)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _filled(directory: Path, scenario: str, fill: Mapping[str, str]) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    if scenario.startswith("<"):
        file = directory / "steps.xml"
        file.write_text(scenario)
        return file
    text = (SCENARIOS / f"{scenario}.xml").read_text()
    file = directory / f"{scenario}.xml"
    file.write_text(re.sub(r"\{(\w+)\}", lambda found: fill[found[1]], text))
    return file
