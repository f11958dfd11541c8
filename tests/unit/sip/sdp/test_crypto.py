from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sip.sdp import MATERIAL, Encryption, SdpMismatch, Session, Suite, accept, answer, crypto, offer, parse
from gateway.sip.sdp.model import Attribute

OURS, THEIRS = bytes(range(MATERIAL)), bytes(reversed(range(MATERIAL)))
D, A, R = Encryption.DISABLE, Encryption.ALLOW, Encryption.REQUIRE
HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
KEY = base64.b64encode(bytes(range(30))).decode()
RFC_4568 = "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20"


def offered(protocol: str, *crypto_lines: str) -> Session:
    lines = [f"m=audio 4000 {protocol} 0", *(f"a=crypto:{each}" for each in crypto_lines)]
    return parse((HEAD + "".join(f"{line}\r\n" for line in lines)).encode())


def ours(session: Session, encryption: Encryption) -> str:
    """How our answer carries the media."""
    negotiated = answer(session, "192.0.2.1", 10000, encryption, OURS, session_id=5)
    [media] = parse(bytes(negotiated.session)).media
    return f"{media.protocol}{' with a key' if negotiated.stream.keys else ''}"


@pytest.mark.parametrize(
    ("protocol", "lines", "encryption", "how"),
    [
        ("RTP/AVP", (), D, "RTP/AVP"),
        ("RTP/AVP", (), A, "RTP/AVP"),
        ("RTP/AVP", (), R, ""),
        ("RTP/AVP", (RFC_4568,), D, "RTP/AVP"),
        ("RTP/AVP", (RFC_4568,), A, "RTP/AVP with a key"),
        ("RTP/AVP", (RFC_4568,), R, "RTP/AVP with a key"),
        ("RTP/SAVP", (RFC_4568,), D, ""),
        ("RTP/SAVP", (RFC_4568,), A, "RTP/SAVP with a key"),
        ("RTP/SAVP", (RFC_4568,), R, "RTP/SAVP with a key"),
        ("RTP/SAVPF", (RFC_4568,), A, "RTP/SAVPF with a key"),
        ("RTP/AVPF", (), R, ""),
        ("RTP/SAVP", (), A, ""),
        ("RTP/SAVP", ("1 F8_128_HMAC_SHA1_80 inline:" + KEY,), A, ""),
    ],
)
def test_what_an_offer_gets(protocol: str, lines: tuple[str, ...], encryption: Encryption, how: str) -> None:
    if how:
        assert ours(offered(protocol, *lines), encryption) == how
    else:
        with pytest.raises(SdpMismatch, match="RTP"):
            ours(offered(protocol, *lines), encryption)


def test_the_answer_takes_the_offer_s_first_suite_that_we_know_by_its_tag() -> None:
    lines = ("1 F8_128_HMAC_SHA1_80 inline:" + KEY, f"7 AES_CM_128_HMAC_SHA1_32 inline:{KEY}", "8" + RFC_4568[1:])
    negotiated = answer(offered("RTP/SAVP", *lines), "192.0.2.1", 10000, A, OURS, session_id=5)
    [line] = [each.value for each in negotiated.session.media[0].attributes if each.name == "crypto"]
    keys = negotiated.stream.keys
    assert keys is not None and line is not None
    assert (keys.suite, keys.theirs) == (Suite.AES_128_SHA1_32, bytes(range(30)))
    assert line == f"7 AES_CM_128_HMAC_SHA1_32 inline:{base64.b64encode(keys.ours).decode()}"


@pytest.mark.parametrize(
    ("line", "usable"),
    [
        (RFC_4568, True),
        (RFC_4568 + "|1:4", False),  # a key identifier, which each packet would carry
        (RFC_4568 + ";inline:" + KEY, False),
        (RFC_4568 + " WSH=60", True),
        (RFC_4568 + " KDR=1", False),
        (RFC_4568 + " UNENCRYPTED_SRTP", False),
        ("1 AES_CM_128_HMAC_SHA1_80 inline:" + KEY[:-4], False),
        ("1 AES_CM_128_HMAC_SHA1_80 inline:!" + KEY[1:], False),
        ("0 AES_CM_128_HMAC_SHA1_80 inline:" + KEY, False),
        ("1 AES_CM_128_HMAC_SHA1_80", False),
    ],
)
def test_which_lines_can_be_used(line: str, usable: bool) -> None:
    assert bool(crypto.read([Attribute("crypto", line)])) is usable


@given(st.sampled_from(Encryption), st.sampled_from(Encryption))
def test_two_of_us_agree_on_keys_or_refuse(caller: Encryption, callee: Encryption) -> None:
    made = offer("192.0.2.9", 4000, caller, THEIRS, session_id=1)
    try:
        negotiated = answer(parse(bytes(made)), "192.0.2.1", 10000, callee, OURS, session_id=5)
    except SdpMismatch:
        assert {caller, callee} == {D, R}
        return
    stream = accept(made, parse(bytes(negotiated.session)), caller)
    assert (stream.keys is None) == (D in (caller, callee))
    if stream.keys is not None and negotiated.stream.keys is not None:
        assert (stream.keys.ours, stream.keys.theirs) == (negotiated.stream.keys.theirs, negotiated.stream.keys.ours)


def test_an_answer_must_have_one_key_for_what_was_offered() -> None:
    made = offer("192.0.2.1", 4000, R, OURS, session_id=1)
    for lines in ((), (f"9 AES_CM_128_HMAC_SHA1_80 inline:{KEY}",), (RFC_4568, RFC_4568)):
        with pytest.raises(SdpMismatch):
            accept(made, offered("RTP/SAVP", *lines), R)
    with pytest.raises(SdpMismatch):
        accept(made, offered("RTP/AVP", RFC_4568), R)
    assert accept(made, offered("RTP/SAVP", RFC_4568), R).keys is not None


def test_no_key_is_shown() -> None:
    [read] = crypto.read([Attribute("crypto", RFC_4568)])
    assert "key" not in repr(read)
    chosen = crypto.chosen([read], OURS)
    assert chosen is not None
    assert "ours" not in repr(chosen[1])
