"""`offhook edge` as an operator runs it: a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from tests.e2e.servers import RTP_PORTS, LiveKit, free_port, until


@dataclass
class EdgeProcess:
    """One that serves."""

    process: asyncio.subprocess.Process
    address: tuple[str, int]
    """SIP over UDP."""
    http: str

    def ready(self) -> str:
        """What /readyz says; "" when nobody answers."""
        try:
            with urlopen(f"{self.http}/readyz", timeout=1) as answer:
                return str(answer.read().decode().strip())
        except HTTPError as told:
            return told.read().decode().strip()
        except OSError:
            return ""

    def metric(self, name: str) -> float:
        """What /metrics says of one without labels."""
        with urlopen(f"{self.http}/metrics", timeout=1) as answer:
            lines = answer.read().decode().splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))


@asynccontextmanager
async def edge_process(
    redis_url: str,
    livekit: LiveKit,
    *,
    run: tuple[str, ...] = ("gateway", "edge"),
    logs: Path | None = None,
    **more: str,
) -> AsyncIterator[EdgeProcess]:
    """Start it, with these settings too, as `run` says; killed when the context is left, if it hasn't ended by then. `logs`: a file
    for what it logs."""
    sip, http = free_port(), free_port()
    environment = {
        **os.environ,
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.key,
        "LIVEKIT_API_SECRET": livekit.secret,
        "REDIS_URL": redis_url,
        "OFFHOOK_SIP_PORT": str(sip),
        "OFFHOOK_HTTP_PORT": str(http),
        "OFFHOOK_RTP_FIRST": str(RTP_PORTS.start),
        "OFFHOOK_RTP_LAST": str(RTP_PORTS.stop - 1),
        **more,
    }
    with logs.open("wb") if logs is not None else nullcontext() as told:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *run, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=told
        )
    made = EdgeProcess(process, ("127.0.0.1", sip), f"http://127.0.0.1:{http}")
    try:
        await until(lambda: made.ready() == "ready", 20)
        yield made
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
