"""A human whose line is cut just after they have taken the call: they are rung back, once. Pure.

Who hangs up on purpose is left in peace, and nobody listens to two who talk for a goodbye. So what counts is how they left:

- their line was lost, by its own word, within EARLY of their taking the call: network, trunk or phone, nobody's wish; or
- they hung up within AT_ONCE of it: nobody says hello and goodbye in that time.

A BYE that comes later is a goodbye, however short the talk: "I'll send you an e-mail, bye" takes no minute. The caller, whom
a goodbye would have hung up on too, hears what happens, and music. Whoever answers is told, and presses 1 again: it may be a
mailbox by now. If they don't take it, the rest of the team is rung, as if they had never answered.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.calls.acts import cues
from gateway.calls.acts.cues import Effect
from gateway.calls.words.handoff import HandoffWord
from gateway.handoff.asked import Asked
from gateway.handoff.state import HOLD_EVERY, State, Then, Third
from gateway.terms.act import Callee
from gateway.terms.delivery import Content
from gateway.terms.handoff import Tried

EARLY = 90.0
"""Seconds from their taking the call in which a lost line is rung back; who talked longer is called by the caller, or calls."""
AT_ONCE = 1.0
"""Seconds in which a BYE is no goodbye."""
RINGS = 20.0
"""Seconds for which they are rung back: the caller waits."""


def alarm(call: str, team: str, leg: str, name: str) -> Content:
    """Tells the team that somebody's line is cut."""
    who = name or "somebody"
    body = (
        f"The line of {who} was cut just after they had taken a call for {team}. They are being rung back; if they don't take "
        f"the call again, the rest of the team is rung.\n\nWhat came of it: offhook calls show {call}"
    )
    return Content(
        f"Cut off: {who}, with a caller of {team}", body, {"call": call, "team": team, "leg": leg, "member": who}
    )


def early(state: State, left: cues.LegLeft, now: float) -> bool:
    """Whether whoever talked is to be rung back. Once a call: a line that is cut twice is cut again. Where a third is asked, or
    there, the caller goes on with them, or with the agent."""
    if state.rung_back or not state.reach or state.third is not Third.NOBODY:
        return False
    return now - state.taken < (EARLY if left.lost else AT_ONCE)


def ring_back(state: State, now: float) -> Then:
    """Ring them; the line of the team, which was left, is entered again for whoever comes after them."""
    name, act = state.talks_with, state.act
    leg = state.leg_name(state.legs + 1)
    dial = cues.Dial(leg, Callee(name, state.reach), RINGS)
    tried = {who: how for who, how in state.tried.items() if who != name}
    back = replace(
        state,
        asked=(Asked.dialed(dial, now),),
        legs=state.legs + 1,
        tried=tried,
        lost=(),
        talking="",
        talks_with="",
        reach="",
        rung_back=name,
        star=0.0,
        resumed=0.0,
        since=now,
        free=None,
        alone=0.0,
        announce=now + HOLD_EVERY,
        why="",
    )
    effects: tuple[Effect, ...] = (
        cues.Drop(state.talking),
        cues.Say(state.says(HandoffWord.CUT_OFF)),
        cues.Consulted(state.talking, Tried.CUT_OFF),
        cues.Release(act.team, name, took=True),
        dial,
        cues.Ready((state.says(HandoffWord.WAS_CUT_OFF), state.says(HandoffWord.CHOOSE))),
        back.enter(),
    )
    return back, effects
