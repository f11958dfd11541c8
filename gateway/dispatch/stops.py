"""The stops of a call's way: what its job is to do at each, and which comes next. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gateway.calls.people.ring import all_at_once
from gateway.calls.words.message import Say, line_of
from gateway.dialplan.actions import INSTEAD, Agent, Dial, Menu, Message, Queue, Reject, Transfer
from gateway.dialplan.duty import duty
from gateway.dialplan.model import Callback, Ref
from gateway.dialplan.people import Person, Rotation, Team
from gateway.dialplan.plan import Plan
from gateway.dialplan.route import Ask, Decision, enter
from gateway.dialplan.state import State
from gateway.dialplan.untaken import Next, after
from gateway.dialplan.wording import music_of, prompt_of
from gateway.dispatch.recalling import team_terms, terms_of
from gateway.errors import OurFault
from gateway.handoff.browser import ANSWERS_WITHIN
from gateway.handoff.state import SETTLE
from gateway.terms.act import (
    RUNG_FOR,
    TALK,
    Act,
    Because,
    By,
    Callee,
    Choose,
    Dismiss,
    Handoff,
    Onward,
    Promise,
    Record,
    Ring,
    Talk,
    Wait,
)
from gateway.terms.call import Brief, Call, Pool
from gateway.terms.handoff import PUT_THROUGH

WAITS_AT_MOST = 600.0
"""Seconds that a caller waits at most while those of a team are rung one after the other."""
_REASONS = {
    Because.HUMAN: "the caller asked for a person",
    Because.UNANSWERED: "nobody took the call",
    Because.RETURNED: "a person gave the call back",
    Because.NO_AGENT: "the agent failed",
    Because.DEAD_AIR: "nothing could be heard",
    Because.SILENCE: "the caller chose nothing",
    Because.MINUTES: "the route's minutes were up",
}


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a call gets."""

    route: str
    act: Act
    pool: Pool
    brief: Brief
    because: str
    limits: Mapping[str, int]
    """Calls at once that the routes on the way here bear, by their names."""
    minutes: float = 0.0
    """That the call may last here; 0 for any."""
    noticed: tuple[str, ...] = ()
    """Operators' notices that are told here."""

    def ends(self, now: float) -> float:
        """When a call that gets here now must end; 0 for never. What bounds itself, such as a message, isn't cut."""
        return now + self.minutes * 60 if self.minutes and isinstance(self.act, Talk | Choose) else 0.0


def name_of(act: Act) -> str:
    """The act's name in a record."""
    return type(act).__name__.lower()


def first(plan: Plan, decision: Decision, ask: Ask, state: State) -> Stop | None:
    """Where a call begins; None when the plan rejects it."""
    return None if isinstance(decision.action, Reject) else _stop(plan, decision, ask, state, decision.because)


def led(plan: Plan, call: Call, onward: Onward, now: float, state: State) -> tuple[Call, Mapping[str, int]]:
    """The call at its next stop, and the limits that it counts towards there. `now`: seconds since the epoch."""
    stop = _next(plan, call, onward, now, state)
    there = replace(
        call,
        route=stop.route,
        act=stop.act,
        pool=stop.pool,
        brief=stop.brief,
        because=stop.because,
        stop=call.stop + 1,
        ends=stop.ends(now),
        noticed=(*_noticed(call, onward), *stop.noticed),
        checkpoint="",
        bridged="",
    )
    return there, stop.limits


def _next(plan: Plan, call: Call, onward: Onward, now: float, state: State) -> Stop:
    ask = Ask(call.dialed.reveal(), call.caller, datetime.fromtimestamp(now, UTC), key=call.id)
    if onward.because is Because.MINUTES:
        return _house(
            plan, call.route, Dismiss(_REASONS[onward.because], onward.because.value), onward.because.value, {}
        )
    if onward.because in (Because.HANDOFF, Because.MESSAGE) and (given := _to_team(plan, call, onward, ask, state)):
        return given
    if onward.because is Because.TRANSFER and call.route in plan.routes:
        return _through(plan, call, onward.key, ask, state)
    if call.because == Because.TRANSFER.value:
        untaken = replace(onward, why=PUT_THROUGH + onward.why)
        if back := _back(plan, call, untaken, state):
            return back
    if onward.because is Because.UNANSWERED and (said := _untaken(plan, call, onward)) is not None:
        if said.to is None and (back := _back(plan, call, onward, state, said.say)):
            return back
        return _told_first(_led_on(plan, call, onward, said.to, ask, state), said.say)
    to = _leads_to(plan, call.route, onward)
    if to is None and isinstance(call.act, Handoff) and (back := _back(plan, call, onward, state)):
        return back
    return _led_on(plan, call, onward, to, ask, state)


def _untaken(plan: Plan, call: Call, onward: Onward) -> Next | None:
    """What the plan says of a caller whom nobody took."""
    route = plan.routes.get(call.route)
    return after(route, plan.team_of(route), onward.why) if route is not None else None


def _told_first(stop: Stop, words: str) -> Stop:
    """With words that the caller hears before anything else there."""
    notice = " ".join(part for part in (words, stop.brief.notice) if part)
    return replace(stop, brief=replace(stop.brief, notice=notice))


def _led_on(plan: Plan, call: Call, onward: Onward, to: Ref | Callback | None, ask: Ask, state: State) -> Stop:
    """Where the plan sends the caller; where it says nothing they are called back."""
    if isinstance(to, Ref) and to.name in plan.routes:
        decision = enter(plan, to.name, ask, state)
        # What led here is remembered, unless something nearer did: closed hours tell a caller more than a key.
        word = decision.because or onward.because.value
        notices = tuple(one for one in decision.notices if one not in _noticed(call, onward))
        told = replace(decision, because=word if word in INSTEAD else "", notices=notices)
        return _stop(plan, told, ask, state, word)
    promise = _promise(plan, to, _REASONS.get(onward.because, "nobody could take the call"), ask)
    return _house(plan, call.route, promise, onward.because.value, {})


def _promise(plan: Plan, to: Ref | Callback | None, reason: str, ask: Ask) -> Promise:
    """Nobody can take a call of the route's."""
    said = to if isinstance(to, Callback) else Callback()
    return Promise(reason, said.within, terms_of(plan, said, ask.at))


def _noticed(call: Call, onward: Onward) -> tuple[str, ...]:
    """Operators' notices that a caller has heard who goes on so: a key may have cut them off."""
    by_key = onward.because is Because.KEY or (onward.because is Because.HUMAN and not isinstance(call.act, Talk))
    return () if by_key else call.noticed


def _leads_to(plan: Plan, name: str, onward: Onward) -> Ref | Callback | None:
    """Where the plan sends a call on from a route; None where it says nothing."""
    route = plan.routes.get(name)
    if route is None:
        return None
    action, because = route.action, onward.because
    match because:
        case Because.KEY:
            keys = action.keys if isinstance(action, Menu) else action.press if isinstance(action, Queue) else {}
            return keys.get(onward.key)
        case Because.SPEECH:
            return action.speech if isinstance(action, Menu) else None
        case Because.SILENCE:
            return (action.silence or action.speech) if isinstance(action, Menu) else None
        case Because.HUMAN:
            return route.human or plan.human
        case Because.DEAD_AIR if isinstance(action, Menu) and because.value not in route.instead:
            return action.silence or action.speech
    return route.instead.get(because.value)


def _to_team(plan: Plan, call: Call, onward: Onward, ask: Ask, state: State) -> Stop | None:
    """An agent gives its caller to a human of its route's team, or lets them leave the team a message; None where the plan
    says nothing of a team."""
    route = plan.routes.get(call.route)
    if route is None or route.handoff is None:
        return None
    team = plan.teams[route.handoff.name]
    if onward.because is Because.MESSAGE:
        say = line_of(Say.PROMPT, route.language)
        act: Act = Record(say, because=Because.UNANSWERED.value, notify=team.notify, team=team.name)
    else:
        people = list(_people(plan, team))
        act = Handoff(
            team.name,
            at_most=_rung_within(team, people),
            introduce=route.introduce,
            ring_back=team.ring_back if route.ring_back is None else route.ring_back,
            notify=team.notify,
            cards=_cards(people, team),
            browsers=tuple(one.name for one in people if one.browser),
            no_phone=tuple(one.name for one in people if not one.call),
            third=_on_duty(plan, team.third, ask, state) if team.third is not None else None,
        )
    stop = _house(plan, call.route, act, onward.because.value, {})
    # Who is cut off while they talk with one of the team is called back by it, once.
    return replace(
        stop, brief=replace(stop.brief, callback=replace(team_terms(plan, team.name, Callback(), ask.at), tries=1))
    )


def _rung_within(team: Team, people: Sequence[Person]) -> float:
    """Seconds until nobody else is rung: enough that each is rung once, as far as a caller can be let wait."""
    if all_at_once(team.ring):
        return RUNG_FOR
    once = sum(SETTLE + (team.ring_for if one.call else max(team.ring_for, ANSWERS_WITHIN)) for one in people)
    return min(max(RUNG_FOR, once), WAITS_AT_MOST)


def _cards(people: Sequence[Person], team: Team) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Where each one's card goes. Who takes calls in a browser has a link, which goes to the team where they have no address."""
    told = ((one.name, one.notify or (team.notify if one.browser else ())) for one in people)
    return tuple((name, to) for name, to in told if to)


def _people(plan: Plan, team: Team) -> Iterator[Person]:
    """Each member once; of people by turns, all: whose turn it is may change while it rings."""
    seen = set[str]()
    names = [ref.name for ref in team.members]
    while names:
        person = plan.people[names.pop(0)]
        if isinstance(person, Rotation):
            names += [ref.name for ref in person.order]
        elif person.name not in seen:
            seen.add(person.name)
            yield person


def _through(plan: Plan, call: Call, to: str, ask: Ask, state: State) -> Stop:
    """An agent puts its caller through to somebody of its route's `transfer`, by name, or to a number; the guard has the
    last word on either."""
    allowed = plan.routes[call.route].transfer or Transfer({})
    target = allowed.to.get(to)
    callee = None
    if target is not None:
        callee = _callee(plan, target, ask, state)
    elif allowed.numbers:
        callee = Callee("", to)
    act = Ring(callee, target.ring if target is not None else allowed.ring, By(allowed.by or By.EITHER))
    return _house(plan, call.route, act, Because.TRANSFER.value, {})


def _back(plan: Plan, call: Call, onward: Onward, state: State, words: str = "") -> Stop | None:
    """Nobody took the caller, and the plan says nothing else: their agent talks on with them, if there is one. `words`: the
    plan's for it."""
    route = plan.routes.get(call.route)
    if route is None or not isinstance(route.action, Agent) or state.no_agent:
        return None
    brief = plan.brief(call.route)
    return Stop(
        call.route, Talk(onward.why, words), route.action.pool, brief, onward.because.value, {}, route.limits.minutes
    )


def _stop(plan: Plan, decision: Decision, ask: Ask, state: State, because: str) -> Stop:
    action, name = decision.action, decision.route
    said = [text for text in (*decision.notices, decision.say) if text]
    if isinstance(action, Agent) and action.talks and (state.no_agent or state.overloaded):
        # A route that leads somewhere else then has led there before.
        said_so = plan.routes[name].instead.get("no_agent")
        promise = _promise(plan, said_so, _REASONS[Because.NO_AGENT], ask)
        stop = _house(plan, name, promise, Because.NO_AGENT.value, decision.limits, said)
        return replace(stop, noticed=decision.notices)
    if isinstance(action, Agent):
        human = plan.routes[name].human
        terms = terms_of(plan, human if isinstance(human, Callback) else Callback(), ask.at)
        brief = replace(plan.brief(name, said), callback=terms)
        return Stop(name, TALK, action.pool, brief, because, decision.limits, decision.minutes, decision.notices)
    if isinstance(action, Menu | Message):
        said = []  # their prompts have the operator's words already
    stop = _house(plan, name, _act(plan, decision, ask, state), because, decision.limits, said)
    return replace(stop, minutes=decision.minutes, noticed=decision.notices)


def _house(
    plan: Plan, name: str, act: Act, because: str, limits: Mapping[str, int], said: list[str] | None = None
) -> Stop:
    brief = plan.brief(name, said or ()) if name in plan.routes else Brief(agent="", country=plan.country)
    terms = act.terms if isinstance(act, Promise) else brief.callback
    return Stop(name, act, Pool.HOUSE, replace(brief, agent="", callback=terms), because, limits)


def _act(plan: Plan, decision: Decision, ask: Ask, state: State) -> Act:
    action = decision.action
    match action:
        case Menu():
            person = (plan.routes[decision.route].human or plan.human) is not None
            say, keys = prompt_of(plan, decision, ask.at), "".join(action.keys)
            return Choose(say, keys, action.speech is not None, action.wait, action.tries, person)
        case Queue():
            music, press = music_of(plan, action), "".join(action.press)
            return Wait(action.team.name, music, action.announce_every, _within(action.at_most, decision), press)
        case Dial():
            return Ring(_callee(plan, action, ask, state), _within(action.ring, decision))
        case Message():
            team = action.team.name if action.team else ""
            told = dict.fromkeys((*action.notify, *(plan.teams[team].notify if team else ())))
            return Record(prompt_of(plan, decision, ask.at), action.at_most, decision.because, tuple(told), team)
        case Reject():
            return Dismiss(decision.why)
    raise OurFault(f"A stop can't be a {type(action).__name__}.")


def _within(seconds: float, decision: Decision) -> float:
    """What the act's own bound leaves of the route's minutes: who waits in vain until then goes on to `unanswered`."""
    return min(seconds, decision.minutes * 60) if decision.minutes else seconds


def _callee(plan: Plan, action: Dial, ask: Ask, state: State) -> Callee | None:
    return Callee("", action.number) if action.who is None else _on_duty(plan, action.who, ask, state)


def _on_duty(plan: Plan, who: Ref, ask: Ask, state: State) -> Callee | None:
    """A person, or whose turn it is; None while they take no calls."""
    found = duty(plan, who.name, ask.at, state)
    person = plan.people[found.person]
    if not found.there or not isinstance(person, Person) or not person.call:
        return None
    return Callee(person.name, person.call)
