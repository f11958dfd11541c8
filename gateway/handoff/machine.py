"""The machine of `Handoff`: a caller waits while a team is rung, until somebody who has heard whose call it is takes it. Pure.

    new ─Begun─▶ offering ─Offered─▶ ringing ─LegAnswered─▶ whispering ─LegHeard─▶ deciding ─"1"─▶ bridged ─LegLeft─▶ over
                    ▲  └── nobody is left to ring ─▶ over │              │            │
                    └──── it fails, or nobody answers ◀────┴── "2", hung up, nothing ──┘
                                            the caller hangs up ─▶ parting ─▶ over

Several members may be rung, and hear whose call it is, at once: the phase is the farthest that one of them has come to,
and the first who *takes* the call gets it. Until then the caller hears music, and nobody else. Each member is rung once; when
nobody is left to ring the caller goes on at once, wherever the plan leads them then (`Onward.why` says what to tell them).

A key, or words, take the call: a machine that answers says neither, and never gets the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, cast, get_args

from gateway.calls.acts import cues
from gateway.calls.acts.cues import Event
from gateway.calls.acts.deeds import Effect
from gateway.handoff import asking, cut_off, parting, talking
from gateway.handoff.state import ASKING, Phase, State, Step, nothing

EVENTS: tuple[type[Event], ...] = get_args(Event)
"""All that may happen to an act."""
_STEPS: Mapping[Phase, Mapping[type[Event], Step]] = {
    Phase.NEW: {cues.Begun: asking.begin, cues.Resumed: asking.begin},
    **{phase: {**asking.STEPS, cues.Gone: parting.part} for phase in ASKING},
    Phase.BRIDGED: talking.TALKING,
    Phase.PARTING: parting.PARTING,
    Phase.OVER: parting.OVER,
}
TABLE: Mapping[tuple[Phase, type[Event]], Step] = {
    (phase, event): _STEPS[phase].get(event, nothing) for phase in Phase for event in EVENTS
}
"""What follows in every phase from everything that may happen; `nothing` where it can't, or means nothing there."""


@dataclass(frozen=True, slots=True)
class Transfer(State):
    """The machine; it implements `machine.Machine`."""

    def on(self, event: Event, now: float) -> tuple[Self, tuple[Effect, ...]]:
        """See `machine.Machine`."""
        then, effects = cut_off.remembering(*TABLE[self.phase, type(event)](self, event, now), now)
        return cast(Self, then), effects

    def due(self, now: float) -> tuple[Self, tuple[Effect, ...]]:
        """See `machine.Machine`."""
        if now < self.deadline:
            return self, ()
        match self.phase:
            case Phase.BRIDGED:
                then, effects = talking.due(self, now)
            case Phase.PARTING:
                then, effects = parting.told_all(self, [one.leg for one in self.asked if one.until <= now])
            case _:
                then, effects = asking.due(self, now)
        then, effects = cut_off.remembering(then, effects, now)
        return cast(Self, then), effects
