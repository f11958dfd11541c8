"""A call as it would be: the decision, and the keys a caller presses after it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from gateway.dialplan.actions import KIND, Agent, Dial, Menu, Queue
from gateway.dialplan.duty import Duty, duty, on_duty
from gateway.dialplan.model import Callback, Ref
from gateway.dialplan.people import Person
from gateway.dialplan.plan import Plan, talks
from gateway.dialplan.route import Ask, Decision, Step, decide, enter
from gateway.dialplan.state import State
from gateway.dialplan.untaken import after
from gateway.terms.handoff import NOBODY
from gateway.terms.keys import PERSON


@dataclass(frozen=True, slots=True)
class Simulated:
    """What would come of a call."""

    decision: Decision
    """Where the caller ends up."""
    answers: bool
    """Whether the call was answered, and so billed, on the way."""
    trace: tuple[Step, ...]

    @property
    def route(self) -> str:
        """The route's name; "" for none."""
        return self.decision.route

    @property
    def action(self) -> str:
        """What it does, as the plan calls it."""
        return KIND[type(self.decision.action)]


def simulate(plan: Plan, ask: Ask, state: State | None = None, *, digits: str = "", traced: bool = True) -> Simulated:
    """The call, and what its caller's keys lead to: each key counts where one is waited for."""
    decision = decide(plan, ask, state, traced=traced)
    trace, answers = [*decision.trace, *_rung(plan, decision, ask, state)], decision.answers
    for digit in digits:
        keys = _keys(plan, decision)
        if digit == PERSON and digit not in keys and isinstance(_human(plan, decision), Callback):
            trace.append(Step(f"key {digit}", True, "asks for a person: a callback is booked"))
            continue
        if digit not in keys:
            trace.append(Step(f"key {digit}", False, f"nothing waits for it on '{decision.route or 'no route'}'"))
            continue
        trace.append(Step(f"key {digit}", True, f"leads from '{decision.route}' to '{keys[digit]}'"))
        decision = replace(enter(plan, keys[digit], ask, state, traced=traced), first=decision.first)
        trace += [*decision.trace, *_rung(plan, decision, ask, state)]
        answers = answers or decision.answers
    return Simulated(decision, answers, tuple(trace))


def _rung(plan: Plan, decision: Decision, ask: Ask, state: State | None) -> Iterator[Step]:
    """Who would be rung, and what comes instead where nobody can be."""
    action, now = decision.action, state or State()
    yield from _put_through(plan, decision, ask, now)
    if isinstance(action, Queue):
        label, people = f"team {action.team.name}", on_duty(plan, action.team.name, ask.at, now)
    elif isinstance(action, Dial) and action.who is not None:
        label, people = f"dial {action.who.name}", [duty(plan, action.who.name, ask.at, now)]
    else:
        return
    steps = [_ringing(plan, label, one) for one in people]
    yield from steps
    if not any(step.matched for step in steps):
        yield Step(
            f"route {decision.route}: unanswered", True, f"nobody takes calls now: {_unanswered(plan, decision)}"
        )


def _put_through(plan: Plan, decision: Decision, ask: Ask, state: State) -> Iterator[Step]:
    """Whom the agent may put the caller through to."""
    route = plan.routes.get(decision.route)
    if route is None or route.transfer is None:
        return
    how = {"refer": "by the caller's carrier", "dial": "from here"}.get(
        route.transfer.by, "by the caller's carrier, or from here where that can't"
    )
    for name, target in route.transfer.to.items():
        if target.who is None:
            yield Step(f"transfer {name}", True, f"may be asked for: is called at {target.number}, {how}", route.place)
            continue
        step = _ringing(plan, f"transfer {name}", duty(plan, target.who.name, ask.at, state))
        yield replace(step, why=f"may be asked for: {step.why}, {how}" if step.matched else step.why)
    if route.transfer.numbers:
        yield Step(
            "transfer: numbers", True, "numbers that callers say, as far as 'outbound' lets them out", route.place
        )


def _ringing(plan: Plan, label: str, one: Duty) -> Step:
    person = plan.people[one.person]
    call = person.call if isinstance(person, Person) else ""
    why = f"is rung at {call}" if call else "takes handoffs in a browser; has no phone for anything else"
    return Step(f"{label}: {one.person}", one.there and bool(call), why if one.there else one.why, person.place)


def _unanswered(plan: Plan, decision: Decision) -> str:
    route = plan.routes[decision.route]
    untaken = after(route, plan.team_of(route), NOBODY)
    onward = untaken.to if untaken is not None else None
    return f"leads to '{onward.name}'" if isinstance(onward, Ref) else "a callback is booked"


def _human(plan: Plan, decision: Decision) -> Ref | Callback | None:
    """Where a caller who asks for a person gets."""
    route = plan.routes.get(decision.route)
    return route.human if route is not None and talks(route) else None


def _keys(plan: Plan, decision: Decision) -> Mapping[str, str]:
    action, human = decision.action, _human(plan, decision)
    asked = {PERSON: human.name} if isinstance(human, Ref) else {}
    if isinstance(action, Agent):
        return asked
    if isinstance(action, Menu):
        return asked | {key: ref.name for key, ref in action.keys.items()}
    if isinstance(action, Queue):
        return {key: ref.name for key, ref in action.press.items()}
    return {}
