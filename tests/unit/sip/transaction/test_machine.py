"""When the timers fire: RFC 3261's own examples of sections 17.1.1.2 and 17.1.2.2, and the bounds of hypothesis."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sip import accepted
from gateway.sip.transaction import CLIENT, INVITE_CLIENT, INVITE_SERVER, SERVER, Do, Happened, Machine, State, Timers
from gateway.sip.transaction.machine import Event, Table

H = Happened


def _run(table: Table, *events: Event, timers: Timers | None = None, until: float = 1000.0) -> list[tuple[float, Do]]:
    """Feed all events at 0, then let time pass from deadline to deadline; what was done when."""
    machine = Machine(table, timers or Timers())
    done = [(0.0, do) for event in events for do in machine.feed(event, 0.0)]
    while (due := machine.deadline()) is not None and due <= until:
        done += [(due, do) for do in machine.expire(due)]
    return done


def test_an_unanswered_invite_is_sent_seven_times_in_32_seconds() -> None:
    done = _run(INVITE_CLIENT, H.START)
    assert [when for when, do in done if do in (Do.SEND, Do.RESEND)] == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert done[-1] == (32.0, Do.TIMED_OUT)


def test_an_unanswered_request_is_sent_eleven_times_in_32_seconds() -> None:
    done = _run(CLIENT, H.START)
    times = [when for when, do in done if do in (Do.SEND, Do.RESEND)]
    assert times == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert done[-1] == (32.0, Do.TIMED_OUT)


def test_a_provisional_response_slows_a_request_down_to_t2() -> None:
    done = _run(CLIENT, H.START, H.GOT_1XX)
    assert [when for when, do in done if do is Do.RESEND] == [0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5]
    assert done[-1] == (32.0, Do.TIMED_OUT)


def test_a_provisional_response_stops_an_invite_s_repetition_and_its_timeout() -> None:
    done = _run(INVITE_CLIENT, H.START, H.GOT_1XX)
    assert [do for _, do in done] == [Do.SEND, Do.TELL]


def test_an_error_to_an_invite_is_repeated_until_its_ack() -> None:
    done = _run(INVITE_SERVER, H.START, H.SENT_ERROR)
    assert [when for when, do in done if do is Do.RESEND] == [
        0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5,
    ]  # fmt: skip
    assert done[-1] == (32.0, Do.TIMED_OUT)
    assert Do.RESEND not in [do for _, do in _run(INVITE_SERVER, H.START, H.SENT_ERROR, H.ACK)]


def test_a_2xx_is_repeated_until_its_ack() -> None:
    """Section 13.3.1.4: T1 doubling to T2, and failure after 64*T1."""
    done = _run(accepted.TABLE, H.START)
    assert [when for when, do in done if do is Do.RESEND] == [
        0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5,
    ]  # fmt: skip
    assert done[-1] == (32.0, Do.TIMED_OUT)
    assert _run(accepted.TABLE, H.START, H.ACK) == [(0.0, Do.TELL)]


@pytest.mark.parametrize(
    ("table", "events", "lives"),
    [
        (INVITE_CLIENT, (H.START, H.GOT_2XX), 32.0),
        (INVITE_CLIENT, (H.START, H.GOT_ERROR), 32.0),
        (INVITE_CLIENT, (H.START, H.GOT_1XX, H.CANCEL), 32.0),
        (INVITE_CLIENT, (H.START, H.CANCEL), 32.0),
        (INVITE_SERVER, (H.START, H.SENT_2XX), 32.0),
        (INVITE_SERVER, (H.START, H.SENT_ERROR, H.ACK), 5.0),
        (CLIENT, (H.START, H.GOT_2XX), 5.0),
        (CLIENT, (H.START, H.GOT_ERROR), 5.0),
        (SERVER, (H.START, H.SENT_2XX), 32.0),
        (SERVER, (H.START, H.SENT_ERROR), 32.0),
    ],
)
def test_a_transaction_ends_in_its_time(table: Table, events: tuple[Event, ...], lives: float) -> None:
    machine = Machine(table, Timers())
    for event in events:
        machine.feed(event, 0.0)
    last = 0.0
    while (due := machine.deadline()) is not None:
        last = due
        machine.expire(due)
    assert (machine.state, last) == (State.TERMINATED, lives)


@given(st.floats(0.001, 2.0), st.floats(0.001, 8.0), st.floats(0.001, 8.0), st.lists(st.floats(0.0, 40.0), max_size=30))
def test_late_polls_neither_lose_the_end_nor_burst(t1: float, t2: float, t4: float, steps: list[float]) -> None:
    """Whenever it is polled, a machine repeats at most once a poll, and is over at 64*T1."""
    machine = Machine(CLIENT, Timers(t1, t2, t4))
    machine.feed(H.START, 0.0)
    now = 0.0
    for step in steps:
        now += step
        done = machine.expire(now)
        assert done.count(Do.RESEND) <= 1
        due = machine.deadline()
        assert due is None or due > now
    done = machine.expire(max(now, 64 * t1))
    assert machine.state is State.TERMINATED
