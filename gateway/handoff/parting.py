"""What happens once somebody has taken the call, and once the caller has gone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.calls.acts import cues
from gateway.calls.acts.cues import Effect, Event
from gateway.calls.acts.rung import RESUME_WITHIN
from gateway.calls.words.handoff import HandoffWord
from gateway.handoff.state import LEFT, State, Step, Then
from gateway.terms.handoff import Tried

# Once they talk.


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


def _too_late(state: State, event: Event, _: float) -> Then:
    """Reserved just before the line was left."""
    assert isinstance(event, cues.Offered)
    return state, tuple(state.release(one.name) for one in event.callees if one.name != state.talks_with)


# Once the caller has gone.


def part(state: State, _: Event, now: float) -> Then:
    """The caller has hung up: phones stop ringing at once, and whoever had answered hears why nothing follows."""
    rung = tuple(one for one in state.asked if not one.answered)
    stay = tuple(one.parts(now) for one in state.asked if one.answered)
    parting = replace(
        state,
        asked=stay,
        tried={**state.tried, **{one.name: Tried.WITHDRAWN for one in state.asked}},
        lost=tuple(one.name for one in state.asked),
        why=LEFT.reason,
    )
    effects: tuple[Effect, ...] = (
        cues.Hush(),
        *(cues.Drop(one.leg) for one in rung),
        *(cues.Whisper(one.leg, (state.says(HandoffWord.CALLER_LEFT),)) for one in stay),
        *(cues.Consulted(one.leg, Tried.WITHDRAWN) for one in state.asked),
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


def told_all(state: State, legs: list[str], *, drop: bool = True) -> Then:
    """Those have been told that the caller has gone."""
    gone = tuple(one for one in state.asked if one.leg in legs)
    rest = replace(state, asked=tuple(one for one in state.asked if one not in gone))
    drops = tuple(cues.Drop(one.leg) for one in gone if drop)
    if rest.asked:
        return rest, drops
    over = replace(rest, over=True)
    return over, (*drops, *over.ending())


def _end_parting(state: State, event: Event, _: float) -> Then:
    assert isinstance(event, cues.Resumed)
    over = replace(state, asked=(), over=True)
    return over, (*(cues.Drop(leg) for leg in sorted(event.legs)), *over.ending())


def _end_again(state: State, event: Event, _: float) -> Then:
    assert isinstance(event, cues.Resumed)
    return state, (*(cues.Drop(leg) for leg in sorted(event.legs)), *state.ending())


def _drop(state: State, event: Event, _: float) -> Then:
    assert isinstance(event, cues.LegAnswered)
    return state, (cues.Drop(event.leg),)


TALKING: Mapping[type[Event], Step] = {
    cues.Resumed: _talk_on,
    cues.LegAnswered: _connected_again,
    cues.LegFailed: _left_talk,
    cues.LegLeft: _left_talk,
    cues.Offered: _too_late,
    cues.Gone: _hung_up_on,
}
"""What follows while the two talk. A leg's keys (`cues.LegKey`) come here too."""
PARTING: Mapping[type[Event], Step] = {
    cues.Resumed: _end_parting,
    cues.LegAnswered: _drop,
    cues.LegFailed: _parted,
    cues.LegLeft: _parted,
    cues.LegHeard: _told_it,
    cues.Offered: _too_late,
}
"""What follows once the caller has gone."""
OVER: Mapping[type[Event], Step] = {cues.Resumed: _end_again, cues.LegAnswered: _drop, cues.Offered: _too_late}
"""What follows once all is over."""
