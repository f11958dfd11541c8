"""Whom media is taken from and sent to."""

from __future__ import annotations

HostPort = tuple[str, int]
"""An IP address in text and a UDP port."""
ANYWHERE = "*"
"""To learn the first sender of media, whoever it is."""
YIELDS_FOR = 5.0
"""Seconds for which whoever was learned gives way to the negotiated address."""
MOVES_AFTER = 0.5
"""Seconds of silence after which a peer's stream may go on at another port."""
ANY_PORT = 0


class Peer:
    """The negotiated address, or the one learned in its place.

    A phone behind a NAT sends from another address than its SDP says (symmetric RTP, RFC 4961). So the first sender at
    `learn_from`, the IP address its signalling came from, takes the negotiated address's place. That may be a stream of another
    call, whose peer hasn't noticed its end, as when a SIP service is killed, and which comes to the port that it had: a
    carrier's calls all come from one IP address. So the negotiated address takes its place back, in the first YIELDS_FOR
    seconds. Otherwise nobody else is heard once anybody was. With "" nothing is learned. ANYWHERE leaves the choice to
    chance and to attackers: it is for peers who can't be heard otherwise.

    A NAT may give a phone another port in the middle of a call. So where nothing has come for MOVES_AFTER, what comes from another
    port of the same IP address may be looked at: whoever does so has to see that it is the same stream.

    Times are seconds of one clock.
    """

    def __init__(self, negotiated: HostPort, learn_from: str = "") -> None:
        self.negotiated = negotiated
        self.learn_from = learn_from
        self.address = negotiated
        """Where media goes."""
        self._settled = not learn_from
        self._heard = False
        self._heard_at = 0.0
        self._yields_until = self._open_until = 0.0

    def only(self, at: float) -> HostPort | None:
        """The only one who can be heard from `at` on, once they were heard, with ANY_PORT where the port may be another; None:
        there may be another yet."""
        if not self._heard or self._yields(at) or self._open(at):
            return None
        return (self.address[0], ANY_PORT) if self._silent(at) else self.address

    def admits(self, source: HostPort, at: float) -> bool:
        """Whether a datagram that came from there may be looked at."""
        if source == self.address:
            return True
        if not self._settled or self._open(at):
            return self.learn_from in (source[0], ANYWHERE)
        return self.replaced(source, at)

    def replaced(self, source: HostPort, at: float) -> bool:
        """Whether it comes from the negotiated address, and another was learned before."""
        return source == self.negotiated != self.address and self._yields(at)

    def may_have_moved(self, source: HostPort, at: float) -> bool:
        """Whether a datagram that `admits` refuses is to be let through where it goes on with the stream that was heard."""
        return self._heard and source[0] == self.address[0] and self._silent(at)

    def reopen(self, learn_from: str, at: float) -> None:
        """The peer has settled anew on the address that it had, and signals from `learn_from`. If it is silent, or falls silent in
        the next YIELDS_FOR seconds, it may come from another, as at the beginning: a phone that has moved to another network may
        have begun its stream anew."""
        self.learn_from = learn_from
        self._open_until = at + YIELDS_FOR
        if self._heard and self._silent(at):
            self._settled, self._heard = not learn_from, False

    def heard(self, source: HostPort, at: float) -> None:
        """A datagram from there, which may be looked at, proved to be media."""
        learned = not self._settled or self._open(at)
        if learned and source not in (self.address, self.negotiated):
            self._yields_until = at + YIELDS_FOR
        self.address, self._settled, self._heard = source, True, True
        self._heard_at = max(at, self._heard_at)

    def _yields(self, at: float) -> bool:
        return self.address != self.negotiated and at < self._yields_until

    def _open(self, at: float) -> bool:
        return bool(self.learn_from) and self._heard and at < self._open_until and self._silent(at)

    def _silent(self, at: float) -> bool:
        return at - self._heard_at >= MOVES_AFTER
