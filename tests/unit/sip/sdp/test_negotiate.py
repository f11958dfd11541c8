from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sip.sdp import (
    EVENTS,
    G722,
    PCMA,
    PCMU,
    Attribute,
    Codec,
    Direction,
    Media,
    SdpMismatch,
    Session,
    Stream,
    accept,
    answer,
    offer,
    parse,
    ranked,
)

D = Direction
HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"


def offered(*lines: str, head: str = HEAD) -> Session:
    return parse((head + "".join(f"{line}\r\n" for line in lines)).encode())


def answered(session: Session, willing: Direction = D.SENDRECV) -> tuple[Session, Stream]:
    """Our answer, as it arrives at the other side, and what we make of it."""
    negotiated = answer(session, "192.0.2.1", 10000, session_id=5, willing=willing)
    return parse(bytes(negotiated.session)), negotiated.stream


AUDIO = "m=audio 4000 RTP/AVP 18 8 9 0 101"
KEYS = "a=rtpmap:101 telephone-event/8000"


def test_an_answer_takes_the_offer_s_first_codec_that_we_speak_and_its_keys() -> None:
    session, stream = answered(offered(AUDIO, KEYS, "a=ptime:30"))
    assert stream == Stream(PCMA, 8, "192.0.2.9", 4000, D.SENDRECV, 30, send_events=101, receive_events=101)
    [media] = session.media
    assert (media.kind, media.port, media.formats) == ("audio", 10000, ("8", "101"))
    assert media.codecs == {8: PCMA, 101: EVENTS}
    assert (session.connection, session.origin.id, session.origin.version) == ("192.0.2.1", "5", "1")
    assert (media.direction, media.ptime) == (D.SENDRECV, 20)


@pytest.mark.parametrize(
    "lines", [["m=audio 4000 RTP/AVP 9 0"], ["m=audio 4000 RTP/AVP 9 0", "a=rtpmap:9 g722/8000/1"]]
)
def test_who_calls_with_g722_first_gets_it(lines: list[str]) -> None:
    session, stream = answered(offered(*lines))
    assert (stream.codec, stream.payload) == (G722, 9)
    assert session.media[0].codecs == {9: G722}


def test_what_a_trunk_lists_comes_first_in_its_order() -> None:
    assert ranked([], only=False) == [PCMU, PCMA, G722]
    assert ranked(["g722", "OPUS", "PCMA"], only=False) == [G722, PCMA, PCMU]
    assert ranked(["PCMA", "PCMA"], only=True) == [PCMA]
    assert ranked(["OPUS"], only=True) == []


def test_keys_are_answered_only_when_offered_and_only_at_8000_hz() -> None:
    for lines in ([AUDIO], [AUDIO, "a=rtpmap:101 telephone-event/48000"]):
        session, stream = answered(offered(*lines))
        assert (stream.send_events, session.media[0].formats) == (None, ("8",))


@pytest.mark.parametrize("number", [96, 110, 127])
def test_dynamic_payload_types_are_the_offer_s(number: int) -> None:
    session, stream = answered(
        offered(f"m=audio 4000 RTP/AVP 95 {number}", f"a=rtpmap:{number} telephone-event/8000", "a=rtpmap:95 PCMU/8000")
    )
    assert (stream.payload, stream.send_events) == (95, number)
    assert session.media[0].codecs == {95: PCMU, number: EVENTS}


@pytest.mark.parametrize(
    ("theirs", "willing", "ours"),
    [
        ("", D.SENDRECV, D.SENDRECV),
        ("a=sendrecv", D.SENDRECV, D.SENDRECV),
        ("a=sendonly", D.SENDRECV, D.RECVONLY),
        ("a=recvonly", D.SENDRECV, D.SENDONLY),
        ("a=inactive", D.SENDRECV, D.INACTIVE),
        ("a=sendrecv", D.SENDONLY, D.SENDONLY),
        ("a=sendonly", D.SENDONLY, D.INACTIVE),
        ("a=recvonly", D.RECVONLY, D.INACTIVE),
        ("a=sendrecv", D.INACTIVE, D.INACTIVE),
    ],
)
def test_directions(theirs: str, willing: Direction, ours: Direction) -> None:
    """RFC 3264 section 6.1."""
    session, stream = answered(offered(AUDIO, *([theirs] if theirs else [])), willing)
    assert (stream.direction, session.media[0].direction) == (ours, ours)
    assert stream.held is not ours.sends


@pytest.mark.parametrize("direction", list(D))
def test_a_direction_for_the_session_holds_for_streams_without_their_own(direction: Direction) -> None:
    head = HEAD + f"a={direction}\r\n"
    assert answered(offered(AUDIO, head=head))[1].direction is answered(offered(AUDIO, f"a={direction}"))[1].direction
    assert answered(offered(AUDIO, "a=sendrecv", head=head))[1].direction is D.SENDRECV


@pytest.mark.parametrize(
    "lines",
    [[AUDIO, f"c=IN {host}"] for host in ("IP4 0.0.0.0", "IP6 ::", "IP6 0:0:0:0:0:0:0:0", "IP6 ::ffff:0.0.0.0")],
)
def test_the_unspecified_address_is_a_hold(lines: list[str]) -> None:
    session, stream = answered(offered(*lines))
    assert (stream.direction, stream.held, session.media[0].direction) == (D.RECVONLY, True, D.RECVONLY)


def test_a_stream_with_feedback_is_answered_as_one() -> None:
    session, stream = answered(offered("m=audio 4000 RTP/AVPF 0", "a=rtcp-fb:* nack"))
    assert (session.media[0].protocol, stream.codec, stream.keys) == ("RTP/AVPF", PCMU, None)


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("IP6 2001:DB8:0::9", "2001:db8::9"),
        ("IP6 ::ffff:192.0.2.2", "192.0.2.2"),
        ("IP4 phone.example.com", "phone.example.com"),
    ],
)
def test_an_address_is_told_in_its_usual_spelling(written: str, host: str) -> None:
    assert answered(offered(AUDIO, f"c=IN {written}"))[1].host == host


def test_a_stream_s_own_address_goes_before_the_session_s() -> None:
    assert answered(offered(AUDIO, "c=IN IP4 198.51.100.7"))[1].host == "198.51.100.7"
    bare = HEAD.replace("c=IN IP4 192.0.2.9\r\n", "")
    assert answered(offered(AUDIO, "c=IN IP4 198.51.100.7", head=bare))[1].host == "198.51.100.7"
    with pytest.raises(SdpMismatch):
        answered(offered(AUDIO, head=bare))


def test_every_other_stream_is_refused_in_its_place() -> None:
    session, stream = answered(
        offered(
            "m=video 5000 RTP/AVP 99", "a=rtpmap:99 H264/90000",
            "m=audio 4000 RTP/SAVP 0", "a=crypto:1 x",
            "m=audio 0 RTP/AVP 0",
            "m=audio 4002 RTP/AVP 18",
            "m=audio 4004 RTP/AVP 0",
            "m=audio 4006 RTP/AVP 8",
            "m=image 6000 udptl t38",
        )
    )  # fmt: skip
    assert (stream.port, stream.codec) == (4004, PCMU)
    assert [media.port for media in session.media] == [0, 0, 0, 0, 10000, 0, 0]
    assert [(media.kind, media.protocol, media.formats) for media in session.media] == [
        ("video", "RTP/AVP", ("99",)),
        ("audio", "RTP/SAVP", ("0",)),
        ("audio", "RTP/AVP", ("0",)),
        ("audio", "RTP/AVP", ("18",)),
        ("audio", "RTP/AVP", ("0",)),
        ("audio", "RTP/AVP", ("8",)),
        ("image", "UDPTL", ("t38",)),
    ]


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["m=audio 4000 RTP/AVP 3 18"],
        ["m=audio 4000 RTP/AVP 101", KEYS],
        ["m=audio 0 RTP/AVP 0"],
        ["m=audio 4000 RTP/SAVPF 0"],
        ["m=audio 4000 UDP/TLS/RTP/SAVPF 0"],
        ["m=video 4000 RTP/AVP 0"],
        ["m=audio 4000 RTP/AVP 0", "a=rtpmap:0 PCMU/16000"],
        ["m=audio 4000 RTP/AVP 0", "c=IN IP4 224.2.1.1/127"],
        ["m=audio 4000 RTP/AVP 0", "c=IN IP6 ff02::1"],
    ],
)
def test_nothing_in_common_is_488(lines: list[str]) -> None:
    with pytest.raises(SdpMismatch) as caught:
        answered(offered(*lines))
    assert caught.value.sip_status == 488


def test_codecs_may_be_fewer() -> None:
    session = offered(AUDIO)
    assert answer(session, "h", 1, session_id=1, codecs=[PCMU]).stream.codec == PCMU


# Our offers


def ours(**more: object) -> Session:
    return offer("192.0.2.1", 10000, session_id=5, **more)


def test_an_offer_says_what_we_speak() -> None:
    assert bytes(ours()) == (
        b"v=0\r\no=- 5 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        b"m=audio 10000 RTP/AVP 0 8 9 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:9 G722/8000\r\n"
        b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
    )


def test_an_ipv6_offer_says_so() -> None:
    assert b"c=IN IP6 2001:db8::1\r\n" in bytes(offer("2001:db8::1", 10000, session_id=5))


def test_an_answer_to_our_offer_is_understood() -> None:
    stream = accept(ours(), offered("m=audio 4000 RTP/AVP 8 101", KEYS, "a=ptime:40"))
    assert stream == Stream(PCMA, 8, "192.0.2.9", 4000, D.SENDRECV, 40, send_events=101, receive_events=101)


def test_an_answer_may_number_differently() -> None:
    stream = accept(
        ours(), offered("m=audio 4000 RTP/AVP 97 98", "a=rtpmap:97 PCMU/8000", "a=rtpmap:98 telephone-event/8000")
    )
    assert (stream.payload, stream.receive_payload) == (97, 0)
    assert (stream.send_events, stream.receive_events) == (98, 101)


def test_keys_that_were_not_offered_are_not_sent() -> None:
    stream = accept(ours(events=None), offered("m=audio 4000 RTP/AVP 0 101", KEYS))
    assert (stream.send_events, stream.receive_events) == (None, None)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["m=audio 0 RTP/AVP 0"],
        ["m=audio 4000 RTP/AVP 18"],
        ["m=video 4000 RTP/AVP 0"],
        ["m=audio 4000 RTP/SAVP 0"],
    ],
)
def test_a_refusal_is_a_mismatch(lines: list[str]) -> None:
    with pytest.raises(SdpMismatch):
        accept(ours(), offered(*lines))


def test_an_answer_with_a_codec_we_did_not_offer_is_a_mismatch() -> None:
    with pytest.raises(SdpMismatch):
        accept(ours(codecs=[PCMU]), offered("m=audio 4000 RTP/AVP 8"))


def test_a_hold_of_ours_keeps_them_from_being_heard() -> None:
    held = ours(direction=D.SENDONLY, version=2)
    assert accept(held, offered("m=audio 4000 RTP/AVP 0", "a=recvonly")).direction is D.SENDONLY
    assert accept(held, offered("m=audio 4000 RTP/AVP 0")).direction is D.SENDONLY
    assert held.origin.version == "2"


CODECS = st.lists(st.sampled_from([PCMU, PCMA]), min_size=1, max_size=2, unique=True)


@given(
    mine=CODECS,
    theirs=CODECS,
    way=st.sampled_from(D),
    willing=st.sampled_from(D),
    events=st.none() | st.integers(96, 127),
    video=st.booleans(),
)
def test_both_sides_come_to_the_same_understanding(
    *, mine: list[Codec], theirs: list[Codec], way: Direction, willing: Direction, events: int | None, video: bool
) -> None:
    """An offer and its answer, both over the wire: the streams are mirror images, or neither side has one."""
    sent = offer("192.0.2.1", 10000, session_id=1, codecs=mine, events=events, direction=way)
    more = (Media("video", 7000, "RTP/AVP", ("99",), attributes=(Attribute("rtpmap", "99 H264/90000"),)),) * video
    over_the_wire = parse(bytes(Session(sent.origin, (*sent.media, *more), connection=sent.connection)))
    if not set(mine) & set(theirs):
        with pytest.raises(SdpMismatch):
            answer(over_the_wire, "192.0.2.2", 20000, session_id=2, codecs=theirs)
        return
    negotiated = answer(over_the_wire, "192.0.2.2", 20000, session_id=2, codecs=theirs, willing=willing)
    ours, yours = accept(sent, parse(bytes(negotiated.session))), negotiated.stream
    assert ours.codec == yours.codec
    assert (ours.host, ours.port, yours.host, yours.port) == ("192.0.2.2", 20000, "192.0.2.1", 10000)
    assert ours.direction.sends is yours.direction.receives
    assert ours.direction.receives is yours.direction.sends
    assert ours.send_events == yours.send_events == events
    assert len(negotiated.session.media) == 1 + video
