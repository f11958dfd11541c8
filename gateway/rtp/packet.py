"""RTP packets: bytes to values and back (RFC 3550 section 5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct

from gateway.errors import PeerFault

_HEADER = Struct("!BBHII")
_EXTENSION = Struct("!HH")


class RtpSyntaxError(PeerFault):
    """A datagram is no RTP packet. The message never quotes it."""


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet. Contributing sources, header extension and padding are read over and not kept."""

    payload_type: int
    sequence: int
    """16 bits."""
    timestamp: int
    """32 bits, in the payload's clock."""
    ssrc: int
    payload: bytes = field(repr=False)
    marker: bool = False


def parse(datagram: bytes) -> RtpPacket:
    """Read one datagram. Raises RtpSyntaxError; check `is_rtcp` first where both may come."""
    if len(datagram) < _HEADER.size:
        raise RtpSyntaxError("the datagram is shorter than an RTP header")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(datagram)
    if first >> 6 != 2:
        raise RtpSyntaxError("the datagram's RTP version isn't 2")
    start = _HEADER.size + 4 * (first & 0x0F)
    end = len(datagram)
    if first & 0x10:
        if end < start + 4:
            raise RtpSyntaxError("the RTP header extension is cut short")
        start += 4 + 4 * _EXTENSION.unpack_from(datagram, start)[1]
    if first & 0x20:
        end -= datagram[-1] or len(datagram)
    if end < start:
        raise RtpSyntaxError("the RTP packet is shorter than its header says")
    return RtpPacket(second & 0x7F, sequence, timestamp, ssrc, datagram[start:end], bool(second & 0x80))


def write(packet: RtpPacket) -> bytes:
    """The packet's bytes. Sequence number and timestamp are cut to their 16 and 32 bits."""
    second = packet.payload_type | (0x80 if packet.marker else 0)
    header = _HEADER.pack(0x80, second, packet.sequence & 0xFFFF, packet.timestamp & 0xFFFFFFFF, packet.ssrc)
    return header + packet.payload


def is_rtcp(datagram: bytes) -> bool:
    """Whether a datagram on the RTP port is RTCP (RFC 5761 section 4)."""
    return len(datagram) >= 2 and 192 <= datagram[1] <= 223


def unwrap(value: int, near: int, bits: int) -> int:
    """The number congruent to `value` modulo 2**bits that lies nearest to `near`: a counter without its wrap."""
    half = 1 << (bits - 1)
    return near + ((value - near + half) & ((1 << bits) - 1)) - half
