"""Whether a call's media is encrypted, as trunks and SDP mean it. Pure."""

from __future__ import annotations

from enum import StrEnum


class Encryption(StrEnum):
    """Whether media may, or must, be encrypted."""

    DISABLE = "disable"
    ALLOW = "allow"
    """Encrypted where the other side can do it; plain where it can't (RFC 8643)."""
    REQUIRE = "require"
