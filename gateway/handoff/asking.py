"""What happens while the caller waits: the team is rung, and whoever answers hears whose call it is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.calls.acts import cues, deeds
from gateway.calls.acts.cues import Event
from gateway.calls.acts.deeds import Effect
from gateway.calls.acts.rung import RESUME_WITHIN
from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.handoff import cut_off, promise
from gateway.handoff.asked import AGAIN, REMINDERS, Asked, At
from gateway.handoff.browser import ANSWERS_WITHIN, rung_leg
from gateway.handoff.choice import BY_KEY, Choice, choice_of, is_recording
from gateway.handoff.state import ALONE, HOLD_EVERY, SETTLE, TOOK, State, Step, Then
from gateway.handoff.whisper import keys_told
from gateway.terms.act import Callee
from gateway.terms.handoff import Tried, by_status


def begin(state: State, _: Event, now: float) -> Then:
    """The act begins."""
    fresh, heard = promise.begun(replace(state, begun=True, since=now), now)
    return fresh, (*heard, deeds.Ready(_whisper(fresh)), fresh.enter())


def _play_on(state: State, _: Event, now: float) -> Then:
    return _promised(state, now) if state.promising else (state, (state.music,))


def _promised(state: State, now: float) -> Then:
    """The caller has heard that they are put through: nobody may be left by now who could be rung."""
    kept, heard = promise.kept(state, now)
    nobody = not kept.asked and kept.free == 0 and (kept.tried or (kept.alone and now >= kept.alone + SETTLE))
    return _go(kept) if nobody or _waited_enough(kept, now) else (kept, heard)


def _waited_enough(state: State, now: float) -> bool:
    return not state.consults and now >= state.since + state.act.at_most


def _offered(state: State, event: Event, now: float) -> Then:
    assert isinstance(event, cues.Offered)
    ring: list[Callee] = []
    back: list[Callee] = []
    for one in event.callees:
        if any(each.name == one.name for each in state.asked):
            continue  # told again, after another job took over
        full = now >= state.since + state.act.at_most
        (back if one.name in state.tried or full else ring).append(one)
    dials = [
        deeds.Dial(
            state.leg_name(number),
            one,
            event.ring_for if one.address else max(event.ring_for, ANSWERS_WITHIN),
        )
        for number, one in enumerate(ring, start=state.legs + 1)
    ]
    rung = replace(
        state,
        asked=(*state.asked, *(Asked.dialed(dial, now) for dial in dials)),
        legs=state.legs + len(dials),
        alone=0.0 if dials else state.alone,
    )
    return rung, (*dials, *(state.release(one.name) for one in back))


def _stands(state: State, event: Event, now: float) -> Then:
    assert isinstance(event, cues.Standing)
    stands = replace(state, free=event.free if event.staffed else 0)
    if stands.free != 0 or stands.asked:
        return replace(stands, alone=0.0), ()
    if stands.tried and not stands.promising:
        return _go(stands)
    return replace(stands, alone=stands.alone or now), ()


def _rings(state: State, event: Event, now: float) -> Then:
    """The member's card goes out with the first ringing; another job tells it once more, and it is the same card."""
    assert isinstance(event, cues.LegRings)
    one = state.named(event.leg)
    if one is None or one.rings or one.answered:
        return state, ()
    return state.put(one.ringing(now)), (deeds.Card(one.leg, one.name),)


def _answered(state: State, event: Event, now: float) -> Then:
    assert isinstance(event, cues.LegAnswered)
    one = state.named(event.leg)
    if one is None:
        here = state.named(rung_leg(event.leg))
        return (state, (deeds.Drop(event.leg),)) if here is None else _taken(state, here, now, event.leg)
    if one.answered:
        return state, ()
    card = () if one.rings else (deeds.Card(one.leg, one.name),)  # a phone may answer without having rung
    said = _introduction(state, one)
    soon = (deeds.Ready((said,), whisper=False),) if said else ()
    return state.put(replace(one.whispered(now), rings=True)), (
        *card,
        deeds.Whisper(one.leg, _whisper(state, one)),
        *soon,
    )


def _whisper(state: State, to: Asked | None = None) -> tuple[str, ...]:
    if to is not None and to.name == state.rung_back:
        return state.says(HandoffWord.WAS_CUT_OFF), state.says(HandoffWord.CHOOSE)
    return (*state.whisper, keys_told(state.whisper, state.language))


def _gone(state: State, event: Event, now: float) -> Then:
    """A leg has failed, or has hung up."""
    assert isinstance(event, cues.LegFailed | cues.LegLeft)
    one = state.named(event.leg)
    if one is None:
        return state, ()
    if isinstance(event, cues.LegLeft) or one.answered:
        return _without(state, one, Tried.MACHINE if one.machine else Tried.HUNG_UP, dropped=False)
    return _without(state, one, by_status(event.status), dropped=False)


def _without(state: State, one: Asked, tried: Tried, *, dropped: bool = True) -> Then:
    """Somebody is rung no more, and the next is, or the caller goes on."""
    rest = replace(
        state,
        asked=tuple(each for each in state.asked if each is not one),
        tried={**state.tried, one.name: tried},
    )
    effects: tuple[Effect, ...] = (*((deeds.Drop(one.leg),) if dropped else ()), deeds.Consulted(one.leg, tried))
    if not rest.asked and rest.free == 0 and not rest.promising:
        over, more = _go(replace(rest, lost=(one.name,)))
        return over, (*effects, *more)
    anew = (rest.enter(),) if state.rings_back else ()
    return rest, (*effects, rest.release(one.name), *anew)


def _late(state: State, one: Asked, now: float) -> Then:
    match one.at:
        case At.RINGING:
            return _without(state, one, Tried.NO_ANSWER if one.rings else Tried.UNREACHABLE)
        case At.WHISPERING:
            return state.put(one.decides(now)), ()
        case _ if one.reminded < REMINDERS:
            reminded = replace(one.decides(now), reminded=one.reminded + 1)
            return state.put(reminded), (deeds.Whisper(one.leg, (state.says(HandoffWord.CHOOSE),)),)
    return _without(state, one, Tried.MACHINE if one.machine else Tried.UNDECIDED)


def _heard_it(state: State, event: Event, now: float) -> Then:
    assert isinstance(event, cues.LegHeard)
    one = state.named(event.leg)
    return (state, ()) if one is None or not one.answered else (state.put(one.decides(now)), ())


def _key(state: State, event: Event, now: float) -> Then:
    assert isinstance(event, cues.LegKey)
    one = state.named(event.leg)
    choice = BY_KEY.get(event.key)
    return (state, ()) if one is None or not one.answered or choice is None else _chosen(state, one, choice, now)


def _said(state: State, event: Event, now: float) -> Then:
    assert isinstance(event, cues.LegSaid)
    one = state.named(event.leg)
    if one is None or not one.answered:
        return state, ()
    if is_recording(event.text):
        return state.put(replace(one, machine=True)), ()
    choice = choice_of(event.text, asked=one.at is At.DECIDING)
    return (state, ()) if choice is None or one.machine else _chosen(state, one, choice, now)


def _sounds(state: State, event: Event, _: float) -> Then:
    """A tone after a long greeting is a mailbox: it would record the whisper, and the caller waits for nothing. A tone alone
    says that another call waits for them."""
    assert isinstance(event, cues.LegSounds)
    one = state.named(event.leg)
    if one is None or not one.answered:
        return state, ()
    if event.sound is cues.LegSound.BEEP:
        return _without(state, one, Tried.MACHINE) if one.machine else (state, ())
    return state.put(replace(one, machine=True)), ()


def _chosen(state: State, one: Asked, choice: Choice, now: float) -> Then:
    match choice:
        case Choice.TAKE:
            return _taken(state, one, now)
        case Choice.DECLINE:
            return _without(state, one, Tried.DECLINED)
    if one.again >= AGAIN:
        return state, ()
    told = replace(one.whispered(now), again=one.again + 1)
    return state.put(told), (deeds.Whisper(one.leg, _whisper(state, one)),)


def _declined(state: State, event: Event, _: float) -> Then:
    assert isinstance(event, cues.Declined)
    one = state.named(event.leg)
    return (state, ()) if one is None else _without(state, one, Tried.DECLINED)


def _taken(state: State, one: Asked, now: float, browser: str = "") -> Then:
    """The others fall silent first; the caller's music goes on until the two hear each other. `browser`: the leg by which
    they take it, in place of their phone."""
    others = tuple(each for each in state.asked if each is not one)
    leg = browser or one.leg
    own = (deeds.Drop(one.leg),) if browser else ()
    beaten = {each.name: Tried.BEATEN for each in others}
    bridged = replace(
        state,
        asked=(),
        promise="",
        promising=0.0,
        talking=leg,
        talks_with=one.name,
        taken=now,
        reach="" if browser else one.address,  # who closes a page has hung up
        tried={**state.tried, **beaten, one.name: Tried.TAKEN},
        lost=tuple(beaten),
        why=TOOK,
    )
    return bridged, (
        *(deeds.Drop(each.leg) for each in others),
        *own,
        deeds.Connect(leg, _introduction(state, one)),
        deeds.Exit(state.act.team),
        deeds.Consulted(leg, Tried.TAKEN),
        *(deeds.Consulted(each.leg, Tried.BEATEN) for each in others),
        *(bridged.release(name) for name in beaten),
    )


def _introduction(state: State, one: Asked) -> str:
    if not state.act.introduce or one.name == state.rung_back:
        return ""
    human = one.name.capitalize() if one.name.isalpha() else ""
    which = _INTRODUCE[bool(state.caller), bool(human)]
    return word(which, state.language, caller=state.caller, human=human)


_INTRODUCE = {
    (True, True): HandoffWord.INTRODUCE,
    (False, True): HandoffWord.INTRODUCE_NOBODY,
    (True, False): HandoffWord.INTRODUCE_COLLEAGUE,
    (False, False): HandoffWord.INTRODUCE_THEM,
}
"""By whether the caller's name, and the human's, can be said."""


def due(state: State, now: float) -> Then:
    """What follows from the deadline having passed."""
    late = next((one for one in state.asked if one.until <= now), None)
    if late is not None:
        return _late(state, late, now)
    if state.promising:
        return _promised(state, now)
    if _waited_enough(state, now):
        return _go(state)
    if state.alone and not state.asked and now >= state.alone + SETTLE:
        return _go(state)
    return replace(state, announce=now + HOLD_EVERY), (deeds.Say(state.says(HandoffWord.STILL_RINGING)),)


def _go(state: State) -> Then:
    """Nobody has taken the call: the caller goes on."""
    rung = state.asked
    gone = replace(
        state,
        asked=(),
        over=True,
        tried={**state.tried, **{one.name: _given_up(one) for one in rung}},
        lost=(*state.lost, *(one.name for one in rung)),
        why=ALONE,
    )
    return gone, (
        deeds.Hush(),
        *(deeds.Drop(one.leg) for one in rung),
        *(deeds.Consulted(one.leg, _given_up(one)) for one in rung),
        *gone.ending(),
    )


def _given_up(one: Asked) -> Tried:
    return Tried.NO_ANSWER if one.rings else Tried.LATE


def _wait_on(state: State, event: Event, now: float) -> Then:
    """Another job goes on. Whoever had answered is told whose call it is from the beginning, once they are told of; whose
    phone fell silent is offered again, and rung anew; who has come by their browser has taken the call."""
    assert isinstance(event, cues.Resumed)
    browsers = {rung_leg(leg) for leg in event.legs}
    there = tuple(
        replace(one, at=At.RINGING, until=now + RESUME_WITHIN if one.answered else one.until)
        for one in state.asked
        if one.leg in event.legs | browsers or not one.phone
    )
    known = {one.leg for one in there}
    unknown = sorted(leg for leg in event.legs if not {leg, rung_leg(leg)} & known)
    again, sound = promise.again(replace(state, asked=there, free=None, alone=0.0), now)
    heard: tuple[Effect, ...] = (*sound, *(deeds.Drop(leg) for leg in unknown))
    back = next((one for one in state.asked if one.name == state.rung_back), None)
    if back is None:
        return again, (*heard, again.enter())
    rung, effects = cut_off.ring_on(again, back, now)
    return rung, (*heard, *effects)


STEPS: Mapping[type[Event], Step] = {
    cues.Resumed: _wait_on,
    cues.Heard: _play_on,
    cues.Unsaid: _play_on,
    cues.LegRings: _rings,
    cues.LegAnswered: _answered,
    cues.LegFailed: _gone,
    cues.LegLeft: _gone,
    cues.LegKey: _key,
    cues.LegSaid: _said,
    cues.LegSounds: _sounds,
    cues.LegHeard: _heard_it,
    cues.Declined: _declined,
    cues.Offered: _offered,
    cues.Standing: _stands,
}
"""By what happens."""
