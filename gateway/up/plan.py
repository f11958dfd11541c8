"""From the operator's options to the children that run. Pure but for finding the programs."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.up.children import Check, Child
from gateway.up.options import Options


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets of this start; random where `up` starts the server itself."""

    livekit_key: str
    livekit_secret: str = field(repr=False)
    redis_password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything is reached."""

    livekit_url: str
    redis_url: str = field(repr=False)
    speech_url: str
    webhook: str
    http: Mapping[str, str]
    sip: str


def addresses(options: Options, secrets: Secrets) -> Addresses:
    """The addresses that follow from the options."""
    host, ports = options.host, options.ports
    http = {name: f"http://{host}:{ports[name]}" for name in OURS}
    return Addresses(
        livekit_url=options.livekit_url or f"ws://{host}:{ports['livekit']}",
        redis_url=options.redis_url or f"redis://:{secrets.redis_password}@{host}:{ports['redis']}/0",
        speech_url=http["speech"],
        webhook=f"{http['control']}/livekit/webhook",
        http=http,
        sip=f"{host}:{ports['sip']}" if options.embedded_sip else "",
    )


OURS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "speech": (("speech",), ()),
    "edge": (("edge",), ("livekit-server",)),
    "control": (("control",), ("livekit-server",)),
    "worker-agents": (("worker", "--pool", "agents"), ("livekit-server", "speech")),
    "worker-house": (("worker", "--pool", "house"), ("livekit-server",)),
}
"""Our processes: the arguments of `offhook`, and what must serve before each starts."""


def installed() -> list[str]:
    """The processes of ours whose command this version has."""
    return [name for name, (words, _) in OURS.items() if importlib.util.find_spec(f"gateway.cli.{words[0]}")]


def servers(options: Options, where: Addresses, programs: Mapping[str, str], state: Path) -> list[Child]:
    """Redis and livekit-server, unless the options name running ones. `programs`: name → path of its binary."""
    children: list[Child] = []
    if not options.redis_url:
        children.append(Child("redis", (programs["redis"], str(state / "redis.conf")), Check.REDIS, where.redis_url))
    if not options.livekit_url:
        command = (programs["livekit-server"], "--config", str(state / "livekit.yaml"))
        address = where.livekit_url.replace("ws", "http", 1)
        children.append(Child("livekit-server", command, Check.HTTP, address, after=("redis",)))
    return children


def ours(options: Options, where: Addresses, secrets: Secrets, names: list[str]) -> list[Child]:
    """The processes of ours that `names` asks for, with all they need to know in their environment."""
    shared = {
        "LIVEKIT_URL": where.livekit_url,
        "LIVEKIT_API_KEY": secrets.livekit_key,
        "LIVEKIT_API_SECRET": secrets.livekit_secret,
        "REDIS_URL": where.redis_url,
        "OFFHOOK_STATE": str(options.state),
        "OFFHOOK_HOST": options.host,
        "OFFHOOK_SPEECH_URL": where.speech_url,
        "OFFHOOK_SIP_HOST": options.host,
        "OFFHOOK_SIP_PORT": str(options.ports["sip"]),
        "PYTHONUNBUFFERED": "1",
    }
    children = []
    for name in names:
        if name == "edge" and not options.embedded_sip:
            continue
        words, after = OURS[name]
        # Ctrl-C ends everything: calls that went on without the rest would only be cut a moment later.
        own = {"OFFHOOK_DRAIN_SECONDS": "0"} if name == "edge" else {}
        children.append(
            Child(
                name,
                (sys.executable, "-m", "gateway", *words),
                Check.HTTP,
                f"{where.http[name]}/readyz",
                environment={**shared, **own, "OFFHOOK_HTTP_PORT": str(options.ports[name])},
                after=after,
                patience=options.patience,
            )
        )
    return children
