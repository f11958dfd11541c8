"""When calls go to a provider that has failed, and who tries it again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.health.circuit import AUTH, FIRST, MOST, PROBE_WITHIN, RATE, RATE_MOST, Circuit, Reason, State, Use

GOOD = Circuit()
PASSING = [Reason.TIMEOUT, Reason.FAULT]
OPENING = [reason for reason in Reason if reason is not Reason.REFUSED]


def test_a_provider_of_whom_nothing_is_known_is_used() -> None:
    assert GOOD.use(0.0, "a") is Use.YES
    assert GOOD.claim(0.0, "a") is GOOD


@pytest.mark.parametrize("reason", OPENING)
def test_one_failure_keeps_every_call_away_for_a_while(reason: Reason) -> None:
    down = GOOD.failed(100.0, reason)
    assert down.use(100.0, "a") is Use.NO
    assert down.use(down.until, "a") is Use.CLAIM
    assert down.reason is reason


def test_how_long_depends_on_the_reason() -> None:
    assert GOOD.failed(0.0, Reason.FAULT).until == FIRST
    assert GOOD.failed(0.0, Reason.RATE).until == RATE
    assert GOOD.failed(0.0, Reason.RATE, retry_after=20.0).until == 20.0
    assert GOOD.failed(0.0, Reason.RATE, retry_after=9999.0).until == RATE_MOST
    assert GOOD.failed(0.0, Reason.AUTH).until == AUTH


def test_a_request_that_alone_is_refused_says_nothing_of_the_provider() -> None:
    assert GOOD.failed(0.0, Reason.REFUSED) == GOOD


def test_one_call_probes_and_the_others_wait() -> None:
    down = GOOD.failed(0.0, Reason.FAULT)
    probed = down.claim(FIRST, "a")
    assert probed.state is State.PROBED
    assert probed.use(FIRST, "a") is Use.YES
    assert probed.use(FIRST, "b") is Use.NO
    assert probed.claim(FIRST, "b") == probed
    assert probed.worked() == GOOD
    assert probed.claim(FIRST + PROBE_WITHIN, "b").prober == "b", "a prober who tells nothing is replaced"


@pytest.mark.parametrize("reason", PASSING)
def test_each_probe_that_fails_doubles_the_wait(reason: Reason) -> None:
    circuit, now, waits = GOOD, 0.0, []
    for _ in range(8):
        circuit = circuit.claim(now, "a").failed(now, reason)
        waits.append(circuit.until - now)
        now = circuit.until
    assert waits == [3.0, 6.0, 12.0, 24.0, 48.0, MOST, MOST, MOST]
    assert circuit.worked().failed(now, reason).until - now == FIRST


def test_calls_that_fail_at_the_same_time_are_one_outage() -> None:
    down = GOOD.failed(0.0, Reason.TIMEOUT)
    assert down.failed(0.5, Reason.FAULT) == down
    assert down.failed(0.5, Reason.RATE, retry_after=30.0).until == 30.5
    refused = down.failed(0.5, Reason.AUTH)
    assert (refused.reason, refused.until) == (Reason.AUTH, 0.5 + AUTH)


_told = st.one_of(
    st.just(("worked", None)),
    st.tuples(st.just("failed"), st.sampled_from(Reason)),
    st.tuples(st.just("claim"), st.sampled_from(["a", "b", "c"])),
)


@given(st.lists(st.tuples(st.floats(0.0, 20.0), _told)))
def test_whatever_happens_at_most_one_call_probes_and_a_wait_ends(
    steps: list[tuple[float, tuple[str, object]]],
) -> None:
    circuit, now = GOOD, 0.0
    for pause, (what, whom) in steps:
        now += pause
        match what:
            case "worked":
                circuit = circuit.worked()
            case "failed":
                circuit = circuit.failed(now, Reason(whom))
            case _:
                circuit = circuit.claim(now, str(whom))
        uses = [circuit.use(now, who) for who in ("a", "b", "c")]
        if circuit.state is not State.CLOSED:
            assert uses.count(Use.YES) <= 1
        assert circuit.until <= now + max(AUTH, RATE_MOST)
        assert Circuit.parse(str(circuit)) == circuit


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"state": "x"}', b"\xff"])
def test_what_is_no_circuit_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        Circuit.parse(text)
