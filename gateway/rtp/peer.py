"""Whom media is taken from and sent to."""

from __future__ import annotations

HostPort = tuple[str, int]
"""An IP address in text and a UDP port."""
ANYWHERE = "*"
"""To learn the first sender of media, whoever it is."""


class Peer:
    """The negotiated address, or the one learned in its place.

    A phone behind a NAT sends from another address than its SDP says (symmetric RTP, RFC 4961). So the first sender at
    `learn_from`, the IP address its signalling came from, takes the negotiated address's place; once anybody was
    heard, nobody else is. With "" nothing is learned. ANYWHERE leaves the choice to chance and to attackers: it is for
    peers who can't be heard otherwise.
    """

    def __init__(self, negotiated: HostPort, learn_from: str = "") -> None:
        self.negotiated = negotiated
        self.learn_from = learn_from
        self.address = negotiated
        """Where media goes."""
        self.locked: HostPort | None = None
        """The only one who can be heard from now on, once they were heard."""
        self._settled = not learn_from

    def admits(self, source: HostPort) -> bool:
        """Whether a datagram from there may be looked at."""
        return source == self.address or (not self._settled and self.learn_from in (source[0], ANYWHERE))

    def heard(self, source: HostPort) -> None:
        """A datagram from there, which `admits` let through, proved to be media."""
        self.address = self.locked = source
        self._settled = True
