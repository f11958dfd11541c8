"""`sips:` addresses: who uses one is promised TLS on every hop of a call, and answers with one (RFC 5630).

TLS alone promises nothing of the kind, it is one hop: `sip:…;transport=tls` stays what carriers write, and what we do.
"""

from __future__ import annotations

from collections.abc import Sequence

import sipmessage
from sipmessage import URI

from gateway.errors import PeerFault
from gateway.sip import lenient

SCHEME = "sips"


class SipsNotAllowed(PeerFault):
    """A sips: call didn't come by TLS, so its promise is broken before us: respond with its status and `headers`
    (RFC 5630 section 5.1.2)."""

    sip_status = 480

    def __init__(self, agent: str) -> None:
        """`agent`: our host and port, for the Warning."""
        super().__init__("A sips: call came by something else than TLS.", remedy="Call sip:, or by TLS.")
        self.headers: Sequence[tuple[str, str]] = (("Warning", f'380 {agent} "SIPS Not Allowed"'),)


def is_sips(uri: URI) -> bool:
    """Whether an address promises TLS all the way."""
    return uri.scheme == SCHEME


def wants_sips(request: sipmessage.Request) -> bool:
    """Whether a request that makes or refreshes a dialog wants a sips: Contact of us: by its Request-URI, else by its
    top Record-Route, else, without any, by its Contact (RFC 3261 section 12.1.1)."""
    if is_sips(request.uri):
        return True
    for name in ("Record-Route", "Contact"):
        if lines := request.headers.getlist(name):
            return _first_is_sips(lines[0])
    return False


def _first_is_sips(line: str) -> bool:
    try:
        return is_sips(lenient.address(next(lenient.split(line))).uri)
    except ValueError:
        return False  # whoever makes a dialog of it refuses what can't be read
