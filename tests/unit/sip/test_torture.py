"""RFC 4475 and RFC 5118: each of their messages is read, or refused, as it should be."""

from __future__ import annotations

import pytest
import sipmessage

from gateway.sip import routing, sdp
from gateway.sip.message import SipSyntaxError, encode, parse, respond, steady_tag
from tests.unit.sip import torture_ipv6
from tests.unit.sip.torture import TORTURES

EVERY = {**TORTURES, **torture_ipv6.TORTURES}


def test_all_of_the_rfc_is_there() -> None:
    assert len(TORTURES) == 49
    assert len({each.section for each in TORTURES.values()}) == 49
    assert len(torture_ipv6.TORTURES) == 12
    assert {each.section for each in torture_ipv6.TORTURES.values()} == {f"4.{number}" for number in range(1, 11)}


@pytest.mark.parametrize("name", EVERY)
def test_a_message_is_read_or_refused(name: str) -> None:
    torture = EVERY[name]
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


@pytest.mark.parametrize(
    ("name", "host", "port"),
    [
        ("ipv6-good", "[2001:db8::10]", None),
        ("port-ambiguous", "[2001:db8::10:5070]", None),
        ("port-unambiguous", "[2001:db8::10]", 5070),
        ("ipv6-correct-abnf-2-colons", "[2001:db8::192.0.2.1]", None),
        ("ipv6-bug-abnf-3-colons", "[2001:db8:::192.0.2.1]", None),
    ],
)
def test_where_an_ipv6_address_ends_and_a_port_begins(name: str, host: str, port: int | None) -> None:
    read = parse(torture_ipv6.TORTURES[name].data)
    assert isinstance(read, sipmessage.Request)
    assert (read.uri.host, read.uri.port) == (host, port)


@pytest.mark.parametrize("name", ["via-received-param-with-delim", "via-received-param-no-delim"])
def test_where_we_were_seen_is_read_with_brackets_and_without(name: str) -> None:
    request = parse(torture_ipv6.TORTURES[name].data)
    assert isinstance(request, sipmessage.Request)
    response = parse(encode(respond(request, 200)))
    assert isinstance(response, sipmessage.Response)
    assert routing.seen_as(response) == ("2001:db8::9:255", 5060)
    assert routing.arrived(request, ("2001:db8::9:1", 5061)) == ("2001:db8::9:1", 5060)
    assert ";received=" not in request.headers["Via"], "what the sender says of itself isn't believed"


@pytest.mark.parametrize(
    ("name", "host"),
    [("ipv6-in-sdp", "2001:db8::20"), ("mult-ip-in-sdp", "192.0.2.1"), ("ipv4-mapped-ipv6", "192.0.2.2")],
)
def test_media_is_sent_where_the_stream_has_it_whatever_the_family_of_the_rest(name: str, host: str) -> None:
    read = parse(torture_ipv6.TORTURES[name].data)
    assert read is not None
    assert sdp.wanted(sdp.parse(read.body)).host == host
