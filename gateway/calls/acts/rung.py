"""A leg that rings, for the machines that dial. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from gateway.calls.acts import cues, deeds

LATE = 10.0
"""Seconds after its time that a ringing leg may still be told of, for a trunk that is dialed at a slow pace; then it
counts as gone."""
RESUME_WITHIN = 5.0
"""Seconds within which a job that took over tells of a leg that is connected; one it doesn't tell of has left."""
_NO_ANSWER = frozenset({408, 487})
"""RFC 3261 sections 21.4.9 and 21.4.25: nobody answered in time, and the invitation was taken back."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One leg."""

    leg: str
    name: str
    """Whose it is, in the plan's `people`; "" for a bare number's."""
    until: float
    """When it counts as gone if nothing has been told of it (seconds since the epoch)."""
    rings: bool = False
    """Whether the phone rang."""

    @classmethod
    def dialed(cls, dial: deeds.Dial, now: float) -> Self:
        """The leg of a dial that is made now."""
        return cls(dial.leg, dial.callee.name, now + dial.ring_for + LATE)


NOBODY = Rung("", "", 0.0)


def missed(failed: cues.LegFailed) -> bool:
    """Whether a phone rang in vain: not one that was busy (486, 600), declined (603, 480 …) or wasn't reached."""
    return failed.status in _NO_ANSWER
