"""What the transaction machines have in common: a table of rows, running timers, and the time as an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.errors import OurFault


class State(StrEnum):
    """States of RFC 3261 section 17 and RFC 6026, and a few between them."""

    INITIAL = "initial"
    CALLING = "calling"
    ABANDONED = "abandoned"
    """A CANCEL is wanted but not allowed before the first provisional response (RFC 3261 section 9.1)."""
    CANCELLED = "cancelled"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"
    TERMINATED = "terminated"


class Happened(StrEnum):
    """What a machine is told."""

    START = "start"
    REQUEST = "request again"
    ACK = "ack"
    GOT_1XX = "got 1xx"
    GOT_2XX = "got 2xx"
    GOT_ERROR = "got 3xx-6xx"
    SENT_1XX = "sent 1xx"
    SENT_2XX = "sent 2xx"
    SENT_ERROR = "sent 3xx-6xx"
    CANCEL = "cancel"
    UNREACHABLE = "unreachable"
    BYE = "bye"


class Timer(StrEnum):
    """Timers of RFC 3261's appendix A and RFC 6026, over UDP. Each value names what its firing means."""

    A = "repeat INVITE"
    B = "INVITE unanswered"
    D = "error to INVITE absorbed"
    E = "repeat request"
    E2 = "repeat request slowly"
    F = "request unanswered"
    G = "repeat final response"
    H = "final response not acknowledged"
    I = "ACK absorbed"
    J = "request absorbed"
    K = "response absorbed"
    L = "2xx sent, INVITE absorbed"
    M = "2xx got, forks' 2xx taken"
    AFTER_CANCEL = "cancelled INVITE unanswered"


class Do(StrEnum):
    """What a row asks of the transaction's owner."""

    SEND = "send"
    RESEND = "resend"
    SEND_TRYING = "send 100"
    SEND_ACK = "send ack"
    SEND_CANCEL = "send cancel"
    TELL = "tell the user"
    TIMED_OUT = "tell timeout"
    UNREACHABLE = "tell transport failure"
    HUNG_UP = "tell hang-up"


Event = Happened | Timer


class IllegalEvent(OurFault):
    """The machine has no row for this event in its state; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Timers:
    """The three times everything follows from, in seconds (RFC 3261 section 17.1.1.1). All positive."""

    t1: float = 0.5
    """Round-trip time: the first retransmission comes after it."""
    t2: float = 4.0
    """The longest interval between retransmissions."""
    t4: float = 5.0
    """How long the network may keep a message."""
    reliable: bool = False
    """The transport delivers what it is given, as TCP and TLS do."""

    def first(self, timer: Timer) -> float:
        """How long a timer runs that is started for the first time."""
        match timer:
            case Timer.A | Timer.E | Timer.G:
                return min(self.t1, self.t2)
            case Timer.E2:
                return self.t2
            case Timer.I | Timer.K:
                return self.t4
            case _:
                return 64 * self.t1

    def again(self, timer: Timer, last: float) -> float:
        """How long a timer runs that is started by its own firing; `last` is how long it ran before."""
        match timer:
            case Timer.A:
                return 2 * last
            case Timer.E | Timer.G:
                return min(2 * last, self.t2)
            case _:
                return last


@dataclass(frozen=True, slots=True)
class Row:
    """One transition. Going to another state stops every timer but those in `keep`; staying stops none."""

    to: State
    do: tuple[Do, ...] = ()
    start: tuple[Timer, ...] = ()
    keep: tuple[Timer, ...] = ()


Table = Mapping[tuple[State, Event], Row]


class Machine:
    """A table walked through. Feed it each event, and `expire` it at or after `deadline`."""

    __slots__ = ("_due", "_span", "_table", "_timers", "state")

    def __init__(self, table: Table, timers: Timers) -> None:
        self.state = State.INITIAL
        self._table = table
        self._timers = timers
        self._due: dict[Timer, float] = {}
        self._span: dict[Timer, float] = {}

    def accepts(self, event: Event) -> bool:
        """Whether the table has a row for the event now."""
        return (self.state, event) in self._table

    def feed(self, event: Event, now: float) -> tuple[Do, ...]:
        """Take the event's row and return what to do, in order. Raises IllegalEvent, changing nothing."""
        row = self._table.get((self.state, event))
        if row is None:
            raise IllegalEvent(f"A SIP transaction that is {self.state} can't take: {event}.")
        if row.to is not self.state:
            self._due = {timer: due for timer, due in self._due.items() if timer in row.keep}
            self.state = row.to
        for timer in row.start:
            grown = timer is event and timer in self._span
            self._span[timer] = self._timers.again(timer, self._span[timer]) if grown else self._timers.first(timer)
            self._due[timer] = now + self._span[timer]
        return row.do

    def deadline(self) -> float | None:
        """When to call `expire`; None while no timer runs."""
        return min(self._due.values(), default=None)

    def expire(self, now: float) -> tuple[Do, ...]:
        """Fire every timer that is due, each once, the earliest first."""
        done: list[Do] = []
        for timer, due in sorted(self._due.items(), key=lambda each: each[1]):
            if due <= now and self._due.get(timer) == due:
                del self._due[timer]
                done += self.feed(timer, now)
        return tuple(done)
