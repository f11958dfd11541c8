"""The script of a call, from the job's join to its end. Pure: inputs and the time go in, effects come out.

    JOINING ─ Joined ─▶ WAITING ─ CallerSeen ─▶ RINGING ─ Active ─▶ TALKING ─ Finished ─▶ OVER
                                                                       │  ▲ Led
                                                                 Onward ▼  │
                                                                     LEADING ─ Led elsewhere ─▶ HANDING ─▶ OVER

Any state ends at once when the caller leaves, the room goes, the lease is lost or the process stops. Every state but
OVER has a deadline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from gateway.conduct.events import (
    Active,
    Apologise,
    Apologised,
    CallerLeft,
    CallerSeen,
    Converse,
    Effect,
    Ended,
    Failed,
    Finished,
    HangUp,
    Input,
    Joined,
    KeepCompany,
    LeadOn,
    LeaseLost,
    Leave,
    Led,
    Listening,
    Out,
    Relieved,
    Stopping,
    TellAnswered,
    TellHangup,
    TellSwitched,
)
from gateway.errors import OurFault
from gateway.terms.act import Onward, Over
from gateway.terms.ending import Party
from gateway.terms.times import COMES_WITHIN

JOIN_WITHIN = 10.0
"""Seconds to join the room and publish."""
GONE_WITHIN = 1.0
"""Seconds for a caller to be in the room once we are, who was there before, or should long be: they are gone, and the room
goes too. Others get `times.COMES_WITHIN`."""
ANSWER_WITHIN = 15.0
"""Seconds for the SIP service to listen to us, which makes it answer the caller: it is our media that doesn't get to it, and
another worker's may. A trunk lets callers ring for 60, and one more job, and the house, must have their turn by then."""
ACTIVE_WITHIN = 0.25
"""Seconds from the moment the SIP service listens to us, which makes it answer, until we speak without having heard
that the call is active: LiveKit SIP says so only on the caller's first RTP, or a second later."""
LEAD_WITHIN = 12.0
"""Seconds for control to say where the call goes on: one that was killed is back in 7 on a busy machine. The caller hears
ringing from the second on, and a person is better than a callback."""
HAND_WITHIN = 6.0
"""Seconds for a job of the other pool to be in the room."""
APOLOGISE_WITHIN = 60.0
"""Seconds to tell a caller that we can't go on; whatever becomes of it, they aren't kept any longer."""
TALK_WITHIN = 4 * 3600.0
"""Seconds that an agent may talk: nobody talks with one so long, so something hangs."""
PEOPLE_WITHIN = 24 * 3600.0
"""Seconds of everything else. What a caller waits for ends by itself much earlier, and two people who talk aren't parted."""


class State(Enum):
    """Where the call stands."""

    JOINING = auto()
    WAITING = auto()
    """Joined; the caller's SIP participant isn't there yet."""
    RINGING = auto()
    TALKING = auto()
    """What its stop says is done: an agent talks, a menu plays, people are rung."""
    LEADING = auto()
    """Control is asked where the call goes on."""
    HANDING = auto()
    """A job of the other pool is to go on with it; we keep the caller company until it is there."""
    OVER = auto()


@dataclass(frozen=True, slots=True)
class Script:
    """One call's script; `on` and `due` return the next one."""

    agent: str
    """The agent that converses, or will."""
    deadline: float
    """When `due` must be called, on the clock that `now` is taken from; infinite when OVER."""
    state: State = State.JOINING
    listening: bool = False
    """Listening was heard, early or late."""
    answered: bool = False
    """Active was heard."""
    ours: bool = False
    """The gateway calls: what is to be done begins at once, and says itself who comes and goes."""
    overdue: bool = False
    """A caller who isn't in the room isn't on their way to it either: they are gone."""

    @staticmethod
    def start(agent: str, now: float, *, overdue: bool = False, ours: bool = False) -> Script:
        """The script of a call that the job has just taken."""
        return Script(agent, now + JOIN_WITHIN, overdue=overdue, ours=ours)

    def on(self, given: Input, now: float) -> tuple[Script, Sequence[Effect]]:
        """What follows from an input. Raises OurFault, changing nothing, when it can't happen in this state."""
        if self.state is State.OVER:
            return self, ()
        if self.ours and isinstance(given, CallerLeft):
            return self, ()
        step = _TABLE.get((self.state, type(given)))
        if step is None and type(given) in _ANYWHERE:
            return _over(self), _ANYWHERE[type(given)](given)
        if step is None:
            raise OurFault(f"{type(given).__name__} can't happen to a call that is {self.state.name}.")
        return step(self, given, now)

    def due(self, now: float) -> tuple[Script, Sequence[Effect]]:
        """What follows from the deadline having passed; nothing before it."""
        return _DUE[self.state](self, now) if now >= self.deadline else (self, ())


_Step = Callable[[Script, Input, float], tuple[Script, Sequence[Effect]]]


def _over(script: Script) -> Script:
    return replace(script, state=State.OVER, deadline=float("inf"))


def _stay(script: Script, _: Input, __: float) -> tuple[Script, Sequence[Effect]]:
    return script, ()


def _joined(script: Script, _: Input, now: float) -> tuple[Script, Sequence[Effect]]:
    if script.ours:
        return replace(script, state=State.TALKING, deadline=now + PEOPLE_WITHIN), (Converse(script.agent),)
    wait = GONE_WITHIN if script.overdue else COMES_WITHIN
    return replace(script, state=State.WAITING, deadline=now + wait), ()


def _caller_seen(script: Script, _: Input, now: float) -> tuple[Script, Sequence[Effect]]:
    wait = ACTIVE_WITHIN if script.listening else ANSWER_WITHIN
    return replace(script, state=State.RINGING, deadline=now + wait), ()


def _listening_early(script: Script, _: Input, __: float) -> tuple[Script, Sequence[Effect]]:
    return replace(script, listening=True), ()


def _listening(script: Script, _: Input, now: float) -> tuple[Script, Sequence[Effect]]:
    return replace(script, listening=True, deadline=min(script.deadline, now + ACTIVE_WITHIN)), ()


def _within(agent: str) -> float:
    return TALK_WITHIN if agent else PEOPLE_WITHIN


def _active(script: Script, _: Input, now: float) -> tuple[Script, Sequence[Effect]]:
    talking = replace(script, state=State.TALKING, answered=True, deadline=now + _within(script.agent))
    return talking, (Converse(script.agent), TellAnswered())


def _active_late(script: Script, _: Input, __: float) -> tuple[Script, Sequence[Effect]]:
    return replace(script, answered=True), () if script.answered else (TellAnswered(),)


def _finished(script: Script, given: Input, _: float) -> tuple[Script, Sequence[Effect]]:
    match given:
        case Finished(reason, ""):
            return _over(script), (TellHangup(Party.AGENT, reason), HangUp())
        case Finished(reason, agent):
            return replace(script, agent=agent), (TellSwitched(agent, reason), Converse(agent))
    return script, ()


def _ended(script: Script, given: Input, now: float) -> tuple[Script, Sequence[Effect]]:
    match given:
        case Ended(Over(reason, by)):
            return _over(script), (TellHangup(by, reason), HangUp(at_once=by is Party.HUMAN))
        case Ended(Onward() as onward):
            return replace(script, state=State.LEADING, deadline=now + LEAD_WITHIN), (LeadOn(onward),)
    return script, ()


def _led(script: Script, given: Input, now: float) -> tuple[Script, Sequence[Effect]]:
    match given:
        case Led(agent, True):
            talking = replace(script, agent=agent, state=State.TALKING, deadline=now + _within(agent))
            return talking, (Converse(agent),)
        case Led():
            return replace(script, state=State.HANDING, deadline=now + HAND_WITHIN), (KeepCompany(),)
    return script, ()


def _relieved(script: Script, _: Input, __: float) -> tuple[Script, Sequence[Effect]]:
    return _over(script), (Leave("another job goes on with the call", goes_on=True),)


def _failed(script: Script, given: Input, now: float) -> tuple[Script, Sequence[Effect]]:
    if not isinstance(given, Failed):
        return script, ()
    return replace(script, deadline=now + APOLOGISE_WITHIN), (Apologise(given.reason),)


def _apologised(script: Script, _: Input, __: float) -> tuple[Script, Sequence[Effect]]:
    return _over(script), (TellHangup(Party.GATEWAY, "the agent failed"), HangUp())


_TABLE: Mapping[tuple[State, type], _Step] = {
    (State.JOINING, Joined): _joined,
    (State.JOINING, Listening): _listening_early,
    (State.WAITING, CallerSeen): _caller_seen,
    (State.WAITING, Listening): _listening_early,
    (State.RINGING, CallerSeen): _stay,
    (State.RINGING, Listening): _listening,
    (State.RINGING, Active): _active,
    (State.TALKING, CallerSeen): _stay,
    (State.TALKING, Listening): _stay,
    (State.TALKING, Active): _active_late,
    (State.TALKING, Finished): _finished,
    (State.TALKING, Failed): _failed,
    (State.TALKING, Apologised): _apologised,
    (State.TALKING, Ended): _ended,
    (State.TALKING, Relieved): _stay,
    (State.LEADING, Led): _led,
    (State.LEADING, Active): _active_late,
    (State.LEADING, CallerSeen): _stay,
    (State.LEADING, Listening): _stay,
    (State.LEADING, Relieved): _stay,
    (State.HANDING, Relieved): _relieved,
    (State.HANDING, Active): _active_late,
    (State.HANDING, CallerSeen): _stay,
    (State.HANDING, Listening): _stay,
    (State.HANDING, LeaseLost): _stay,
    (State.RINGING, Relieved): _stay,
    (State.WAITING, Relieved): _stay,
}
"""Every transition but those of `_ANYWHERE` and `_DUE`."""


def _caller_left(given: Input) -> Sequence[Effect]:
    told = (TellHangup(given.by, given.reason),) if isinstance(given, CallerLeft) else ()
    lost = isinstance(given, CallerLeft) and given.by is Party.NETWORK
    return *told, Leave("the caller left", lost=lost)


def _out(given: Input) -> Sequence[Effect]:
    if not isinstance(given, Out):
        return ()
    return (Leave(given.reason, give_back=not given.final, goes_on=not given.final),)


_ANYWHERE: Mapping[type, Callable[[Input], Sequence[Effect]]] = {
    CallerLeft: _caller_left,
    Out: _out,
    LeaseLost: lambda _: (Leave("another job owns the call", goes_on=True),),
    Stopping: lambda _: (Leave("this process ends", give_back=True, goes_on=True),),
}
"""What ends the call in any state for which the table says nothing else."""


def _too_late(reason: str) -> Callable[[Script, float], tuple[Script, Sequence[Effect]]]:
    return lambda script, _: (_over(script), (Leave(reason, give_back=True),))


def _waiting_due(script: Script, _: float) -> tuple[Script, Sequence[Effect]]:
    if script.overdue:
        return _over(script), (HangUp(at_once=True),)
    return _over(script), (Leave("no caller was in the room", give_back=True),)


def _ringing_due(script: Script, now: float) -> tuple[Script, Sequence[Effect]]:
    if not script.listening:
        return _over(script), (Leave("the SIP service doesn't listen", give_back=True),)
    talking = replace(script, state=State.TALKING, deadline=now + _within(script.agent))
    return talking, (Converse(script.agent),)


def _talking_due(script: Script, _: float) -> tuple[Script, Sequence[Effect]]:
    return _over(script), (TellHangup(Party.GATEWAY, "the call lasted too long"), HangUp())


_DUE: Mapping[State, Callable[[Script, float], tuple[Script, Sequence[Effect]]]] = {
    State.JOINING: _too_late("the room couldn't be joined in time"),
    State.WAITING: _waiting_due,
    State.RINGING: _ringing_due,
    State.TALKING: _talking_due,
    State.LEADING: lambda script, now: (
        replace(script, state=State.TALKING, deadline=now + APOLOGISE_WITHIN),
        (Apologise("nobody said where the call goes on"),),
    ),
    State.HANDING: lambda script, _: (_over(script), (Leave("no other job came", give_back=True),)),
    State.OVER: lambda script, _: (script, ()),
}
