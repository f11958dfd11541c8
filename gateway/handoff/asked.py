"""One member of a team whose phone rings for a caller, or who has answered it and is told whose call it is. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from gateway.calls.acts import deeds
from gateway.calls.acts.rung import LATE

WHISPER_WITHIN = 20.0
"""Seconds after which a whisper counts as heard, whatever is told of it."""
DECIDE_WITHIN = 6.0
"""Seconds to say what they want, once they have heard what they can say; the second time they hear that alone."""
REMINDERS = 1
AGAIN = 3
"""Times that somebody may hear the whisper again: the caller waits meanwhile."""
PART_WITHIN = 5.0
"""Seconds in which somebody who has answered is told that the caller has gone."""


class At(StrEnum):
    """How far they are."""

    RINGING = "ringing"
    WHISPERING = "whispering"
    """They hear whose call it is."""
    DECIDING = "deciding"
    """They have heard it."""
    PARTING = "parting"
    """They hear that the caller has gone."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One member's leg. Times are seconds since the epoch."""

    leg: str
    name: str
    """In the plan's `people`."""
    ring_for: float
    until: float
    """When something must have happened."""
    at: At = At.RINGING
    rings: bool = False
    """Whether the phone has rung."""
    reminded: int = 0
    again: int = 0
    """Times that they have asked to hear it again."""
    machine: bool = False
    """It may be one that answered: only a key takes the call then."""
    address: str = field(default="", repr=False)
    """As in `Callee`."""

    @classmethod
    def dialed(cls, dial: deeds.Dial, now: float) -> Self:
        """Whoever is rung from now on."""
        ring_for, callee = dial.ring_for, dial.callee
        return cls(dial.leg, callee.name, ring_for, now + ring_for + LATE, address=callee.address)

    @property
    def phone(self) -> bool:
        """Whether they have one; who has none takes the call in their browser."""
        return bool(self.address)

    @property
    def answered(self) -> bool:
        """Whether they have."""
        return self.at is not At.RINGING

    def ringing(self, now: float) -> Self:
        """Their phone rings: nobody is rung for longer than the plan says."""
        return (
            replace(self, rings=True, until=now + self.ring_for) if self.at is At.RINGING and not self.rings else self
        )

    def whispered(self, now: float) -> Self:
        """They are told whose call it is, from the beginning."""
        return replace(self, at=At.WHISPERING, until=now + WHISPER_WITHIN)

    def decides(self, now: float) -> Self:
        """They have heard it."""
        return replace(self, at=At.DECIDING, until=now + DECIDE_WITHIN)

    def parts(self, now: float) -> Self:
        """The caller has gone."""
        return replace(self, at=At.PARTING, until=now + PART_WITHIN)
