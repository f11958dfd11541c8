"""Refer-To and Replaces, as they are written in the wild and by an enemy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import PeerFault
from gateway.sip import lenient
from gateway.sip.dialog import DialogId
from gateway.sip.refer import Replaced, replaced, told, wanted


def request(method: str, *headers: tuple[str, str]) -> lenient.Request:
    made = lenient.Request(method, lenient.uri("sip:a@192.0.2.1"))
    for name, value in headers:
        made.headers.add(name, value)
    return made


@pytest.mark.parametrize(
    ("written", "target", "headers"),
    [
        ("<sip:bob@192.0.2.7>", "sip:bob@192.0.2.7", ()),
        ("sip:bob@192.0.2.7;id=1", "sip:bob@192.0.2.7", ()),
        ('"Bob" <sips:bob@pbx.example;transport=tls>;x=y', "sips:bob@pbx.example;transport=tls", ()),
        (
            "<sip:bob@192.0.2.7?Replaces=1%40a%3Bto-tag%3D2%3Bfrom-tag%3D3&X-Case=7&From=evil&Route=evil>",
            "sip:bob@192.0.2.7",
            (("Replaces", "1@a;to-tag=2;from-tag=3"), ("X-Case", "7")),
        ),
        ("<sip:bob@192.0.2.7?X-A=b%0D%0AVia:evil>", "sip:bob@192.0.2.7", ()),
    ],
)
def test_whom_a_refer_wants_called(written: str, target: str, headers: tuple[tuple[str, str], ...]) -> None:
    found = wanted(request("REFER", ("Refer-To", written)))
    assert (str(found.target), found.headers) == (target, headers)


@pytest.mark.parametrize(
    ("written", "status"),
    [((), 400), (("sip:a@b", "sip:a@c"), 400), (("tel:+15105550100",), 416), (("<sip:>",), 400), (("",), 416)],
)
def test_a_refer_that_names_nobody(written: tuple[str, ...], status: int) -> None:
    with pytest.raises(PeerFault) as refused:
        wanted(request("REFER", *(("Refer-To", each) for each in written)))
    assert refused.value.sip_status == status


def test_which_dialog_is_replaced() -> None:
    assert replaced(request("INVITE")) is None
    named = replaced(request("INVITE", ("Replaces", "98732@sip.example ; from-tag=r33 ; to-tag=ff87 ; early-only")))
    assert named == Replaced(DialogId("98732@sip.example", local_tag="ff87", remote_tag="r33"), early_only=True)


@pytest.mark.parametrize(
    "written", ["", "a", "a;to-tag=1", "a;to-tag=1;from-tag=", ";to-tag=1;from-tag=2", "a;to-tag=1;from-tag=2, b"]
)
def test_a_replaces_that_cant_be_read(written: str) -> None:
    with pytest.raises(PeerFault) as refused:
        replaced(request("INVITE", ("Replaces", written)))
    assert refused.value.sip_status == 400


def test_what_a_notify_tells() -> None:
    assert told(100) == b"SIP/2.0 100 Trying\r\n"
    assert told(486, "Besetzt") == b"SIP/2.0 486 Besetzt\r\n"


@given(st.text())
def test_anything_may_stand_there(text: str) -> None:
    for method, header, read in (("REFER", "Refer-To", wanted), ("INVITE", "Replaces", replaced)):
        try:
            read(request(method, (header, text)))
        except PeerFault as bad:
            assert bad.sip_status in (400, 416)
