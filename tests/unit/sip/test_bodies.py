from __future__ import annotations

from contextlib import suppress

import pytest
import sipmessage
from hypothesis import given
from hypothesis import strategies as st

from gateway.sip import bodies
from gateway.sip.bodies import BodyRefused
from gateway.sip.message import parse

INVITE = (
    "INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa1\r\nFrom: <sip:a@h>;tag=f\r\nTo: <sip:b@h>\r\n"
    "Call-ID: c1\r\nCSeq: 1 INVITE\r\n{lines}Content-Length: {length}\r\n\r\n{body}"
)


def invite(*lines: str, body: str = "v=0") -> sipmessage.Request:
    head = "".join(f"{line}\r\n" for line in lines)
    request = parse(INVITE.format(lines=head, length=len(body), body=body).encode())
    assert isinstance(request, sipmessage.Request)
    return request


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("Content-Type: application/sdp",),
        ("c: Application/SDP ; charset=utf-8",),
        ("Content-Type: application/sdp", "Content-Encoding: identity"),
        ("Content-Type: application/sdp", "Content-Disposition: session;handling=optional"),
    ],
)
def test_sdp_is_read(lines: tuple[str, ...]) -> None:
    assert bodies.description(invite(*lines)) == b"v=0"


@pytest.mark.parametrize(
    ("lines", "headers"),
    [
        (("Content-Type: application/unknownformat",), {"Accept"}),
        (("Content-Type: application/sdp", "e: gzip"), {"Accept", "Accept-Encoding"}),
        (("Content-Type: application/x", "Content-Disposition: session;handling=required"), {"Accept"}),
    ],
)
def test_another_body_is_refused_with_what_we_take(lines: tuple[str, ...], headers: set[str]) -> None:
    with pytest.raises(BodyRefused) as refused:
        bodies.description(invite(*lines))
    assert refused.value.sip_status == 415
    assert {name for name, _ in refused.value.headers} == headers


@pytest.mark.parametrize("line", ["Content-Type: application/x", "Content-Encoding: gzip"])
def test_a_body_that_may_be_passed_over_is(line: str) -> None:
    assert bodies.description(invite(line, 'Content-Disposition: x; Handling="optional"')) == b""


def test_no_body_is_none_of_whatever_kind() -> None:
    assert bodies.description(invite("Content-Type: application/x", body="")) == b""


SDP = "Content-Type: Application/SDP\r\n\r\nv=0\r\n"
ISUP = "Content-Type: application/isup;version=itu-t92+\r\nContent-Disposition: signal;handling={}\r\n\r\n\0\1\r\n"
PLACE = "Content-Type: application/pidf+xml\r\nContent-ID: <a@b>\r\n\r\n<presence/>\r\n"


def parts(*each: str, mark: str = "b1", end: str = "--b1--\r\n") -> str:
    return "".join(f"--{mark}\r\n{part}" for part in each) + end


@pytest.mark.parametrize(
    ("body", "kind", "found"),
    [
        (parts(SDP), "multipart/mixed;boundary=b1", b"v=0"),
        (parts(SDP, ISUP.format("optional")), "multipart/mixed;boundary=b1", b"v=0"),
        (parts(PLACE, SDP), 'Multipart/Mixed; charset=x; Boundary="b1"', b"v=0"),
        ("preamble\r\n" + parts(PLACE, SDP) + "epilogue", "multipart/alternative;boundary=b1", b"v=0"),
        (parts(SDP, end=""), "multipart/mixed;boundary=b1", None),
        (parts(SDP + "a=x\r\n\r\n", PLACE), "multipart/mixed;boundary=b1", b"v=0\r\na=x\r\n"),
        (parts("\r\nv=1\r\n", SDP).replace("\r", ""), "multipart/mixed;boundary=b1", b"v=0"),
        (parts(SDP, SDP.replace("v=0", "v=1")), "multipart/mixed;boundary=b1", b"v=0"),
        (parts(SDP, ISUP.format("required")), "multipart/mixed;boundary=b1", None),
        (parts(PLACE), "multipart/mixed;boundary=b1", None),
        (parts(PLACE) + parts(SDP), "multipart/mixed;boundary=b1", None),
        (parts("Content-Transfer-Encoding: base64\r\n" + SDP), "multipart/mixed;boundary=b1", None),
        (parts(SDP), "multipart/mixed", None),
        (parts(SDP), "multipart/mixed;boundary=b2", None),
    ],
)
def test_the_sdp_among_several_parts_is_read(body: str, kind: str, found: bytes | None) -> None:
    asked = invite(f"Content-Type: {kind}", body=body)
    if found is not None:
        assert bodies.description(asked) == found
        return
    with pytest.raises(BodyRefused) as refused:
        bodies.description(asked)
    assert refused.value.sip_status == 415


@given(st.text("-b1\r\n: =0vContent-Type:application/sdp", max_size=200))
def test_whatever_the_parts_are(body: str) -> None:
    with suppress(BodyRefused):
        bodies.description(invite("Content-Type: multipart/mixed;boundary=b1", body=body))


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("Accept: application/sdp",),
        ("Accept: text/plain, Application/SDP;level=1",),
        ("Accept: text/plain", "Accept: application/*"),
        ("Accept: */*;q=0.1",),
        ("Accept: *",),
        ("Accept: */*;q=0, application/sdp;q=0.5",),
        ("Accept: application/sdp;q=high",),
    ],
)
def test_who_takes_sdp_gets_some(lines: tuple[str, ...]) -> None:
    bodies.check(invite(*lines))


@pytest.mark.parametrize(
    "line",
    ["Accept: text/nobodyKnowsThis", "Accept:", "Accept: */*, application/sdp;q=0", "Accept: application/*;q=0.0, */*"],
)
def test_who_doesn_t_is_told(line: str) -> None:
    with pytest.raises(BodyRefused) as refused:
        bodies.check(invite(line))
    assert refused.value.sip_status == 406


@given(st.text('aplic tonsd/*;=q,.019"', max_size=40))
def test_any_header_is_read(value: str) -> None:
    request = invite()
    for name in ("Accept", "Content-Type", "Content-Encoding", "Content-Disposition"):
        request.headers.setlist(name, [value])
    for look in (bodies.check, bodies.description):
        try:
            look(request)
        except BodyRefused as refused:
            assert refused.sip_status in (406, 415)
