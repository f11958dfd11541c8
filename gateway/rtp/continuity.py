"""Whose stream a call's audio is, when datagrams that bear the peer's address carry several. Pure.

UDP lets anybody write another's address on what they send. Who does so without seeing the call's packets knows neither its source
(SSRC) nor where its numbers stand, so that their stream is a second one beside the first. RFC 3550 appendix A.1 lets a source
wait until it has shown itself to be one; here a second waits until the first has fallen silent, and gives way as soon as that
goes on. Who sees the packets can go on with their numbers: against them only encryption helps.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.rtp.packet import unwrap
from gateway.rtp.statistics import MAX_DROPOUT, MAX_MISORDER

ESTABLISHED = 50
"""Packets (1 s) after which a stream is defended: a call may begin with several, as announcements go over to people."""
QUIET = 0.1
"""Seconds after which a stream counts as ended, so that another's first packets may be lost for as long: five frames, or more
than one of the longest packets."""


@dataclass(slots=True)
class _Stream:
    ssrc: int
    highest: int
    at: float
    """When its latest packet came."""
    packets: int = 1

    def goes_on(self, ssrc: int, sequence: int) -> bool:
        """Whether a packet is the next of it, or a few further on or back."""
        if ssrc != self.ssrc:
            return False
        return -MAX_MISORDER <= unwrap(sequence, self.highest, 16) - self.highest <= MAX_DROPOUT

    def before(self, sequence: int) -> bool:
        """Whether a packet of it is later than all that came."""
        return unwrap(sequence, self.highest, 16) > self.highest

    def take(self, sequence: int, at: float) -> None:
        """Count a packet of it."""
        self.highest = max(self.highest, unwrap(sequence, self.highest, 16))
        self.at = max(self.at, at)
        self.packets += 1


class Continuity:
    """Of one call's audio, as long as that isn't encrypted."""

    def __init__(self) -> None:
        self._now: _Stream | None = None
        self._before: _Stream | None = None
        """What was established, and fell silent for long enough that another took its place."""

    def admits(self, ssrc: int, sequence: int, at: float) -> bool:
        """Whether a packet that came at `at` belongs to the stream that counts, which it may begin."""
        if self._now is None or self._now.goes_on(ssrc, sequence):
            return self._taken(self._now, ssrc, sequence, at)
        if self._before is not None and self._before.goes_on(ssrc, sequence):
            return self._taken(self._before, ssrc, sequence, at)
        if self._now.packets < ESTABLISHED:
            return self._taken(None, ssrc, sequence, at)
        if at - self._now.at < QUIET:
            return False
        self._before = self._now
        return self._taken(None, ssrc, sequence, at)

    def goes_on(self, ssrc: int, sequence: int) -> bool:
        """Whether a packet is a later one of the stream that counts, wherever it comes from."""
        return self._now is not None and self._now.goes_on(ssrc, sequence) and self._now.before(sequence)

    def _taken(self, stream: _Stream | None, ssrc: int, sequence: int, at: float) -> bool:
        if stream is None:
            self._now = _Stream(ssrc, sequence, at)
            return True
        if stream is self._before:
            self._before = None
        stream.take(sequence, at)
        self._now = stream
        return True
