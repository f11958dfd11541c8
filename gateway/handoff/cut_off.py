"""A human whose line is cut just after they have taken the call: they are rung back, once. Pure.

A caller whose line is cut so is called back: as any callback, by the team, where the guard, the list of those who are never
called and the hours let it. Their room ends with their line, so the human hears why, and is rung again.

Who hangs up on purpose is left in peace. So what counts is how they left:

- their line was lost, by its own word, within the plan's `ring_back` of their taking the call: network, trunk or phone,
  nobody's wish; or
- they hung up within that time and had said no goodbye: a human only, whose last words are remembered meanwhile; or
- they hung up within AT_ONCE of it: nobody says hello and goodbye in that time; or
- they hung up within ON_HOLD of putting the caller on hold: nobody asks for a moment's patience to hang up. Some carriers and PBXs
  end a call whose hold they don't like.

Where nobody knows whether there was a goodbye it is taken to have been said: nobody could understand the words, too few were said, or
another job has just come (`gateway.calls.talk.goodbyes`). A BYE that comes after `ring_back` is one, and each BYE of the caller's: to
the caller nobody listens, and who hangs up on a salesperson without a word has said enough.

The caller, whom a goodbye would have hung up on too, hears what happens, and music. Whoever answers is told, and presses 1 again: it may
be a mailbox by now. If they don't take it, the rest of the team is rung, as if they had never answered.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.calls.acts import cues, deeds
from gateway.calls.acts.deeds import Effect
from gateway.calls.words.handoff import HandoffWord
from gateway.handoff.asked import PART_WITHIN, Asked, At
from gateway.handoff.state import HOLD_EVERY, LEFT, State, Then, Third
from gateway.terms.act import Callee
from gateway.terms.delivery import Content
from gateway.terms.handoff import Tried

AT_ONCE = 1.0
"""Seconds in which a BYE is no goodbye."""
ON_HOLD = 2.0
"""Seconds of hold in which a BYE is no goodbye, however long the two had talked."""
RINGS = 20.0
"""Seconds for which they are rung back: the caller waits."""


def alarm(call: str, team: str, leg: str, name: str) -> Content:
    """Tells the team that somebody's line is cut; `name`: "" for the caller's."""
    if name:
        title = f"Cut off: {name}, with a caller of {team}"
        body = (
            f"Just after they had taken a call for {team}, the line of {name} was cut, or they were gone without a goodbye. They are "
            "being rung back; if they don't take the call again, the rest of the team is rung."
        )
    else:
        title = f"Cut off: a caller of {team}"
        body = (
            f"A caller of {team} was cut off as they talked with a human. They are called back, as far as they may be."
        )
    told = f"{body}\n\nWhat came of it: offhook calls show {call}"
    return Content(title, told, {"call": call, "team": team, "leg": leg, "member": name})


def early(state: State, left: cues.LegLeft, now: float) -> bool:
    """Whether whoever talked is to be rung back. Once a call: a line that is cut twice is cut again. Where a third is asked, or
    there, the caller goes on with them, or with the agent."""
    if not state.act.ring_back or state.rung_back or not state.reach or state.third is not Third.NOBODY:
        return False
    return _no_goodbye(state, state.held, left.at or now, unmeant=left.lost or left.goodbye is False)


def remembering(state: State, effects: tuple[Effect, ...], now: float) -> Then:
    """What follows, with what has the last words of whoever may be rung back remembered, or forgotten. Who is on hold, or has the
    caller on hold, isn't heard: music is no goodbye."""
    may = state.act.ring_back and not state.rung_back and state.reach and state.third is Third.NOBODY
    quiet = state.hold or state.caller_held or state.resumed
    leg = state.talking if may and not quiet and now < state.early_until else ""
    if leg == state.remembered or state.over:  # with the act all is forgotten
        return state, effects
    connects = (place for place, effect in enumerate(effects) if isinstance(effect, deeds.Connect))
    # Before they are connected: we hear them already, and needn't leave their track to ask for it again.
    place = next(connects, len(effects)) if leg else 0
    return replace(state, remembered=leg), (*effects[:place], deeds.Remember(leg), *effects[place:])


def caller_early(state: State, gone: cues.Gone, now: float) -> bool:
    """Whether the caller is to be called back whom a human talked with."""
    if not state.act.ring_back or not state.talks_with or state.third is not Third.NOBODY:
        return False
    return _no_goodbye(state, state.caller_held, now, unmeant=gone.lost)


def _no_goodbye(state: State, held: float, now: float, *, unmeant: bool) -> bool:
    """Whether whoever left didn't mean to. `held`: since when they had the other on hold, 0 for not. `unmeant`: their line was lost, or
    they had said no goodbye."""
    if held and now - held < ON_HOLD:
        return True
    within = state.act.ring_back
    return now - state.taken < (within if unmeant else min(AT_ONCE, within))


def call_back(state: State, now: float) -> Then:
    """Book it, once; the human hears what comes of that (see `gateway.handoff.parting`)."""
    told = Asked(state.talking, state.talks_with, 0.0, now + PART_WITHIN, At.PARTING)
    parting = replace(state.parted(), asked=(told,), lost=(), why=LEFT.reason)
    effects: tuple[Effect, ...] = (
        deeds.Consulted(state.talking, Tried.CALLER_CUT_OFF),
        deeds.Release(state.act.team, state.talks_with, took=True),
        deeds.Book("", state.says(HandoffWord.CALL_DROPPED)),
    )
    return parting, effects


def ring_back(state: State, now: float) -> Then:
    """Ring them, and nobody else; nor does another call, whose they are no more than while they talked. The line of the
    team, which was left, is entered again once they can't be had."""
    name = state.talks_with
    tried = {who: how for who, how in state.tried.items() if who != name}
    waits = replace(
        state.parted(),
        tried=tried,
        lost=(),
        rung_back=name,
        since=now,
        free=None,
        alone=0.0,
        announce=now + HOLD_EVERY,
        why="",
    )
    back, dial = _rung(waits, Callee(name, state.reach), now)
    effects: tuple[Effect, ...] = (
        deeds.Drop(state.talking),
        deeds.Say(state.says(HandoffWord.CUT_OFF)),
        deeds.Consulted(state.talking, Tried.CUT_OFF),
        dial,
        deeds.Ready((state.says(HandoffWord.WAS_CUT_OFF), state.says(HandoffWord.CHOOSE))),
    )
    return back, effects


def ring_on(state: State, to: Asked, now: float) -> Then:
    """Another job goes on ringing them back, alone: anew where their phone fell silent, or never rang."""
    if state.rings_back:
        return state, ()
    back, dial = _rung(state, Callee(to.name, to.address), now)
    return back, (dial,)


def _rung(state: State, callee: Callee, now: float) -> tuple[State, deeds.Dial]:
    dial = deeds.Dial(state.leg_name(state.legs + 1), callee, RINGS)
    return replace(state, asked=(Asked.dialed(dial, now),), legs=state.legs + 1), dial
