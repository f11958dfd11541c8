"""`offhook up` whose livekit-server tells one more of what happens in its rooms: `python -m tests.soak.tapped up …`.

OFFHOOK_SOAK_TAP is the address that is told.
"""

from __future__ import annotations

import os
from typing import Any

import yaml

from gateway.app import up
from gateway.cli.main import run

TAP = "OFFHOOK_SOAK_TAP"


def tapped(config: str, address: str) -> str:
    """livekit.yaml with that address among those that are told."""
    written = yaml.safe_load(config)
    written["webhook"]["urls"].append(address)
    return yaml.safe_dump(written)


def main() -> None:
    """Run the command with the tap."""
    usual, address = up.livekit_config, os.environ[TAP]

    def config(**about: Any) -> str:
        return tapped(usual(**about), address)

    up.livekit_config = config
    run()


if __name__ == "__main__":
    main()
