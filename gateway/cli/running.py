"""Which Redis a command talks to: the one that REDIS_URL names, else that of the gateway that runs here."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.config import Settings
from gateway.up import runfile


def redis_address(settings: Settings, environment: Mapping[str, str]) -> str:
    """Its URL."""
    running = runfile.read(settings.state)
    if running is not None and not environment.get("REDIS_URL"):
        return running.redis_url
    return settings.redis_url.get_secret_value()
