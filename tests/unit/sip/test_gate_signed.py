"""Who signs in, and who guesses."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sip.digest import choose
from gateway.sip.gate import BURST_OF_INVITES, BURST_OF_SIGNED, LONGEST, MET_BURST, STRIKES, USES, Gate
from gateway.sip.sign_in import Guard

CARRIER, OTHER = "198.51.100.1", "203.0.113.9"
GUARD = Guard(b"key")
BARE = b"INVITE sip:100@192.0.2.1 SIP/2.0\r\nTo: <sip:100@192.0.2.1>\r\nCall-ID: bare\r\n\r\n"
AGAIN = b"INVITE sip:100@192.0.2.1 SIP/2.0\r\nTo: <sip:100@192.0.2.1>;tag=abc\r\nCall-ID: bare\r\n\r\n"


def proof(call_id: str, guard: Guard = GUARD) -> str:
    challenge = choose(guard.challenges("here", call_id, "0af9", 0.0))
    assert challenge is not None
    return challenge.answer("INVITE", "sip:100@192.0.2.1", "user", "password", "c")


def signed(call_id: str, guard: Guard = GUARD, named: str | None = None) -> bytes:
    return (
        f"INVITE sip:100@192.0.2.1 SIP/2.0\r\nCall-ID: {named or call_id}\r\n"
        f"Proxy-Authorization: {proof(call_id, guard)}\r\n\r\n"
    ).encode()


def crowded() -> Gate:
    """Strangers have used up what INVITEs they may send."""
    gate = Gate(guard=GUARD)
    for number in range(round(BURST_OF_INVITES)):
        assert not gate.refuses(BARE, f"10.0.0.{number}", 0.0)
    assert gate.refuses(BARE, CARRIER, 0.0) == "crowded"
    return gate


def test_who_answers_a_challenge_of_ours_has_a_ration_beside_the_strangers() -> None:
    gate = crowded()
    assert not gate.refuses(signed("a"), CARRIER, 0.0)
    for wrong in (signed("a", Guard(b"other")), signed("a", named="b"), BARE):
        assert gate.refuses(wrong, CARRIER, 0.0) == "crowded"


def test_a_challenge_is_answered_so_often_and_so_many_are() -> None:
    gate = crowded()
    assert [gate.refuses(signed("a"), CARRIER, 0.0) for _ in range(USES + 1)] == [""] * USES + ["crowded"]
    got = [gate.refuses(signed(f"c{number}"), f"10.1.0.{number}", 0.0) for number in range(100)]
    assert got.count("") == BURST_OF_SIGNED - USES


def test_a_carrier_that_was_shut_out_before_it_could_sign_in_does_so_and_is_known() -> None:
    gate = Gate(guard=GUARD)
    for _ in range(30):
        gate.answered(CARRIER, "INVITE", 407, 0.0)
        gate.answered(CARRIER, "INVITE", 404, 0.0)
    assert gate.refuses(BARE, CARRIER, 1.0) == "shut out"
    assert not gate.refuses(signed("a"), CARRIER, 1.0)
    gate.proved(CARRIER, 1.0)
    assert gate.knows(CARRIER, 1.0)
    assert not gate.refuses(BARE, CARRIER, 1.0)


@pytest.mark.parametrize("sure", [True, False])
def test_who_has_signed_in_may_send_any_number(sure: bool) -> None:
    gate = Gate(guard=GUARD, sure=sure)
    gate.met(CARRIER, 0.0)
    assert any(gate.refuses(BARE, CARRIER, 1.0) for _ in range(round(MET_BURST) + 1000))
    gate.proved(CARRIER, 1.0)
    assert not any(gate.refuses(BARE, CARRIER, 1.0) or gate.shut(CARRIER, 1.0) for _ in range(10_000))


@given(st.lists(st.sampled_from([401, 403, 404, 405, 407, 481, 501]), max_size=100), st.booleans())
def test_nothing_is_held_against_who_has_signed_in(codes: list[int], sure: bool) -> None:
    gate = Gate(guard=GUARD, sure=sure)
    gate.proved(CARRIER, 0.0)
    for number, code in enumerate(codes):
        gate.answered(CARRIER, "INVITE", code, 0.0, proof(f"c{number}"), f"c{number}")
        gate.malformed(CARRIER, 0.0)
    assert not gate.refuses(BARE, CARRIER, 0.0)
    assert not gate.news


@pytest.mark.parametrize("met", [True, False])
def test_who_guesses_after_challenges_of_ours_makes_no_new_call_for_a_while(met: bool) -> None:
    gate, now = Gate(guard=GUARD), 0.0
    if met:
        gate.met(CARRIER, now)
    for number in range(round(STRIKES)):
        assert not gate.refuses(signed(f"c{number}"), CARRIER, now)
        gate.answered(CARRIER, "INVITE", 403, now, proof(f"c{number}"), f"c{number}")
    assert gate.refuses(BARE, CARRIER, now) == gate.refuses(signed("x"), CARRIER, now) == "shut out"
    assert not gate.refuses(AGAIN, CARRIER, now), "the calls that it has go on"
    assert not gate.refuses(b"BYE sip:100@192.0.2.1 SIP/2.0\r\n", CARRIER, now)
    assert [one.why for one in gate.news] == ["it guesses"]
    assert not gate.refuses(BARE, CARRIER, 61.0)


def test_each_time_it_guesses_it_is_shut_out_for_longer() -> None:
    gate = Gate(guard=Guard(b"key", lasts=1e9))
    now, lasts = 0.0, 0.0
    for times in range(12):
        for number in range(11):
            gate.answered(CARRIER, "INVITE", 403, now, proof(f"{times}-{number}"), f"{times}-{number}")
        lasts = gate.news[-1].seconds
        now += lasts + 1
    assert lasts == LONGEST


@given(st.lists(st.sampled_from(["none", "garbage", "foreign", "other call"]), max_size=60))
def test_nobody_can_make_one_that_was_met_a_guesser(forged: list[str]) -> None:
    gate = Gate([ip_network("192.0.2.0/24")], GUARD)
    gate.met(CARRIER, 0.0)
    credentials = {
        "none": "",
        "garbage": 'Digest nonce="1.2.3"',
        "foreign": proof("a", Guard(b"other")),
        "other call": proof("b"),
    }
    for kind in forged:
        gate.answered(CARRIER, "INVITE", 403, 0.0, credentials[kind], "a")
    assert not gate.refuses(BARE, CARRIER, 0.0)
    for number in range(30):
        gate.answered("192.0.2.7", "INVITE", 403, 0.0, proof(f"c{number}"), f"c{number}")
    assert not gate.refuses(BARE, "192.0.2.7", 0.0), "whom an operator names"
    assert not gate.news
