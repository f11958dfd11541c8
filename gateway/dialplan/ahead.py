"""The sentences of a plan that can be rendered before anybody calls. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from gateway.dialplan.actions import Action, Dial, Menu, Message, Queue, Route
from gateway.dialplan.plan import Plan
from gateway.dialplan.route import ANYBODY, Ask, Decision, enter
from gateway.dialplan.state import State
from gateway.dialplan.wording import prompt_of
from gateway.terms.catalogue import Line
from gateway.terms.sentences import variables
from gateway.terms.spoken import choices, is_sound, parts

Own = Callable[[Action, str], Iterable[str]]
"""The sentences that an act of that kind may say in a language (BCP 47 tag), beside the plan's."""


def no_own(_action: Action, _language: str) -> Iterable[str]:
    """An act that says nothing of its own."""
    return ()


def lines_of(plan: Plan, state: State, at: datetime, own: Own = no_own) -> Iterator[Line]:
    """Every sentence of menus, queues and messages, each once for a language. `at`: aware.

    Of a message with `{reopens}`: what callers hear now, what they hear once the hours close, and once the day is over.
    """
    seen: set[tuple[str, str]] = set()
    for text, language in _said(plan, state, at, own):
        for part in parts(text):
            if not is_sound(part) and (part, language) not in seen:
                seen.add((part, language))
                yield Line(text=part, spoken=part, language=language)


def _said(plan: Plan, state: State, at: datetime, own: Own) -> Iterator[tuple[str, str]]:
    for route in plan.routes.values():
        for text in _words(plan, route):
            yield text, route.language
        if isinstance(route.action, Menu | Queue | Dial | Message) or route.handoff is not None:
            for text in (*own(route.action, route.language), *state.notes(route.name)):
                yield text, route.language
        for decision, when in _closed(plan, route, state, at):
            if isinstance(decision.action, Menu | Message):
                yield prompt_of(plan, decision, when), plan.routes[decision.route].language


def _words(plan: Plan, route: Route) -> Iterator[str]:
    match route.action:
        case Menu(say=say, keys=keys) if say not in plan.sounds:
            yield say
            yield choices(say, keys)
        case Message(say=cases):
            yield from (text for text in cases.values() if text not in plan.sounds and not variables(text))


def _closed(plan: Plan, route: Route, state: State, at: datetime) -> Iterator[tuple[Decision, datetime]]:
    """Where callers of a route are led when it is closed, at the times at which what they hear changes."""
    if route.hours is None and route.name not in state.closed:
        return
    for when in _moments(plan, route, at):
        decision = enter(plan, route.name, Ask("", ANYBODY, when), state)
        if decision.because == "closed":
            yield decision, when


def _moments(plan: Plan, route: Route, at: datetime) -> Iterator[datetime]:
    yield at
    if route.hours is None:
        return
    hours = plan.hours[route.hours.name]
    if hours.is_open(at):
        closes = hours.changes(at)
        if closes is not None:
            yield closes
    else:
        local = at.astimezone(hours.zone)
        yield local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
