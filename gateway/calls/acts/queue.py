"""The machine of `Wait`: a caller waits in a team's line until one of the team takes the call. Pure.

    new ──Begun──▶ line ──LegAnswered──▶ talking ──LegLeft──▶ over
                    └── key, at_most, nobody takes calls ──────▶ over

While in the line members ring, as they are offered; the first to answer is connected and the others are dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from gateway.calls.acts import cues, deeds
from gateway.calls.acts.cues import Event
from gateway.calls.acts.deeds import Effect
from gateway.calls.acts.rung import NOBODY, RESUME_WITHIN, Rung, missed
from gateway.calls.people.line import words
from gateway.terms.act import TALKED, Because, Onward, Wait
from gateway.terms.handoff import NOBODY as NOBODY_THERE

SETTLE = 1.0
"""Seconds in the line before the caller's place is told: somebody who is free rings at once."""
APART = 10.0
"""Seconds at least between two words about a place that has improved."""
UNSTAFFED = 2.0
"""Seconds for which nobody takes calls until the caller goes on: a roster that changes may be empty for a moment."""


class Stage(StrEnum):
    """Where the machine stands."""

    NEW = "new"
    LINE = "line"
    TALKING = "talking"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Queue:
    """One caller in one team's line. Times are seconds since the epoch; 0 for never."""

    act: Wait
    language: str = "en-US"
    """BCP 47 tag."""
    stage: Stage = Stage.NEW
    since: float = 0.0
    """Since when the caller waits."""
    rung: tuple[Rung, ...] = ()
    """The legs that ring."""
    legs: int = 0
    """Legs that were dialed so far."""
    talking: Rung = NOBODY
    """The leg that is connected."""
    lost: tuple[str, ...] = ()
    """Who rang in vain when it was."""
    resumed: float = 0.0
    """Until when the connected leg must be told of, after another job took over."""
    position: int = 0
    wait: float | None = None
    told: int = 0
    """The position that the caller was told last."""
    said: float = 0.0
    """When that was."""
    announce: float = 0.0
    """When it is told next."""
    unstaffed: float = 0.0
    """Since when nobody of the team takes calls."""
    key: str = ""
    """What led out of the line, once it is left; "" for anything but a key."""
    why: str = ""
    """Why the line was left, for the record; "" while it isn't."""

    @property
    def talks_with(self) -> str:
        """Whom of the plan's people the caller is connected with; "" for nobody."""
        return self.talking.name

    @property
    def deadline(self) -> float:
        """See `machine.Machine`."""
        never = float("inf")
        if self.stage is Stage.TALKING:
            return self.resumed or never
        if self.stage is not Stage.LINE:
            return never
        leaves = self.unstaffed + UNSTAFFED if self.unstaffed and not self.rung else never
        return min(
            self.since + self.act.at_most,
            self.announce if self.announce and self.position else never,
            leaves,
            *(leg.until for leg in self.rung),
        )

    def on(self, event: Event, now: float) -> tuple[Self, tuple[Effect, ...]]:
        """See `machine.Machine`."""
        match self.stage:
            case Stage.NEW if isinstance(event, cues.Begun | cues.Resumed):
                return self._begin(now)
            case Stage.LINE:
                return self._in_line(event, now)
            case Stage.TALKING | Stage.OVER if isinstance(event, cues.Offered):
                # Reserved just before the line was left.
                return self, tuple(self._release(one.name) for one in event.callees if one.name != self.talking.name)
            case Stage.TALKING:
                return self._in_talk(event, now)
            case Stage.OVER if isinstance(event, cues.Resumed):
                return self, self._ending()
            case Stage.OVER if isinstance(event, cues.LegAnswered):
                return self, (deeds.Drop(event.leg),)
        return self, ()

    def due(self, now: float) -> tuple[Self, tuple[Effect, ...]]:
        """See `machine.Machine`."""
        if now < self.deadline:
            return self, ()
        if self.stage is Stage.TALKING:
            return self._talked()
        if now >= self.since + self.act.at_most:
            return self._go("has waited as long as the plan says")
        if self.unstaffed and not self.rung and now >= self.unstaffed + UNSTAFFED:
            return self._go("nobody of the team takes calls now")
        late = tuple(leg for leg in self.rung if leg.until <= now)
        if late:
            rest = replace(self, rung=tuple(leg for leg in self.rung if leg not in late))
            drops = tuple(deeds.Drop(leg.leg) for leg in late)
            return rest, (*drops, *(self._release(leg.name, missed=leg.rings) for leg in late))
        return self._announce(now)

    def _begin(self, now: float) -> tuple[Self, tuple[Effect, ...]]:
        fresh = replace(self, stage=Stage.LINE, since=now, announce=now + SETTLE)
        return fresh, (self._music, deeds.Enter(self.act.team, now))

    def _in_line(self, event: Event, now: float) -> tuple[Self, tuple[Effect, ...]]:
        match event:
            case cues.Offered():
                return self._ring(event, now)
            case cues.Standing():
                return self._stand(event, now)
            case cues.LegRings():
                rung = tuple(replace(leg, rings=True) if leg.leg == event.leg else leg for leg in self.rung)
                return replace(self, rung=rung), ()
            case cues.LegAnswered():
                return self._answered(event.leg)
            case cues.LegFailed() | cues.LegLeft():
                return self._failed(event)
            case cues.Key(key) if key in self.act.press:
                return self._go("pressed a key", key)
            case cues.Heard():
                return self, (self._music,)
            case cues.Resumed(legs):
                return self._in_line_again(legs, now)
        return self, ()

    def _in_talk(self, event: Event, now: float) -> tuple[Self, tuple[Effect, ...]]:
        match event:
            case cues.LegLeft(leg) | cues.LegFailed(leg) if leg == self.talking.leg:
                return self._talked()
            case cues.LegAnswered(leg) if leg == self.talking.leg:
                return replace(self, resumed=0.0), (deeds.Connect(leg),)
            case cues.LegAnswered(leg):
                return self, (deeds.Drop(leg),)
            case cues.Resumed(legs):
                # What the job before was still to do about the others may not have been done.
                drops = tuple(deeds.Drop(leg) for leg in sorted(legs - {self.talking.leg}))
                again: tuple[Effect, ...] = (
                    *drops,
                    deeds.Exit(self.act.team),
                    *(self._release(name) for name in self.lost),
                )
                return replace(self, resumed=now + RESUME_WITHIN), again
        return self, ()

    def _in_line_again(self, legs: frozenset[str], now: float) -> tuple[Self, tuple[Effect, ...]]:
        """Go on in the line. Whose phone fell silent with the job that rang it is offered again, and rung anew."""
        rung = tuple(leg for leg in self.rung if leg.leg in legs)
        unknown = sorted(legs - {leg.leg for leg in rung})
        again = replace(self, rung=rung, announce=self.announce and max(self.announce, now + SETTLE))
        return again, (self._music, *(deeds.Drop(leg) for leg in unknown), deeds.Enter(self.act.team, self.since))

    def _ring(self, offered: cues.Offered, now: float) -> tuple[Self, tuple[Effect, ...]]:
        names, rung = {leg.name for leg in self.rung}, list(self.rung)
        dials: list[deeds.Dial] = []
        for one in offered.callees:
            if one.name in names:
                continue  # told again, after another job took over
            names.add(one.name)
            leg = f"{self.act.team}-{round(self.since * 1000):x}-{self.legs + len(dials) + 1}"
            dials.append(deeds.Dial(leg, one, offered.ring_for))
            rung.append(Rung.dialed(dials[-1], now))
        return replace(self, rung=tuple(rung), legs=self.legs + len(dials)), tuple(dials)

    def _answered(self, leg: str) -> tuple[Self, tuple[Effect, ...]]:
        winner = next((one for one in self.rung if one.leg == leg), None)
        if winner is None:
            return self, (deeds.Drop(leg),)
        others = tuple(one for one in self.rung if one is not winner)
        lost = tuple(one.name for one in others)
        connected = replace(self, stage=Stage.TALKING, rung=(), talking=winner, lost=lost, why="was put through")
        return connected, (
            deeds.Hush(),
            *(deeds.Drop(one.leg) for one in others),
            deeds.Connect(leg),
            deeds.Exit(self.act.team),
            *(self._release(name) for name in lost),
        )

    def _failed(self, event: cues.LegFailed | cues.LegLeft) -> tuple[Self, tuple[Effect, ...]]:
        gone = next((one for one in self.rung if one.leg == event.leg), None)
        if gone is None:
            return self, ()
        rest = replace(self, rung=tuple(one for one in self.rung if one is not gone))
        return rest, (self._release(gone.name, missed=isinstance(event, cues.LegFailed) and missed(event)),)

    def _talked(self) -> tuple[Self, tuple[Effect, ...]]:
        ended = replace(self, stage=Stage.OVER, resumed=0.0)
        return ended, ended._ending()

    def _go(self, why: str, key: str = "") -> tuple[Self, tuple[Effect, ...]]:
        lost = tuple(one.name for one in self.rung)
        gone = replace(self, stage=Stage.OVER, rung=(), lost=lost, key=key, why=why)
        return gone, (deeds.Hush(), *(deeds.Drop(one.leg) for one in self.rung), *gone._ending())

    def _ending(self) -> tuple[Effect, ...]:
        if self.talking != NOBODY:
            return deeds.Release(self.act.team, self.talking.name, took=True), deeds.Finish(TALKED)
        why = NOBODY_THERE if self.unstaffed else ""
        outcome = Onward(Because.KEY, self.key) if self.key else Onward(Because.UNANSWERED, why=why)
        return deeds.Exit(self.act.team), *(self._release(name) for name in self.lost), deeds.Finish(outcome)

    def _stand(self, standing: cues.Standing, now: float) -> tuple[Self, tuple[Effect, ...]]:
        unstaffed = 0.0 if standing.staffed else self.unstaffed or now
        announce = self.announce
        if 0 < standing.position < self.told and not self.rung:
            soon = max(now, self.said + APART)
            announce = min(announce, soon) if announce else soon
        return replace(self, position=standing.position, wait=standing.wait, unstaffed=unstaffed, announce=announce), ()

    def _announce(self, now: float) -> tuple[Self, tuple[Effect, ...]]:
        every = self.act.announce_every
        if self.rung and not self.told and now < self.since + every:
            return replace(self, announce=now + SETTLE), ()  # somebody rings already
        told = replace(self, told=self.position, said=now, announce=now + every if every > 0 else 0.0)
        return told, tuple(deeds.Say(text) for text in words(self.position, self.wait, self.language))

    @property
    def _music(self) -> deeds.Sound:
        return deeds.Sound(f"music:{self.act.music}")

    def _release(self, name: str, *, missed: bool = False) -> deeds.Release:
        return deeds.Release(self.act.team, name, took=False, missed=missed)
