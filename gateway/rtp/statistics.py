"""What a receiver counts: loss and jitter as RFC 3550 defines them (appendices A.1, A.3, A.8)."""

from __future__ import annotations

from dataclasses import dataclass, fields

from gateway.rtp import RATE
from gateway.rtp.packet import unwrap

MAX_DROPOUT = 3000
"""Sequence numbers further ahead, or behind by more than MAX_MISORDER, mean that the sender started anew."""
MAX_MISORDER = 100
MAX_JUMP = 1.0
"""Seconds of change in transit time that are a new clock, not jitter."""


class Reception:
    """The packets of one source, whatever its restarts."""

    def __init__(self) -> None:
        self.received = 0
        self.jitter = 0.0
        """Interarrival jitter, seconds."""
        self._lost_before = 0
        self._received_before = 0
        self._first: int | None = None
        self._highest = 0
        self._transit: float | None = None

    @property
    def lost(self) -> int:
        """Packets expected less packets received; duplicates can hide losses but never make it negative."""
        return self._lost_before + self._lost_now()

    @property
    def highest(self) -> int:
        """The highest sequence number that came, with its wraps."""
        return self._highest

    def packet(self, sequence: int) -> int:
        """Count a packet; returns its sequence number unwrapped."""
        if self._first is None:
            self._first = self._highest = sequence
        number = unwrap(sequence, self._highest, 16)
        if not -MAX_MISORDER <= number - self._highest <= MAX_DROPOUT:
            self.restart()
            self._first = self._highest = number = sequence
        self._highest = max(self._highest, number)
        self._first = min(self._first, number)
        self.received += 1
        return number

    def timing(self, timestamp: int, at: float) -> None:
        """Measure an audio packet: RTP `timestamp` in samples, `at` its arrival in seconds."""
        transit = at - timestamp / RATE
        if self._transit is not None and abs(transit - self._transit) < MAX_JUMP:
            self.jitter += (abs(transit - self._transit) - self.jitter) / 16
        self._transit = transit

    def restart(self) -> None:
        """The source changed: count on from here, without calling the jump a loss."""
        self._lost_before += self._lost_now()
        self._received_before = self.received
        self._first = None
        self._transit = None

    def _lost_now(self) -> int:
        if self._first is None:
            return 0
        expected = self._highest - self._first + 1
        return max(0, expected - (self.received - self._received_before))


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts of one session, for records and metrics. Jitter and loss as in RFC 3550 (appendices A.3, A.8)."""

    sent: int = 0
    received: int = 0
    """Audio and key packets."""
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
    """Datagrams from the peer that are no RTP of ours: another payload type, a broken header."""
    forged: int = 0
    """Datagrams from the peer's address that weren't encrypted by the peer, or came again; or, where nothing is, that belong to
    a second stream beside the peer's."""
    dropped: int = 0
    """Frames that were left out of the send queue because it was full or too long."""
    round_trip: float = 0.0
    """Seconds to the peer and back, by its latest report (RTCP); 0 where it sends none."""
    lost_there: int = 0
    """Packets of ours that never came there, by its latest report."""
    reports: int = 0
    """Reports of the peer's that came."""
    underruns: int = 0
    """Times that the send queue ran empty in the middle of sound, so that silence went out."""

    def and_then(self, later: Statistics) -> Statistics:
        """The counts of both, one after the other: a call that went on at another port. Jitter and round trip are the
        later one's, once that has heard anything."""
        both = {each.name: getattr(self, each.name) + getattr(later, each.name) for each in fields(self)}
        newest = {
            "jitter": later.jitter if later.received else self.jitter,
            "round_trip": later.round_trip or self.round_trip,
        }
        return Statistics(**(both | newest))
