"""What a receiver counts: loss and jitter as RFC 3550 defines them (appendices A.1, A.3, A.8)."""

from __future__ import annotations

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
