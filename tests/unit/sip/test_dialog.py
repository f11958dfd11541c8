from __future__ import annotations

import pytest
import sipmessage
from hypothesis import given
from hypothesis import strategies as st
from sipmessage import URI, Address, CSeq, Parameters

from gateway.errors import OurFault, PeerFault
from gateway.sip import message
from gateway.sip.dialog import Dialog, DialogFault, DialogId, check


def invite(contact: str = "sip:a@192.0.2.1:5062", routes: tuple[str, ...] = ()) -> sipmessage.Request:
    made = message.request(
        "INVITE",
        URI.parse("sip:b@example.com"),
        sender=Address(URI.parse("sip:a@example.org"), name="Ann", parameters=Parameters(tag="ta")),
        to=Address(URI.parse("sip:b@example.com")),
        call_id="c1",
        cseq=7,
        contact=contact,
    )
    made.headers.set("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx")
    if routes:
        made.headers.setlist("Record-Route", list(routes))
    return made


def pair(*routes: str) -> tuple[Dialog, Dialog]:
    """The caller's dialog and the callee's, of the same INVITE and 200."""
    request = invite(routes=routes)
    ok = message.respond(request, 200, to_tag="tb", contact="sip:b@192.0.2.2:5064")
    return Dialog.uac(request, ok), Dialog.uas(request, ok)


def test_both_sides_name_the_dialog_alike() -> None:
    caller, callee = pair()
    assert caller.id == DialogId("c1", "ta", "tb")
    assert callee.id == DialogId("c1", "tb", "ta")
    assert DialogId.of(caller.request("BYE")) == callee.id
    assert DialogId.of(callee.request("BYE")) == caller.id
    assert DialogId.of(invite()) == DialogId("c1", "", "ta")


def test_requests_count_up_from_the_invite_and_go_to_the_contact() -> None:
    caller, callee = pair()
    first, second = caller.request("INFO", body=b"x", content_type="text/plain"), caller.request("BYE")
    assert [str(first.cseq), str(second.cseq)] == ["8 INFO", "9 BYE"]
    assert (str(first.uri), caller.destination) == ("sip:b@192.0.2.2:5064", ("192.0.2.2", 5064))
    assert (first.body, str(first.content_type), first.contact[0].uri.port) == (b"x", "text/plain", 5062)
    assert (first.headers["From"], message.tag_of(first.to_address)) == (invite().headers["From"], "tb")
    assert second.headers.get("Contact") is None
    assert str(callee.request("BYE").cseq) == "1 BYE"
    assert callee.destination == ("192.0.2.1", 5062)


def test_an_ack_has_its_invite_s_number() -> None:
    caller, _ = pair()
    caller.request("INFO")
    assert str(caller.ack(body=b"sdp", content_type="application/sdp").cseq) == "7 ACK"
    again = caller.request("INVITE")
    assert caller.ack().cseq == CSeq(again.cseq.sequence, "ACK")


@pytest.mark.parametrize("method", ["ACK", "CANCEL"])
def test_ack_and_cancel_take_no_number(method: str) -> None:
    with pytest.raises(OurFault):
        pair()[0].request(method)


def test_a_header_that_would_break_the_message_is_refused() -> None:
    with pytest.raises(OurFault):
        pair()[0].request("INFO", headers=[("X", "a\r\nB: c")])


def test_routes_are_kept_as_written_and_mirrored() -> None:
    caller, callee = pair("<sip:p2.example;lr;x=a%2Fb>", "<sip:p1.example:5070;lr>")
    assert callee.request("BYE").headers.getlist("Route") == ["<sip:p2.example;lr;x=a%2Fb>", "<sip:p1.example:5070;lr>"]
    assert caller.request("BYE").headers.getlist("Route") == ["<sip:p1.example:5070;lr>", "<sip:p2.example;lr;x=a%2Fb>"]
    assert (caller.destination, callee.destination) == (("p1.example", 5070), ("p2.example", 5060))
    assert caller.ack().headers.getlist("Route") == caller.request("INFO").headers.getlist("Route")


def test_routes_on_one_line_are_several() -> None:
    assert len(pair("<sip:p1;lr>, <sip:p2;lr>")[1].request("BYE").headers.getlist("Route")) == 2


ROUTES = [
    "garbage",
    "<sip:p1:99999;lr>",
    "<sip:p1:0;lr>",
    "<tel:+1510>",
    "<sip:p1;lr>, garbage",
    "<urn:service:sos>",
]


@pytest.mark.parametrize("route", ROUTES)
def test_no_dialog_is_made_of_routes_that_lead_nowhere(route: str) -> None:
    """Neither side's BYE could be sent."""
    request = invite(routes=(route,))
    with pytest.raises(DialogFault) as caught:
        check(request)
    assert caught.value.sip_status == 400
    ok = message.respond(invite(), 200, to_tag="tb", contact="sip:b@192.0.2.2:5064")
    with pytest.raises(DialogFault):
        Dialog.uas(request, ok)
    ok.headers.setlist("Record-Route", [", ".join(reversed([each.strip() for each in route.split(",")]))])
    with pytest.raises(DialogFault):
        Dialog.uac(invite(), ok)


@pytest.mark.parametrize("contact", ["garbage", "", "*", "<tel:+1510>", "<sip:a@h:99999>", "<sip:a@h:0>"])
def test_no_dialog_is_made_of_a_contact_that_leads_nowhere(contact: str) -> None:
    request = invite()
    request.headers.setlist("Contact", [contact])
    with pytest.raises(DialogFault) as caught:
        check(request)
    assert caught.value.sip_status == 400


def test_a_dialog_can_be_made_of_most() -> None:
    check(invite())
    check(invite(routes=("",)))
    check(invite(routes=("<sip:p1;lr>", "<sip:p2.example:5070;lr;x=a%2Fb>, <sip:p3>")))


def test_a_strict_router_gets_the_request_for_itself() -> None:
    """Section 12.2.1.1, for RFC 2543's proxies."""
    _, callee = pair("<sip:old.example>", "<sip:p1;lr>")
    bye = callee.request("BYE")
    assert str(bye.uri) == "sip:old.example"
    assert bye.headers.getlist("Route") == ["<sip:p1;lr>", "<sip:a@192.0.2.1:5062>"]
    assert callee.destination == ("old.example", 5060)


def test_requests_are_admitted_in_order() -> None:
    caller, callee = pair()
    first, second, third = (caller.request("INFO") for _ in range(3))
    callee.admit(first)
    callee.admit(third)
    for stale in (second, third, first):
        with pytest.raises(DialogFault) as caught:
            callee.admit(stale)
        assert caught.value.sip_status == 500
    callee.admit(caller.ack())
    callee.admit(caller.request("BYE"))
    caller.admit(callee.request("BYE"))


@given(st.lists(st.integers(1, 30), max_size=20))
def test_what_is_admitted_rises(numbers: list[int]) -> None:
    caller, callee = pair()
    admitted = []
    for number in numbers:
        request = caller.request("INFO")
        request.cseq = CSeq(number, "INFO")
        try:
            callee.admit(request)
        except DialogFault:
            continue
        admitted.append(number)
    assert admitted == sorted(set(admitted))
    assert all(number > 7 for number in admitted)


@pytest.mark.parametrize("name", ["Call-ID", "From", "To"])
def test_another_dialog_s_request_is_481(name: str) -> None:
    caller, callee = pair()
    request = caller.request("BYE")
    request.headers.set(name, {"Call-ID": "c2"}.get(name, "<sip:a@example.org>;tag=other"))
    with pytest.raises(DialogFault) as caught:
        callee.admit(request)
    assert caught.value.sip_status == 481
    callee.admit(caller.request("BYE"))


def test_a_re_invite_moves_the_target_and_other_requests_do_not() -> None:
    caller, callee = pair()
    info = caller.request("INFO")
    info.headers.set("Contact", "<sip:a@192.0.2.99>")
    callee.admit(info)
    assert callee.destination == ("192.0.2.1", 5062)
    moved = caller.request("INVITE")
    moved.headers.set("Contact", "<sip:a@192.0.2.77>")
    callee.admit(moved)
    assert callee.destination == ("192.0.2.77", 5060)
    ok = message.respond(_with_via(moved), 200, to_tag="tb", contact="sip:b@192.0.2.88")
    caller.confirm(ok)
    assert caller.destination == ("192.0.2.88", 5060)


def test_a_bad_contact_in_a_re_invite_changes_nothing() -> None:
    caller, callee = pair()
    moved = caller.request("INVITE")
    moved.headers.set("Contact", "*")
    with pytest.raises(DialogFault):
        callee.admit(moved)
    moved.headers.remove("Contact")
    callee.admit(moved)
    assert callee.destination == ("192.0.2.1", 5062)


@pytest.mark.parametrize("contact", ["", "tel:+15105550100", "sip:a@h:0"])
def test_an_invite_without_a_usable_contact_makes_no_dialog(contact: str) -> None:
    request = invite(contact)
    with pytest.raises(DialogFault) as caught:
        Dialog.uas(request, message.respond(request, 200, to_tag="t", contact="sip:b@h"))
    assert caught.value.sip_status == 400


def test_a_2xx_without_tag_or_contact_makes_no_dialog() -> None:
    request = invite()
    for bad in (message.respond(request, 100), message.respond(request, 200, to_tag="t")):
        with pytest.raises(DialogFault):
            Dialog.uac(request, bad)


def test_an_early_dialog_needs_no_contact() -> None:
    request = invite()
    early = Dialog.uac(request, message.respond(request, 180, to_tag="t"))
    assert str(early.target) == "sip:b@example.com"


def test_a_place_that_is_none_is_the_peer_s_fault() -> None:
    request = invite()
    request.uri = URI.parse("tel:+15105550100")
    early = Dialog.uac(request, message.respond(request, 180, to_tag="t"))
    with pytest.raises(PeerFault):
        _ = early.destination


def _with_via(request: sipmessage.Request) -> sipmessage.Request:
    request.headers.set("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKy")
    return request
