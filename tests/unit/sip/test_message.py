from __future__ import annotations

import contextlib
import time

import pytest
import sipmessage
from hypothesis import assume, given
from hypothesis import strategies as st
from sipmessage import URI, Address, Parameters

from gateway.errors import OurFault, PeerFault
from gateway.sip import message
from gateway.sip.message import SipSyntaxError, encode, parse, respond

INVITE = (
    b"INVITE sip:+15105550100@192.0.2.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.9:5062;branch=z9hG4bKa1;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b'From: "Ann" <sip:+12125550000@192.0.2.9>;tag=f1\r\n'
    b"To: <sip:+15105550100@192.0.2.1>\r\n"
    b"Call-ID: c1@192.0.2.9\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Contact: <sip:ann@192.0.2.9:5062>\r\n"
    b"Content-Length: 4\r\n"
    b"\r\n"
    b"body"
)


def got(data: bytes) -> sipmessage.Request:
    request = parse(data)
    assert isinstance(request, sipmessage.Request)
    return request


def refused(data: bytes) -> SipSyntaxError:
    with pytest.raises(SipSyntaxError) as caught:
        parse(data)
    return caught.value


def test_a_request_is_read_and_written_as_it_was() -> None:
    assert encode(got(INVITE)) == INVITE


def test_a_response_without_a_phrase_is_read() -> None:
    response = parse(INVITE.replace(b"INVITE sip:+15105550100@192.0.2.1 SIP/2.0", b"SIP/2.0 200"))
    assert isinstance(response, sipmessage.Response)
    assert (response.code, response.phrase) == (200, "")


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\r\n", b"\0\0\0\0", b" \r\n"])
def test_keep_alives_are_nothing(data: bytes) -> None:
    assert parse(data) is None


def test_folded_headers_are_joined() -> None:
    folded = INVITE.replace(b"Max-Forwards: 70\r\n", b"Subject: first\r\n  second\r\n\tthird\r\n")
    assert " ".join((got(folded).subject or "").split()) == "first second third"


@pytest.mark.parametrize(
    ("original", "odd"),
    [
        (b"Via: ", b"v:"),
        (b"From: ", b"From \t:  "),
        (b"Call-ID: ", b"i : "),
        (b"\r\n", b"\n"),
        (b"INVITE sip", b"\r\n\r\nINVITE sip"),
        (b'"Ann" <sip:+12125550000@192.0.2.9>', b'"Jos\xe9" <sip:+12125550000@192.0.2.9>'),
        (b'"Ann" <sip:+12125550000@192.0.2.9>', b"sip:+12125550000@192.0.2.9"),
        (b"@192.0.2.9>;tag", b"@pbx_1>;tag"),
        (b"body", b"body and more than it says"),
    ],
)
def test_odd_but_understandable_requests_are_understood(original: bytes, odd: bytes) -> None:
    assert original in INVITE
    request = got(INVITE.replace(original, odd))
    assert (request.from_address.uri.user, request.from_address.parameters["tag"]) == ("+12125550000", "f1")
    assert request.call_id == "c1@192.0.2.9"
    assert request.via[0].host == "192.0.2.9"
    assert request.body == b"body"


@pytest.mark.parametrize(
    ("original", "broken", "status"),
    [
        (b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia", 505),
        (b"sip:+15105550100@192.0.2.1 SIP", b"urn:service:sos SIP", 416),
        (b"sip:+15105550100@192.0.2.1 SIP", b"sip:+1 510@192.0.2.1 SIP", 400),
        (b"Content-Length: 4", b"Content-Length: 5", 400),
        (b"Content-Length: 4", b"Content-Length: -1", 400),
        (b"Content-Length: 4", b"Content-Length: many", 400),
        (b"CSeq: 1 INVITE", b"CSeq: 1 BYE", 400),
        (b"sip:+15105550100@192.0.2.1 SIP", b"sip:+15105550100@192.0.2.1:99999999999 SIP", 400),
        (b"To: <sip:+15105550100@192.0.2.1>", b"To: <sip:+15105550100@192.0.2.1:99999999999>", 400),
        (b"<sip:+12125550000@192.0.2.9>", b"<sip:+12125550000@192.0.2.9:65536>", 400),
        (b"Max-Forwards", b"Via: SIP/2.0/UDP 192.0.2.8:99999999999;branch=z9hG4bKb\r\nMax-Forwards", 400),
        (b"Max-Forwards", b"Via: nowhere\r\nMax-Forwards", 400),
    ],
)
def test_a_broken_request_that_can_be_answered_comes_with_its_status(
    original: bytes, broken: bytes, status: int
) -> None:
    assert original in INVITE
    bad = refused(INVITE.replace(original, broken))
    assert bad.sip_status == status
    assert bad.request is not None
    assert respond(bad.request, status, to_tag="t").call_id == "c1@192.0.2.9"


@pytest.mark.parametrize(
    ("original", "broken"),
    [
        (b"INVITE sip", b"IN/VITE sip"),
        (b"INVITE sip:+15105550100@192.0.2.1 SIP/2.0", b"SIP/2.0 999 Odd"),
        (b"Via: SIP/2.0/UDP", b"Via: HTTP/1.1/UDP"),
        (b"Via: ", b"X-Via: "),
        (b"192.0.2.9:5062;branch", b"192.0.2.9:99999;branch"),
        (b"Max-Forwards: 70", b"Max-Forwards 70"),
        (b"Max-Forwards: 70", b"Subject: a\rVia: b"),
        (b"Max-Forwards: 70", b"Subject: a\0"),
    ],
)
def test_what_cannot_be_answered_comes_alone(original: bytes, broken: bytes) -> None:
    assert original in INVITE
    assert refused(INVITE.replace(original, broken)).request is None


@pytest.mark.parametrize(
    ("original", "broken"),
    [
        (b"Call-ID: c1@192.0.2.9\r\n", b""),
        (b"Call-ID: c1@192.0.2.9\r\n", b"Call-ID: c1\r\nCall-ID: c2\r\n"),
        (b"Call-ID: c1@192.0.2.9\r\n", b"Call-ID:\r\n"),
        (b"CSeq: 1 INVITE", b"CSeq: 99999999999 INVITE"),
        (b"CSeq: 1 INVITE", b"CSeq: " + b"9" * 5000 + b" INVITE"),
        (b"CSeq: 1 INVITE", b"CSeq: one INVITE"),
        (b"To: <sip:+15105550100@192.0.2.1>", b"To: <>"),
        (b"tag=f1", b"self=f1;tag=f1"),
    ],
)
def test_who_lacks_what_every_message_needs_is_told_with_what_there_is(original: bytes, broken: bytes) -> None:
    assert original in INVITE
    bad = refused(INVITE.replace(original, broken))
    assert (bad.sip_status, bad.request is None) == (400, False)
    assert bad.request is not None
    told = respond(bad.request, 400, to_tag="t")
    assert told.headers.getlist("Via") == bad.request.headers.getlist("Via")
    assert len(bytes(told)) < len(INVITE) + len(broken) + 60, "nobody gets much more than they sent"


def test_a_broken_ack_is_never_answered() -> None:
    bad = INVITE.replace(b"INVITE", b"ACK").replace(b"Content-Length: 4", b"Content-Length: 5")
    assert refused(bad).request is None


def test_a_fault_quotes_nothing_of_the_datagram() -> None:
    assert "5550" not in str(refused(INVITE.replace(b"Call-ID: c1@192.0.2.9\r\n", b"")))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(SipSyntaxError):
        parse(data)


@given(st.data())
def test_any_damage_is_read_or_refused(data: st.DataObject) -> None:
    try:
        parsed = parse(_damaged(data))
    except SipSyntaxError as bad:
        parsed = bad.request
    if isinstance(parsed, sipmessage.Request):
        encode(respond(parsed, 400, to_tag="t"))


@pytest.mark.parametrize(
    "filling",
    [
        b"Subject: " + b" " * 60000 + b"x",
        b"Subject: " + b"\t" * 60000 + b"x",
        b'Contact: "' + b"\\" * 60000,
        b"Contact: <" + b"a-" * 30000 + b">",
        b"From: " + b"a " * 30000,
        b"From: <sip:" + b"a." * 30000 + b">",
        b"From: x   " + b" " * 60000 + b"y",
        b"Via: SIP/2.0/UDP " + b"a-" * 30000,
        b"Via: SIP/2.0/UDP a" + b";a=b" * 15000 + b"\0",
        b"\r\n".join(b"%d:" % n for n in range(9000)),
    ],
)
def test_a_datagram_made_to_be_slow_is_not(filling: bytes) -> None:
    """A whole datagram is read in far less than a call would notice."""
    data = INVITE.replace(b"Max-Forwards: 70", filling)
    start = time.process_time()
    try:
        parsed = parse(data)
        assert isinstance(parsed, sipmessage.Request)
        _ = parsed.contact
    except ValueError:
        pass
    except SipSyntaxError:
        pass
    assert time.process_time() - start < 1.0


WORD = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789-", min_size=1, max_size=12)
HOST = st.sampled_from(["192.0.2.1", "pbx1", "sip_server", "example.com", "[2001:db8::1]", "a.b.c1"])
USER = st.text("abc0123456789+*#-_.~%é", min_size=1, max_size=15)
NAME = st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cs", "Cc")), max_size=20).map(str.strip)
VALUE = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc")), max_size=40).map(str.strip)
URIS = st.builds(URI, st.sampled_from(["sip", "sips"]), HOST, USER | st.none(), port=st.none() | st.integers(1, 65535))


@given(
    method=st.sampled_from(["INVITE", "BYE", "OPTIONS", "X-ODD"]),
    uri=URIS,
    other=URIS,
    name=NAME,
    tag=WORD,
    cseq=st.integers(0, 2**31 - 1),
    headers=st.lists(st.tuples(WORD.map(lambda word: f"X-{word}"), VALUE), max_size=5),
    body=st.binary(max_size=50),
)
def test_what_is_written_is_read_back(
    *,
    method: str,
    uri: URI,
    other: URI,
    name: str,
    tag: str,
    cseq: int,
    headers: list[tuple[str, str]],
    body: bytes,
) -> None:
    request = message.request(
        method,
        uri,
        sender=Address(other, name=name, parameters=Parameters(tag=tag)),
        to=Address(uri),
        call_id="c1",
        cseq=cseq,
        headers=headers,
        body=body,
    )
    request.headers.set("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx")
    back = got(encode(request))
    assert (back.method, back.uri, back.body) == (method, uri, body)
    assert (back.from_address.uri, back.to_address.uri) == (other, uri)
    assert message.tag_of(back.from_address) == tag
    assert str(back.cseq) == f"{cseq} {method}"
    assert encode(back) == encode(request)


def test_a_response_echoes_what_it_must_letter_for_letter() -> None:
    odd = INVITE.replace(b";rport\r\n", b';rport;odd="a, b"\r\nVia: SIP/2.0/UDP sip_server;branch=z9hG4bKb\r\n')
    odd = odd.replace(b"Max-Forwards", b"Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nMax-Forwards")
    request = got(odd)
    response = respond(request, 180, to_tag="mine", contact="sip:me@h")
    for name in ("Via", "From", "Call-ID", "CSeq", "Record-Route"):
        assert response.headers.getlist(name) == request.headers.getlist(name)
    assert response.headers["To"] == request.headers["To"] + ";tag=mine"
    assert response.phrase == "Ringing"
    assert response.contact[0].uri == URI.parse("sip:me@h")


def test_a_100_has_no_tag_and_an_error_no_route() -> None:
    request = got(INVITE.replace(b"Max-Forwards", b"Record-Route: <sip:p1;lr>\r\nMax-Forwards"))
    assert "tag" not in respond(request, 100).headers["To"]
    assert not respond(request, 486, to_tag="t").headers.getlist("Record-Route")
    with pytest.raises(OurFault):
        respond(request, 486)


def test_a_tag_that_is_there_stays() -> None:
    request = got(INVITE.replace(b"To: <sip:+15105550100@192.0.2.1>", b"To: <sip:a@b>;Tag=old"))
    assert respond(request, 200, to_tag="new").headers["To"] == "<sip:a@b>;Tag=old"


@pytest.mark.parametrize(("name", "value"), [("X-A", "a\r\nVia: evil"), ("X A", "a"), ("X-A", "a\nb"), ("", "a")])
def test_a_header_that_would_break_the_message_is_refused(name: str, value: str) -> None:
    with pytest.raises(OurFault):
        respond(got(INVITE), 180, to_tag="t", headers=[(name, value)])


def test_a_steady_tag_is_the_request_s_own() -> None:
    other = got(INVITE.replace(b"z9hG4bKa1", b"z9hG4bKa2"))
    assert message.steady_tag(got(INVITE)) == message.steady_tag(got(INVITE)) != message.steady_tag(other)


def test_required_extensions_that_we_lack_are_named() -> None:
    request = got(INVITE.replace(b"Max-Forwards: 70", b"Require: 100rel, Timer"))
    assert message.unsupported(request, ["timer"]) == ["100rel"]


@pytest.mark.parametrize(
    ("uri", "where"),
    [
        ("sip:a@192.0.2.1", ("192.0.2.1", 5060)),
        ("sip:a@192.0.2.1:5070", ("192.0.2.1", 5070)),
        ("sip:[2001:db8::1]:5070", ("2001:db8::1", 5070)),
    ],
)
def test_where_a_request_goes(uri: str, where: tuple[str, int]) -> None:
    assert message.host_port(URI.parse(uri)) == where


@pytest.mark.parametrize("uri", ["tel:+15105550100", "sip:a@h:0", "sip:a@h:70000"])
def test_where_no_request_can_go(uri: str) -> None:
    with pytest.raises(PeerFault):
        message.host_port(URI.parse(uri))


def test_phrases_of_codes() -> None:
    assert [message.phrase_of(code) for code in (200, 404, 487, 299)] == [
        "OK", "Not Found", "Request Terminated", "Unknown",
    ]  # fmt: skip


def test_a_message_has_so_many_header_lines_and_no_more() -> None:
    own = INVITE.partition(b"\r\n\r\n")[0].count(b"\r\n")
    for more, is_read in ((message.MAX_HEADER_LINES - own - 1, True), (message.MAX_HEADER_LINES - own, False)):
        data = INVITE.replace(b"Max-Forwards", b"X-A: b\r\n" * more + b"Max-Forwards")
        if is_read:
            assert parse(data) is not None
        else:
            with pytest.raises(SipSyntaxError):
                parse(data)


@pytest.mark.parametrize(
    ("more", "most"),
    [("X-A: {}\r\n", message.LARGEST_HEAD), ("X-A: b{}\r\n", message.MAX_PARTS), ("X-A: b{}\r\n", -message.MAX_PARTS)],
)
def test_a_header_holds_so_much_and_no_more(more: str, most: int) -> None:
    """A message of 64 kB with nothing but parameters would take a seventh of a second to read."""
    head, sign = INVITE.partition(b"\r\n\r\n")[0], {message.MAX_PARTS: ";", -message.MAX_PARTS: ","}.get(most, "x")
    there = len(head) + len(more.format("")) if sign == "x" else head.count(b";") + head.count(b",")
    for size, is_read in ((abs(most) - there, True), (abs(most) - there + 1, False)):
        data = INVITE.replace(b"Max-Forwards", more.format(sign * size).encode() + b"Max-Forwards")
        if is_read:
            assert parse(data) is not None
        else:
            with pytest.raises(SipSyntaxError):
                parse(data)


@given(st.data())
def test_what_is_read_is_written_and_read_again(data: st.DataObject) -> None:
    read = None
    with contextlib.suppress(SipSyntaxError):
        read = parse(_damaged(data))
    assume(read is not None)
    assert read is not None
    written = encode(read)
    again = parse(written)
    assert again is not None
    assert encode(again) == written
    assert (again.call_id, str(again.cseq), again.body) == (read.call_id, str(read.cseq), read.body)


def _damaged(data: st.DataObject) -> bytes:
    damaged = bytearray(INVITE)
    for _ in range(data.draw(st.integers(0, 4))):
        start = data.draw(st.integers(0, len(damaged)))
        stop = data.draw(st.integers(start, min(len(damaged), start + 40)))
        damaged[start:stop] = data.draw(
            st.binary(max_size=12) | st.sampled_from([b";", b"\r\n", b"<", b'"', b",", b":"])
        )
    return bytes(damaged)
