"""Who is let in: as the places run out, and by what an INVITE says."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.edge.inbound.state import TRY_AGAIN
from gateway.edge.service import Edge, _check
from gateway.errors import PeerFault
from gateway.sip.message import parse

INVITE = (
    "INVITE sip:+15105550100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa1\r\n{lines}From: <sip:a@192.0.2.9>;tag=f\r\n"
    "To: <sip:+15105550100@192.0.2.1>\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
)


def edge(limit: int, *calls: tuple[bool, bool], ready: str = "", nobody: bool = False) -> Edge:
    """One with calls: whether each is a stranger's still, and whether its trunk isn't known yet."""
    made = Edge(cast("Any", None), lambda: ready, limit, lambda: nobody)
    for number, (stranger, asks) in enumerate(calls):
        made._calls[str(number)] = cast("Any", SimpleNamespace(stranger=stranger, asks=asks))
    return made


RINGS, ASKS, KNOWN = (True, False), (True, True), (False, False)


@pytest.mark.parametrize(
    ("limit", "calls", "stranger", "known"),
    [
        (20, [RINGS], "", ""),
        (20, [RINGS, RINGS], "too many strangers", ""),
        (20, [RINGS, KNOWN, KNOWN, KNOWN, KNOWN], "", ""),
        (20, [RINGS, *[ASKS] * 30], "", ""),
        (20, [RINGS, RINGS, ASKS], "too many strangers", ""),
        (20, [KNOWN] * 20, "too many", "too many"),
        (1, [], "", ""),
        (5, [RINGS], "too many strangers", ""),
    ],
)
def test_strangers_whose_calls_only_ring_leave_the_places_to_others(
    limit: int, calls: list[tuple[bool, bool]], stranger: str, known: str
) -> None:
    one = edge(limit, *calls)
    assert one._full(stranger=True) == stranger
    assert one._full() == known


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ("Contact: <sip:a@192.0.2.9>\r\n", 0),
        ("Contact: <sip:a@192.0.2.9>\r\nRecord-Route: <sip:p1;lr>\r\n", 0),
        ("Contact: <sip:a@192.0.2.9>\r\nRecord-Route: garbage\r\n", 400),
        ("Contact: garbage\r\n", 400),
        ("", 400),
    ],
)
def test_a_call_that_couldn_t_be_ended_isn_t_taken(lines: str, status: int) -> None:
    request = parse(INVITE.format(lines=lines).encode())
    incoming = cast("Any", SimpleNamespace(request=request, contact=lambda: "sip:192.0.2.1"))
    with pytest.raises(PeerFault) if status else nullcontext() as refused:
        _check(incoming)
    assert (refused.value.sip_status if refused else 0) == status


def test_a_stranger_is_asked_for_a_password_though_strangers_have_no_place_left() -> None:
    assert not edge(20, RINGS, RINGS)._full(stranger=True, asks=True)
    assert not edge(5, *[ASKS] * 19)._full(stranger=True, asks=True)
    assert edge(5, *[ASKS] * 20)._full(stranger=True, asks=True) == "too many strangers"
    assert edge(5, *[KNOWN] * 5)._full(stranger=True, asks=True) == "too many"


def test_nobody_is_let_in_who_could_not_be_served() -> None:
    assert edge(20, ready="Redis can't be reached")._full(stranger=True) == "not ready"


class Asked:
    """A request, and what it was answered with."""

    source = ("192.0.2.1", 5060)

    def __init__(self, method: str) -> None:
        self.request = SimpleNamespace(method=method, headers=SimpleNamespace(getlist=lambda _: []))
        self.driver = SimpleNamespace(warden=SimpleNamespace(knows=lambda _: True))
        self.answers: list[tuple[int, list[tuple[str, str]]]] = []

    def respond(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.answers.append((status, headers))


async def test_who_would_be_routed_by_nobody_is_refused_so_that_their_carrier_tries_another_way() -> None:
    one = edge(20, nobody=True)
    caller, carrier = Asked("INVITE"), Asked("OPTIONS")
    await one._invite(cast("Any", caller))
    one._options(cast("Any", carrier))
    assert caller.answers == carrier.answers == [(503, [("Retry-After", str(TRY_AGAIN))])]
    assert one.why_not_ready() == "no control is there"
    assert not one._full(), "whom a job rings goes out"
