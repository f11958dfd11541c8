"""The port to encrypted media: what turns RTP into SRTP and back (RFC 3711)."""

from __future__ import annotations

from typing import Protocol

from gateway.errors import PeerFault


class NotGenuine(PeerFault):
    """A packet isn't its sender's: forged, changed on the way, or here before."""


class Shield(Protocol):
    """One call's encryption, both directions. Packets of several senders (SSRC) may come by it."""

    def seal(self, packet: bytes) -> bytes:
        """An RTP packet of ours as it goes out."""
        ...

    def open(self, datagram: bytes) -> bytes:
        """The RTP packet that came in a datagram. Raises NotGenuine."""
        ...

    def seal_report(self, packet: bytes) -> bytes:
        """An RTCP packet of ours as it goes out."""
        ...

    def open_report(self, datagram: bytes) -> bytes:
        """The RTCP packet that came in a datagram. Raises NotGenuine."""
        ...
