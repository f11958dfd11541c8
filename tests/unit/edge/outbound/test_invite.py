from __future__ import annotations

from dataclasses import replace

import pytest
from livekit.protocol.sip import SIPTransport

from gateway.bus.errors import RemoteError
from gateway.bus.participants import Dial, Written
from gateway.edge.outbound.invite import check, ends, invite, transport_of
from gateway.sip.message import encode, parse
from gateway.terms.personal import Number

DIAL = Dial("SCL_1", "ST_1", "carrier.example", Number("+15105550100"), Number("+15105550111"), room="call-1")
HERE = "192.0.2.1:5060"


def sent(dial: Dial) -> dict[str, str]:
    """From, To and the Request-URI, as they are read on the other side."""
    made = invite(ends(dial, HERE), call_id="c", cseq=1, contact="sip:192.0.2.1", headers=[], body=b"v=0\r\n")
    read = parse(encode(made).replace(b"\r\nMax", b"\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nMax", 1))
    assert read is not None
    return {"uri": str(made.uri), "from": read.headers["From"], "to": read.headers["To"]}


def test_who_calls_whom() -> None:
    assert sent(DIAL) == {
        "uri": "sip:+15105550111@carrier.example",
        "from": '"+15105550100" <sip:+15105550100@192.0.2.1:5060>;tag=SCL_1',
        "to": "<sip:+15105550111@carrier.example>",
    }


@pytest.mark.parametrize(
    ("name", "sender"),
    [(None, '"+15105550100" <sip:+1'), ("", "<sip:+1"), ("Acme", '"Acme" <'), ('A "b" \\', '"A \\"b\\" \\\\" <')],
)
def test_the_callers_name_is_said_as_asked_for(name: str | None, sender: str) -> None:
    assert sent(replace(DIAL, display_name=name))["from"].startswith(sender)


def test_a_host_of_ones_own_stands_in_from() -> None:
    assert "@acme.example>" in sent(replace(DIAL, from_host="acme.example"))["from"]


def test_addresses_written_whole_are_taken_as_they_are() -> None:
    whole = replace(
        DIAL,
        request_uri=Written(raw="sip:ana@192.0.2.7:5070;transport=tcp"),
        from_header=Written(user="boss", host="acme.example", name="Boss"),
        to_header=Written(raw="<sip:ana@acme.example>"),
    )
    assert sent(whole) == {
        "uri": "sip:ana@192.0.2.7:5070;transport=tcp",
        "from": '"Boss" <sip:boss@acme.example>;tag=SCL_1',
        "to": "<sip:ana@acme.example>",
    }


def test_to_may_name_another_user_than_the_one_who_is_called() -> None:
    told = sent(replace(DIAL, to_user=Number("+15105550222")))
    assert told["to"] == "<sip:+15105550222@carrier.example>"
    assert told["uri"] == "sip:+15105550111@carrier.example"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"dialed": Number("")}, "number to call must be set"),
        ({"dialed": Number("ana@pbx")}, "a number or a SIP user"),
        ({"dialed": Number("ana pbx")}, "characters that no SIP address may have"),
        ({"address": "sip:carrier.example"}, "without sip:"),
        ({"address": "carrier.example;transport=tcp"}, "without sip:"),
        ({"to_user": Number("sip:ana@pbx")}, "characters that no SIP address may have"),
        ({"number": Number("")}, "number to call from"),
        ({"room": ""}, "room's name"),
        ({"keys": "1,2"}, "dtmf may hold"),
    ],
)
def test_what_no_invite_can_be_made_of_is_told(wrong: dict[str, object], says: str) -> None:
    check(DIAL)
    with pytest.raises(RemoteError, match=says) as told:
        check(replace(DIAL, **wrong))
    assert told.value.code == "invalid_argument"


def test_an_address_that_cannot_be_read_is_told() -> None:
    with pytest.raises(RemoteError):
        ends(replace(DIAL, request_uri=Written(raw="<<>>")), HERE)


@pytest.mark.parametrize(
    ("trunk", "written", "by", "uri"),
    [
        (SIPTransport.SIP_TRANSPORT_AUTO, "", "", "sip:+15105550111@carrier.example"),
        (SIPTransport.SIP_TRANSPORT_TLS, "", "TLS", "sip:+15105550111@carrier.example;transport=tls"),
        (SIPTransport.SIP_TRANSPORT_AUTO, "sips:ana@a.example", "TLS", "sips:ana@a.example"),
        (SIPTransport.SIP_TRANSPORT_TLS, "<sips:ana@a.example>", "TLS", "sips:ana@a.example"),
        (SIPTransport.SIP_TRANSPORT_TLS, "sip:ana@a.example", "TLS", "sip:ana@a.example"),
        (SIPTransport.SIP_TRANSPORT_AUTO, '"sips:" <sip:ana@a.example;transport=TCP>', "TCP", "sip:ana@a.example;transport=TCP"),
    ],
)  # fmt: skip
def test_sips_is_used_only_when_it_is_asked_for(trunk: int, written: str, by: str, uri: str) -> None:
    dial = replace(DIAL, transport=trunk, request_uri=Written(raw=written))
    assert (transport_of(dial), sent(dial)["uri"]) == (by, uri)


@pytest.mark.parametrize(
    ("trunk", "written"),
    [
        (SIPTransport.SIP_TRANSPORT_UDP, "sips:ana@a.example"),
        (SIPTransport.SIP_TRANSPORT_TCP, "sips:ana@a.example"),
        (SIPTransport.SIP_TRANSPORT_AUTO, "sip:ana@a.example;transport=sctp"),
    ],
)
def test_a_transport_that_does_not_fit_is_told(trunk: int, written: str) -> None:
    with pytest.raises(RemoteError) as told:
        transport_of(replace(DIAL, transport=trunk, request_uri=Written(raw=written)))
    assert told.value.code == "invalid_argument"
