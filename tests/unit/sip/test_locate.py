from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from gateway.sip.locate import Naptr, Srv, ordered, services


def drawing(seed: int) -> Callable[[float], float]:
    """Chance that is the same each time."""
    chance = random.Random(seed)
    return lambda total: chance.uniform(0, total)


RECORDS = [
    Naptr(50, 50, "s", "SIPS+D2T", "_sips._tcp.example.com."),
    Naptr(90, 50, "s", "SIP+D2T", "_sip._tcp.example.com."),
    Naptr(100, 50, "S", "sip+d2u", "_sip._udp.example.com."),
    Naptr(10, 50, "s", "SIP+D2S", "_sip._sctp.example.com."),
    Naptr(10, 50, "u", "E2U+sip", ""),
]


def test_the_example_of_rfc_3263() -> None:
    """Section 4.1, with a transport that we don't speak."""
    assert services(RECORDS, ["UDP", "TCP"]) == [("TCP", "_sip._tcp.example.com"), ("UDP", "_sip._udp.example.com")]
    assert services(RECORDS, ["UDP", "TCP", "TLS"])[0] == ("TLS", "_sips._tcp.example.com")
    assert services([], ["UDP"]) == []


@given(
    st.lists(st.builds(Srv, st.integers(0, 3), st.integers(0, 100), st.just(5060), st.sampled_from("abc"))),
    st.integers(),
)
def test_priority_comes_before_chance_and_nothing_is_lost(records: list[Srv], seed: int) -> None:
    found = ordered(records, drawing(seed))
    assert [one.priority for one in found] == sorted(one.priority for one in records)
    assert Counter(found) == Counter(records)


def test_weights_share_the_load() -> None:
    records = [Srv(1, 75, 5060, "a"), Srv(1, 25, 5060, "b"), Srv(1, 0, 5060, "c")]
    draw = drawing(7)
    first = Counter(ordered(records, draw)[0].target for _ in range(4000))
    assert 0.70 < first["a"] / 4000 < 0.80
    assert first["c"] < 20


def test_a_dot_says_that_there_is_no_such_service() -> None:
    assert ordered([Srv(0, 0, 0, ".")], drawing(1)) == []
