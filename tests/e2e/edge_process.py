"""`offhook edge` as an operator runs it: in a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.request import urlopen

from tests.e2e.servers import RTP_PORTS, LiveKit, free_port, until


@asynccontextmanager
async def edge_process(
    redis_url: str, livekit: LiveKit, **more: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, int, str]]:
    """The edge, ready; with its SIP port and its HTTP address. `more`: its settings."""
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
    edge = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "edge", env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await until(lambda: readiness(f"http://127.0.0.1:{http}") == "ready", 20)
        yield edge, sip, f"http://127.0.0.1:{http}"
    finally:
        if edge.returncode is None:
            edge.kill()
        await edge.wait()


def readiness(http: str) -> str:
    """What it says of itself at that address; "" while it says nothing."""
    try:
        with urlopen(f"{http}/readyz", timeout=1) as answer:
            return str(answer.read().decode().strip())
    except OSError as bad:
        return bad.read().decode().strip() if hasattr(bad, "read") else ""
