"""Tests of looking SIP addresses up, against a real DNS server on loopback."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.errors import Unavailable
from gateway.net.locator import Locator
from gateway.sip import HostPort
from tests.e2e.dns_server import Zone, dns_server

ALL = ["UDP", "TCP", "TLS"]
ZONE: Zone = {
    ("naptr.test", "NAPTR"): [
        '20 10 "s" "SIP+D2U" "" _sip._udp.naptr.test.',
        '10 10 "s" "SIP+D2T" "" _sip._tcp.naptr.test.',
    ],
    ("_sip._tcp.naptr.test", "SRV"): ["10 1 5070 localhost.", "20 1 5080 127.0.0.1."],
    ("_sip._udp.naptr.test", "SRV"): ["10 1 5090 127.0.0.1."],
    ("_sips._tcp.srv.test", "SRV"): ["0 0 5061 127.0.0.1."],
}


async def find(
    host: str, port: int | None = None, transport: str = "", spoken: list[str] = ALL, families: Sequence[int] = (4,)
) -> list[str]:
    async with dns_server(ZONE) as server:
        where, _, at = server.rpartition(":")
        places = await Locator((where, int(at))).find(host, port, transport, dict.fromkeys(spoken, families))
    assert {place.name for place in places} == {host}
    return [f"{place.transport} {place.where[0]}:{place.where[1]}" for place in places]


@pytest.mark.parametrize(
    ("host", "port", "transport", "spoken", "places"),
    [
        ("naptr.test", None, "", ALL, ["TCP 127.0.0.1:5070", "TCP 127.0.0.1:5080", "UDP 127.0.0.1:5090"]),
        ("naptr.test", None, "", ["UDP"], ["UDP 127.0.0.1:5090"]),
        ("naptr.test", None, "UDP", ["UDP"], ["UDP 127.0.0.1:5090"]),
        ("srv.test", None, "", ALL, ["TLS 127.0.0.1:5061"]),
        ("localhost", None, "", ALL, ["UDP 127.0.0.1:5060"]),
        ("localhost", None, "TLS", ["TLS"], ["TLS 127.0.0.1:5061"]),
        ("localhost", 5099, "", ALL, ["UDP 127.0.0.1:5099"]),
        ("127.0.0.1", None, "TCP", ["TCP"], ["TCP 127.0.0.1:5060"]),
    ],
)
async def test_where_requests_go(
    host: str, port: int | None, transport: str, spoken: list[str], places: list[str]
) -> None:
    assert await find(host, port, transport, spoken) == places


async def test_a_name_that_is_nobodys_is_told() -> None:
    with pytest.raises(Unavailable):
        await find("nobody.invalid")


async def test_a_dns_server_that_does_not_answer_leaves_the_host_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    locator = Locator(("127.0.0.1", 9))
    locator._resolver.lifetime = 0.3
    places = await locator.find("localhost", None, "UDP", {"UDP": [4]})
    assert [place.where for place in places] == [("127.0.0.1", 5060)]


BOTH = [("2001:db8::1", 5060), ("192.0.2.1", 5060)]


@pytest.mark.parametrize(
    ("families", "places"),
    [
        ((4, 6), ["UDP 2001:db8::1:5060", "UDP 192.0.2.1:5060"]),
        ((4,), ["UDP 192.0.2.1:5060"]),
        ((6,), ["UDP 2001:db8::1:5060"]),
    ],
)
async def test_each_address_of_a_family_that_is_reached_is_a_place(
    monkeypatch: pytest.MonkeyPatch, families: Sequence[int], places: list[str]
) -> None:
    async def both(where: HostPort) -> list[HostPort]:
        return BOTH

    monkeypatch.setattr("gateway.net.locator.resolve_all", both)
    assert await find("host.test", 5060, "", ["UDP"], families) == places


@pytest.mark.parametrize(("host", "families"), [("::1", (4,)), ("127.0.0.1", (6,))])
async def test_an_address_of_another_family_is_no_place(host: str, families: Sequence[int]) -> None:
    with pytest.raises(Unavailable, match="family"):
        await find(host, 5060, "", ["UDP"], families)


async def test_an_ipv6_address_is_found_in_its_usual_spelling() -> None:
    async with dns_server(ZONE) as server:
        where, _, at = server.rpartition(":")
        places = await Locator((where, int(at))).find("2001:DB8:0::1", None, "TCP", {"TCP": [6]})
    assert [place.where for place in places] == [("2001:db8::1", 5060)]
