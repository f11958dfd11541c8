from __future__ import annotations

import pytest
import sipmessage
from sipmessage import URI, Address, Parameters

from gateway.sip import lenient, message
from gateway.sip.dialog import Dialog
from gateway.sip.secure import SipsNotAllowed, wants_sips

SIPS_ROUTE, SIP_ROUTE = "<sips:p1.example.net;lr>", "<sip:p2.example.net;lr>"


def invite(uri: str, contact: str, routes: tuple[str, ...] = ()) -> sipmessage.Request:
    made = message.request(
        "INVITE",
        lenient.uri(uri),
        sender=Address(URI.parse("sip:a@example.org"), parameters=Parameters(tag="ta")),
        to=Address(URI.parse("sip:b@example.com")),
        call_id="c1",
        cseq=7,
        contact=contact,
    )
    made.headers.set("Via", "SIP/2.0/TLS 192.0.2.1;branch=z9hG4bKx")
    if routes:
        made.headers.setlist("Record-Route", list(routes))
    return made


@pytest.mark.parametrize(
    ("uri", "routes", "contact", "wants"),
    [
        ("sip:b@example.com", (), "sip:a@192.0.2.1", False),
        ("sip:b@example.com;transport=tls", (), "sip:a@192.0.2.1;transport=tls", False),
        ("sips:b@example.com", (), "sip:a@192.0.2.1", True),
        ("SIPS:b@example.com", (), "sip:a@192.0.2.1", True),
        ("sips:b@example.com", (SIP_ROUTE,), "sip:a@192.0.2.1", True),
        ("sip:b@example.com", (), "sips:a@192.0.2.1", True),
        ("sip:b@example.com", (SIP_ROUTE,), "sips:a@192.0.2.1", False),
        ("sip:b@example.com", (SIPS_ROUTE,), "sip:a@192.0.2.1", True),
        ("sip:b@example.com", (SIPS_ROUTE, SIP_ROUTE), "sip:a@192.0.2.1", True),
        ("sip:b@example.com", (SIP_ROUTE, SIPS_ROUTE), "sip:a@192.0.2.1", False),
        ("sip:b@example.com", (f"{SIPS_ROUTE}, {SIP_ROUTE}",), "sip:a@192.0.2.1", True),
        ("sip:b@example.com", ("not an address",), "sips:a@192.0.2.1", False),
    ],
)
def test_rfc_3261_section_12_1_1(uri: str, routes: tuple[str, ...], contact: str, *, wants: bool) -> None:
    assert wants_sips(invite(uri, contact, routes)) is wants


@pytest.mark.parametrize("scheme", ["sip", "sips"])
def test_a_dialog_keeps_to_the_addresses_that_it_was_made_with(scheme: str) -> None:
    request = invite(f"{scheme}:b@example.com", f"{scheme}:a@192.0.2.1")
    ok = message.respond(request, 200, to_tag="tb", contact=f"{scheme}:b@192.0.2.2")
    caller, callee = Dialog.uac(request, ok), Dialog.uas(request, ok)
    assert caller.secure is callee.secure is (scheme == "sips")
    assert str(caller.request("UPDATE").contact[0].uri) == f"{scheme}:a@192.0.2.1"


def test_what_isnt_allowed_is_told_by_a_warning() -> None:
    fault = SipsNotAllowed("192.0.2.7:5060")
    assert (fault.sip_status, fault.headers) == (480, (("Warning", '380 192.0.2.7:5060 "SIPS Not Allowed"'),))
