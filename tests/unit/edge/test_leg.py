from __future__ import annotations

import pytest
import sipmessage
from hypothesis import given
from hypothesis import strategies as st

from gateway.bus.ioinfo import RuleAnswer, Verdict
from gateway.edge.leg import attributes, fixed_headers, leg_of
from gateway.sip.message import parse

INVITE = """INVITE sip:edge@192.0.2.1:5060 SIP/2.0
Via: SIP/2.0/UDP proxy.example;branch=z9hG4bK1
Via: SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bK0
From: "Ada" <sip:+15105550123@carrier.example>;tag=theirs
To: <sip:+15105550100;npdi=yes@192.0.2.1:5060>
Call-ID: abc@carrier.example
CSeq: 1 INVITE
Contact: <sip:+15105550123@198.51.100.7:5070>
X-Account: acct-42
X-Twilio-CallSid: CA1
Diversion: <sip:+15105550177@carrier.example>
Content-Length: 0

"""


def invite(text: str = INVITE) -> sipmessage.Request:
    request = parse(text.replace("\n", "\r\n").encode())
    assert isinstance(request, sipmessage.Request)
    return request


def rule(**fields: object) -> RuleAnswer:
    return RuleAnswer(Verdict.ACCEPT, attributes={"sip.callID": "SCL_1"}, **fields)  # type: ignore[arg-type]


def test_the_ends_of_a_call() -> None:
    leg = leg_of(invite(), "SCL_1", "203.0.113.9")
    assert (leg.id, leg.sip_call_id, leg.source) == ("SCL_1", "abc@carrier.example", "203.0.113.9")
    assert (leg.caller.user.reveal(), leg.caller.host) == ("+15105550123", "carrier.example")
    assert (leg.dialed.user.reveal(), leg.dialed.host, leg.dialed.port) == ("+15105550100", "192.0.2.1", 5060)
    assert (leg.target.user.reveal(), leg.target.host) == ("edge", "192.0.2.1")
    assert [hop.host for hop in leg.via] == ["proxy.example", "198.51.100.7"]
    assert "5550123" not in repr(leg)


def test_a_number_by_tel_and_a_caller_without_one() -> None:
    text = INVITE.replace('"Ada" <sip:+15105550123@carrier.example>', "<sip:carrier.example>")
    text = text.replace("<sip:+15105550100;npdi=yes@192.0.2.1:5060>", "<tel:+15105550100>")
    leg = leg_of(invite(text), "SCL_1", "203.0.113.9")
    assert (leg.caller.user.reveal(), leg.dialed.user.reveal()) == ("", "+15105550100")


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("tel:+1-510-555-0123", "+15105550123"),
        ("tel:5550123;phone-context=+1510", "5550123"),
        ("sip:+1(510)555.0123;npdi@carrier.example", "+15105550123"),
        ("sip:100-200@carrier.example", "100-200"),
        ("sip:+desk-1@carrier.example", "+desk-1"),
    ],
)
def test_a_number_is_told_without_what_is_written_between_its_digits(written: str, number: str) -> None:
    text = INVITE.replace("sip:+15105550123@carrier.example>;tag", f"{written}>;tag")
    assert leg_of(invite(text), "SCL_1", "203.0.113.9").caller.user.reveal() == number


def test_the_attributes_that_livekit_sip_sets() -> None:
    assert attributes(invite(), rule()) == {
        "sip.callID": "SCL_1",
        "sip.callIDFull": "abc@carrier.example",
        "offhook.edge": "1",
        "sip.callTag": "theirs",
        "sip.callStatus": "ringing",
        "sip.twilio.callSid": "CA1",
    }


def test_headers_by_the_trunks_wish() -> None:
    some = attributes(invite(), rule(include_headers=1))
    assert some["sip.h.x-account"] == "acct-42"
    assert "sip.h.diversion" not in some
    every = attributes(invite(), rule(include_headers=2))
    assert every["sip.h.diversion"] == "<sip:+15105550177@carrier.example>"
    named = attributes(invite(), rule(headers_to_attributes={"DIVERSION": "first.dialed", "X-None": "none"}))
    assert named["first.dialed"] == "<sip:+15105550177@carrier.example>"
    assert "none" not in named


def test_a_list_is_passed_on_whole_however_many_lines_it_has() -> None:
    more = (
        "History-Info: <sip:+1@a>;index=1\nHistory-Info: <sip:+2@a>;index=1.1\n"
        "P-Asserted-Identity: <sip:+1@a;verstat=TN-Validation-Passed>\nP-Asserted-Identity: <tel:+1>\nX-Account: 43\n"
    )
    every = attributes(invite(INVITE.replace("Content-Length", f"{more}Content-Length")), rule(include_headers=2))
    assert every["sip.h.history-info"] == "<sip:+1@a>;index=1, <sip:+2@a>;index=1.1"
    assert every["sip.h.p-asserted-identity"] == "<sip:+1@a;verstat=TN-Validation-Passed>, <tel:+1>"
    assert every["sip.h.x-account"] == "43"


def test_headers_for_the_caller() -> None:
    wishes = {"agent.name": "X-Agent", "absent": "X-Absent"}
    assert fixed_headers({"X-Trunk": "one"}, wishes, {"agent.name": "sales"}) == [
        ("X-Trunk", "one"),
        ("X-Agent", "sales"),
    ]


@given(st.text(max_size=12), st.text(max_size=12))
def test_no_wish_breaks_a_message(name: str, value: str) -> None:
    for header, content in fixed_headers({name: value}, {}, {}):
        assert header.isascii()
        assert not set(header) & set(" \t\r\n:\0")
        assert header.lower() not in ("via", "to", "from", "call-id", "cseq", "content-length")
        assert not set(content) & set("\r\n\0")
