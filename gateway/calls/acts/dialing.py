"""The machine of `Ring`: one person, or one number, is rung. Pure.

new ──Begun──▶ ringing ──LegAnswered──▶ talking ──LegLeft──▶ over
 │                └── it fails, or nobody answers ─────────────▶ over
 └──▶ referring ──Referred──▶ over
          ├── the caller's carrier can't: ringing, where that may be
          └── it fails ─────▶ over
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from gateway.calls.acts import cues, deeds
from gateway.calls.acts.cues import Event
from gateway.calls.acts.deeds import Effect
from gateway.calls.acts.rung import NOBODY, RESUME_WITHIN, Rung
from gateway.terms.act import TALKED, Because, By, Onward, Over, Ring
from gateway.terms.handoff import NOBODY as NOBODY_THERE
from gateway.terms.handoff import Tried, by_status

REFERRED = deeds.Finish(Over("the caller was transferred"))
CANT_REFER = frozenset({0, 400, 403, 405, 406, 415, 416, 420, 481, 489, 500, 501, 502, 503, 505, 513})
"""SIP statuses by which a carrier, or the caller's phone, says that it doesn't take REFER, or not this one (RFC 3515 section
2.4.2; carriers say 403 where transfers aren't enabled). Any other tells of whom it has called."""


class Stage(StrEnum):
    """Where the machine stands."""

    NEW = "new"
    REFERRING = "referring"
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
    why: str = ""
    """Why nobody took the call, once it is over: see `gateway.terms.handoff.told`."""
    resumed: float = 0.0
    """Until when the connected leg must be told of, after another job took over."""

    @property
    def deadline(self) -> float:
        """See `machine.Machine`."""
        if self.stage in (Stage.RINGING, Stage.REFERRING):
            return self.rung.until
        return self.resumed or float("inf")

    def on(self, event: Event, now: float) -> tuple[Self, tuple[Effect, ...]]:
        """See `machine.Machine`."""
        match self.stage:
            case Stage.NEW if isinstance(event, cues.Begun | cues.Resumed):
                return self._begin(now)
            case Stage.REFERRING:
                return self._while_referring(event, now)
            case Stage.RINGING:
                return self._while_ringing(event, now)
            case Stage.TALKING:
                return self._while_talking(event, now)
            case Stage.OVER if isinstance(event, cues.Resumed):
                return self, (self._outcome,)
            case Stage.OVER if isinstance(event, cues.LegAnswered):
                return self, (deeds.Drop(event.leg),)
        return self, ()

    def due(self, now: float) -> tuple[Self, tuple[Effect, ...]]:
        """See `machine.Machine`."""
        if now < self.deadline:
            return self, ()
        if self.stage is Stage.REFERRING:
            return self._unanswered(Tried.NO_ANSWER.value)
        if self.stage is Stage.RINGING:
            over, effects = self._unanswered(Tried.NO_ANSWER.value)
            return over, (deeds.Hush(), deeds.Drop(self.rung.leg), *effects)
        return self._over(talked=True), (deeds.Finish(TALKED),)

    def _begin(self, now: float) -> tuple[Self, tuple[Effect, ...]]:
        if self.act.callee is None:
            return self._unanswered(NOBODY_THERE)
        if self.act.by is By.DIAL:
            return self._ring(now)
        refer = deeds.Refer(f"refer-{round(now * 1000):x}-1", self.act.callee, self.act.ring_for)
        rung = Rung.dialed(deeds.Dial(refer.leg, refer.callee, refer.ring_for), now)
        return replace(self, stage=Stage.REFERRING, rung=rung), (refer,)

    def _ring(self, now: float) -> tuple[Self, tuple[Effect, ...]]:
        assert self.act.callee is not None
        dial = deeds.Dial(f"dial-{round(now * 1000):x}-1", self.act.callee, self.act.ring_for)
        return replace(self, stage=Stage.RINGING, rung=Rung.dialed(dial, now)), (deeds.Sound("ringback"), dial)

    def _while_referring(self, event: Event, now: float) -> tuple[Self, tuple[Effect, ...]]:
        """Of what another job has asked the carrier nobody tells us any more: a caller who has got there is gone, and one
        who hasn't is with us when the time is over."""
        match event:
            case cues.Referred(leg) if leg == self.rung.leg:
                name = self.act.callee.name if self.act.callee is not None else ""
                return replace(self._over(), talked=True), (deeds.Transferred(name, By.REFER.value), REFERRED)
            case cues.LegFailed(leg, status) if leg == self.rung.leg:
                if status in CANT_REFER and self.act.by is By.EITHER:
                    return self._ring(now)
                return self._unanswered(by_status(status).value)
        return self, ()

    def _while_ringing(self, event: Event, now: float) -> tuple[Self, tuple[Effect, ...]]:
        match event:
            case cues.LegAnswered(leg) if leg == self.rung.leg:
                return replace(self, stage=Stage.TALKING), (deeds.Hush(), deeds.Connect(leg))
            case cues.LegFailed(leg, status) if leg == self.rung.leg:
                over, effects = self._unanswered(by_status(status).value)
                return over, (deeds.Hush(), *effects)
            case cues.LegLeft(leg) if leg == self.rung.leg:
                over, effects = self._unanswered(Tried.HUNG_UP.value)
                return over, (deeds.Hush(), *effects)
            case cues.Resumed(legs) if self.rung.leg in legs:
                return self, (deeds.Sound("ringback"),)
            case cues.Resumed(legs):
                again, effects = self._ring(now)  # the phone fell silent with the job that rang it
                return again, (*(deeds.Drop(leg) for leg in sorted(legs)), *effects)
        return self, ()

    def _while_talking(self, event: Event, now: float) -> tuple[Self, tuple[Effect, ...]]:
        match event:
            case cues.LegLeft(leg) | cues.LegFailed(leg) if leg == self.rung.leg:
                return self._over(talked=True), (deeds.Finish(TALKED),)
            case cues.LegAnswered(leg) if leg == self.rung.leg:
                return replace(self, resumed=0.0), (deeds.Connect(leg),)
            case cues.Resumed(legs):
                others = tuple(deeds.Drop(leg) for leg in sorted(legs - {self.rung.leg}))
                return replace(self, resumed=now + RESUME_WITHIN), others
        return self, ()

    def _unanswered(self, why: str) -> tuple[Self, tuple[Effect, ...]]:
        over = replace(self._over(), why=why)
        return over, (over._outcome,)

    def _over(self, *, talked: bool = False) -> Self:
        return replace(self, stage=Stage.OVER, talked=talked, resumed=0.0)

    @property
    def _outcome(self) -> Effect:
        if not self.talked:
            return deeds.Finish(Onward(Because.UNANSWERED, why=self.why))
        return REFERRED if self.rung.leg.startswith("refer-") else deeds.Finish(TALKED)
