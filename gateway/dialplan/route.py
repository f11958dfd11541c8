"""The decision: what a call gets, and why. Pure: the plan, the call, the time and the state go in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.dialplan.actions import KIND, Action, Agent, Dial, Goto, Reject, Route, Split
from gateway.dialplan.headers import attestation, diverted_from
from gateway.dialplan.model import Callback, Place, Ref
from gateway.dialplan.overrides import Override
from gateway.dialplan.plan import CallerRule, Plan
from gateway.dialplan.state import State
from gateway.terms.number import normalise
from gateway.terms.personal import Number

NOT_FOUND = 404
BUSY = 486
"""For a route that is full and says nothing for it (RFC 3261 section 21.4.24)."""
TANGLED = 503
"""For routes that lead to each other, as only overrides can make them."""
ANYBODY = Number("anybody")
"""A caller with a number that no rule means."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A call, as far as routing goes."""

    dialed: str
    """As the carrier wrote it."""
    caller: Number | None
    """E.164 or a SIP user; None when withheld."""
    at: datetime
    """Aware."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """SIP headers, names in lower case."""
    key: str = ""
    """Tells calls apart whose caller is withheld, for a split."""


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that was looked at."""

    rule: str
    matched: bool
    why: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What the call gets."""

    route: str
    """"" when no line of the plan is for the number."""
    action: Action
    why: str
    """For the record: what turned the caller away; "" when nothing did."""
    first: str = ""
    """The route that the caller's rule or the number names."""
    because: str = ""
    """Which of INSTEAD led to the route last; "" for none."""
    say: str = ""
    """An operator's words for why it is closed."""
    notices: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    """Calls at once that the routes on the way bear, by their names."""
    minutes: float = 0.0
    """The fewest that one of them gives a call; 0 where none limits it."""
    hours: str = ""
    """The hours that were closed last."""
    until: float = 0.0
    """When the operator's closing that led there ends, in seconds since the epoch; 0 for none."""
    trace: tuple[Step, ...] = ()

    @property
    def answers(self) -> bool:
        """Whether the call is answered, and so billed: whoever is to hear anything is."""
        return not isinstance(self.action, Reject)


@dataclass(frozen=True, slots=True)
class _Turned:
    """What came instead of a route's action."""

    word: str = ""
    """One of INSTEAD; "" when nothing did."""
    why: str = ""
    hours: str = ""
    """Those that are closed."""
    door: Override | None = None
    """An operator's closing."""


class _Trace:
    """The steps of a decision; costs nothing when nobody wants them."""

    def __init__(self, wanted: bool) -> None:
        self.steps: list[Step] | None = [] if wanted else None

    def __bool__(self) -> bool:
        return self.steps is not None

    def note(self, rule: str, matched: bool, why: str, place: Place | None = None) -> None:
        if self.steps is not None:
            self.steps.append(Step(rule, matched, why, place))


def decide(plan: Plan, ask: Ask, state: State | None = None, *, traced: bool = False) -> Decision:
    """What the call gets. With `traced`, every rule that was looked at is told."""
    trace, state = _Trace(traced), state or State()
    number = normalise(ask.dialed, plan.country)
    key = number.reveal().casefold() if number else ""
    first = _by_caller(plan, ask, key, trace, state) or _by_number(plan, key, trace)
    if first is None:
        why = "the plan has no line for the number, nor an 'otherwise'"
        trace.note("numbers", False, why)
        return Decision("", Reject(NOT_FOUND), why, trace=tuple(trace.steps or ()))
    return follow(plan, first, ask, state, trace)


def enter(plan: Plan, route: str, ask: Ask, state: State | None = None, *, traced: bool = False) -> Decision:
    """What a call gets that is led to the route by a key, a word or a handler. Raises KeyError for no such route."""
    if route not in plan.routes:
        raise KeyError(route)
    return follow(plan, route, ask, state or State(), _Trace(traced))


def _by_caller(plan: Plan, ask: Ask, dialed: str, trace: _Trace, state: State) -> str | None:
    for rule in plan.callers:
        against = _against(plan, rule, ask, dialed, state)
        if trace:
            trace.note(f"callers: {rule.written}", not against, against or f"leads to '{rule.route.name}'", rule.place)
        if not against:
            return rule.route.name
    return None


def _against(plan: Plan, rule: CallerRule, ask: Ask, dialed: str, state: State) -> str:
    """Why the rule isn't for the call; "" when it is."""
    caller = ask.caller.reveal().casefold() if ask.caller else ""
    if rule.callers or rule.anonymous or rule.listed is not None:
        listed = rule.listed is not None and caller and rule.listed.find(caller) is not None
        if not (
            (rule.anonymous and not caller)
            or listed
            or (caller and any(pattern.fits(caller) for pattern in rule.callers))
        ):
            return "the caller is another" if caller else "the caller withholds the number"
    if rule.dialed and not any(pattern.fits(dialed) for pattern in rule.dialed):
        return "another number was dialed"
    if rule.diverted or rule.diverted_from:
        number = normalise(diverted_from(ask.headers), plan.country)
        first = number.reveal().casefold() if number else ""
        if not first:
            return "the call wasn't diverted"
        if not rule.diverted and not any(pattern.fits(first) for pattern in rule.diverted_from):
            return "the call was diverted from another number"
    if rule.attestations and attestation(ask.headers) not in rule.attestations:
        return f"the carrier's attestation is {attestation(ask.headers).value}"
    if rule.hours and not is_open(plan, rule.hours, ask.at, state):
        return f"'{rule.hours}' is closed"
    return ""


def _by_number(plan: Plan, key: str, trace: _Trace) -> str | None:
    exact = next((found for table in plan.tables if (found := table.find(key)) is not None), None)
    entry = plan.numbers.find(key)
    if exact is not None and (entry is None or entry.pattern.rank > 1):
        trace.note(f"numbers: {key}", True, f"leads to '{exact[0]}'", exact[1])
        return exact[0]
    if trace:
        for other in plan.numbers.looked(key):
            chosen = other is entry
            why = f"leads to '{other.route}'" if chosen else "fits, and is less specific"
            trace.note(f"numbers: {other.written}", chosen, why, other.place)
    return entry.route if entry is not None else None


def follow(plan: Plan, first: str, ask: Ask, state: State, trace: _Trace) -> Decision:
    """From a route by way of closed, full, splits and other routes to the one that does something."""
    name, last = first, _Turned()
    seen: set[str] = set()
    limits: dict[str, int] = {}
    minutes: list[float] = []

    def made(route: str, action: Action, why: str = "") -> Decision:
        on_the_way = (name for name in (*seen, route) if name)
        notices = tuple(dict.fromkeys(said for name in on_the_way for said in state.notes(name)))
        steps = tuple(trace.steps or ())
        say, until = (last.door.say, last.door.until) if last.door else ("", 0.0)
        least = min(minutes, default=0.0)
        return Decision(route, action, why, first, last.word, say, notices, limits, least, last.hours, until, steps)

    while True:
        route = plan.routes[name]
        if name in seen:
            trace.note(f"route {name}", False, "it was on the way already", route.place)
            return made(name, Reject(TANGLED), f"the routes lead back to '{name}'")
        seen.add(name)
        turned = _instead(plan, route, ask, state, trace)
        if turned.word:
            last, limits = turned if turned.word == "closed" else replace(turned, hours=last.hours), {}
            minutes.clear()
            onward = route.instead.get(turned.word)
            if not isinstance(onward, Ref):
                status = BUSY if turned.word == "full" else TANGLED
                return made(name, Reject(status), f"'{name}' is {turned.word} ({turned.why}) and leads nowhere then")
            name = onward.name
            continue
        if route.limits.calls:
            limits[name] = route.limits.calls
        if route.limits.minutes:
            minutes.append(route.limits.minutes)
        if isinstance(route.action, Goto):
            trace.note(f"route {name}", True, f"leads to '{route.action.route.name}'", route.place)
            name = route.action.route.name
        elif isinstance(route.action, Split):
            name = _share(route, route.action, ask, trace)
        else:
            why = f"the plan's route '{name}' rejects" if isinstance(route.action, Reject) else ""
            trace.note(f"route {name}", True, _does(route), route.place)
            return made(name, route.action, why)


def _instead(plan: Plan, route: Route, ask: Ask, state: State, trace: _Trace) -> _Turned:
    """What comes instead of the route's action."""
    hours = route.hours.name if route.hours else ""
    door = state.closed.get(route.name)
    if door and route.name not in plan.hours:  # a plan from before one name could mean one of them only
        why = f"an operator closed '{route.name}' until {door_until(plan, door.until)}"
        trace.note(f"route {route.name}: open?", False, why, route.place)
        return _Turned("closed", why, hours, door)
    if hours and route.name not in state.opened:
        shut = state.closed.get(hours)
        opened, why = _hours(plan, hours, ask.at, state) if trace or shut else (is_open(plan, hours, ask.at, state), "")
        if trace:
            trace.note(f"route {route.name}: {plan.hours[hours].label}", opened, why, route.place)
        if not opened:
            return _Turned("closed", why or hours, hours, shut)
    if route.limits.calls and state.live(route.name) >= route.limits.calls:
        why = f"{state.live(route.name)} calls, at most {route.limits.calls}"
        trace.note(f"route {route.name}: limits", False, why, route.place)
        return _Turned("full", why)
    return _without_agent(route, route.action, state, trace) if isinstance(route.action, Agent) else _Turned()


def _without_agent(route: Route, action: Agent, state: State, trace: _Trace) -> _Turned:
    """What comes instead of an agent that can't be had."""
    why = "the AI is down" if state.no_agent else state.overloaded
    if not why or not action.talks:
        return _Turned()
    word = "full" if state.overloaded and "full" in route.instead else "no_agent"
    if word in route.instead:
        trace.note(f"route {route.name}: agent", False, why, route.place)
        if not isinstance(route.instead[word], Callback):
            return _Turned(word, why)
    return _Turned()


def is_open(plan: Plan, hours: str, at: datetime, state: State) -> bool:
    """Whether the hours are open, overrides considered."""
    if hours in state.opened:
        return True
    return hours not in state.closed and plan.hours[hours].is_open(at)


def _hours(plan: Plan, name: str, at: datetime, state: State) -> tuple[bool, str]:
    for word, doors in (("opened", state.opened), ("closed", state.closed)):
        if door := doors.get(name):
            return word == "opened", f"an operator {word} '{name}' until {door_until(plan, door.until)}"
    found = plan.hours[name].state(at)
    local = at.astimezone(ZoneInfo(plan.hours[name].timezone))
    return found.open, f"{'open' if found.open else 'closed'} at {local:%a %Y-%m-%d %H:%M}: {found.why}"


def door_until(plan: Plan, until: float) -> str:
    """The end of an override, in the plan's zone."""
    return f"{datetime.fromtimestamp(until, plan.zone):%a %Y-%m-%d %H:%M}"


def _share(route: Route, split: Split, ask: Ask, trace: _Trace) -> str:
    """The side of a split: the same for a caller each time, by chance for one who withholds the number."""
    who = ask.caller.reveal() if ask.caller else ask.key
    drawn = int.from_bytes(hashlib.sha256(f"{route.name}\0{who}".encode()).digest()[:6]) / 2**48 * 100
    low = 0.0
    for share, ref in split.shares:
        low += share
        if drawn < low:
            break
    trace.note(f"route {route.name}: split", True, f"the caller falls to '{ref.name}' ({share:g}%)", route.place)
    return ref.name


def _does(route: Route) -> str:
    action = route.action
    match action:
        case Agent():
            return f"the agent '{action.name}' answers"
        case Reject():
            return f"rejects with {action.status}"
        case Dial():
            return f"answers, and rings {f'{action.who.name!r}' if action.who else action.number}"
        case _:
            return f"answers with a {KIND[type(action)]}"
