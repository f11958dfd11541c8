"""How it stands with one callback. Pure.

    booked ─Claimed─▶ due ─▶ human ─▶ caller ─▶ talking ─Ended(talked)─▶ done
      ▲ │              └───────┴─ Ended, tries are left ─▶ booked
      │ └─Cancelled, Unwanted─▶ cancelled       └── none is left ─▶ missed
      └──────────── Moved ─────────────────────────────────────────────┘

A control that has claimed one may die before it makes the call; what keeps the next from making it (Unwanted, Forbidden,
PutOff) counts while it is due, too.

Each time that the callee is called is a run with a call of its own; what is told of another run than the one that is under
way is late, and changes nothing. Times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256

from gateway.terms.call import CallId
from gateway.terms.callback import Terms
from gateway.terms.personal import Number

RUN = "CB_"
"""Begins the ids of the calls that are made for callbacks."""


class State(StrEnum):
    """Where a callback stands."""

    BOOKED = "booked"
    DUE = "due"
    """Its time has come: its call is being made."""
    HUMAN = "human"
    """Somebody of the team is rung."""
    CALLER = "caller"
    """Somebody has taken it, and the callee is rung."""
    TALKING = "talking"
    DONE = "done"
    MISSED = "missed"
    """The two didn't come together, and nobody tries any more."""
    CANCELLED = "cancelled"


UNDER_WAY = (State.DUE, State.HUMAN, State.CALLER, State.TALKING)
"""In the order in which they follow."""
OPEN = (State.BOOKED, *UNDER_WAY)
_LEAST = 60.0
"""Seconds from another time until it is late, however late it had been before."""
_UNMADE = (State.BOOKED, State.DUE)
"""Nobody is rung yet. Of one that is due, only who knows that its call isn't there may say what keeps it from being made."""


@dataclass(frozen=True, slots=True)
class Booking:
    """One callback."""

    id: str
    call: CallId
    """The call in which it was booked."""
    number: Number
    """Whom to call: E.164."""
    at: float
    """When the callee is to be called, or is called next."""
    by: float
    """When they must have been."""
    made: float
    state: State = State.BOOKED
    reason: str = field(default="", repr=False)
    consent: str = field(default="", repr=False)
    """The words by which the callee agreed to be called; "" where none were said."""
    team: str = ""
    """Whose people call; "" for somebody who does it by hand."""
    zone: str = "UTC"
    """The plan's."""
    language: str = "en-US"
    most: int = 3
    """Runs at most."""
    every: float = 900.0
    """Seconds from one run to the next."""
    tries: int = 0
    """Runs so far, the one under way included."""
    sequence: int = 0
    """How often the agreed time was changed, for calendars."""
    breached: float = 0.0
    """When somebody was told that it is late; 0 for never."""
    ended: float = 0.0
    why: str = ""
    """What came of it."""
    member: str = ""
    """Who has talked with the callee."""

    @property
    def by_hand(self) -> bool:
        """Whether nobody calls by itself: there is no team, or the plan doesn't let the gateway call there."""
        return not self.team or self.tries >= self.most

    @property
    def run(self) -> CallId:
        """The id of the call that is made for it now."""
        return CallId(f"{RUN}{self.id}-{self.tries}")


def identity(call: CallId, number: Number) -> str:
    """The id of the callback of a call on a number: the same however often it is booked, and it gives nothing away."""
    return sha256(f"{call}\0{number.reveal()}".encode(errors="replace")).hexdigest()[:12]


def booking_of(run: CallId) -> str:
    """The callback that a call is made for, by the call's id; "" for any other call."""
    return run.removeprefix(RUN).rpartition("-")[0] if run.startswith(RUN) else ""


def booked(call: CallId, number: Number, at: float, within: float, now: float, terms: Terms) -> Booking:
    """A callback as it is made. `within`: seconds from the agreed time in which the callee must be called."""
    return Booking(
        identity(call, number), call, number, at, at + within, now,
        team=terms.team, zone=terms.zone, most=terms.tries, every=terms.every,
    )  # fmt: skip


# What happens.


@dataclass(frozen=True, slots=True)
class Claimed:
    """Its time has come."""


@dataclass(frozen=True, slots=True)
class PutOff:
    """Its time has come, and the callee can't be called then: they are at the next time when they can."""

    at: float
    known: bool = True
    """They can then; False where nobody knows when, and `at` is when somebody looks again."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A run has come so far: HUMAN, CALLER or TALKING."""

    run: CallId
    state: State
    member: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What a run has come to, in the words of whoever made it: just before its end, or just after."""

    run: CallId
    why: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A run is over."""

    run: CallId
    talked: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """Another time was agreed on."""

    at: float
    consent: str = field(default="", repr=False)
    """The words by which the callee agreed to it; "" where none were said: those from before stay."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Nobody is to call any more."""

    by: str


@dataclass(frozen=True, slots=True)
class Unwanted:
    """The callee has asked not to be called."""


@dataclass(frozen=True, slots=True)
class Forbidden:
    """The plan doesn't let the gateway call there: somebody is to do it by hand."""

    why: str


@dataclass(frozen=True, slots=True)
class Done:
    """Somebody has called by hand."""

    by: str


@dataclass(frozen=True, slots=True)
class Late:
    """Somebody looks whether it is late."""


Event = Claimed | PutOff | Reached | Said | Ended | Moved | Cancelled | Unwanted | Forbidden | Done | Late


class Tell(StrEnum):
    """What is to be told of it, to whoever is concerned."""

    BOOKED = "booked"
    MOVED = "moved"
    CANCELLED = "cancelled"
    MISSED = "missed"
    LATE = "late"
    """Nobody has called yet, and somebody should have."""


_Then = tuple[Booking, tuple[Tell, ...]]


def on(one: Booking, event: Event, now: float) -> _Then:
    """The callback after an event, and what is to be told; an event that can't happen then changes nothing."""
    return _TABLE[type(event)](one, event, now)


def movable(one: Booking) -> bool:
    """Whether another time can be agreed on."""
    return one.state in (State.BOOKED, State.MISSED)


def _claimed(one: Booking, _: Event, now: float) -> _Then:
    if one.state is not State.BOOKED or one.by_hand or now < one.at:
        return one, ()
    return replace(one, state=State.DUE, tries=one.tries + 1, why=""), ()


def _put_off(one: Booking, event: Event, now: float) -> _Then:
    assert isinstance(event, PutOff)
    if one.state not in _UNMADE or event.at <= one.at:
        return one, ()
    # A run that was claimed wasn't made, so that it isn't one of those that the plan gives; its id isn't used again.
    unmade = one if one.state is State.BOOKED else replace(one, state=State.BOOKED, most=one.most + 1)
    if not event.known:
        return replace(unmade, at=event.at), ()  # and it is late when it is
    # The team closes for a holiday, say: the callee is called when it is there, and that isn't late. They were promised another
    # time, and it is in calendars.
    by = max(one.by, event.at + max(one.by - one.at, _LEAST))
    return replace(unmade, at=event.at, by=by, sequence=one.sequence + 1), (Tell.MOVED,)


def _reached(one: Booking, event: Event, _: float) -> _Then:
    assert isinstance(event, Reached)
    ours = one.state in UNDER_WAY and event.run == one.run and event.state in UNDER_WAY
    if not ours or UNDER_WAY.index(event.state) < UNDER_WAY.index(one.state):
        return one, ()
    return replace(one, state=event.state, member=event.member or one.member), ()


def _said(one: Booking, event: Event, _: float) -> _Then:
    assert isinstance(event, Said)
    ours = bool(one.tries) and event.run == one.run and one.state is not State.CANCELLED
    return (replace(one, why=event.why) if ours and event.why else one), ()


def _ended(one: Booking, event: Event, now: float) -> _Then:
    assert isinstance(event, Ended)
    if one.state not in UNDER_WAY or event.run != one.run:
        return one, ()
    if event.talked:
        return replace(one, state=State.DONE, ended=now, why=one.why or event.why), ()
    if one.tries < one.most:
        return replace(one, state=State.BOOKED, at=now + one.every, member="", why=one.why or event.why), ()
    return replace(one, state=State.MISSED, ended=now, member="", why=one.why or event.why), (Tell.MISSED,)


def _moved(one: Booking, event: Event, now: float) -> _Then:
    assert isinstance(event, Moved)
    if not movable(one) or event.at < now:
        return one, ()
    one = replace(one, consent=event.consent or one.consent)
    if event.at == one.at and one.state is State.BOOKED:
        return one, ()
    within = max(one.by - one.at, _LEAST) if one.state is State.BOOKED and not one.tries else one.every * one.most
    moved = replace(
        one, state=State.BOOKED, at=event.at, by=event.at + within, most=one.tries + _runs_left(one),
        sequence=one.sequence + 1, breached=0.0, ended=0.0, why="",
    )  # fmt: skip
    return moved, (Tell.MOVED,)


def _runs_left(one: Booking) -> int:
    """Runs of the new time: as many as the plan gave at first. Their numbers go on, so that no call's id comes twice."""
    return one.most - one.tries if one.state is State.BOOKED and one.tries < one.most else max(one.most, 1)


def _cancelled(one: Booking, event: Event, now: float) -> _Then:
    assert isinstance(event, Cancelled)
    if not movable(one):
        return one, ()
    told = (Tell.CANCELLED,) if one.state is State.BOOKED else ()
    gone = replace(one, state=State.CANCELLED, ended=now, sequence=one.sequence + 1, why=f"cancelled by {event.by}")
    return gone, told


def _unwanted(one: Booking, _: Event, now: float) -> _Then:
    if one.state not in _UNMADE:
        return one, ()
    gone = replace(one, state=State.CANCELLED, ended=now, sequence=one.sequence + 1)
    return replace(gone, why="the callee has asked not to be called"), (Tell.CANCELLED,)


def _forbidden(one: Booking, event: Event, _: float) -> _Then:
    assert isinstance(event, Forbidden)
    by_hand = replace(one, state=State.BOOKED, most=one.tries, why=event.why)
    return (by_hand if one.state in _UNMADE else one), ()


def _late(one: Booking, _: Event, now: float) -> _Then:
    late = one.state in OPEN and one.state is not State.TALKING and now > one.by and not one.breached
    return (replace(one, breached=now), (Tell.LATE,)) if late else (one, ())


def _done(one: Booking, event: Event, now: float) -> _Then:
    assert isinstance(event, Done)
    if not movable(one):
        return one, ()
    return replace(one, state=State.DONE, ended=now, member=event.by, why="somebody called by hand"), ()


_TABLE: Mapping[type, Callable[[Booking, Event, float], _Then]] = {
    Claimed: _claimed,
    PutOff: _put_off,
    Reached: _reached,
    Said: _said,
    Ended: _ended,
    Moved: _moved,
    Cancelled: _cancelled,
    Unwanted: _unwanted,
    Forbidden: _forbidden,
    Done: _done,
    Late: _late,
}
