"""A layer, a peer's requests and ours, and what comes of them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

import sipmessage
from sipmessage import URI, Address, Parameters

from gateway.sip import Output, RequestArrived, Send, TransactionKey, message
from gateway.sip.layer import TransactionLayer
from gateway.sip.message import encode, parse, respond

PEER = ("192.0.2.9", 5062)
US = "192.0.2.1:5060"


def layer(limit: int = 100) -> TransactionLayer:
    numbers = count()
    return TransactionLayer(US, lambda: f"b{next(numbers)}", limit=limit)


def arriving(
    method: str = "INVITE",
    *,
    branch: str = "z9hG4bKa",
    cseq: int = 1,
    tag: str = "",
    call_id: str = "c1",
    via: str = "",
    sequence_of: str = "",
) -> bytes:
    to = f"<sip:+15105550100@192.0.2.1>{';tag=' if tag else ''}{tag}"
    return (
        f"{method} sip:+15105550100@192.0.2.1 SIP/2.0\r\n"
        f"Via: {via or f'SIP/2.0/UDP 192.0.2.9:5062;branch={branch}'}\r\n"
        f"From: <sip:+12125550000@192.0.2.9>;tag=f1\r\nTo: {to}\r\nCall-ID: {call_id}\r\n"
        f"CSeq: {cseq} {sequence_of or method}\r\nContact: <sip:192.0.2.9:5062>\r\n\r\n"
    ).encode()


def ours(method: str = "INVITE", to_tag: str = "") -> sipmessage.Request:
    to = Parameters(tag=to_tag) if to_tag else Parameters()
    uri = URI.parse("sip:b@192.0.2.9:5062")
    return message.request(
        method,
        uri,
        sender=Address(URI.parse("sip:a@192.0.2.1"), parameters=Parameters(tag="mine")),
        to=Address(uri, parameters=to),
        call_id="c9",
        cseq=4,
        contact="sip:192.0.2.1",
        headers=[("Route", "<sip:192.0.2.9:5062;lr>")],
    )


def sent(outputs: Iterable[Output]) -> list[sipmessage.Request | sipmessage.Response]:
    messages = [parse(output.data) for output in outputs if isinstance(output, Send)]
    return [each for each in messages if each is not None]


def codes(outputs: Iterable[Output]) -> list[int]:
    return [each.code for each in sent(outputs) if isinstance(each, sipmessage.Response)]


def methods(outputs: Iterable[Output]) -> list[str]:
    return [each.method for each in sent(outputs) if isinstance(each, sipmessage.Request)]


def told(outputs: Iterable[Output]) -> list[Output]:
    return [output for output in outputs if not isinstance(output, Send)]


def rings(sip: TransactionLayer, data: bytes = b"") -> RequestArrived:
    [arrived] = told(sip.receive(data or arriving(), PEER, 0.0))
    assert isinstance(arrived, RequestArrived)
    return arrived


def drain(sip: TransactionLayer, until: float = 1000.0) -> list[tuple[float, Output]]:
    done = []
    while (due := sip.deadline()) is not None and due <= until:
        done += [(due, output) for output in sip.poll(due)]
    return done


def answer(request: sipmessage.Request, code: int, tag: str = "theirs") -> bytes:
    return encode(respond(request, code, to_tag=tag))


def asked(sip: TransactionLayer, method: str = "INVITE") -> tuple[TransactionKey, sipmessage.Request]:
    key, outputs = sip.request(ours(method), PEER, 0.0)
    [request] = sent(outputs)
    assert isinstance(request, sipmessage.Request)
    return key, request
