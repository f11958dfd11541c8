from __future__ import annotations

import pytest
from sipmessage import URI

from gateway.sip import Side, lenient
from gateway.sip.routing import arrived, client_key, seen_as, server_key

SOURCE = ("192.0.2.9", 40000)


def request(
    *vias: str, method: str = "INVITE", cseq: str = "1 INVITE", to: str = "<sip:b@h.example>"
) -> lenient.Request:
    made = lenient.Request(method, URI.parse("sip:b@h.example"))
    made.headers.setlist("Via", list(vias))
    made.headers.set("From", "<sip:a@h.example>;tag=f")
    made.headers.set("To", to)
    made.headers.set("Call-ID", "c")
    made.headers.set("CSeq", cseq)
    return made


@pytest.mark.parametrize(
    ("via", "noted", "destination"),
    [
        ("192.0.2.9:5062;branch=z9hG4bKa", "192.0.2.9:5062;branch=z9hG4bKa", ("192.0.2.9", 5062)),
        ("192.0.2.9;branch=z9hG4bKa", "192.0.2.9;branch=z9hG4bKa", ("192.0.2.9", 5060)),
        ("10.0.0.1:5062;branch=x", "10.0.0.1:5062;branch=x;received=192.0.2.9", ("192.0.2.9", 5062)),
        ("pbx1;branch=x", "pbx1;branch=x;received=192.0.2.9", ("192.0.2.9", 5060)),
        ("pbx1;branch=x;; ;", "pbx1;branch=x;received=192.0.2.9", ("192.0.2.9", 5060)),
        ("10.0.0.1:5062;rport;branch=x", "10.0.0.1:5062;rport=40000;branch=x;received=192.0.2.9", SOURCE),
        ("192.0.2.9;branch=x;RPort", "192.0.2.9;branch=x;rport=40000;received=192.0.2.9", SOURCE),
        ("192.0.2.9;branch=x;rport=7", "192.0.2.9;branch=x;rport=40000;received=192.0.2.9", SOURCE),
        ("192.0.2.9:5062;received=198.51.100.7;branch=x", "192.0.2.9:5062;branch=x", ("192.0.2.9", 5062)),
        (
            "192.0.2.9:5062;maddr=198.51.100.7;branch=x",
            "192.0.2.9:5062;maddr=198.51.100.7;branch=x",
            ("192.0.2.9", 5062),
        ),
    ],
)
def test_a_request_s_origin_is_noted_and_answered(via: str, noted: str, destination: tuple[str, int]) -> None:
    made = request(f"SIP/2.0/UDP {via}")
    assert arrived(made, SOURCE) == destination
    assert made.headers.getlist("Via") == [f"SIP/2.0/UDP {noted}"]


def test_only_the_top_via_is_touched() -> None:
    made = request("SIP/2.0/UDP p1;branch=x;rport, SIP/2.0/UDP p2;rport", "SIP/2.0/UDP p3;rport")
    arrived(made, SOURCE)
    assert made.headers.getlist("Via") == [
        "SIP/2.0/UDP p1;branch=x;rport=40000;received=192.0.2.9, SIP/2.0/UDP p2;rport",
        "SIP/2.0/UDP p3;rport",
    ]
    assert made.via[0].parameters["received"] == "192.0.2.9"


def test_an_ipv6_source_is_noted_readably() -> None:
    made = request("SIP/2.0/UDP [2001:db8::5]:5062;branch=x")
    assert arrived(made, ("2001:db8::5", 1)) == ("2001:db8::5", 5062)
    made = request("SIP/2.0/UDP pbx1;branch=x;rport")
    arrived(made, ("2001:db8::5", 1))
    assert made.via[0].parameters["received"] == "2001:db8::5"


def test_an_ack_shares_its_invite_s_key_and_others_do_not() -> None:
    via = "SIP/2.0/UDP h.example;branch=z9hG4bKa"
    invite = server_key(request(via))
    assert server_key(request(via, method="ACK", cseq="1 ACK", to="<sip:b@h.example>;tag=t")) == invite
    assert server_key(request(via, method="CANCEL", cseq="1 CANCEL")) != invite
    assert server_key(request("SIP/2.0/UDP H.example:5060;branch=z9hG4bKa")) == invite
    assert server_key(request("SIP/2.0/UDP other.example;branch=z9hG4bKa")) != invite
    assert server_key(request("SIP/2.0/UDP h.example;branch=z9hG4bKb")) != invite


@pytest.mark.parametrize("branch", ["", ";branch=", ";branch=1", ";branch=z9hG4bK"])
def test_without_the_cookie_the_whole_identity_is_the_key(branch: str) -> None:
    """RFC 2543's clients: section 17.2.3, second half."""
    via = f"SIP/2.0/UDP h.example{branch}"
    invite = server_key(request(via))
    assert server_key(request(via)) == invite
    assert server_key(request(via, method="ACK", cseq="1 ACK", to="<sip:b@h.example>;tag=t")) == invite
    assert server_key(request(via, cseq="2 INVITE")) != invite
    assert server_key(request(via + ";x=1")) != invite


def test_a_response_belongs_to_branch_and_method() -> None:
    response = lenient.Response(200, "OK")
    response.headers.set("Via", "SIP/2.0/UDP h.example;branch=z9hG4bKa")
    response.headers.set("CSeq", "7 BYE")
    key = client_key(response)
    assert (key.side, key.method, key.branch) == (Side.CLIENT, "BYE", "z9hG4bKa")


@pytest.mark.parametrize(
    ("via", "seen"),
    [
        ("UDP 10.0.0.1:5060;rport=61000;received=203.0.113.7", ("203.0.113.7", 61000)),
        ("UDP 10.0.0.1;rport=5060;received=203.0.113.7", ("203.0.113.7", 5060)),
        ("UDP 203.0.113.7:5060;rport=61000", ("203.0.113.7", 61000)),
        ("UDP 203.0.113.7:5060;rport=5060;received=203.0.113.7", None),
        ("UDP 203.0.113.7:5060;rport", None),
        ("UDP [2001:DB8::7]:5060;rport=5060;received=2001:db8::7", None),
        ("UDP [fd00::1]:5060;rport=5060;received=[2001:db8::7]", ("2001:db8::7", 5060)),
        ("TCP 203.0.113.7:5060;rport=61000;received=203.0.113.7", None),
        ("TCP 10.0.0.1:5060;rport=61000;received=203.0.113.7", ("203.0.113.7", 5060)),
        ("UDP sip.example:5060;rport=5060;received=203.0.113.7", None),
        ("UDP 10.0.0.1:5060;rport=elsewhere;received=nowhere", None),
    ],
)
def test_a_response_tells_whether_a_nat_is_between(via: str, seen: tuple[str, int] | None) -> None:
    response = lenient.Response(200, "OK")
    response.headers.set("Via", f"SIP/2.0/{via};branch=z9hG4bKa")
    assert seen_as(response) == seen
