"""What a caller is told at a stop of the plan: its words filled in, its WAVs by their address. Pure."""

from __future__ import annotations

from datetime import datetime

from gateway.dialplan.actions import Menu, Message, Queue
from gateway.dialplan.plan import Plan
from gateway.dialplan.route import Decision
from gateway.terms.sentences import fill, reopens

OTHERWISE = "otherwise"


def prompt_of(plan: Plan, decision: Decision, at: datetime) -> str:
    """All that is said first where the decision leads, as an act carries it: a sentence or a WAV a line.

    An operator's notices come first, then an operator's words for why it is closed, then the plan's own. `at`: aware.
    """
    return "\n".join((*_operators(decision), *(spoken_or_wav(plan, own) for own in _own(plan, decision, at))))


def said_of(plan: Plan, decision: Decision, at: datetime) -> list[str]:
    """The same for an operator to read: WAVs by their names."""
    return [*_operators(decision), *_own(plan, decision, at)]


def _operators(decision: Decision) -> list[str]:
    return [one for one in (*decision.notices, decision.say) if one]


def _own(plan: Plan, decision: Decision, at: datetime) -> list[str]:
    own = ""
    match decision.action:
        case Menu(say=say):
            own = say
        case Message():
            own = _message(plan, decision, at)
    return [own] if own else []


def spoken_or_wav(plan: Plan, text: str) -> str:
    """The address of the WAV that the text names, or the text."""
    sound = plan.sounds.get(text)
    return sound.address if sound is not None else text


def music_of(plan: Plan, queue: Queue) -> str:
    """The queue's music as an act carries it; the machine's sound is `music:` and this."""
    return spoken_or_wav(plan, queue.music)


def reopening(plan: Plan, hours: str, until: float, at: datetime) -> datetime | None:
    """When callers are served again, in the zone of the hours: after an operator's closing (`until`, seconds since the
    epoch; 0 for none) within the hours, where there are any (`hours`, "" for none). None where nobody knows."""
    zone_of = plan.hours.get(hours)
    after = max(at, datetime.fromtimestamp(until, at.tzinfo)) if until else at
    if zone_of is None:
        return after.astimezone(plan.zone) if after > at else None
    if after > at and zone_of.is_open(after):
        return after.astimezone(zone_of.zone)
    return None if zone_of.is_open(after) else zone_of.changes(after)


def _message(plan: Plan, decision: Decision, at: datetime) -> str:
    message, route = decision.action, plan.routes[decision.route]
    assert isinstance(message, Message)
    template = message.say.get(decision.because) or message.say.get(OTHERWISE, "")
    if template in plan.sounds:
        return template
    opening = reopening(plan, decision.hours, decision.until, at)
    return fill(template, {"reopens": reopens(opening, at, route.language)})
