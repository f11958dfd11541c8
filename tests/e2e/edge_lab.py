"""The edge on real servers, in this process, so that a test can look for what it leaves behind."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from livekit import api

from gateway.app.edge import Running, running
from gateway.bus.callstate import CallState
from gateway.config import Settings
from tests.e2e.servers import RTP_PORTS, LiveKit, until
from tests.e2e.sip_lab import LOOPBACK, Made, Numbers, SipLab, listening, make_inbound

DIALED = "+15105550100"
GUARDED = "+15105550200"
PIN = "+15105550300"
QUICK = "+15105550400"
"""Rings 2 s at most, and lasts 3 s at most."""
SECRET = "+15105550500"
UNKNOWN = "+15105559999"
NUMBERS = Numbers(DIALED, GUARDED, PIN, QUICK, SECRET, UNKNOWN)


class Lab(SipLab):
    """An edge that serves, and what SIP services tell of calls."""

    def __init__(
        self, directory: Path, livekit: LiveKit, lk: api.LiveKitAPI, edge: Running, numbers: Numbers, prefix: str
    ) -> None:
        addresses = {transport: edge.edge.drivers[transport].address for transport in edge.edge.drivers.spoken}
        super().__init__(directory, livekit, lk, addresses, numbers, prefix=prefix)
        self.edge = edge

    def at(self, transport: str, host: str = "") -> tuple[str, int]:
        """Where the listener at `host` has that transport."""
        drivers = self.edge.edge.drivers.only(transport)
        return next(sip.address for sip in drivers if sip.address[0] == (host or LOOPBACK))

    async def nothing_left(self) -> None:
        """Return once no call, task or SIP participant is left of the calls that ended."""
        await until(lambda: len(self.edge.edge) == 0, 30)
        await super().nothing_left()


def rtp_ports() -> set[int]:
    """UDP ports of the edge's RTP range that this process holds now: the system gives others away to any process."""
    table = "".join(Path(f"/proc/self/net/{name}").read_text() for name in ("udp", "udp6"))
    sockets = (line.split() for line in table.splitlines() if ": " in line)
    ours = {os.readlink(each) for each in Path("/proc/self/fd").iterdir() if os.path.islink(each)}
    ports = {int(row[1].split(":")[1], 16) for row in sockets if f"socket:[{row[9]}]" in ours}
    return ports & set(RTP_PORTS)


def settings(redis_url: str, livekit: LiveKit, **more: object) -> Settings:
    """The edge's settings on these servers."""
    return Settings.model_validate(
        {
            "LIVEKIT_URL": livekit.url,
            "LIVEKIT_API_KEY": livekit.key,
            "LIVEKIT_API_SECRET": livekit.secret,
            "REDIS_URL": redis_url,
            "OFFHOOK_SIP_PORT": 0,
            "OFFHOOK_RTP_FIRST": RTP_PORTS.start,
            "OFFHOOK_RTP_LAST": RTP_PORTS.stop - 1,
            **more,
        }
    )


@asynccontextmanager
async def lab(directory: Path, redis_url: str, livekit: LiveKit, **more: object) -> AsyncIterator[Lab]:
    """The edge, and an ear on the bus that surely hears all that comes. `more`: its settings."""
    async with numbered(directory, redis_url, livekit, NUMBERS, "", lambda _: True, **more) as made:
        yield made


@asynccontextmanager
async def numbered(
    directory: Path,
    redis_url: str,
    livekit: LiveKit,
    numbers: Numbers,
    prefix: str,
    wanted: Callable[[CallState], bool],
    **more: object,
) -> AsyncIterator[Lab]:
    """The same for other numbers; `wanted` says which calls count."""
    lk = livekit.api()
    try:
        async with running(settings(redis_url, livekit, **more)) as edge:
            made = Lab(directory, livekit, lk, edge, numbers, prefix)
            async with listening(made, redis_url, wanted):
                yield made
    finally:
        await lk.aclose()


async def make_trunks(livekit: LiveKit) -> None:
    """The trunks and rules that the tests dial, through LiveKit's API."""
    lk = livekit.api()
    try:
        await make_inbound(lk, NUMBERS, Made())
    finally:
        await lk.aclose()


def open_sockets() -> int:
    """Sockets that this process holds."""
    count = 0
    for number in os.listdir("/proc/self/fd"):
        try:
            count += os.readlink(f"/proc/self/fd/{number}").startswith("socket:")
        except FileNotFoundError:
            continue
    return count
