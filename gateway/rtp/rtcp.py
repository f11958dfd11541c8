"""Reports of how media gets through: RTCP sender and receiver reports (RFC 3550 section 6), without I/O.

control = Control(ssrc, name)
datagram = control.due(now, wall, sending, reception)    None but each few seconds
control.bye(now, wall, sending, source, reception)       the last, once a report was sent
control.receive(datagram, now)                           what the other side reports of what we send
control.round_trip, control.their_loss                   seconds, share of packets
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from gateway.rtp import RATE
from gateway.rtp.packet import unwrap
from gateway.rtp.statistics import Reception

SR, RR, SDES, BYE = 200, 201, 202, 203
INTERVAL = 5.0
"""Seconds between two reports (section 6.2: the minimum); each call's own are a little apart, by its SSRC."""
FIRST = 1.0
_EPOCH = 2_208_988_800
"""Seconds from NTP's epoch to Unix's."""
_HEADER = Struct("!BBHI")
_SENT = Struct("!IIIII")
_BLOCK = Struct("!IIIIII")
_MOST_LOST = 0x7FFFFF
_LONGEST_TRIP, _LEAST_TRIP = 10.0, 0.001
"""Seconds; a longer round trip is a peer's mistake, and a shorter one is less than two clocks can tell."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What we have sent so far."""

    packets: int
    octets: int
    """Of payload."""
    timestamp: int
    """RTP time of now."""


class Control:
    """The reports of one call, both ways. Times are seconds: `now` of any monotonic clock, `wall` since 1970."""

    def __init__(self, ssrc: int, name: str, now: float) -> None:
        """`name`: the CNAME (section 6.5.1), which says nothing of anybody."""
        self._ssrc, self._name = ssrc, name.encode()[:255]
        self._next = now + FIRST + ssrc % 997 / 997
        self._their_report: tuple[int, float] | None = None
        """The middle of the NTP time of their last report, and when it came."""
        self._before: tuple[int, int] = (0, 0)
        """Packets expected and lost up to our last report."""
        self._packets = 0
        self._present = False
        """A report of ours was made."""
        self._offset = 0.0
        """Of the wall clock, against the other."""
        self.round_trip = 0.0
        """Seconds, the latest; 0 while nobody has told."""
        self.their_loss = 0.0
        """Share of our packets that they told as lost in their last report."""
        self.their_lost = 0
        """Packets of ours that never came there."""
        self.reports = 0
        """Theirs that could be read."""

    def due(self, now: float, wall: float, sending: Sending, source: int | None, reception: Reception) -> bytes | None:
        """A compound packet to send now, or None. `source`: the SSRC that we hear, None for nobody."""
        if now < self._next:
            return None
        self._next, self._present = now + INTERVAL + (self._ssrc % 997 / 997 - 0.5), True
        return self._report(now, wall, sending, source, reception)

    def bye(self, now: float, wall: float, sending: Sending, source: int | None, reception: Reception) -> bytes | None:
        """A compound packet that tells that we leave (section 6.6); None where none has told that we are there (6.3.7)."""
        if not self._present:
            return None
        return self._report(now, wall, sending, source, reception) + self._packet(BYE, 1, b"")

    def _report(self, now: float, wall: float, sending: Sending, source: int | None, reception: Reception) -> bytes:
        """What every compound packet begins with (section 6.1)."""
        self._offset = wall - now
        blocks = b"" if source is None else self._block(source, reception, now)
        sent = sending.packets > self._packets
        self._packets = sending.packets
        if sent:
            high, low = _ntp(wall)
            own = _SENT.pack(high, low, sending.timestamp & 0xFFFFFFFF, sending.packets & 0xFFFFFFFF,
                             sending.octets & 0xFFFFFFFF)  # fmt: skip
            report = self._packet(SR, bool(blocks), own + blocks)
        else:
            report = self._packet(RR, bool(blocks), blocks)
        item = bytes((1, len(self._name))) + self._name + b"\0"
        return report + self._packet(SDES, 1, item + bytes(-len(item) % 4))

    def receive(self, datagram: bytes, now: float) -> None:
        """Take a compound packet; what can't be read of it is passed over."""
        while len(datagram) >= _HEADER.size:
            first, kind, words, _ = _HEADER.unpack_from(datagram)
            length = 4 * (words + 1)
            if first >> 6 != 2 or length > len(datagram):
                return
            packet, datagram = datagram[_HEADER.size : length], datagram[length:]
            if kind == SR and len(packet) >= _SENT.size:
                high, low = _SENT.unpack_from(packet)[:2]
                self._their_report = _middle(high, low), now
                packet = packet[_SENT.size :]
            if kind in (SR, RR):
                self.reports += 1
                self._read(packet, first & 0x1F, now)

    def _read(self, blocks: bytes, count: int, now: float) -> None:
        for at in range(0, min(count * _BLOCK.size, len(blocks) - _BLOCK.size + 1), _BLOCK.size):
            about, loss, _, _, last, delay = _BLOCK.unpack_from(blocks, at)
            if about != self._ssrc:
                continue
            self.their_loss = (loss >> 24) / 256
            lost = loss & 0xFFFFFF
            self.their_lost = max(0, lost - (1 << 24) if lost > _MOST_LOST else lost)
            if last:
                trip = unwrap(_middle(*_ntp(now + self._offset)) - last - delay, 0, 32) / 65536
                if -_LEAST_TRIP * 10 < trip < _LONGEST_TRIP:
                    self.round_trip = max(trip, _LEAST_TRIP)

    def _block(self, source: int, reception: Reception, now: float) -> bytes:
        expected, lost = reception.received + reception.lost, reception.lost
        more, missing = expected - self._before[0], lost - self._before[1]
        self._before = expected, lost
        fraction = min(255, max(0, 256 * missing // more)) if more > 0 else 0
        middle, came = self._their_report or (0, now)
        delay = max(0, int((now - came) * 65536))  # a late tick's time is before what came meanwhile
        packed = fraction << 24 | min(lost, _MOST_LOST)
        jitter = int(reception.jitter * RATE)
        return _BLOCK.pack(source, packed, reception.highest & 0xFFFFFFFF, jitter, middle, min(delay, 0xFFFFFFFF))

    def _packet(self, kind: int, count: int, body: bytes) -> bytes:
        return _HEADER.pack(0x80 | count, kind, len(body) // 4 + 1, self._ssrc) + body


def _ntp(wall: float) -> tuple[int, int]:
    """A time since 1970 as NTP's seconds and fraction, 32 bits each."""
    return (int(wall) + _EPOCH) & 0xFFFFFFFF, int(wall % 1 * 2**32)


def _middle(high: int, low: int) -> int:
    """The 32 bits of it that reports carry."""
    return (high & 0xFFFF) << 16 | low >> 16
