"""G.711: µ-law and A-law by table look-up."""

from __future__ import annotations

from enum import StrEnum


class Codec(StrEnum):
    """The two laws, by their names in SDP (RFC 3551 section 6)."""

    PCMU = "PCMU"
    PCMA = "PCMA"

    @property
    def payload_type(self) -> int:
        """The static RTP payload type."""
        return 0 if self is Codec.PCMU else 8
