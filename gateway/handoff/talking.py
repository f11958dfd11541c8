"""What happens once somebody has taken the call and the two talk: also the keys by which the human asks for more. Pure.

A `*` of the human's is held for HELD: with a key of FEATURES it asks for something, and means nothing else alone. Keys come
to us beside the audio, and the caller hears none of them where the SIP service sends them as events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from gateway.calls.acts import cues
from gateway.calls.acts.cues import Effect, Event
from gateway.calls.acts.rung import RESUME_WITHIN
from gateway.handoff.state import State, Step, Then, too_late
from gateway.terms.handoff import Tried

HELD = 1.0
"""Seconds in which the key that follows a `*` makes it a code."""


class Feature(StrEnum):
    """What a human may ask for while they talk with the caller."""

    BACK = "back"
    """Give the caller back to the agent."""


FEATURES = {"2": Feature.BACK}
"""By the key after the `*`."""


def _left_talk(state: State, event: Event, _: float) -> Then:
    assert isinstance(event, cues.LegFailed | cues.LegLeft)
    return talked(state) if event.leg == state.talking else (state, ())


def talked(state: State) -> Then:
    """The two have talked."""
    ended = replace(state, over=True, resumed=0.0)
    return ended, ended.ending()


def _talk_on(state: State, event: Event, now: float) -> Then:
    """Another job goes on with two who talk: what the job before was still to do may not have been done."""
    assert isinstance(event, cues.Resumed)
    lost = (state.release(name) for name in state.lost)
    drops = (cues.Drop(leg) for leg in sorted(event.legs - {state.talking}))
    return replace(state, resumed=now + RESUME_WITHIN), (*drops, cues.Exit(state.act.team), *lost)


def _connected_again(state: State, event: Event, _: float) -> Then:
    assert isinstance(event, cues.LegAnswered)
    if event.leg == state.talking:
        return replace(state, resumed=0.0), (cues.Connect(event.leg),)
    return state, (cues.Drop(event.leg),)


def _hung_up_on(state: State, _: Event, __: float) -> Then:
    """The caller has ended the talk."""
    ended, effects = talked(state)
    return ended, (cues.Drop(state.talking), *effects)


def due(state: State, now: float) -> Then:
    """What follows from the deadline having passed: a `*` that was no code, or a leg that another job wasn't told of."""
    if state.star and now >= state.star:
        return replace(state, star=0.0), ()
    return talked(state)


def _key(state: State, event: Event, now: float) -> Then:
    assert isinstance(event, cues.LegKey)
    if event.leg != state.talking:
        return state, ()
    if event.key == "*":
        return replace(state, star=now + HELD), ()
    if not state.star:
        return state, ()
    asks = FEATURES.get(event.key) if now < state.star else None
    plain = replace(state, star=0.0)
    return _give_back(plain) if asks is Feature.BACK else (plain, ())


def _give_back(state: State) -> Then:
    """The human has done their part: the caller goes on with the agent, and hears music until it speaks."""
    back = replace(state, over=True, resumed=0.0, returned=True)
    effects: tuple[Effect, ...] = (cues.Consulted(state.talking, Tried.GAVE_BACK),)
    return back, (cues.Drop(state.talking), cues.Sound(f"music:{state.act.music}"), *effects, *back.ending())


TALKING: Mapping[type[Event], Step] = {
    cues.Resumed: _talk_on,
    cues.LegAnswered: _connected_again,
    cues.LegFailed: _left_talk,
    cues.LegLeft: _left_talk,
    cues.LegKey: _key,
    cues.Offered: too_late,
    cues.Gone: _hung_up_on,
}
"""What follows while the two talk."""
