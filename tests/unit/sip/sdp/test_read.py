from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sip.sdp import Attribute, Codec, Direction, Media, Origin, SdpSyntaxError, Session, parse

OFFER = (
    b"v=0\r\n"
    b"o=alice 2890844526 2890844527 IN IP4 192.0.2.9\r\n"
    b"s=-\r\n"
    b"c=IN IP4 192.0.2.9\r\n"
    b"t=0 0\r\n"
    b"m=audio 49170 RTP/AVP 9 0 8 101\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\n"
    b"a=ptime:20\r\n"
)


def audio(more: bytes = b"", line: bytes = b"") -> Media:
    data = OFFER.replace(b"m=audio 49170 RTP/AVP 9 0 8 101", line) if line else OFFER
    return parse(data + more).media[0]


def test_an_ordinary_offer() -> None:
    session = parse(OFFER)
    assert session.origin == Origin("alice", "2890844526", "2890844527", "192.0.2.9")
    assert (session.connection, session.direction) == ("192.0.2.9", Direction.SENDRECV)
    [media] = session.media
    assert (media.kind, media.port, media.protocol, media.formats) == (
        "audio",
        49170,
        "RTP/AVP",
        ("9", "0", "8", "101"),
    )
    assert [f"{number} {codec}" for number, codec in media.codecs.items()] == [
        "9 G722/8000", "0 PCMU/8000", "8 PCMA/8000", "101 telephone-event/8000",
    ]  # fmt: skip
    assert (media.ptime, media.direction) == (20, None)
    assert bytes(session) == OFFER


@pytest.mark.parametrize(
    ("original", "odd"),
    [
        (b"\r\n", b"\n"),
        (b"s=-\r\n", b""),
        (b"t=0 0\r\n", b""),
        (b"IN IP4 192.0.2.9\r\nt", b"in ip4 192.0.2.9/127\r\nt"),
        (b"s=-", b"s=Jos\xe9\r\ni=what\r\nu=http://x\r\ne=a@b\r\np=1\r\nb=AS:64\r\nk=clear:x\r\nz=0 0"),
        (b"telephone-event/8000", b"Telephone-Event/8000"),
        (b"RTP/AVP 9", b"rtp/avp 9"),
        (b"m=audio 49170 ", b"m=audio 49170/1 "),
    ],
)
def test_odd_but_understandable(original: bytes, odd: bytes) -> None:
    assert original in OFFER
    session = parse(OFFER.replace(original, odd))
    assert session.connection == "192.0.2.9"
    assert session.media[0].codecs[101] == Codec("telephone-event", 8000)


@pytest.mark.parametrize(
    ("original", "broken"),
    [
        (b"v=0", b"v=1"),
        (b"v=0\r\n", b""),
        (b"o=", b"x="),
        (b"2890844526", b"id"),
        (b"c=IN IP4 192.0.2.9", b"c=ATM NSAP 1"),
        (b"m=audio 49170", b"m=audio"),
        (b"49170", b"70000"),
        (b"49170", b"-1"),
        (b"s=-", b"nonsense"),
    ],
)
def test_what_cannot_be_read(original: bytes, broken: bytes) -> None:
    assert original in OFFER
    with pytest.raises(SdpSyntaxError) as caught:
        parse(OFFER.replace(original, broken))
    assert caught.value.sip_status == 400


def test_a_body_that_is_no_description() -> None:
    for data in (b"", b"\r\n", b"hello"):
        with pytest.raises(SdpSyntaxError):
            parse(data)


@pytest.mark.parametrize(
    ("line", "more", "codecs"),
    [
        (b"m=audio 1 RTP/AVP 96", b"a=rtpmap:96 pcmu/8000/1\r\n", {96: Codec("PCMU", 8000)}),
        (b"m=audio 1 RTP/AVP 96", b"a=rtpmap:96 L16/8000/2\r\n", {}),
        (b"m=audio 1 RTP/AVP 96", b"a=rtpmap:96\r\na=rtpmap:x PCMU/8000\r\na=rtpmap:96 PCMU\r\n", {}),
        (b"m=audio 1 RTP/AVP 0", b"a=rtpmap:0 PCMA/8000\r\n", {0: Codec("PCMA", 8000)}),
        (b"m=audio 1 RTP/AVP 96 97", b"a=rtpmap:97 opus/48000\r\n", {97: Codec("OPUS", 48000)}),
        (b"m=audio 1 RTP/AVP x 9999 \xc2\xb2", b"", {}),
        (
            b"m=audio 1 RTP/AVP 127 128 999",
            b"".join(b"a=rtpmap:%d PCMU/8000\r\n" % each for each in (127, 128, 999)),
            {127: Codec("PCMU", 8000)},
        ),
        (b"m=audio 1 RTP/AVP", b"", {}),
    ],
)
def test_payload_types(line: bytes, more: bytes, codecs: dict[int, Codec]) -> None:
    assert audio(more, line).codecs == codecs


@pytest.mark.parametrize(
    ("value", "port"),
    [
        (b"4001", 4001),
        (b"4001 IN IP4 192.0.2.9", 4001),
        (b"0", 0),
        (b"65535", 65535),
        (b"65536", 0),
        (b"000006553600", 0),
        (b"x", 0),
    ],
)
def test_a_port_for_reports(value: bytes, port: int) -> None:
    assert audio(b"a=rtcp:" + value + b"\r\n").reports == port


@pytest.mark.parametrize(("more", "ptime"), [(b"a=maxptime:60\r\n", 20), (b"", 20)])
def test_ptime(more: bytes, ptime: int) -> None:
    assert audio(more).ptime == ptime


@pytest.mark.parametrize("value", [b"0", b"x", b"-20", b"", b"99999", "²".encode()])
def test_a_senseless_ptime_is_none(value: bytes) -> None:
    assert parse(OFFER.replace(b"ptime:20", b"ptime:" + value)).media[0].ptime is None


def test_directions_stand_at_both_levels() -> None:
    both = parse(OFFER.replace(b"t=0 0\r\n", b"t=0 0\r\na=sendonly\r\n") + b"a=recvonly\r\n")
    assert (both.direction, both.media[0].direction) == (Direction.SENDONLY, Direction.RECVONLY)


def test_connections_stand_at_both_levels() -> None:
    data = OFFER + b"m=video 5000 RTP/AVP 99\r\nc=IN IP6 2001:db8::1\r\n"
    assert [media.connection for media in parse(data).media] == ["", "2001:db8::1"]
    assert bytes(parse(data)) == data


def test_directions_are_what_their_halves_are() -> None:
    for direction in Direction:
        assert Direction.of(sends=direction.sends, receives=direction.receives) is direction


WORD = st.text("abcdefgh0123456789-", min_size=1, max_size=8)
HOST = st.sampled_from(["192.0.2.1", "2001:db8::1", "media.example.com", "::"])
LINE = st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cs", "Cc")), max_size=20).map(str.strip)
ATTRIBUTES = st.lists(st.builds(Attribute, WORD, st.none() | LINE), max_size=5).map(tuple)
MEDIA = st.builds(
    Media,
    kind=st.sampled_from(["audio", "video", "image"]),
    port=st.integers(0, 65535),
    protocol=st.sampled_from(["RTP/AVP", "RTP/SAVP", "UDPTL", "UDP/TLS/RTP/SAVPF"]),
    formats=st.lists(st.integers(0, 127).map(str), max_size=5).map(tuple),
    count=st.integers(1, 3),
    connection=st.just("") | HOST,
    attributes=ATTRIBUTES,
)
NUMBER = st.integers(0, 2**63).map(str)
SESSIONS = st.builds(
    Session,
    origin=st.builds(Origin, WORD, NUMBER, NUMBER, HOST),
    media=st.lists(MEDIA, max_size=4).map(tuple),
    name=LINE,
    connection=st.just("") | HOST,
    times=st.lists(st.tuples(NUMBER, NUMBER).map(" ".join), min_size=1, max_size=2).map(tuple),
    attributes=ATTRIBUTES,
)


@given(SESSIONS)
def test_what_is_written_is_read_back(session: Session) -> None:
    assert parse(bytes(session)) == session


@given(
    st.binary(max_size=200)
    | st.builds(lambda cut, fill: OFFER[:cut] + fill + OFFER[cut:], st.integers(0, 200), st.binary(max_size=9))
)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(SdpSyntaxError):
        for media in parse(data).media:
            _ = media.codecs, media.direction, media.ptime
