"""One call's RTP, both directions, without I/O."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.rtp.g711 import Codec


@dataclass(frozen=True, slots=True)
class Format:
    """What SDP settled on. PCMU and PCMA at their static types are understood whatever stands here."""

    codec: Codec
    payload_type: int = -1
    """RTP payload type that we send `codec` with and also understand; -1 for the codec's static one."""
    event_type: int | None = None
    """Payload type of telephone-event/8000; None when keys weren't negotiated: they are then sent as tones."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts of one session, for records and metrics. Jitter and loss as in RFC 3550 (appendices A.3, A.8)."""

    sent: int = 0
    received: int = 0
    lost: int = 0
    """Expected less received; never negative."""
    jitter: float = 0.0
    """Interarrival jitter, seconds."""
    late: int = 0
    """Packets that came after their time to be heard."""
    concealed: int = 0
    """Frames made up because packets were missing."""
    foreign: int = 0
    """Datagrams from an address other than the peer's."""
    malformed: int = 0
    dropped: int = 0
    """Frames that `send` pushed out of the full queue."""
    underruns: int = 0
    """Ticks in mid-stream that found nothing to send, so that silence went out."""
