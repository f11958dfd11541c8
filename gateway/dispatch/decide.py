"""What is to be done about a call. Pure: what is known and the time go in, a decision comes out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum, auto

from gateway.dialplan.actions import Agent, Dial, Menu, Queue, Reject
from gateway.dialplan.model import Ref
from gateway.dialplan.plan import Plan
from gateway.dialplan.route import Ask, Decision, decide, enter
from gateway.dialplan.state import State
from gateway.terms.call import Brief, Call, CallId, Phase, Pool
from gateway.terms.ending import Ending
from gateway.terms.event import Kind
from gateway.terms.number import normalise
from gateway.terms.personal import Number

PREFIX = "call-"
"""How the names of our rooms begin (the trunk file's `room_prefix`)."""
JOB_WITHIN = 3.0
"""Seconds from a dispatch until its job must hold the call's lease."""
JOINS_WITHIN = 12.0
"""Seconds a caller may take from the first hint into the room; the SIP service gives up after 10."""
TRIES = 5
"""Jobs a call is offered to before its caller is turned away."""
NO_JOB = 503
"""SIP status for a caller whom no job came for (RFC 3261 section 21.5.4)."""
NOT_SERVED = 480
"""SIP status for a route that this version can't conduct (RFC 3261 section 21.4.18)."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A caller, as a SIP participant or its service tells of them."""

    call: CallId
    room: str
    identity: str = field(repr=False)
    dialed: Number
    """As the carrier wrote it."""
    caller: Number
    """As the carrier wrote it; empty or `anonymous` when withheld."""
    trunk: str
    joined: bool
    """The participant is in the room."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """SIP headers of the INVITE that the trunk passes on, names in lower case."""


def arrived(plan: Plan, arrival: Arrival, now: float, state: State | None = None) -> tuple[Call, Mapping[str, int]]:
    """The call that an arrival opens, by the plan, and the limits that it counts towards, by route.

    `now`: seconds since the epoch. `state`: overrides, and the calls that routes have.
    """
    state = state or State()
    caller = normalise(arrival.caller.reveal(), plan.country)
    ask = Ask(arrival.dialed.reveal(), caller, datetime.fromtimestamp(now, UTC), arrival.headers, arrival.call)
    decision = served(plan, decide(plan, ask, state), ask, state)
    action = decision.action
    agent = action if isinstance(action, Agent) else None
    call = Call(
        id=arrival.call,
        room=arrival.room,
        sip_identity=arrival.identity,
        dialed=normalise(arrival.dialed.reveal(), plan.country) or arrival.dialed,
        caller=caller,
        trunk=arrival.trunk,
        route=decision.route,
        plan=plan.version,
        pool=agent.pool if agent else Pool.HOUSE,
        brief=plan.brief(decision.route, _said_first(decision)) if agent else Brief(agent=""),
        started=now,
        dispatched=now,
        reject=action.status if isinstance(action, Reject) else 0,
        why=decision.why,
    )
    return call, decision.limits if agent else {}


def served(plan: Plan, decision: Decision, ask: Ask, state: State) -> Decision:
    """What this version can do for the call: of a menu, a queue, a person to ring or a message it takes what comes when
    it can't be had, as if the caller had pressed nothing and nobody had taken the call."""
    been: set[str] = set()
    while not isinstance(decision.action, Agent | Reject):
        onward = _without(plan, decision)
        if onward is None or onward in been:
            kind = type(decision.action).__name__.lower()
            why = f"the route '{decision.route}' needs a {kind}, which this version can't do on a call"
            return replace(decision, action=Reject(NOT_SERVED), why=why)
        been.add(onward)
        decision = _led_on(decision, enter(plan, onward, ask, state))
    return decision


def _led_on(before: Decision, after: Decision) -> Decision:
    """The second decision with what the first one has gathered: words for the caller, and limits that are borne."""
    return replace(
        after,
        first=before.first,
        because=after.because or before.because,
        say=after.say or before.say,
        hours=after.hours or before.hours,
        until=after.until or before.until,
        notices=tuple(dict.fromkeys((*before.notices, *after.notices))),
        limits={**before.limits, **after.limits},
    )


def _without(plan: Plan, decision: Decision) -> str | None:
    route, action = plan.routes[decision.route], decision.action
    onward: object = None
    if isinstance(action, Menu):
        onward = action.silence or action.speech
    elif isinstance(action, Queue):
        onward = route.instead.get("unanswered") or plan.teams[action.team.name].unanswered
    elif isinstance(action, Dial):
        onward = route.instead.get("unanswered")
    return onward.name if isinstance(onward, Ref) else None


def _said_first(decision: Decision) -> list[str]:
    """An operator's words for callers, before the greeting."""
    return [words for words in (*decision.notices, decision.say) if words]


def metadata(call: Call) -> str:
    """What a dispatch of the call carries: nothing personal, the job reads the rest from the store."""
    return json.dumps({"call": call.id, "epoch": call.epoch})


class Do(Enum):
    """What a live call needs."""

    NOTHING = auto()
    DISPATCH = auto()
    """Its job didn't come, or is gone: offer it to another."""
    GIVE_UP = auto()
    """It was offered often enough."""
    TURN_AWAY = auto()
    """The plan rejects it, and whoever began to turn its caller away didn't finish."""


def supervise(call: Call, holder: str | None, now: float) -> Do:
    """What a live call needs, given who holds its lease (a job's id) and the time (seconds since the epoch)."""
    if call.phase is Phase.ENDED or holder is not None or now - call.dispatched < JOB_WITHIN:
        return Do.NOTHING
    if call.reject:
        return Do.TURN_AWAY
    return Do.GIVE_UP if call.epoch >= TRIES else Do.DISPATCH


def ending(call: Call) -> Ending:
    """How a call has ended whose caller is gone."""
    if call.reject:
        return Ending.REJECTED
    if Kind.CALLBACK.value in call.told:
        return Ending.CALLBACK
    talked = Kind.TURN.value in call.told or (call.pool is Pool.HOUSE and Kind.ANSWERED.value in call.told)
    return Ending.SERVED if talked else Ending.ABANDONED


@dataclass(frozen=True, slots=True)
class Differences:
    """Where the rooms and the store don't agree."""

    unknown: Sequence[Arrival]
    """Callers in rooms whose call isn't live: nobody told of them, or they were to be gone."""
    gone: Sequence[Call]
    """Live calls whose caller isn't in the room any more."""


def compare(callers: Mapping[CallId, Arrival], live: Sequence[Call], now: float) -> Differences:
    """Compare the callers seen in the rooms with the calls that were live just before."""
    known = {call.id for call in live}
    return Differences(
        unknown=[arrival for call, arrival in callers.items() if call not in known],
        gone=[call for call in live if call.id not in callers and now - call.started >= JOINS_WITHIN],
    )
