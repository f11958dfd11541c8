"""The INVITE client transaction (RFC 3261 section 17.1.1, RFC 6026 section 8.4, CANCEL by section 9.1)."""

from __future__ import annotations

from gateway.sip.transaction.machine import Do, Happened, Row, State, Table, Timer

TABLE: Table = {
    (State.INITIAL, Happened.START): Row(State.CALLING, (Do.SEND,), start=(Timer.A, Timer.B)),
    (State.CALLING, Timer.A): Row(State.CALLING, (Do.RESEND,), start=(Timer.A,)),
    (State.CALLING, Timer.B): Row(State.TERMINATED, (Do.TIMED_OUT,)),
    (State.CALLING, Happened.UNREACHABLE): Row(State.TERMINATED, (Do.UNREACHABLE,)),
    (State.CALLING, Happened.CANCEL): Row(State.ABANDONED, keep=(Timer.A, Timer.B)),
    (State.CALLING, Happened.GOT_1XX): Row(State.PROCEEDING, (Do.TELL,)),
    (State.CALLING, Happened.GOT_2XX): Row(State.ACCEPTED, (Do.TELL,), start=(Timer.M,)),
    (State.CALLING, Happened.GOT_ERROR): Row(State.COMPLETED, (Do.SEND_ACK, Do.TELL), start=(Timer.D,)),
    (State.ABANDONED, Timer.A): Row(State.ABANDONED, (Do.RESEND,), start=(Timer.A,)),
    (State.ABANDONED, Timer.B): Row(State.TERMINATED, (Do.TIMED_OUT,)),
    (State.ABANDONED, Happened.UNREACHABLE): Row(State.TERMINATED, (Do.UNREACHABLE,)),
    (State.ABANDONED, Happened.CANCEL): Row(State.ABANDONED),
    (State.ABANDONED, Happened.GOT_1XX): Row(State.CANCELLED, (Do.SEND_CANCEL, Do.TELL), start=(Timer.AFTER_CANCEL,)),
    (State.ABANDONED, Happened.GOT_2XX): Row(State.ACCEPTED, (Do.TELL,), start=(Timer.M,)),
    (State.ABANDONED, Happened.GOT_ERROR): Row(State.COMPLETED, (Do.SEND_ACK, Do.TELL), start=(Timer.D,)),
    (State.PROCEEDING, Happened.CANCEL): Row(State.CANCELLED, (Do.SEND_CANCEL,), start=(Timer.AFTER_CANCEL,)),
    (State.PROCEEDING, Happened.GOT_1XX): Row(State.PROCEEDING, (Do.TELL,)),
    (State.PROCEEDING, Happened.GOT_2XX): Row(State.ACCEPTED, (Do.TELL,), start=(Timer.M,)),
    (State.PROCEEDING, Happened.GOT_ERROR): Row(State.COMPLETED, (Do.SEND_ACK, Do.TELL), start=(Timer.D,)),
    (State.CANCELLED, Timer.AFTER_CANCEL): Row(State.TERMINATED, (Do.TIMED_OUT,)),
    (State.CANCELLED, Happened.CANCEL): Row(State.CANCELLED),
    (State.CANCELLED, Happened.GOT_1XX): Row(State.CANCELLED, (Do.TELL,)),
    (State.CANCELLED, Happened.GOT_2XX): Row(State.ACCEPTED, (Do.TELL,), start=(Timer.M,)),
    (State.CANCELLED, Happened.GOT_ERROR): Row(State.COMPLETED, (Do.SEND_ACK, Do.TELL), start=(Timer.D,)),
    (State.COMPLETED, Timer.D): Row(State.TERMINATED),
    (State.COMPLETED, Happened.CANCEL): Row(State.COMPLETED),
    (State.COMPLETED, Happened.GOT_1XX): Row(State.COMPLETED),
    (State.COMPLETED, Happened.GOT_2XX): Row(State.COMPLETED),
    (State.COMPLETED, Happened.GOT_ERROR): Row(State.COMPLETED, (Do.SEND_ACK,)),
    (State.ACCEPTED, Timer.M): Row(State.TERMINATED),
    (State.ACCEPTED, Happened.CANCEL): Row(State.ACCEPTED),
    (State.ACCEPTED, Happened.GOT_1XX): Row(State.ACCEPTED),
    (State.ACCEPTED, Happened.GOT_2XX): Row(State.ACCEPTED, (Do.TELL,)),
    (State.ACCEPTED, Happened.GOT_ERROR): Row(State.ACCEPTED),
}
"""An UNREACHABLE after the first response is illegal: nothing of ours is under way that could bounce, but ACKs.

In COMPLETED an ACK may bounce: RFC 3261 ends the transaction then; here it lives out timer D, which is as safe.
"""
