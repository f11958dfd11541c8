"""Whom media is taken from and sent to."""

from __future__ import annotations

HostPort = tuple[str, int]
"""An IP address in text and a UDP port."""
ANYWHERE = "*"
"""To learn the first sender of media, whoever it is."""
YIELDS_FOR = 5.0
"""Seconds for which whoever was learned gives way to the negotiated address."""


class Peer:
    """The negotiated address, or the one learned in its place.

    A phone behind a NAT sends from another address than its SDP says (symmetric RTP, RFC 4961). So the first sender at
    `learn_from`, the IP address its signalling came from, takes the negotiated address's place. That may be a stream of another
    call, whose peer hasn't noticed its end, as when a SIP service is killed, and which comes to the port that it had: a
    carrier's calls all come from one IP address. So the negotiated address takes its place back, in the first YIELDS_FOR
    seconds. Otherwise nobody else is heard once anybody was. With "" nothing is learned. ANYWHERE leaves the choice to
    chance and to attackers: it is for peers who can't be heard otherwise.

    Times are seconds of one clock.
    """

    def __init__(self, negotiated: HostPort, learn_from: str = "") -> None:
        self.negotiated = negotiated
        self.learn_from = learn_from
        self.address = negotiated
        """Where media goes."""
        self._settled = not learn_from
        self._heard = False
        self._yields_until = 0.0

    def only(self, at: float) -> HostPort | None:
        """The only one who can be heard from `at` on, once they were heard; None: there may be another yet."""
        return self.address if self._heard and not self._yields(at) else None

    def admits(self, source: HostPort, at: float) -> bool:
        """Whether a datagram that came from there may be looked at."""
        if source == self.address:
            return True
        if not self._settled:
            return self.learn_from in (source[0], ANYWHERE)
        return self.replaced(source, at)

    def replaced(self, source: HostPort, at: float) -> bool:
        """Whether it comes from the negotiated address, and another was learned before."""
        return source == self.negotiated != self.address and self._yields(at)

    def heard(self, source: HostPort, at: float) -> None:
        """A datagram from there, which `admits` let through, proved to be media."""
        if not self._settled and source != self.negotiated:
            self._yields_until = at + YIELDS_FOR
        self.address, self._settled, self._heard = source, True, True

    def _yields(self, at: float) -> bool:
        return self.address != self.negotiated and at < self._yields_until
