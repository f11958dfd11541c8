"""RFC 4475: each of its messages is read, or refused, as it should be."""

from __future__ import annotations

import pytest
import sipmessage

from gateway.sip.message import SipSyntaxError, encode, parse, respond, steady_tag
from tests.unit.sip.torture import TORTURES


def test_all_of_the_rfc_is_there() -> None:
    assert len(TORTURES) == 49
    assert len({each.section for each in TORTURES.values()}) == 49


@pytest.mark.parametrize("name", TORTURES)
def test_a_message_is_read_or_refused(name: str) -> None:
    torture = TORTURES[name]
    try:
        message = parse(torture.data)
    except SipSyntaxError as bad:
        assert (bad.sip_status if bad.request is not None else 0) == torture.reads
        if bad.request is not None:
            refusal = respond(bad.request, torture.reads, to_tag=steady_tag(bad.request))
            assert encode(refusal).startswith(f"SIP/2.0 {torture.reads} ".encode())
        return
    assert torture.reads == 200
    assert message is not None
    if isinstance(message, sipmessage.Request):
        response = parse(encode(respond(message, 404, to_tag=steady_tag(message))))
        assert response is not None
        assert response.headers["Call-ID"] == message.headers["Call-ID"]
        assert response.cseq == message.cseq


def test_what_the_tortured_messages_say() -> None:
    first = parse(TORTURES["wsinv"].data)
    assert isinstance(first, sipmessage.Request)
    assert [each.host for each in first.via] == ["192.0.2.2", "spindle.example.com", "192.168.255.111"]
    assert (first.cseq.sequence, first.from_address.uri.user, first.to_address.uri.user) == (9, "jdrosen", "vivekg")
    assert first.headers["NewFangledHeader"] == "newfangled value continued newfangled value"
    escaped = parse(TORTURES["esc01"].data)
    assert isinstance(escaped, sipmessage.Request)
    assert (escaped.uri.user, escaped.to_address.uri.user) == ("sips:user@example.com", "user")
    assert isinstance(method := parse(TORTURES["esc02"].data), sipmessage.Request)
    assert method.method == "RE%47IST%45R"
    assert len(method.contact) == 2
    assert isinstance(twice := parse(TORTURES["dblreq"].data), sipmessage.Request)
    assert (twice.method, twice.body) == ("REGISTER", b"")
    assert isinstance(semi := parse(TORTURES["semiuri"].data), sipmessage.Request)
    assert (semi.uri.user, semi.uri.host) == ("user;par=u@example.net", "example.com")
    assert isinstance(long := parse(TORTURES["longreq"].data), sipmessage.Request)
    assert len(long.via) == 34
