"""Which SIP service the suite runs against: our edge, in this process, or the one that the environment names.

README.md, one directory up, says how to use it. These are all the names:
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.sip import HostPort
from tests.e2e.servers import LiveKit

TARGET = "SIP_CONTRACT_TARGET"
"""host:port of its SIP over UDP, by IP address. Without it the suite brings up our edge and its servers."""
TCP = "SIP_CONTRACT_TCP"
"""Port of its SIP over TCP; without it those tests are skipped."""
TLS = "SIP_CONTRACT_TLS"
"""Port of its SIP over TLS; without it those tests are skipped."""
TLS_CA = "SIP_CONTRACT_TLS_CA"
"""PEM file that vouches for its certificate."""
LIVEKIT_URL = "SIP_CONTRACT_LIVEKIT_URL"
LIVEKIT_KEY = "SIP_CONTRACT_LIVEKIT_KEY"
LIVEKIT_SECRET = "SIP_CONTRACT_LIVEKIT_SECRET"
REDIS = "SIP_CONTRACT_REDIS"
"""URL of the Redis that both use."""
LOCAL = "SIP_CONTRACT_LOCAL"
"""Our IP address, of callers and callees, as the service reaches it; by default loopback."""
SERVICE = "SIP_CONTRACT_SERVICE"
"""What it is: `livekit-sip`, which may fail where it is known to differ, by default; or `offhook`, which may not."""
NEEDED = (LIVEKIT_URL, LIVEKIT_KEY, LIVEKIT_SECRET, REDIS)


class TargetError(Exception):
    """The environment doesn't say enough of the target; the text is for the person at the terminal."""


@dataclass(frozen=True)
class Target:
    """A SIP service that somebody else runs."""

    addresses: Mapping[str, HostPort]
    """By transport."""
    livekit: LiveKit
    redis_url: str
    local: str
    authority: Path | None
    differs: bool
    """It is livekit-sip, not our edge."""


def read(environment: Mapping[str, str]) -> Target | None:
    """The target; None when none is named. Raises TargetError."""
    if not environment.get(TARGET):
        return None
    missing = [name for name in NEEDED if not environment.get(name)]
    if missing:
        raise TargetError(f"{TARGET} is set, {' and '.join(missing)} not.")
    host, _, port = environment[TARGET].rpartition(":")
    host = host.strip("[]")
    service = environment.get(SERVICE) or "livekit-sip"
    if not host or not port.isdecimal() or service not in ("livekit-sip", "offhook"):
        raise TargetError(f"{TARGET} is written host:port, {SERVICE} livekit-sip or offhook.")
    ports = {"UDP": port, "TCP": environment.get(TCP), "TLS": environment.get(TLS)}
    authority = environment.get(TLS_CA)
    return Target(
        {transport: (host, int(at)) for transport, at in ports.items() if at},
        LiveKit(*(environment[name] for name in NEEDED[:3])),
        environment[REDIS],
        environment.get(LOCAL) or ("::1" if ":" in host else "127.0.0.1"),
        Path(authority) if authority else None,
        service == "livekit-sip",
    )
