from __future__ import annotations

import pytest
import sipmessage
from hypothesis import given
from hypothesis import strategies as st

from gateway.sip import info
from gateway.sip.message import parse

HEAD = (
    "INFO sip:edge@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa\r\nFrom: <sip:a@192.0.2.9>;tag=a\r\n"
    "To: <sip:b@192.0.2.1>;tag=b\r\nCall-ID: c\r\nCSeq: 5 INFO\r\nMax-Forwards: 70\r\n"
)


def asked(body: bytes, kind: str = "", *more: str) -> sipmessage.Request:
    lines = "".join(f"{line}\r\n" for line in (*([f"Content-Type: {kind}"] if kind else []), *more))
    made = parse((f"{HEAD}{lines}Content-Length: {len(body)}\r\n\r\n").encode() + body)
    assert isinstance(made, sipmessage.Request)
    return made


@pytest.mark.parametrize(
    ("body", "kind", "key", "seconds"),
    [
        (b"Signal=5\r\nDuration=160\r\n", "application/dtmf-relay", "5", 0.16),
        (b"Signal= *\r\nDuration= 250", "application/dtmf-relay", "*", 0.25),
        (b"signal=11\nduration=100\n", "Application/DTMF-Relay; charset=utf-8", "#", 0.1),
        (b"Signal=d", "application/dtmf-relay", "D", 0.0),
        (b"Signal=hf\r\nDuration=100", "application/dtmf-relay", "", 0.1),
        (b"Signal=1\r\nDuration=99999999", "application/dtmf-relay", "1", 10.0),
        (b"Signal=1\r\nDuration=-5", "application/dtmf-relay", "1", 0.0),
        (b"7", "application/dtmf", "7", 0.0),
        (b"#\r\n", "application/dtmf", "#", 0.0),
        (b"10", "application/dtmf", "*", 0.0),
        (b"Signal=3\r\n", "application/dtmf", "3", 0.0),
        (b"", "", "", 0.0),
    ],
)
def test_what_is_pressed(body: bytes, kind: str, key: str, seconds: float) -> None:
    assert info.read(asked(body, kind)) == info.Told(key, seconds)


@pytest.mark.parametrize(
    ("body", "kind", "more", "status", "header"),
    [
        (b"<media_control/>", "application/media_control+xml", (), 415, "Accept"),
        (b"5", "", (), 415, "Accept"),
        (b"Signal=17\r\n", "application/dtmf-relay", (), 400, ""),
        (b"Signal=\r\n", "application/dtmf-relay", (), 400, ""),
        (b"12", "application/dtmf", ("Info-Package: foo",), 469, "Recv-Info"),
        (b"\xff\xfe", "application/dtmf", (), 400, ""),
        ("５".encode(), "application/dtmf", (), 400, ""),
    ],
)
def test_what_tells_no_key(body: bytes, kind: str, more: tuple[str, ...], status: int, header: str) -> None:
    with pytest.raises(info.NoKey) as caught:
        info.read(asked(body, kind, *more))
    assert caught.value.sip_status == status
    assert [name for name, _ in caught.value.headers] == ([header] if header else [])


@given(st.binary(max_size=400), st.sampled_from(info.KINDS))
def test_noise_is_a_key_or_refused(body: bytes, kind: str) -> None:
    try:
        told = info.read(asked(body, kind))
    except info.NoKey:
        return
    assert told.key in {*"0123456789*#ABCD", ""}


def test_a_key_is_not_in_what_is_logged() -> None:
    assert "5" not in repr(info.Told("5"))
