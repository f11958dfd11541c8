"""What an operator may choose for `up`, and the ports that come of it."""

from __future__ import annotations

import errno
import random
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.errors import SetupFault

DEFAULT_PORTS = {
    "sip": 5060,
    "redis": 6390,
    "livekit": 7880,
    "livekit-tcp": 7881,
    "livekit-udp": 7882,
    "speech": 7890,
    "control": 7891,
    "edge": 7892,
    "worker-agents": 7893,
    "worker-house": 7894,
}
"""What each port is for: its default. Redis's isn't 6379, so that `up` runs beside a Redis of the machine."""


_AUTO = range(20_001, 32_768)
"""Above the edge's RTP, below what systems give to connections (Linux: ip_local_port_range)."""
_TRIES = 200


@dataclass(frozen=True, slots=True)
class Options:
    """The choices. Addresses given for LiveKit or Redis mean: use these, start none."""

    state: Path
    host: str = "127.0.0.1"
    embedded_sip: bool = True
    livekit_url: str = ""
    livekit_api_key: str = ""
    livekit_api_secret: str = field(default="", repr=False)
    redis_url: str = field(default="", repr=False)
    trunk_file: Path = Path("sip-trunk.example.yaml")
    ports: dict[str, int] = field(default_factory=lambda: dict(DEFAULT_PORTS))
    patience: float = 60.0
    """Seconds that each process of ours may take until it serves."""


def check_options(options: Options) -> None:
    """Raise SetupFault for choices that can't work together."""
    if options.livekit_url and not (options.livekit_api_key and options.livekit_api_secret):
        raise SetupFault(
            "LIVEKIT_URL names a server, but its key is missing.", remedy="Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET."
        )


def choose_ports(host: str, *, auto: str = "", named: Sequence[str] = (), sip: int | None = None) -> dict[str, int]:
    """The ports: defaults, or free ones when `auto` is "auto", then each `NAME=NUMBER` of `named`, then `sip`.

    Raises SetupFault for a name or number that isn't one.
    """
    if auto not in {"", "auto"}:
        raise SetupFault(f"--ports {auto} is not known.", remedy="Say --ports auto, or --port NAME=NUMBER.")
    ports = free_ports(host) if auto else dict(DEFAULT_PORTS)
    for one in named:
        name, _, number = one.partition("=")
        if name not in DEFAULT_PORTS or not number.isdigit() or not 0 < int(number) < 65536:
            raise SetupFault(
                f"--port {one} can't be used.",
                remedy=f"Write NAME=NUMBER, 1 to 65535, with a name of {', '.join(DEFAULT_PORTS)}.",
            )
        ports[name] = int(number)
    return ports if sip is None else {**ports, "sip": sip}


def free_ports(host: str) -> dict[str, int]:
    """A free port for every name, for TCP and UDP alike. Raises SetupFault when the host can't be bound.

    They are of _AUTO: one that the system would choose may serve somebody's connection as its own end a moment later.
    """
    held: list[socket.socket] = []
    found: list[int] = []
    refused = OSError(errno.EADDRINUSE, "every port is taken")
    try:
        for port in random.sample(_AUTO, _TRIES):
            try:
                held.extend(_bound(host, port, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))
            except OSError as bad:
                refused = bad
                continue
            found.append(port)
            if len(found) == len(DEFAULT_PORTS):
                return dict(zip(DEFAULT_PORTS, found, strict=True))
        raise SetupFault(f"{host} can't be bound: {refused.strerror}.", remedy="Choose another --host.")
    finally:
        for sock in held:
            sock.close()


def check_port(host: str, name: str, port: int) -> None:
    """Raise SetupFault when something else holds the port."""
    kinds = {"sip": (socket.SOCK_DGRAM,), "livekit-udp": (socket.SOCK_DGRAM,)}.get(name, (socket.SOCK_STREAM,))
    for kind in kinds:
        try:
            _bound(host, port, kind).close()
        except OSError as bad:
            raise SetupFault(
                f"Port {port} ({name}) on {host} can't be had: {(bad.strerror or '').lower()}.",
                remedy=f"Stop what uses it, or choose another with --port {name}=NUMBER.",
            ) from bad


def _bound(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    if kind == socket.SOCK_STREAM:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        if kind == socket.SOCK_STREAM:
            sock.listen(1)
    except OSError:
        sock.close()
        raise
    return sock
