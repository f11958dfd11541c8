"""What happens once the caller has gone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.calls.acts import cues, deeds
from gateway.calls.acts.cues import Event
from gateway.calls.acts.deeds import Effect
from gateway.calls.words.handoff import HandoffWord
from gateway.handoff.state import LEFT, State, Step, Then, too_late
from gateway.terms.handoff import Tried


def part(state: State, event: Event, now: float) -> Then:
    """The caller has hung up: phones stop ringing at once, and whoever had answered hears why nothing follows."""
    assert isinstance(event, cues.Gone)
    came = Tried.CALLER_LOST if event.lost else Tried.CALLER_LEFT
    rung = tuple(one for one in state.asked if not one.answered)
    stay = tuple(one.parts(now) for one in state.asked if one.answered)
    parting = replace(
        state,
        asked=stay,
        tried={**state.tried, **{one.name: came for one in state.asked}},
        lost=tuple(one.name for one in state.asked),
        why=LEFT.reason,
    )
    effects: tuple[Effect, ...] = (
        deeds.Hush(),
        *(deeds.Drop(one.leg) for one in rung),
        *(deeds.Whisper(one.leg, (state.says(HandoffWord.CALLER_LEFT),)) for one in stay),
        *(deeds.Consulted(one.leg, came) for one in state.asked),
    )
    if stay:
        return parting, effects
    over = replace(parting, over=True)
    return over, (*effects, *over.ending())


def _told_it(state: State, event: Event, _: float) -> Then:
    assert isinstance(event, cues.LegHeard)
    return told_all(state, [event.leg])


def _parted(state: State, event: Event, _: float) -> Then:
    assert isinstance(event, cues.LegFailed | cues.LegLeft)
    return told_all(state, [event.leg], drop=False)


def _booked(state: State, event: Event, _: float) -> Then:
    """A caller who was cut off is called back, or can't be: whoever talked with them hears so."""
    assert isinstance(event, cues.Booked)
    said = HandoffWord.CALLER_CUT_OFF if event.done else HandoffWord.CALLER_LOST
    return state, tuple(deeds.Whisper(one.leg, (state.says(said),)) for one in state.asked)


def told_all(state: State, legs: list[str], *, drop: bool = True) -> Then:
    """Those have been told that the caller has gone."""
    gone = tuple(one for one in state.asked if one.leg in legs)
    rest = replace(state, asked=tuple(one for one in state.asked if one not in gone))
    drops = tuple(deeds.Drop(one.leg) for one in gone if drop)
    if rest.asked:
        return rest, drops
    over = replace(rest, over=True)
    return over, (*drops, *over.ending())


def _end_parting(state: State, event: Event, _: float) -> Then:
    assert isinstance(event, cues.Resumed)
    over = replace(state, asked=(), over=True)
    return over, (*(deeds.Drop(leg) for leg in sorted(event.legs)), *over.ending())


def _end_again(state: State, event: Event, _: float) -> Then:
    assert isinstance(event, cues.Resumed)
    return state, (*(deeds.Drop(leg) for leg in sorted(event.legs)), *state.ending())


def _drop(state: State, event: Event, _: float) -> Then:
    assert isinstance(event, cues.LegAnswered)
    return state, (deeds.Drop(event.leg),)


PARTING: Mapping[type[Event], Step] = {
    cues.Resumed: _end_parting,
    cues.LegAnswered: _drop,
    cues.LegFailed: _parted,
    cues.LegLeft: _parted,
    cues.LegHeard: _told_it,
    cues.Booked: _booked,
    cues.Offered: too_late,
}
"""What follows once the caller has gone."""
OVER: Mapping[type[Event], Step] = {cues.Resumed: _end_again, cues.LegAnswered: _drop, cues.Offered: too_late}
"""What follows once all is over."""
