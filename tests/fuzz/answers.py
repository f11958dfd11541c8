"""What the other side answers to calls that go out, with what reads it."""

from __future__ import annotations

from contextlib import suppress

import sipmessage
from sipmessage import URI, Address, Parameters

from gateway.edge.leg import header_attributes, written
from gateway.edge.outbound.dialing import Declined
from gateway.errors import PeerFault
from gateway.sip import ResponseArrived, bodies, reliable, routing, sdp, session_timer
from gateway.sip.dialog import Dialog
from gateway.sip.digest import Credentials
from gateway.sip.layer import TransactionLayer
from gateway.sip.message import request

_THERE = ("192.0.2.9", 5060)
_SECRET = bytes(range(sdp.MATERIAL))
_BRANCH = "b0"
_CODES = (100, 180, 183, 200, 302, 401, 407, 422)


def responses(data: bytes) -> None:
    """A response to an INVITE of ours: it is passed over, or what is made of it can be sent; and nothing is left of the call."""
    layer = TransactionLayer("192.0.2.1:5060", lambda: _BRANCH)
    whom = URI.parse("sip:b@h")
    us = Address(URI.parse("sip:us@h"), parameters=Parameters(tag="us"))
    invite = request(
        "INVITE", whom, sender=us, to=Address(whom), call_id="c", cseq=1, contact="sip:us@192.0.2.1",
        body=bytes(sdp.offer("192.0.2.1", 4000, session_id=1)), content_type=sdp.CONTENT_TYPE,
    )  # fmt: skip
    key, _ = layer.request(invite, _THERE, 0.0)
    for output in layer.receive(data, _THERE, 0.1):
        if isinstance(output, ResponseArrived):
            with suppress(PeerFault):
                dialog = _read(invite, output.response)
                layer.acknowledge(key, dialog.ack(), _THERE, 0.2)
    layer.cancel(key, 0.3)
    while (due := layer.deadline()) is not None:
        layer.poll(due)
    assert len(layer) == 0, "nothing is left of it"


def _read(invite: sipmessage.Request, response: sipmessage.Response) -> Dialog:
    """All that is looked at; what the call goes on with. Raises PeerFault."""
    routing.seen_as(response)
    _ = session_timer.settled(response), session_timer.demanded(response), reliable.number_of(response)
    _ = header_attributes(response, {"subject": "a"}, 2), written(response), Declined(response)
    Credentials("u", "p", "r").proof(invite, response, "c")
    dialog = Dialog.uac(invite, response)
    assert dialog.destination
    dialog.request("BYE")
    offered = sdp.offer("192.0.2.1", 4000, sdp.Encryption.ALLOW, _SECRET, session_id=1)
    sdp.accept(offered, sdp.parse(bodies.description(response)), sdp.Encryption.ALLOW)
    return dialog


def seeds() -> list[bytes]:
    """Answers of a carrier that uses all there is."""
    key = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
    described = (
        "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\n"
        f"a=rtpmap:101 telephone-event/8000\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^20\r\na=rtcp:4001\r\n"
    )
    head = (
        f"Via: SIP/2.0/UDP 192.0.2.1:5060;received=192.0.2.3;rport=5061;branch=z9hG4bK{_BRANCH}\r\nFrom: <sip:us@h>;tag=us\r\n"
        "To: <sip:b@h>;tag=them\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContact: <sip:b@192.0.2.9:5070>\r\n"
        "Record-Route: <sip:p@192.0.2.8;lr>, <sip:q@h2>\r\nSession-Expires: 1800;refresher=uas\r\nMin-SE: 90\r\n"
        'Require: 100rel, timer\r\nRSeq: 7\r\nAllow: UPDATE\r\nWWW-Authenticate: Digest realm="r", nonce="n", qop="auth"\r\n'
        'Proxy-Authenticate: Digest realm="r", nonce="n", stale=true, algorithm=SHA-256\r\nX-Twilio-Error: 1 x\r\n'
        f"Content-Type: application/sdp\r\nContent-Length: {len(described)}\r\n\r\n"
    )
    return [f"SIP/2.0 {code} So\r\n{head}{described}".encode() for code in _CODES]
