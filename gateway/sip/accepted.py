"""A UAS's 2xx to an INVITE, repeated until its ACK comes (RFC 3261 section 13.3.1.4).

The transaction's end doesn't matter to it: the ACK to a 2xx belongs to the user agent.
"""

from __future__ import annotations

from gateway.sip.transaction.machine import Do, Happened, Row, State, Table, Timer

TABLE: Table = {
    (State.INITIAL, Happened.START): Row(State.ACCEPTED, start=(Timer.G, Timer.H)),
    (State.ACCEPTED, Timer.G): Row(State.ACCEPTED, (Do.RESEND,), start=(Timer.G,)),
    (State.ACCEPTED, Timer.H): Row(State.TERMINATED, (Do.TIMED_OUT,)),
    (State.ACCEPTED, Happened.ACK): Row(State.CONFIRMED, (Do.TELL,)),
    (State.ACCEPTED, Happened.UNREACHABLE): Row(State.TERMINATED, (Do.UNREACHABLE,)),
    (State.ACCEPTED, Happened.BYE): Row(State.TERMINATED, (Do.HUNG_UP,)),
    (State.CONFIRMED, Happened.ACK): Row(State.CONFIRMED),
    (State.CONFIRMED, Happened.BYE): Row(State.CONFIRMED),
    (State.TERMINATED, Happened.ACK): Row(State.TERMINATED),
    (State.TERMINATED, Happened.BYE): Row(State.TERMINATED),
}
