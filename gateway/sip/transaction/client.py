"""The client transaction of every method but INVITE (RFC 3261 section 17.1.2)."""

from __future__ import annotations

from gateway.sip.transaction.machine import Do, Happened, Row, State, Table, Timer

TABLE: Table = {
    (State.INITIAL, Happened.START): Row(State.TRYING, (Do.SEND,), start=(Timer.E, Timer.F)),
    (State.TRYING, Timer.E): Row(State.TRYING, (Do.RESEND,), start=(Timer.E,)),
    (State.TRYING, Timer.F): Row(State.TERMINATED, (Do.TIMED_OUT,)),
    (State.TRYING, Happened.UNREACHABLE): Row(State.TERMINATED, (Do.UNREACHABLE,)),
    (State.TRYING, Happened.GOT_1XX): Row(State.PROCEEDING, (Do.TELL,), keep=(Timer.E, Timer.F)),
    (State.TRYING, Happened.GOT_2XX): Row(State.COMPLETED, (Do.TELL,), start=(Timer.K,)),
    (State.TRYING, Happened.GOT_ERROR): Row(State.COMPLETED, (Do.TELL,), start=(Timer.K,)),
    (State.PROCEEDING, Timer.E): Row(State.PROCEEDING, (Do.RESEND,), start=(Timer.E2,)),
    (State.PROCEEDING, Timer.E2): Row(State.PROCEEDING, (Do.RESEND,), start=(Timer.E2,)),
    (State.PROCEEDING, Timer.F): Row(State.TERMINATED, (Do.TIMED_OUT,)),
    (State.PROCEEDING, Happened.UNREACHABLE): Row(State.TERMINATED, (Do.UNREACHABLE,)),
    (State.PROCEEDING, Happened.GOT_1XX): Row(State.PROCEEDING, (Do.TELL,)),
    (State.PROCEEDING, Happened.GOT_2XX): Row(State.COMPLETED, (Do.TELL,), start=(Timer.K,)),
    (State.PROCEEDING, Happened.GOT_ERROR): Row(State.COMPLETED, (Do.TELL,), start=(Timer.K,)),
    (State.COMPLETED, Timer.K): Row(State.TERMINATED),
    (State.COMPLETED, Happened.GOT_1XX): Row(State.COMPLETED),
    (State.COMPLETED, Happened.GOT_2XX): Row(State.COMPLETED),
    (State.COMPLETED, Happened.GOT_ERROR): Row(State.COMPLETED),
}
"""E2 is timer E once a provisional response came: it then fires every T2."""
