"""SDP for telephones: `parse` and `str()`, `offer`, `answer`, `accept`.

UAS: `negotiated = answer(parse(request.body), host, port, session_id=…)`, send `bytes(negotiated.session)`, talk by
`negotiated.stream`. UAC: send `bytes(offered := offer(host, port, session_id=…))`, talk by
`accept(offered, parse(response.body))`. An INVITE without a body asks for an offer in the 200; the ACK answers it.
`CONTENT_TYPE` goes with the body.
"""

from __future__ import annotations

from gateway.sip.sdp.crypto import MATERIAL, Keys, Suite, renewed
from gateway.sip.sdp.model import EVENTS, G722, PCMA, PCMU, Attribute, Codec, Direction, Media, Origin, Session
from gateway.sip.sdp.negotiate import (
    CODECS,
    NOWHERE,
    Negotiated,
    SdpMismatch,
    Stream,
    accept,
    answer,
    offer,
    ranked,
    wanted,
)
from gateway.sip.sdp.read import SdpSyntaxError, parse
from gateway.terms.encryption import Encryption

CONTENT_TYPE = "application/sdp"

__all__ = [
    "CODECS",
    "CONTENT_TYPE",
    "EVENTS",
    "G722",
    "MATERIAL",
    "NOWHERE",
    "PCMA",
    "PCMU",
    "Attribute",
    "Codec",
    "Direction",
    "Encryption",
    "Keys",
    "Media",
    "Negotiated",
    "Origin",
    "SdpMismatch",
    "SdpSyntaxError",
    "Session",
    "Stream",
    "Suite",
    "accept",
    "answer",
    "offer",
    "parse",
    "ranked",
    "renewed",
    "wanted",
]
