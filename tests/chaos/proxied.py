"""`offhook up` whose processes reach their servers through proxies: `python -m tests.chaos.proxied up …`.

OFFHOOK_CHAOS_PROXIES says, in JSON, by process at which port the proxy of each address stands; "" is every process that isn't
named. Health is asked directly.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from gateway.cli.main import run
from gateway.up import plan

PROXIES = "OFFHOOK_CHAOS_PROXIES"


def redirected(environment: Mapping[str, str], ports: Mapping[str, int]) -> dict[str, str]:
    """The environment, whose addresses lead to those ports."""
    return {name: _at(told, ports[name]) if name in ports else told for name, told in environment.items()}


def _at(url: str, port: int) -> str:
    parts = urlsplit(url)
    before, _, _ = parts.netloc.rpartition(":")
    return urlunsplit(parts._replace(netloc=f"{before}:{port}"))


def main() -> None:
    """Run the command with proxies between."""
    ports, usual = json.loads(os.environ[PROXIES]), plan.ours

    def ours(*arguments: Any) -> list[Any]:
        return [
            replace(child, environment=redirected(child.environment, ports.get(child.name, ports[""])))
            for child in usual(*arguments)
        ]

    plan.ours = ours
    run()


if __name__ == "__main__":
    main()
