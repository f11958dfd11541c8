"""The server transaction of every method but INVITE (RFC 3261 section 17.2.2)."""

from __future__ import annotations

from gateway.sip.transaction.machine import Do, Happened, Row, State, Table, Timer

TABLE: Table = {
    (State.INITIAL, Happened.START): Row(State.TRYING, (Do.TELL,)),
    (State.TRYING, Happened.REQUEST): Row(State.TRYING),
    (State.TRYING, Happened.SENT_1XX): Row(State.PROCEEDING, (Do.SEND,)),
    (State.TRYING, Happened.SENT_2XX): Row(State.COMPLETED, (Do.SEND,), start=(Timer.J,)),
    (State.TRYING, Happened.SENT_ERROR): Row(State.COMPLETED, (Do.SEND,), start=(Timer.J,)),
    (State.PROCEEDING, Happened.REQUEST): Row(State.PROCEEDING, (Do.RESEND,)),
    (State.PROCEEDING, Happened.SENT_1XX): Row(State.PROCEEDING, (Do.SEND,)),
    (State.PROCEEDING, Happened.SENT_2XX): Row(State.COMPLETED, (Do.SEND,), start=(Timer.J,)),
    (State.PROCEEDING, Happened.SENT_ERROR): Row(State.COMPLETED, (Do.SEND,), start=(Timer.J,)),
    (State.PROCEEDING, Happened.UNREACHABLE): Row(State.TERMINATED, (Do.UNREACHABLE,)),
    (State.COMPLETED, Happened.REQUEST): Row(State.COMPLETED, (Do.RESEND,)),
    (State.COMPLETED, Happened.UNREACHABLE): Row(State.TERMINATED, (Do.UNREACHABLE,)),
    (State.COMPLETED, Timer.J): Row(State.TERMINATED),
}
