"""RFC 3262: which provisional responses are acknowledged, and by what."""

from __future__ import annotations

import pytest

from gateway.sip import lenient
from gateway.sip.reliable import Order, acknowledges, acknowledging, demanded, number_of

INVITE = lenient.Request("INVITE", lenient.uri("sip:a@192.0.2.1"))
INVITE.headers.set("CSeq", "314 INVITE")


def ringing(**headers: str) -> lenient.Response:
    made = lenient.Response(180, "Ringing")
    for name, value in headers.items():
        made.headers.add(name, value)
    return made


@pytest.mark.parametrize(
    ("headers", "number"),
    [
        ({"Require": "100rel", "RSeq": "776656"}, 776656),
        ({"Require": "timer, 100REL", "RSeq": " 1 "}, 1),
        ({"RSeq": "776656"}, None),
        ({"Require": "100rel"}, None),
        ({"Require": "100rel", "RSeq": "-1"}, None),
    ],
)
def test_a_response_that_wants_an_acknowledgement(headers: dict[str, str], number: int | None) -> None:
    assert number_of(ringing(**headers)) == number


def test_an_invite_that_wants_them() -> None:
    wanting = lenient.Request("INVITE", lenient.uri("sip:a@192.0.2.1"))
    assert not demanded(wanting)
    wanting.headers.add("Require", "100rel")
    assert demanded(wanting)


@pytest.mark.parametrize(
    ("written", "fits"),
    [
        ("776656 314 INVITE", True),
        ("776657 314 INVITE", False),
        ("776656 315 INVITE", False),
        ("776656 314 UPDATE", False),
        ("776656 314", False),
        ("", False),
    ],
)
def test_what_a_prack_acknowledges(written: str, fits: bool) -> None:
    prack = lenient.Request("PRACK", lenient.uri("sip:a@192.0.2.1"))
    prack.headers.set("RAck", written)
    assert acknowledges(prack, INVITE, 776656) is fits


def test_ours_acknowledges() -> None:
    assert acknowledging(INVITE, 5) == ("RAck", "5 314 INVITE")


def test_each_is_heard_once_and_in_order() -> None:
    order = Order()
    assert [order.takes(number) for number in (7, 7, 9, 8, 8, 9, 7)] == [True, False, False, True, False, True, False]
