"""The words by which a caller is given to a team, whose phones ring meanwhile. Pure.

They are heard whole, unless somebody takes the call before their end: also where everybody has declined by then, or the caller would
be told that nobody could be had amid the words that somebody is asked. Where a job dies over them the next says them again, once.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.calls.acts import deeds
from gateway.handoff.state import HOLD_EVERY, State, Then

PROMISE_WITHIN = 15.0
"""Seconds after which they count as heard, whatever is told of them."""


def begun(state: State, now: float) -> Then:
    """What the caller hears first: the promise, and then music."""
    if not state.promise:
        return kept(state, now)
    return replace(state, promising=now + PROMISE_WITHIN), (deeds.Say(state.promise),)


def again(state: State, now: float) -> Then:
    """The same from another job, which says a promise that nobody has heard whole, and the last time."""
    told, effects = begun(state, now)
    return replace(told, promise=""), effects


def kept(state: State, now: float) -> Then:
    """The caller has heard it, and hears music."""
    return replace(state, promise="", promising=0.0, announce=now + HOLD_EVERY), (state.music,)
