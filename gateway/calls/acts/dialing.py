"""The machine of `Ring`: one person, or one number, is rung. Pure.

new ──Begun──▶ ringing ──LegAnswered──▶ talking ──LegLeft──▶ over
                  └── it fails, or nobody answers ─────────────▶ over
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from gateway.calls.acts import cues
from gateway.calls.acts.cues import Effect, Event
from gateway.calls.acts.rung import NOBODY, RESUME_WITHIN, Rung
from gateway.terms.act import Because, Onward, Over, Ring
from gateway.terms.ending import Party

TALKED = cues.Finish(Over("the two have talked", Party.HUMAN))
UNANSWERED = cues.Finish(Onward(Because.UNANSWERED))


class Stage(StrEnum):
    """Where the machine stands."""

    NEW = "new"
    RINGING = "ringing"
    TALKING = "talking"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Dialing:
    """One callee who is rung for the caller. Times are seconds since the epoch; 0 for never."""

    act: Ring
    stage: Stage = Stage.NEW
    rung: Rung = NOBODY
    """The leg."""
    talked: bool = False
    """Whether the two have talked, once it is over."""
    resumed: float = 0.0
    """Until when the connected leg must be told of, after another job took over."""

    @property
    def deadline(self) -> float:
        """See `cues.Machine`."""
        if self.stage is Stage.RINGING:
            return self.rung.until
        return self.resumed or float("inf")

    def on(self, event: Event, now: float) -> tuple[Self, tuple[Effect, ...]]:
        """See `cues.Machine`."""
        match self.stage:
            case Stage.NEW if isinstance(event, cues.Begun | cues.Resumed):
                return self._begin(now)
            case Stage.RINGING:
                return self._while_ringing(event, now)
            case Stage.TALKING:
                return self._while_talking(event, now)
            case Stage.OVER if isinstance(event, cues.Resumed):
                return self, (self._outcome,)
            case Stage.OVER if isinstance(event, cues.LegAnswered):
                return self, (cues.Drop(event.leg),)
        return self, ()

    def due(self, now: float) -> tuple[Self, tuple[Effect, ...]]:
        """See `cues.Machine`."""
        if now < self.deadline:
            return self, ()
        if self.stage is Stage.RINGING:
            return self._over(), (cues.Hush(), cues.Drop(self.rung.leg), UNANSWERED)
        return self._over(talked=True), (TALKED,)

    def _begin(self, now: float) -> tuple[Self, tuple[Effect, ...]]:
        if self.act.callee is None:
            return self._over(), (UNANSWERED,)
        dial = cues.Dial(f"dial-{round(now * 1000):x}-1", self.act.callee, self.act.ring_for)
        return replace(self, stage=Stage.RINGING, rung=Rung.dialed(dial, now)), (cues.Sound("ringback"), dial)

    def _while_ringing(self, event: Event, now: float) -> tuple[Self, tuple[Effect, ...]]:
        match event:
            case cues.LegAnswered(leg) if leg == self.rung.leg:
                return replace(self, stage=Stage.TALKING), (cues.Hush(), cues.Connect(leg))
            case cues.LegFailed(leg) | cues.LegLeft(leg) if leg == self.rung.leg:
                return self._over(), (cues.Hush(), UNANSWERED)
            case cues.Resumed(legs) if self.rung.leg in legs:
                return self, (cues.Sound("ringback"),)
            case cues.Resumed(legs):
                again, effects = self._begin(now)  # the phone fell silent with the job that rang it
                return again, (*(cues.Drop(leg) for leg in sorted(legs)), *effects)
        return self, ()

    def _while_talking(self, event: Event, now: float) -> tuple[Self, tuple[Effect, ...]]:
        match event:
            case cues.LegLeft(leg) | cues.LegFailed(leg) if leg == self.rung.leg:
                return self._over(talked=True), (TALKED,)
            case cues.LegAnswered(leg) if leg == self.rung.leg:
                return replace(self, resumed=0.0), (cues.Connect(leg),)
            case cues.Resumed(legs):
                others = tuple(cues.Drop(leg) for leg in sorted(legs - {self.rung.leg}))
                return replace(self, resumed=now + RESUME_WITHIN), others
        return self, ()

    def _over(self, *, talked: bool = False) -> Self:
        return replace(self, stage=Stage.OVER, talked=talked, resumed=0.0)

    @property
    def _outcome(self) -> Effect:
        return TALKED if self.talked else UNANSWERED
