"""A third beside two who talk: whom the human asks in private (`*8`), or brings in (`*3`). Pure.

                 *8                       answers
    nobody ◀──────────▶ rung aside ──────────────────▶ aside        the caller hears music, the others each other
       ▲                  │  ▲                           │  ▲
       │               *3 ▼  │ *8                     *3 ▼  │ *8
       └──── *3 ─────▶ rung in ──────────────────────▶ three        all hear each other
                              answers

`*8` aside, and `*3` in three, let the third go; so does everything by which they can't be had. From aside the two are
connected again once the third is out of the room. If the human hangs up in
either, the caller goes on with the third: that is how a caller is passed on with a word before. While the third still rings
they go on with the agent.

A third whose mailbox answers is let go as soon as that is known (`gateway.handoff.screening`), and the human is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.calls.acts import deeds
from gateway.calls.acts.cues import Event
from gateway.calls.acts.deeds import Effect
from gateway.calls.acts.rung import LATE
from gateway.calls.words.handoff import HandoffWord
from gateway.handoff.screening import NOBODY, Screening
from gateway.handoff.state import Feature, State, Then, Third
from gateway.terms.handoff import Tried
from gateway.terms.hold import SILENT

RINGS = 25.0
"""Seconds for which a third is rung."""
PARTS = 0.6
"""Seconds until somebody is out of the room. Who is to hear a track anew just then may never hear it: the SDK loses one that
LiveKit's API has taken from it before and gives back while another participant goes."""

ASIDES = 1
"""Times that the caller is left for a third until all publish anew what they say. LiveKit's SDK loses a track, now and then, that
LiveKit's API has taken from it and given back before: the caller would hear nobody. A SIP service that isn't ours can't publish
anew, so with it this is all there is."""

MOVES: Mapping[tuple[Third, Feature], Third] = {
    (Third.NOBODY, Feature.ASIDE): Third.RUNG_ASIDE,
    (Third.NOBODY, Feature.THIRD): Third.RUNG_IN,
    (Third.RUNG_ASIDE, Feature.ASIDE): Third.NOBODY,
    (Third.RUNG_ASIDE, Feature.THIRD): Third.RUNG_IN,
    (Third.RUNG_IN, Feature.ASIDE): Third.RUNG_ASIDE,
    (Third.RUNG_IN, Feature.THIRD): Third.NOBODY,
    (Third.ASIDE, Feature.ASIDE): Third.NOBODY,
    (Third.ASIDE, Feature.THIRD): Third.THREE,
    (Third.THREE, Feature.ASIDE): Third.ASIDE,
    (Third.THREE, Feature.THIRD): Third.NOBODY,
    (Third.LEFT, Feature.ASIDE): Third.NOBODY,
    (Third.LEFT, Feature.THIRD): Third.NOBODY,
}
"""What a human's code makes of it."""
_ASIDE = (Third.RUNG_ASIDE, Third.ASIDE)
_ANSWERED = {Third.RUNG_ASIDE: Third.ASIDE, Third.RUNG_IN: Third.THREE}


def offers(state: State) -> Mapping[Feature, Third]:
    """What the human's codes would make of it now; what isn't there would do nothing."""
    if state.act.third is None or state.third is Third.LEFT:
        return {}
    found = {feature: to for (there, feature), to in MOVES.items() if there is state.third}
    return {feature: to for feature, to in found.items() if not _too_often(state, to)}


def _too_often(state: State, to: Third) -> bool:
    return to in _ASIDE and state.third not in _ASIDE and state.asides >= ASIDES


def asked(state: State, feature: Feature, now: float) -> Then:
    """The human has asked for it; where the plan names no third, it means nothing."""
    to = MOVES[state.third, feature]
    if to is Third.NOBODY:
        return without(state, now)
    if state.third is Third.NOBODY and state.act.third is None:
        return state, ()
    if _too_often(state, to):
        return state, (deeds.Whisper(state.talking, (state.says(HandoffWord.NO_ASIDE),)),)
    away = to in _ASIDE and state.third not in _ASIDE
    there = replace(state, asides=state.asides + away)
    moved, effects = _moved(there, to) if state.third is not Third.NOBODY else _rung(there, to, now)
    return moved, (*effects, *renewal(moved)) if away else effects


def renewal(state: State) -> tuple[Effect, ...]:
    """Whom the caller hears no more, and who doesn't hear the caller, are to hear each other again."""
    third = (state.third_leg,) if state.third is Third.ASIDE else ()
    return (deeds.Renew((state.talking, *third)),)


def renewed(state: State, _: Event, __: float) -> Then:
    """All can be heard anew."""
    return replace(state, asides=0), ()


def _rung(state: State, to: Third, now: float) -> Then:
    assert state.act.third is not None
    leg = state.leg_name(state.legs + 1)
    rung = replace(state, legs=state.legs + 1, third_leg=leg, third_until=now + RINGS + LATE)
    moved, effects = _moved(rung, to)
    return moved, (deeds.Dial(leg, state.act.third, RINGS), *effects)


def answered(state: State, now: float) -> Then:
    """The third has answered, or another job is told that they have."""
    first = state.third in _ANSWERED
    there = replace(state, third_until=0.0, screening=Screening(state.third_leg, now) if first else state.screening)
    moved, effects = _moved(there, _ANSWERED.get(state.third, state.third))
    return moved, (*effects, *moved.screening.heard(), *(noted(moved) if first else ()))


def noted(state: State) -> tuple[Effect, ...]:
    """The record's note of a third who has answered."""
    return (deeds.Consulted(state.third_leg, Tried.ASKED),) if state.third in _ANSWERED.values() else ()


def let_go(state: State, now: float) -> Then:
    """The third is a machine."""
    came = deeds.Consulted(state.third_leg, Tried.MACHINE)
    alone, effects = without(replace(state, mailbox=True), now)
    return alone, (*effects, came)


def heard_enough(state: State) -> Then:
    """The third is somebody: nobody listens any more."""
    return replace(state, screening=NOBODY), (deeds.Listen(state.screening.leg, on=False),)


def without(state: State, now: float, *, dropped: bool = True) -> Then:
    """The two go on without a third, who is hung up on (`dropped`) or has gone."""
    leg = (deeds.Drop(state.third_leg),) if dropped and state.third_leg else ()
    aside = state.third in _ASIDE
    # Whom a human has left the caller to is heard on: it is they who talk with the caller by now.
    screening = NOBODY if state.screening.leg == state.third_leg else state.screening
    alone = replace(state, third_leg="", third_until=now + PARTS if aside else 0.0, screening=screening)
    moved, effects = _moved(alone, Third.LEFT if aside else Third.NOBODY)
    if moved.third is Third.LEFT or not moved.mailbox:
        return moved, (*leg, *effects)
    told = deeds.Whisper(moved.talking, (moved.says(HandoffWord.MAILBOX),))
    return replace(moved, mailbox=False), (*leg, *effects, told)


def gone(state: State, legs: frozenset[str]) -> State:
    """As another job finds it, of whose legs these are there."""
    if state.third is Third.NOBODY or state.third_leg in legs:
        return state
    return replace(state, third=Third.NOBODY, third_leg="", third_until=0.0, screening=NOBODY)


def heard(state: State) -> tuple[Effect, ...]:
    """What makes each hear what they are to hear."""
    match state.third:
        case Third.RUNG_ASIDE | Third.ASIDE:
            # Of a phone that rings, the human hears its ringing.
            return state.music, deeds.Converse((state.talking, state.third_leg), caller=False)
        case Third.LEFT:
            return state.music, deeds.Converse((state.talking,), caller=False)
        case Third.THREE:
            return deeds.Hush(), deeds.Converse((state.talking, state.third_leg))
    if state.hold == SILENT:
        return state.music, deeds.Converse((state.talking,), music=True)
    return deeds.Hush(), deeds.Converse((state.talking,))


def succeeds(state: State, now: float) -> Then:
    """The human has gone, and the caller goes on with the third whom they had asked."""
    aside = state.third is Third.ASIDE
    after = replace(
        state,
        talking=state.third_leg,
        talks_with="",
        reach="",
        hold="",
        held=0.0,
        passed_on=state.talks_with,
        third=Third.LEFT if aside else Third.NOBODY,
        third_leg="",
        third_until=now + PARTS if aside else 0.0,
        star=0.0,
        resumed=0.0,
    )
    effects: tuple[Effect, ...] = (
        deeds.Release(state.act.team, state.talks_with, took=True),
        deeds.Consulted(after.talking, Tried.TAKEN),
    )
    return after, (*heard(after), *effects)


def _moved(state: State, to: Third) -> Then:
    moved = replace(state, third=to)
    return moved, heard(moved)
