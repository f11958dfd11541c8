"""What is to be done about a call. Pure: what is known and the time go in, a decision comes out."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto

from gateway.dialplan.actions import Reject
from gateway.dialplan.plan import Plan
from gateway.dialplan.route import Ask, decide
from gateway.dialplan.state import State
from gateway.dispatch import stops
from gateway.terms.act import TALK, Talk
from gateway.terms.call import Brief, Call, CallId, Phase, Pool
from gateway.terms.event import Kind
from gateway.terms.number import normalise
from gateway.terms.personal import Number
from gateway.terms.times import THERE_WITHIN, patience

PREFIX = "call-"
"""How the names of our rooms begin (the trunk file's `room_prefix`)."""
STEADY = 5.0
"""Seconds after which a job that has served a call counts no more among those that didn't come or failed at once."""
LASTS = 30.0
"""Seconds after which it hasn't fallen: the next may fall again without being counted with it."""
FALLS = 8
"""Jobs in a row that may fall after STEADY until those that follow count as ones that failed at once. So after a dozen their
caller, who was told each time that somebody is back, goes on without; ten that were killed for other reasons may follow
one another."""
HURRY_AFTER = 0.5
"""Seconds from a dispatch after which one that came to no worker is made again as soon as one is there."""
TRIES = 5
"""Jobs a call is offered to before its caller is turned away."""
ASK_COUNTS = 3.0
"""Seconds for which what a job has asked counts, by the store's clock; it asks again each second."""
TRIES_AGENT = 3
"""Agents' jobs that a call is offered to before the house speaks to its caller."""
TRIES_ANSWERED = 2
"""The same for a caller who was answered already."""
TRIES_UNHEARD = 2
"""The same where the jobs took the call and got neither heard nor away at once: each costs its caller ten seconds or more."""
RINGS = 45.0
"""Seconds after which a caller whom nobody has answered isn't offered to another job: a trunk lets them ring for 60, and ends
the call with a status that no carrier tries another way on."""
NO_JOB = 503
"""SIP status for a caller whom no job came for (RFC 3261 section 21.5.4)."""


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
    attended: bool = False
    """A job is in the room with them."""
    edge: str = ""
    """The process of our SIP service that carries them; "" for another service."""


def arrived(plan: Plan, arrival: Arrival, now: float, state: State | None = None) -> tuple[Call, Mapping[str, int]]:
    """The call that an arrival opens, by the plan, and the limits that it counts towards, by route.

    `now`: seconds since the epoch. `state`: overrides, and the calls that routes have.
    """
    state = state or State()
    caller = normalise(arrival.caller.reveal(), plan.country)
    ask = Ask(arrival.dialed.reveal(), caller, datetime.fromtimestamp(now, UTC), arrival.headers, arrival.call)
    decision = decide(plan, ask, state)
    stop = stops.first(plan, decision, ask, state)
    reject, why = decision.action.status if isinstance(decision.action, Reject) else 0, decision.why
    if state.nobody and not reject and not arrival.attended:
        reject, why = NO_JOB, "no worker is there"
    call = Call(
        id=arrival.call,
        room=arrival.room,
        sip_identity=arrival.identity,
        dialed=normalise(arrival.dialed.reveal(), plan.country) or arrival.dialed,
        caller=caller,
        trunk=arrival.trunk,
        route=decision.route,
        plan=plan.version,
        pool=stop.pool if stop else Pool.HOUSE,
        brief=stop.brief if stop else Brief(agent=""),
        act=stop.act if stop else TALK,
        ends=stop.ends(now) if stop else 0.0,
        because=stop.because if stop else "",
        noticed=stop.noticed if stop else (),
        started=now,
        dispatched=now,
        reject=reject,
        why=why,
    )
    return call, stop.limits if stop and not reject else {}


def metadata(call: Call) -> str:
    """What a dispatch of the call carries: nothing personal, the job reads the rest from the store."""
    return json.dumps({"call": call.id, "epoch": call.epoch, "late": call.late})


def sent_to(call: Call, slots: Mapping[Pool, int]) -> Pool:
    """Whose job is sent for: the call's pool's; an agents' one for what any job performs, where the house has no workers.
    `slots`: calls that each pool bears; a pool that isn't in it is unknown."""
    away = slots.get(Pool.HOUSE) == 0 and slots.get(Pool.AGENTS, 0) > 0
    return Pool.AGENTS if call.pool is Pool.HOUSE and away and not call.needs_another(Pool.AGENTS) else call.pool


class Do(Enum):
    """What a live call needs."""

    NOTHING = auto()
    DISPATCH = auto()
    """Its job didn't come, or is gone: offer it to another."""
    LEAD_ON = auto()
    """No agent's job takes it: the plan's `no_agent` follows, by the house."""
    GIVE_UP = auto()
    """It was offered often enough."""
    TURN_AWAY = auto()
    """The plan rejects it, and whoever began to turn its caller away didn't finish."""


def supervise(
    call: Call, holder: str | None, now: float, *, lost: bool = False, no_agent: bool = False, no_house: bool = False
) -> Do:
    """What a live call needs, given who holds its lease (a job's id) and the time (seconds since the epoch). `lost`:
    the job of the call's epoch is known to be gone, whether it has come or not. `no_agent`: no worker takes calls for
    agents; `no_house`: none for the house."""
    if call.phase is Phase.ENDED or holder is not None:
        return Do.NOTHING
    # A job that has come and holds the lease no more is gone; one that hasn't come may be on its way.
    nobody = no_agent and call.needs_another(Pool.HOUSE) and not call.reject
    if no_house and Kind.ANSWERED.value in call.told:
        nobody = False  # LiveKit is away, most likely, and the agents' workers will be back as soon as the house's
    gone = lost or nobody or call.phase is Phase.TAKEN
    if now - call.dispatched < patience(call.late) and (call.reject or not gone):
        return Do.NOTHING
    if call.reject:
        return Do.TURN_AWAY
    if nobody:
        return Do.LEAD_ON
    if (call.bridged and call.parted is None) or afresh(call, now, silent=not lost):
        return Do.DISPATCH  # two who talk need no job to go on: no lack of jobs is a reason to part them
    talks = isinstance(call.act, Talk) and call.pool is Pool.AGENTS
    if call.tries < _enough(call, now, talks):
        return Do.DISPATCH
    return Do.LEAD_ON if talks else Do.GIVE_UP


def _enough(call: Call, now: float, talks: bool) -> int:
    """Jobs that a call is offered to: one that came and died costs its caller a moment, one that doesn't come, or isn't
    heard, seconds. A caller who has been answered isn't kept waiting: somebody speaks to them soon. `talks`: they are
    agents' jobs, and the house may speak instead."""
    answered = Kind.ANSWERED.value in call.told
    if not answered and not call.ours and now - call.started >= RINGS:
        return 0
    if not talks:
        return TRIES
    if call.phase is Phase.TAKEN:
        moment = call.heard == call.epoch or now - call.dispatched < STEADY + patience(call.late)
        return TRIES if moment else TRIES_UNHEARD
    return TRIES_ANSWERED if answered else TRIES_AGENT


def afresh(call: Call, now: float, *, silent: bool) -> bool:
    """Whether the job that is replaced had served the call for a while: what was tried before it counts no more.
    `silent`: it is replaced because nothing was heard of it for so long, and it may live."""
    return _served(call, now, silent) >= STEADY and falls(call, now, silent=silent) <= FALLS


def falls(call: Call, now: float, *, silent: bool) -> int:
    """Jobs of the call that fell in a row, once the last is replaced (see `afresh`)."""
    served = _served(call, now, silent)
    return 0 if served >= LASTS else call.falls + (served >= STEADY)


def _served(call: Call, now: float, silent: bool) -> float:
    """Seconds that the call's job has served it. One that the caller never heard only held the lease: it may not have got into
    the room. A call of our own has nobody to hear it at first."""
    if call.phase is not Phase.TAKEN or not (call.ours or call.heard == call.epoch):
        return 0.0
    return now - call.dispatched - (patience(call.late) if silent else 0.0)


def late(call: Call, now: float, *, silent: bool) -> int:
    """Jobs of the call that were late in a row, once the last is replaced (see `afresh`)."""
    before = 0 if afresh(call, now, silent=silent) else call.late
    return before + (silent and call.phase is Phase.TAKEN)


@dataclass(frozen=True, slots=True)
class Differences:
    """Where the rooms and the store don't agree."""

    unknown: Sequence[Arrival]
    """Callers in rooms whose call isn't live: nobody told of them, or they were to be gone."""
    gone: Sequence[Call]
    """Live calls whose caller isn't in the room any more."""
    cut: Sequence[Arrival] = ()
    """Callers whose SIP service is gone: nobody is at the other end of their line."""


def compare(
    callers: Mapping[CallId, Arrival],
    live: Sequence[Call],
    now: float,
    *,
    rooms: Collection[str],
    settled: bool = True,
    edges: frozenset[str] | None = None,
    lost: frozenset[str] = frozenset(),
) -> Differences:
    """Compare the callers seen in the rooms with the calls that were live just before.

    While the store isn't `settled` (see `gateway.dispatch.trust`), a job that is in a room may be about to put its call
    back; and LiveKit, which keeps its rooms in Redis too, may not see whom it carries. `edges`: our SIP services that were
    heard of lately, None where that isn't known; `lost`: those that are gone. `rooms`: all that there are; nobody is in that of a
    call that the gateway makes but those whom its job rings, and whoever ended it has deleted it.
    """
    known = {call.id for call in live}
    unknown = [arrival for call, arrival in callers.items() if call not in known]
    if not settled:
        return Differences([arrival for arrival in unknown if not arrival.attended], ())
    gone = [
        call
        for call in live
        if now - call.started >= THERE_WITHIN
        and (call.phase is Phase.TAKEN and call.room not in rooms if call.ours else call.id not in callers)
    ]
    known_of = [one for one in unknown if edges is None or not one.edge or one.edge in edges]
    return Differences(known_of, gone, [one for one in callers.values() if one.edge in lost])
