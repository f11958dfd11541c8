"""A call as it would be: the decision, and the keys a caller presses after it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.dialplan.actions import KIND, Agent, Dial, Menu, Message, Queue
from gateway.dialplan.duty import duty, on_duty
from gateway.dialplan.model import Callback, Ref
from gateway.dialplan.plan import Plan, talks
from gateway.dialplan.route import Ask, Decision, Step, decide, enter
from gateway.dialplan.state import State

PERSON = "0"
"""The key by which callers ask for a person, wherever they talk."""


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
    """Who would be rung."""
    action, now = decision.action, state or State()
    if isinstance(action, Queue):
        for one in on_duty(plan, action.team.name, ask.at, now):
            place = plan.people[one.person].place
            yield Step(f"team {action.team.name}: {one.person}", one.there, one.why, place)
    elif isinstance(action, Dial) and action.who is not None:
        one = duty(plan, action.who.name, ask.at, now)
        yield Step(f"dial {action.who.name}: {one.person}", one.there, one.why, plan.people[one.person].place)


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


def words(plan: Plan, decision: Decision, ask: Ask) -> str:
    """What a caller of a message is told: the words for what led there, the time of reopening filled in."""
    if not isinstance(decision.action, Message):
        return ""
    said = decision.action.say
    text = decision.say or said.get(decision.because) or said.get("otherwise", "")
    if "{reopens}" not in text:
        return text
    opens = _reopens(plan, decision, ask.at)
    if opens is None:
        return text.replace("{reopens}", "later")
    far = opens - ask.at > timedelta(days=6)  # the day of the week alone would be misheard
    return text.replace("{reopens}", f"{opens:%A, %B} {opens.day} at {opens:%H:%M}" if far else f"{opens:%A at %H:%M}")


def _reopens(plan: Plan, decision: Decision, at: datetime) -> datetime | None:
    """When callers find it open again: the hours' next opening, not before an operator's closing ends."""
    hours = plan.hours.get(decision.hours)
    if decision.until:
        at = max(at, datetime.fromtimestamp(decision.until, plan.zone))
        if hours is None or hours.is_open(at):
            return at.astimezone(plan.zone)
    return hours.changes(at) if hours is not None else None
