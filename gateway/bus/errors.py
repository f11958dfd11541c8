"""What can go wrong on the bus.

Unavailable
├── BusDown       Redis can't be reached
├── NoServer      nobody serves the method
└── NoAnswer      the server that took the request didn't answer in time
PeerFault
└── BusSyntaxError  bytes on a channel that are no message of PSRPC
Refused
└── RemoteError   the server answered with an error
"""

from __future__ import annotations

from gateway.errors import PeerFault, Refused, Unavailable


class BusDown(Unavailable):
    """Redis can't be reached, or the connection broke while it was needed."""


class NoServer(Unavailable):
    """Nobody offered to handle the request: no livekit-server is on this Redis, or all are too busy."""


class NoAnswer(Unavailable):
    """The server that got the request didn't answer in time."""


class BusSyntaxError(PeerFault):
    """Bytes on a channel that are no PSRPC message."""


class RemoteError(Refused):
    """The other side answered with an error; raised by a handler, it becomes such an answer.

    `code` is one of PSRPC's words (`unavailable`, `not_found`, `internal` …). `sip` is the SIP status and text that
    livekit-server hands to whoever called its API (SipCallError), when the failure was one of SIP.
    """

    sip_status = 503

    def __init__(self, code: str, what: str, *, sip: tuple[int, str] | None = None) -> None:
        super().__init__(what)
        self.code = code
        self.sip = sip
