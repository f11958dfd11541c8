"""The INVITE server transaction (RFC 3261 section 17.2.1, RFC 6026 section 7.1).

100 Trying is sent at once, not after 200 ms: the caller stops repeating the INVITE, and no timer is needed.
"""

from __future__ import annotations

from gateway.sip.transaction.machine import Do, Happened, Row, State, Table, Timer

TABLE: Table = {
    (State.INITIAL, Happened.START): Row(State.PROCEEDING, (Do.SEND_TRYING, Do.TELL)),
    (State.PROCEEDING, Happened.REQUEST): Row(State.PROCEEDING, (Do.RESEND,)),
    (State.PROCEEDING, Happened.ACK): Row(State.PROCEEDING),
    (State.PROCEEDING, Happened.SENT_1XX): Row(State.PROCEEDING, (Do.SEND,)),
    (State.PROCEEDING, Happened.SENT_2XX): Row(State.ACCEPTED, (Do.SEND,), start=(Timer.L,)),
    (State.PROCEEDING, Happened.SENT_ERROR): Row(State.COMPLETED, (Do.SEND,), start=(Timer.G, Timer.H)),
    (State.PROCEEDING, Happened.UNREACHABLE): Row(State.TERMINATED, (Do.UNREACHABLE,)),
    (State.COMPLETED, Happened.REQUEST): Row(State.COMPLETED, (Do.RESEND,)),
    (State.COMPLETED, Happened.ACK): Row(State.CONFIRMED, start=(Timer.I,)),
    (State.COMPLETED, Happened.UNREACHABLE): Row(State.TERMINATED, (Do.UNREACHABLE,)),
    (State.COMPLETED, Timer.G): Row(State.COMPLETED, (Do.RESEND,), start=(Timer.G,)),
    (State.COMPLETED, Timer.H): Row(State.TERMINATED, (Do.TIMED_OUT,)),
    (State.CONFIRMED, Happened.REQUEST): Row(State.CONFIRMED),
    (State.CONFIRMED, Happened.ACK): Row(State.CONFIRMED),
    (State.CONFIRMED, Timer.I): Row(State.TERMINATED),
    (State.ACCEPTED, Happened.REQUEST): Row(State.ACCEPTED),
    (State.ACCEPTED, Happened.ACK): Row(State.ACCEPTED, (Do.TELL,)),
    (State.ACCEPTED, Happened.SENT_2XX): Row(State.ACCEPTED, (Do.SEND,)),
    (State.ACCEPTED, Timer.L): Row(State.TERMINATED),
}
"""In ACCEPTED, a repeated INVITE is absorbed: the 2xx is repeated by `gateway.sip.accepted`, not by the transaction;
so is a 2xx that bounces told by it."""
