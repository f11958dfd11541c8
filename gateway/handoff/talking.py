"""What happens once somebody has taken the call and the two talk: also the keys by which the human asks for more. Pure.

A `*` of the human's is held for `codes.HELD`: with a key of FEATURES it asks for something, and means nothing else alone. Keys come
to us beside the audio; our SIP service keeps such codes from the caller's phone (`gateway.edge.codes`), another may not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.calls.acts import cues, deeds
from gateway.calls.acts.cues import Event
from gateway.calls.acts.deeds import Effect
from gateway.calls.acts.rung import RESUME_WITHIN
from gateway.calls.words import word
from gateway.calls.words.menu import MenuWord
from gateway.handoff import cut_off, third
from gateway.handoff.screening import NOBODY
from gateway.handoff.state import Feature, State, Step, Then, Third, too_late
from gateway.terms import codes
from gateway.terms.entry import Entry, entry
from gateway.terms.handoff import Tried
from gateway.terms.hold import SILENT

FEATURES = {
    codes.BACK: Feature.BACK,
    codes.THIRD: Feature.THIRD,
    codes.ASIDE: Feature.ASIDE,
    codes.NO_CALLS: Feature.NO_CALLS,
}
"""By the key after the `*`."""


def code(feature: Feature) -> str:
    """The keys that ask for it."""
    return "*" + next(key for key, asks in FEATURES.items() if asks is feature)


def _left_talk(state: State, event: Event, now: float) -> Then:
    assert isinstance(event, cues.LegFailed | cues.LegLeft)
    if event.leg == state.talking:
        cut = isinstance(event, cues.LegLeft) and cut_off.early(state, event, now)
        return cut_off.ring_back(state, now) if cut else _left_by_human(state, now)
    return third.without(state, now, dropped=False) if _is_third(state, event.leg) else (state, ())


def _is_third(state: State, leg: str) -> bool:
    return state.third is not Third.NOBODY and leg == state.third_leg


def _left_by_human(state: State, now: float) -> Then:
    """The caller goes on with a third who has answered, or with the agent, where one was asked who hasn't, or may be a machine."""
    match state.third:
        case Third.ASIDE | Third.THREE if state.screening.suspect:
            return _give_back(state, dropped=False)
        case Third.ASIDE | Third.THREE:
            return third.succeeds(state, now)
        case Third.RUNG_ASIDE | Third.RUNG_IN | Third.LEFT:
            return _give_back(state, dropped=False)
    return talked(state)


def talked(state: State) -> Then:
    """The two have talked."""
    ended = _over(state)
    return ended, (*_thirds(state), *ended.ending())


def _over(state: State) -> State:
    return replace(
        state, over=True, resumed=0.0, third=Third.NOBODY, third_leg="", third_until=0.0, screening=NOBODY
    )  # fmt: skip


def _thirds(state: State) -> tuple[Effect, ...]:
    """A third is let go."""
    return (deeds.Drop(state.third_leg),) if state.third_leg else ()


def _talk_on(state: State, event: Event, now: float) -> Then:
    """Another job goes on with two who talk: what the job before was still to do may not have been done. It is told anew whether
    somebody holds the other; since when they do, it knows."""
    assert isinstance(event, cues.Resumed)
    there = replace(third.gone(state, event.legs), resumed=now + RESUME_WITHIN, hold="")
    drops = (deeds.Drop(leg) for leg in sorted(event.legs - {there.talking, there.third_leg}))
    left = (deeds.Release(state.act.team, state.passed_on, took=True),) if state.passed_on else ()
    lost = (state.release(name) for name in state.lost)
    heard = third.heard(there) if there.third is not Third.NOBODY else ()
    took = (deeds.Consulted(there.talking, Tried.TAKEN), *third.noted(there))
    anew = third.renewal(there) if there.third in (Third.RUNG_ASIDE, Third.ASIDE) and there.asides else ()
    return there, (*drops, deeds.Exit(state.act.team), *took, *left, *lost, *_entered(there), *heard, *anew)


def _connected_again(state: State, event: Event, now: float) -> Then:
    assert isinstance(event, cues.LegAnswered)
    if _is_third(state, event.leg):
        return third.answered(state, now)
    if event.leg != state.talking:
        return state, (deeds.Drop(event.leg),)
    there = replace(state, resumed=0.0)
    plain = state.third is Third.NOBODY and not state.passed_on
    connected = (deeds.Connect(event.leg),) if plain else third.heard(there)
    return there, (*connected, *there.screening.heard(), *_entered(there))


def _hung_up_on(state: State, event: Event, now: float) -> Then:
    """The caller has ended the talk, or was cut off."""
    assert isinstance(event, cues.Gone)
    if cut_off.caller_early(state, event, now):
        return cut_off.call_back(state, now)
    ended, effects = talked(state)
    return ended, (deeds.Drop(state.talking), *effects)


def due(state: State, now: float) -> Then:
    """What follows from the deadline having passed: a `*` that was no code, words that needn't be remembered any more, or a leg that
    another job wasn't told of."""
    if state.star and now >= state.star:
        return replace(state, star=0.0), ()
    if state.remembered and now >= state.early_until:
        return state, ()  # no more than that is forgotten (see cut_off.remembering)
    if now >= state.screening.until:
        return third.heard_enough(state)
    if state.third_until and now >= state.third_until:
        return third.without(state, now)
    return _left_by_human(replace(state, resumed=0.0), now)


def _key(state: State, event: Event, now: float) -> Then:
    assert isinstance(event, cues.LegKey)
    if event.leg != state.talking:
        return state, ()
    if event.key == "*":
        return replace(state, star=now + codes.HELD), ()
    if not state.star:
        return state, ()
    asks = FEATURES.get(event.key) if now < state.star else None
    plain = replace(state, star=0.0)
    match asks:
        case None:
            return plain, ()
        case Feature.NO_CALLS:  # nobody listens to the caller meanwhile: the human enters what they ask for
            return _entering(plain)
        case Feature.BACK:
            return _give_back(plain)
    return third.asked(plain, asks, now)


def _entering(state: State) -> Then:
    asked = replace(state, entry=Entry.ASKED)
    return asked, _entered(asked)


def _entered(state: State) -> tuple[Effect, ...]:
    """What is still to be done about it."""
    return (deeds.NeverCall(),) if state.entry is Entry.ASKED else ()


def _never_called(state: State, event: Event, _: float) -> Then:
    """Whether the caller's number is entered: both hear so; where the caller hears somebody else, or music, the human does."""
    assert isinstance(event, cues.NoCalls)
    if state.resumed:
        return state, ()  # nobody could be told yet: it is done once more when they are there
    noted = replace(state, entry=entry(event.entered))
    said = word(MenuWord.NO_CALLS if event.entered else MenuWord.NO_CALLS_FAILED, state.language)
    if state.third in (Third.NOBODY, Third.RUNG_IN) and not state.hold:
        return noted, (deeds.Announce(said),)
    return noted, (deeds.Whisper(state.talking, (said,)),) if state.third is not Third.LEFT else ()


def _hold(state: State, event: Event, now: float) -> Then:
    """The human has put the caller on hold, or is back: who plays them nothing has us play music."""
    assert isinstance(event, cues.LegHold)
    if not event.leg:
        return replace(state, caller_held=(state.caller_held or now) if event.hold else 0.0), ()
    if event.leg != state.talking:
        return state, ()
    held = (state.held or now) if event.hold else 0.0
    there = replace(state, hold=event.hold, held=held)
    ours = state.third in (Third.NOBODY, Third.RUNG_IN) and SILENT in (state.hold, event.hold)
    return there, third.heard(there) if ours and event.hold != state.hold else ()


def _screened(state: State, event: Event, now: float) -> Then:
    """A third is heard. Where the caller was left to them and they turn out to be a machine, the agent goes on."""
    assert isinstance(event, cues.LegSaid | cues.LegSounds)
    screening, machine = state.screening.on(event, now)
    heard = replace(state, screening=screening)
    if not machine:
        return heard, ()
    return _give_back(heard, came=Tried.MACHINE) if event.leg == state.talking else third.let_go(heard, now)


def _give_back(state: State, *, dropped: bool = True, came: Tried = Tried.GAVE_BACK) -> Then:
    """The human has done their part: the caller goes on with the agent, and hears music until it speaks."""
    back = replace(_over(state), returned=True)
    drops = (*_thirds(state), *((deeds.Drop(state.talking),) if dropped else ()))
    effects: tuple[Effect, ...] = (deeds.Consulted(state.talking, came),)
    return back, (*drops, state.music, *effects, *back.ending())


TALKING: Mapping[type[Event], Step] = {
    cues.Resumed: _talk_on,
    cues.LegAnswered: _connected_again,
    cues.LegFailed: _left_talk,
    cues.LegLeft: _left_talk,
    cues.LegKey: _key,
    cues.LegHold: _hold,
    cues.NoCalls: _never_called,
    cues.LegSaid: _screened,
    cues.LegSounds: _screened,
    cues.Renewed: third.renewed,
    cues.Offered: too_late,
    cues.Gone: _hung_up_on,
}
"""What follows while the two talk."""
