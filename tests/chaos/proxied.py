"""`offhook up` whose processes reach their servers through proxies: `python -m tests.chaos.proxied up …`.

OFFHOOK_CHAOS_PROXIES says, in JSON, by process at which port the proxy of each address stands; "" is every process that isn't
named. Health is asked directly. Where OFFHOOK_CHAOS_MEDIA names an address, livekit-server's clients look there for the UDP port of its
media, and have no other way.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import yaml

from gateway.app import up
from gateway.cli.main import run
from gateway.up import plan

PROXIES, MEDIA = "OFFHOOK_CHAOS_PROXIES", "OFFHOOK_CHAOS_MEDIA"


def redirected(environment: Mapping[str, str], ports: Mapping[str, int]) -> dict[str, str]:
    """The environment, whose addresses lead to those ports."""
    return {name: _at(told, ports[name]) if name in ports else told for name, told in environment.items()}


def _at(url: str, port: int) -> str:
    parts = urlsplit(url)
    before, _, _ = parts.netloc.rpartition(":")
    return urlunsplit(parts._replace(netloc=f"{before}:{port}"))


def with_media_by(config: str, address: str) -> str:
    """livekit.yaml whose clients look for its media there."""
    written = yaml.safe_load(config)
    # Without a TCP port livekit-server takes its usual one, which another may have.
    written["rtc"] |= {"tcp_port": 0, "node_ip": address, "use_ice_lite": True, "ips": {"includes": ["127.0.0.1/32"]}}
    return yaml.safe_dump(written)


def main() -> None:
    """Run the command with proxies between."""
    ports, usual = json.loads(os.environ[PROXIES]), plan.ours

    def ours(*arguments: Any) -> list[Any]:
        return [
            replace(child, environment=redirected(child.environment, ports.get(child.name, ports[""])))
            for child in usual(*arguments)
        ]

    plan.ours = ours
    if address := os.environ.get(MEDIA):
        config = up.livekit_config
        up.livekit_config = lambda **about: with_media_by(config(**about), address)
    run()


if __name__ == "__main__":
    main()
