from __future__ import annotations

import pytest

from gateway.sip.transaction import (
    CLIENT,
    INVITE_CLIENT,
    INVITE_SERVER,
    SERVER,
    Machine,
    State,
    Table,
    Timer,
    Timers,
    over_stream,
)
from gateway.sip.transaction import Happened as H

REPEATS = {Timer.A, Timer.E, Timer.E2, Timer.G}
ABSORBS = {Timer.D, Timer.I, Timer.J, Timer.K}


@pytest.mark.parametrize("table", [INVITE_CLIENT, INVITE_SERVER, CLIENT, SERVER])
def test_nothing_is_repeated_and_nothing_absorbed(table: Table) -> None:
    made = over_stream(table)
    started = {timer for row in made.values() for timer in (*row.start, *row.keep)}
    assert not started & (REPEATS | ABSORBS)
    assert not {event for _, event in made} & (REPEATS | ABSORBS)
    assert {timer for row in table.values() for timer in row.start} - REPEATS - ABSORBS <= started


@pytest.mark.parametrize(
    ("table", "happened", "state"),
    [
        (INVITE_CLIENT, [H.START, H.GOT_1XX, H.GOT_ERROR], State.TERMINATED),
        (INVITE_CLIENT, [H.START, H.GOT_1XX, H.GOT_2XX], State.ACCEPTED),
        (INVITE_SERVER, [H.START, H.SENT_ERROR, H.ACK], State.TERMINATED),
        (INVITE_SERVER, [H.START, H.SENT_ERROR], State.COMPLETED),
        (CLIENT, [H.START, H.GOT_2XX], State.TERMINATED),
        (SERVER, [H.START, H.SENT_2XX], State.TERMINATED),
    ],
)
def test_the_way_of_a_transaction(table: Table, happened: list[H], state: State) -> None:
    machine = Machine(over_stream(table), Timers(reliable=True))
    for event in happened:
        machine.feed(event, 0.0)
    assert machine.state is state


def test_a_request_that_nobody_answers_still_ends() -> None:
    machine = Machine(over_stream(CLIENT), Timers(reliable=True))
    machine.feed(H.START, 0.0)
    assert machine.deadline() == 32.0
    machine.expire(32.0)
    assert machine.state is State.TERMINATED
