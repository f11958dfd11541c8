"""Names of the Redis channels (psrpc, pkg/info/channels.go: the `Legacy` names, which Redis uses). Pure."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[^0-9A-Za-z_]")


def request(service: str, method: str, topic: str = "") -> str:
    """Where requests to a method are published."""
    return _join(service, method, topic, "REQ")


def grant(service: str, method: str, topic: str = "") -> str:
    """Where clients publish which server may handle a request."""
    return _join(service, method, topic, "RCLAIM")


def claim(service: str, client: str) -> str:
    """Where servers bid for a client's requests."""
    return _join(service, client, "CLAIM")


def response(service: str, client: str) -> str:
    """Where servers answer a client."""
    return _join(service, client, "RES")


def _join(*parts: str) -> str:
    return "|".join(_PLAIN.sub(_escape, part) for part in parts if part)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"u+{code:04x}" if code < 0x10000 else f"U+{code:08x}"
