from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sipmessage import URI, Via

from gateway.sip import lenient


@pytest.mark.parametrize(
    ("text", "user", "host", "port"),
    [
        ("sip:100@pbx1", "100", "pbx1", None),
        ("SIP:100@sip_server:5070", "100", "sip_server", 5070),
        ("sip:*72#@192.0.2.1", "*72#", "192.0.2.1", None),
        ("sip:100@h1?Subject=x", "100", "h1", None),
        ("sip:100:secret@h1", "100", "h1", None),
        ("sip:h1", None, "h1", None),
        ("sip:+15105550100;npdi@192.0.2.1", "+15105550100;npdi", "192.0.2.1", None),
        ("sip:%2B1510@h1;transport=udp", "+1510", "h1", None),
    ],
)
def test_uris(text: str, user: str | None, host: str, port: int | None) -> None:
    uri = lenient.uri(text)
    assert (uri.scheme, uri.user, uri.host, uri.port) == ("sip", user, host, port)


@pytest.mark.parametrize("place", ["h:65536", "192.0.2.1:99999999999", "pbx_1:99999", "h:" + "9" * 5000])
def test_a_port_that_can_t_be(place: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        lenient.uri(f"sip:a@{place}")
    for address in (f"<sip:a@{place}>;tag=a", f"sip:a@{place};tag=a"):
        with pytest.raises(ValueError, match=r"."):
            lenient.address(address)
    with pytest.raises(ValueError, match=r"."):
        lenient.via(f"SIP/2.0/UDP {place};branch=z9hG4bKx")


def test_the_highest_port() -> None:
    assert lenient.uri("sip:a@h:65535").port == lenient.uri("sip:a@pbx_1:65535").port == 65535


@pytest.mark.parametrize("text", ["", "sip:", "sip:@h", "urn:x:y", "sip:a b@h", "sip:a@", "http://h/"])
def test_no_uris(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        lenient.uri(text)


@pytest.mark.parametrize(
    ("text", "name", "user"),
    [
        ("<sip:1@h1>;tag=a", "", "1"),
        ("sip:1@h1;tag=a", "", "1"),
        ("Дарья <sip:1@example.com>;tag=a", "Дарья", "1"),
        ('"O\\"Hara, Pat" <sip:1@h1>;tag=a', 'O"Hara, Pat', "1"),
        ("Pat (office) <sip:1@h1>;tag=a", "Pat (office)", "1"),
    ],
)
def test_addresses(text: str, name: str, user: str) -> None:
    address = lenient.address(text)
    assert (address.name, address.uri.user, address.parameters["tag"]) == (name, user, "a")


def test_vias() -> None:
    assert lenient.via("SIP/2.0/UDP pbx_1:5062;branch=z9hG4bKx;rport") == Via(
        "UDP", "pbx_1", 5062, lenient.Parameters(branch="z9hG4bKx", rport=None)
    )
    assert lenient.via("SIP/2.0/UDP 192.0.2.1;received=2001:db8::1").parameters["received"] == "2001:db8::1"


@pytest.mark.parametrize("read", [lenient.uri, lenient.address, lenient.via])
@given(text=st.text(max_size=60) | st.text('sip:@<>;=",abc1 []/2.0UDP', max_size=60))
def test_only_value_errors_come_out(read: object, text: str) -> None:
    assert callable(read)
    with contextlib.suppress(ValueError):
        read(text)


@pytest.mark.parametrize("text", ["<sip:a@h>;self=1", "SIP/2.0/UDP h;self=1"])
def test_a_parameter_called_self_is_no_crash(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        (lenient.via if text.startswith("SIP") else lenient.address)(text)


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("<sip:a,b@h>, <sip:c@h>", ["<sip:a,b@h>", "<sip:c@h>"]),
        ('"a, \\", b" <sip:x@h>,y', ['"a, \\", b" <sip:x@h>', "y"]),
        ("one", ["one"]),
    ],
)
def test_lines_are_split_at_true_commas(line: str, values: list[str]) -> None:
    assert list(lenient.split(line)) == values


def test_accessors_read_and_write() -> None:
    request = lenient.Request("INVITE", URI.parse("sip:a@h.example"))
    for name in ("Contact", "Route", "Record-Route"):
        request.headers.add(name, "<sip:1@pbx1>, <sip:2@pbx2>")
    request.headers.add("Via", "SIP/2.0/UDP pbx1, SIP/2.0/UDP pbx2")
    assert [str(each) for each in request.contact] == ["<sip:1@pbx1>", "<sip:2@pbx2>"]
    assert request.route == request.record_route == request.contact
    assert [each.host for each in request.via] == ["pbx1", "pbx2"]
    request.to_address = request.from_address = request.contact[0]
    request.route = request.record_route = request.contact = [lenient.address("<sip:3@pbx3>")]
    request.via = request.via[:1]
    assert request.to_address == request.from_address == lenient.address("<sip:1@pbx1>")
    assert [len(each) for each in (request.route, request.record_route, request.contact, request.via)] == [1, 1, 1, 1]


def test_parameters_are_found_in_any_case() -> None:
    assert lenient.parameter(lenient.Parameters(Tag="x"), "tag") == "x"
    assert lenient.parameter(lenient.Parameters(tag=None), "tag") == ""
