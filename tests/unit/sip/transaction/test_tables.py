"""Every machine in every state is told every event: what isn't written here must raise and change nothing.

A cell says `next state: what to do`; the figures of RFC 3261 (5 to 8) and RFC 6026 (1, 2) are the source.
"""

from __future__ import annotations

import pytest

from gateway.sip import accepted
from gateway.sip.transaction import CLIENT, INVITE_CLIENT, INVITE_SERVER, SERVER, Happened, Machine, State, Timers
from gateway.sip.transaction.machine import Event, IllegalEvent, Table, Timer

H = Happened
Cells = dict[State, dict[Event, str]]

GIVEN_UP: dict[Event, str] = {Timer.B: "terminated: tell timeout", H.UNREACHABLE: "terminated: tell transport failure"}
INVITE_CLIENT_CELLS: Cells = {
    State.INITIAL: {H.START: "calling: send"},
    State.CALLING: {
        **GIVEN_UP,
        Timer.A: "calling: resend",
        H.CANCEL: "abandoned:",
        H.GOT_1XX: "proceeding: tell the user",
        H.GOT_2XX: "accepted: tell the user",
        H.GOT_ERROR: "completed: send ack, tell the user",
    },
    State.ABANDONED: {
        **GIVEN_UP,
        Timer.A: "abandoned: resend",
        H.CANCEL: "abandoned:",
        H.GOT_1XX: "cancelled: send cancel, tell the user",
        H.GOT_2XX: "accepted: tell the user",
        H.GOT_ERROR: "completed: send ack, tell the user",
    },
    State.PROCEEDING: {
        H.CANCEL: "cancelled: send cancel",
        H.GOT_1XX: "proceeding: tell the user",
        H.GOT_2XX: "accepted: tell the user",
        H.GOT_ERROR: "completed: send ack, tell the user",
    },
    State.CANCELLED: {
        Timer.AFTER_CANCEL: "terminated: tell timeout",
        H.CANCEL: "cancelled:",
        H.GOT_1XX: "cancelled: tell the user",
        H.GOT_2XX: "accepted: tell the user",
        H.GOT_ERROR: "completed: send ack, tell the user",
    },
    State.COMPLETED: {
        Timer.D: "terminated:",
        H.CANCEL: "completed:",
        H.GOT_1XX: "completed:",
        H.GOT_2XX: "completed:",
        H.GOT_ERROR: "completed: send ack",
    },
    State.ACCEPTED: {
        Timer.M: "terminated:",
        H.CANCEL: "accepted:",
        H.GOT_1XX: "accepted:",
        H.GOT_2XX: "accepted: tell the user",
        H.GOT_ERROR: "accepted:",
    },
    State.TERMINATED: {},
}
INVITE_SERVER_CELLS: Cells = {
    State.INITIAL: {H.START: "proceeding: send 100, tell the user"},
    State.PROCEEDING: {
        H.REQUEST: "proceeding: resend",
        H.ACK: "proceeding:",
        H.SENT_1XX: "proceeding: send",
        H.SENT_2XX: "accepted: send",
        H.SENT_ERROR: "completed: send",
        H.UNREACHABLE: "terminated: tell transport failure",
    },
    State.COMPLETED: {
        H.REQUEST: "completed: resend",
        H.ACK: "confirmed:",
        H.UNREACHABLE: "terminated: tell transport failure",
        Timer.G: "completed: resend",
        Timer.H: "terminated: tell timeout",
    },
    State.CONFIRMED: {H.REQUEST: "confirmed:", H.ACK: "confirmed:", Timer.I: "terminated:"},
    State.ACCEPTED: {
        H.REQUEST: "accepted:",
        H.ACK: "accepted: tell the user",
        H.SENT_2XX: "accepted: send",
        Timer.L: "terminated:",
    },
    State.TERMINATED: {},
}
FINAL_CLIENT: dict[Event, str] = {
    Timer.F: "terminated: tell timeout",
    H.UNREACHABLE: "terminated: tell transport failure",
    H.GOT_1XX: "proceeding: tell the user",
    H.GOT_2XX: "completed: tell the user",
    H.GOT_ERROR: "completed: tell the user",
}
CLIENT_CELLS: Cells = {
    State.INITIAL: {H.START: "trying: send"},
    State.TRYING: {**FINAL_CLIENT, Timer.E: "trying: resend"},
    State.PROCEEDING: {**FINAL_CLIENT, Timer.E: "proceeding: resend", Timer.E2: "proceeding: resend"},
    State.COMPLETED: {
        Timer.K: "terminated:",
        H.GOT_1XX: "completed:",
        H.GOT_2XX: "completed:",
        H.GOT_ERROR: "completed:",
    },
    State.TERMINATED: {},
}
ANSWERS: dict[Event, str] = {
    H.SENT_1XX: "proceeding: send",
    H.SENT_2XX: "completed: send",
    H.SENT_ERROR: "completed: send",
}
SERVER_CELLS: Cells = {
    State.INITIAL: {H.START: "trying: tell the user"},
    State.TRYING: {**ANSWERS, H.REQUEST: "trying:"},
    State.PROCEEDING: {
        **ANSWERS,
        H.REQUEST: "proceeding: resend",
        H.UNREACHABLE: "terminated: tell transport failure",
    },
    State.COMPLETED: {
        H.REQUEST: "completed: resend",
        H.UNREACHABLE: "terminated: tell transport failure",
        Timer.J: "terminated:",
    },
    State.TERMINATED: {},
}
ACCEPTED_CELLS: Cells = {
    State.INITIAL: {H.START: "accepted:"},
    State.ACCEPTED: {
        Timer.G: "accepted: resend",
        Timer.H: "terminated: tell timeout",
        H.ACK: "confirmed: tell the user",
        H.BYE: "terminated: tell hang-up",
        H.UNREACHABLE: "terminated: tell transport failure",
    },
    State.CONFIRMED: {H.ACK: "confirmed:", H.BYE: "confirmed:"},
    State.TERMINATED: {H.ACK: "terminated:", H.BYE: "terminated:"},
}
MACHINES: dict[str, tuple[Table, Cells]] = {
    "invite client": (INVITE_CLIENT, INVITE_CLIENT_CELLS),
    "invite server": (INVITE_SERVER, INVITE_SERVER_CELLS),
    "client": (CLIENT, CLIENT_CELLS),
    "server": (SERVER, SERVER_CELLS),
    "accepted": (accepted.TABLE, ACCEPTED_CELLS),
}
EVENTS: list[Event] = [*Happened, *Timer]


def _ways(table: Table) -> dict[State, list[Event]]:
    """The shortest way of events to each state."""
    ways: dict[State, list[Event]] = {State.INITIAL: []}
    while True:
        more = {
            row.to: [*ways[state], event]
            for (state, event), row in table.items()
            if state in ways and row.to not in ways
        }
        if not more:
            return ways
        ways.update(more)


def _in(table: Table, state: State) -> Machine:
    machine = Machine(table, Timers())
    for event in _ways(table)[state]:
        machine.feed(event, 100.0)
    assert machine.state is state
    return machine


@pytest.mark.parametrize("name", MACHINES)
def test_every_state_of_the_figure_is_reached_and_no_other(name: str) -> None:
    table, cells = MACHINES[name]
    assert set(_ways(table)) == set(cells)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
@pytest.mark.parametrize("name", MACHINES)
def test_each_cell(name: str, event: Event) -> None:
    table, cells = MACHINES[name]
    for state, row in cells.items():
        machine = _in(table, state)
        due = machine.deadline()
        if event in row:
            assert machine.accepts(event)
            done = machine.feed(event, 100.0)
            assert f"{machine.state}: {', '.join(done)}".rstrip() == row[event], (state, event)
        else:
            assert not machine.accepts(event)
            with pytest.raises(IllegalEvent):
                machine.feed(event, 100.0)
            assert (machine.state, machine.deadline()) == (state, due)


@pytest.mark.parametrize("name", MACHINES)
def test_every_timer_that_may_run_has_a_row(name: str) -> None:
    """Else a timer would fire into an illegal event."""
    table, _ = MACHINES[name]
    seen: set[tuple[State, frozenset[Timer]]] = set()
    todo: list[tuple[State, frozenset[Timer]]] = [(State.INITIAL, frozenset())]
    while todo:
        state, running = todo.pop()
        for timer in running:
            assert (state, timer) in table
        for (origin, event), row in table.items():
            if origin is not state or (isinstance(event, Timer) and event not in running):
                continue
            kept = running - {event} if row.to is state else running & set(row.keep)
            reached = (row.to, frozenset(kept | set(row.start)))
            if reached not in seen:
                seen.add(reached)
                todo.append(reached)
    assert {running for state, running in seen if state is State.TERMINATED} <= {frozenset()}
