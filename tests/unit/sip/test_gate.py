"""Who is listened to."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sip.gate import (
    AWAITED_BURST,
    AWAITED_FOR,
    BURST,
    BURST_OF_ALL,
    BURST_OF_INVITES,
    INVITES,
    LONGEST,
    LONGEST_BY_UDP,
    MET_BURST,
    MET_RATE,
    MOST,
    OF_ALL,
    RATE,
    SHUT_FOR,
    Gate,
)

STRANGER, CARRIER = "203.0.113.9", "198.51.100.1"
INVITE, OPTIONS = b"INVITE sip:100@1.1.1.1 SIP/2.0\r\n", b"OPTIONS sip:100@1.1.1.1 SIP/2.0\r\n"
SCANNER = OPTIONS + b"User-Agent: friendly-scanner\r\n"


def refused(gate: Gate, code: int, times: int, source: str = STRANGER) -> None:
    for _ in range(times):
        gate.answered(source, "INVITE", code, 0.0)


@pytest.mark.parametrize(("code", "bears"), [(404, 9), (403, 9), (405, 9), (407, 19)])
def test_a_stranger_who_is_refused_again_and_again_is_shut_out(code: int, bears: int) -> None:
    gate = Gate()
    refused(gate, code, bears)
    assert not gate.shut(STRANGER, 0.0)
    refused(gate, code, 2)
    assert gate.shut(STRANGER, 0.0)
    assert not gate.shut("203.0.113.10", 0.0), "nobody else"
    [told] = gate.news
    assert (told.source, told.seconds) == (STRANGER, SHUT_FOR)


def test_an_answer_alone_makes_nobody_known() -> None:
    """What asked for it may have been forged."""
    gate = Gate()
    refused(gate, 200, 3)
    assert not gate.knows(STRANGER, 0.0)
    gate.met(STRANGER, 0.0)
    assert gate.knows(STRANGER, 0.0)


def test_what_no_stranger_can_help_is_no_strike() -> None:
    gate = Gate()
    for code in (200, 302, 408, 480, 486, 487, 488, 500, 503, 603):
        refused(gate, code, 50)
    assert not gate.shut(STRANGER, 0.0)


def test_whoever_comes_back_is_shut_out_for_longer_each_time() -> None:
    gate, now = Gate(sure=True), 0.0
    for times in range(12):
        for _ in range(10):
            gate.answered(STRANGER, "INVITE", 404, now)
        lasts = min(LONGEST, SHUT_FOR * 2**times)
        assert gate.shut(STRANGER, now + lasts - 1)
        now += lasts + 1
        assert not gate.shut(STRANGER, now)


def test_strikes_wear_off() -> None:
    gate = Gate()
    for minute in range(100):
        for _ in range(5):
            gate.answered(STRANGER, "INVITE", 404, minute * 60.0)
        assert not gate.shut(STRANGER, minute * 60.0 + 59)


def test_a_flood_is_cut_off_and_a_steady_stream_is_not() -> None:
    gate = Gate()
    assert not any(gate.shut(STRANGER, number / RATE) for number in range(5000))
    flood = [gate.shut(CARRIER, number / 1000) for number in range(1000)]
    assert flood.index(True) in range(int(BURST), int(BURST * 1.3))
    assert all(flood[flood.index(True) :])


@given(
    st.lists(st.tuples(st.sampled_from(["datagram", "404", "403", "garbage", "scan"]), st.floats(0, 2)), max_size=45)
)
def test_whom_a_call_came_about_with_is_never_shut_out(doings: list[tuple[str, float]]) -> None:
    gate, now = Gate([ip_network("192.0.2.0/24")]), 0.0
    gate.met(CARRIER, now)
    for what, later in doings:
        now += later
        for source in (CARRIER, "192.0.2.7"):
            match what:
                case "garbage":
                    gate.malformed(source, now)
                case "scan":
                    assert not gate.refuses(SCANNER, source, now)
                case "404" | "403":
                    gate.answered(source, "INVITE", int(what), now)
            assert not any(gate.shut(source, now) for _ in range(20))
    assert not gate.news


@pytest.mark.parametrize(("sure", "bears"), [(False, 2), (True, 0)])
def test_a_scanner_that_says_so_gets_nothing_at_all(sure: bool, bears: int) -> None:
    """But one datagram, which anybody may have sent in its name, shuts nobody out."""
    gate = Gate(sure=sure)
    for _ in range(bears):
        assert gate.refuses(SCANNER, STRANGER, 0.0) == "scanner"
        assert not gate.refuses(INVITE, STRANGER, 0.0)
    assert gate.refuses(SCANNER, STRANGER, 0.0) == "scanner"
    assert gate.refuses(INVITE, STRANGER, 1.0) == "shut out"
    assert not gate.refuses(b"OPTIONS sip:sipvicious@1.1.1.1 SIP/2.0\r\nUser-Agent: phone\r\n", CARRIER, 0.0)


def test_by_udp_nobody_is_shut_out_for_long() -> None:
    gate, now = Gate(), 0.0
    for _ in range(20):
        for _ in range(10):
            gate.malformed(STRANGER, now)
            gate.answered(STRANGER, "INVITE", 404, now)
            gate.refuses(SCANNER, STRANGER, now)
        assert gate.shut(STRANGER, now + 1)
        now += LONGEST_BY_UDP + 1
        assert not gate.shut(STRANGER, now)


@pytest.mark.parametrize("data", [SCANNER, INVITE, b"garbage"])
def test_a_flood_of_forged_sources_shuts_nobody_out_and_makes_nothing_forgotten(data: bytes) -> None:
    gate = Gate()
    refused(gate, 404, 10)
    gate.news.clear()
    refused(gate, 404, 9, CARRIER)
    assert passed(gate, data, 20_000, 1) <= BURST_OF_ALL + OF_ALL + 1
    assert not gate.news
    assert gate.shut(STRANGER, 2.0)
    refused(gate, 404, 2, CARRIER)
    assert gate.shut(CARRIER, 2.0)


def test_of_ipv6_all_that_one_subscriber_has_is_one() -> None:
    gate = Gate()
    for number in range(10):
        gate.answered(f"2001:db8:1:2::{number:x}", "INVITE", 404, 0.0)
    assert gate.shut("2001:db8:1:2:ffff::1", 0.0)
    assert not gate.shut("2001:db8:1:3::1", 0.0)


def test_a_million_sources_take_no_more_memory_than_a_few_thousand() -> None:
    gate = Gate()
    for number in range(3 * MOST):
        gate.shut(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0.0)
    assert len(gate._paces) == MOST


def test_whom_a_trunk_allows_is_never_limited_while_it_does() -> None:
    gate = Gate()
    gate.allow([ip_network("198.51.100.0/24")])
    for _ in range(1000):
        assert not gate.shut(CARRIER, 0.0)
    refused(gate, 404, 50, CARRIER)
    assert not gate.shut(CARRIER, 0.0)
    gate.allow([])
    refused(gate, 404, 50, CARRIER)
    assert gate.shut(CARRIER, 0.0)


def test_a_trunk_for_the_whole_internet_makes_nobody_known() -> None:
    gate = Gate()
    gate.allow([ip_network("0.0.0.0/0"), ip_network("::/0")])
    refused(gate, 404, 50)
    assert gate.shut(STRANGER, 0.0)


def test_who_was_forged_by_udp_is_listened_to_over_streams_and_who_was_met_by_one_is_known_to_both() -> None:
    gate = Gate()
    streams = gate.twin()
    for _ in range(1000):
        gate.shut(STRANGER, 0.0)
    assert gate.shut(STRANGER, 0.0)
    assert not streams.shut(STRANGER, 0.0)
    streams.met(STRANGER, 0.0)
    assert not gate.shut(STRANGER, 0.0)


def passed(gate: Gate, data: bytes, a_second: int, seconds: int) -> int:
    """How much of a flood of that many a second gets in, of which each message has another source."""
    count = 0
    for number in range(a_second * seconds):
        now, source = number / a_second, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        count += not gate.refuses(data, source, now)
    return count


@pytest.mark.parametrize(
    ("data", "rate", "burst"),
    [
        (INVITE, INVITES, BURST_OF_INVITES),
        (b"\r\n" + INVITE, INVITES, BURST_OF_INVITES),
        (OPTIONS, OF_ALL, BURST_OF_ALL),
        (b"garbage", OF_ALL, BURST_OF_ALL),
    ],
)
def test_of_a_flood_with_ever_new_sources_the_strangers_ration_gets_in(data: bytes, rate: float, burst: float) -> None:
    assert passed(Gate(), data, 1000, 20) == pytest.approx(burst + 20 * rate, rel=0.05)


def test_such_a_flood_takes_nothing_from_those_who_are_known() -> None:
    gate = Gate([ip_network("192.0.2.0/24")])
    gate.met(CARRIER, 0.0)
    passed(gate, INVITE, 1000, 5)
    for number in range(500):
        for source in (CARRIER, "192.0.2.7"):
            assert gate.knows(source, 5.0)
            assert not gate.refuses(INVITE, source, 5.0 + number / 100)
    assert not gate.knows(STRANGER, 5.0)
    assert any(gate.refuses(INVITE, STRANGER, 5.0) == "crowded" for _ in range(2))


def test_a_flood_does_not_crowd_out_the_ack_of_one_whose_call_is_answered() -> None:
    gate, ack = Gate(), b"ACK sip:100@1.1.1.1 SIP/2.0\r\n"
    gate.awaits(CARRIER, 0.0)
    passed(gate, OPTIONS, 1000, 5)
    assert gate.refuses(ack, STRANGER, 5.0) == "crowded"
    got = [gate.refuses(ack, CARRIER, 5.0) for _ in range(40)]
    assert got == [""] * round(AWAITED_BURST) + ["crowded"] * (40 - round(AWAITED_BURST))
    passed(gate, INVITE, 1000, 5)
    assert "crowded" in [gate.refuses(INVITE, CARRIER, 5.0) for _ in range(2)], "another call is a stranger's"
    passed(gate, OPTIONS, 1000, int(AWAITED_FOR) + 1)
    assert gate.refuses(ack, CARRIER, AWAITED_FOR + 1) == "crowded"


def test_one_that_was_met_and_floods_loses_what_is_beyond_any_need_and_nothing_else() -> None:
    gate = Gate([ip_network("192.0.2.0/24")])
    for source in (CARRIER, "192.0.2.7"):
        gate.met(source, 0.0)
    got = {
        source: sum(not gate.shut(source, number / 5000) for number in range(50_000))
        for source in (CARRIER, "192.0.2.7")
    }
    assert got == {CARRIER: pytest.approx(MET_BURST + 10 * MET_RATE, rel=0.01), "192.0.2.7": 50_000}
    assert not gate.news
    assert not gate.shut(CARRIER, 11.0)


def asked(gate: Gate, times: int, each: float, since: float = 0.0) -> int:
    """How many of that many OPTIONS, one each so many seconds, are answered."""
    got = 0
    for number in range(times):
        now = since + number * each
        if not gate.refuses(OPTIONS, CARRIER, now):
            gate.answered(CARRIER, "OPTIONS", 200, now)
            got += 1
    return got


@pytest.mark.parametrize("sure", [True, False])
def test_a_carrier_that_keeps_asking_before_its_first_call_is_always_answered(sure: bool) -> None:
    gate = Gate(sure=sure)
    assert asked(gate, 5000, 10.0) == 5000
    assert not gate.refuses(INVITE, CARRIER, 50_000.0)


def test_who_only_asks_and_never_calls_is_soon_not_answered() -> None:
    assert asked(Gate(), 100, 0.02) <= 21
    assert asked(Gate(), 120, 1.0) <= 60
    registering = Gate()
    for _ in range(10):
        registering.answered(STRANGER, "REGISTER", 405, 0.0)
    assert registering.refuses(OPTIONS, STRANGER, 0.0) == "shut out"


def test_whom_a_call_came_about_with_may_ask_as_often_as_it_likes() -> None:
    gate = Gate()
    gate.met(CARRIER, 0.0)
    assert asked(gate, 1000, 0.02) == 1000
