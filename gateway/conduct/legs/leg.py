"""What a job knows of one leg: somebody who is called for a call, or is in its room."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import IntEnum

from gateway.conduct.legs.outward import Passed
from gateway.conduct.sfu.room import ACTIVE


class At(IntEnum):
    """How far a leg has come; it only ever goes up."""

    DIALING = 0
    RINGING = 1
    ANSWERED = 2
    OVER = 3


@dataclass
class Known:
    """A leg as the job knows it."""

    name: str
    member: str
    number: str = field(default="", repr=False)
    at: At = At.DIALING
    dialing: asyncio.Task[None] | None = field(default=None, repr=False)
    """Waits for the API's answer."""
    passed: Passed | None = None
    """What the guard let out; None for a leg that another job has dialed."""
    answered: float = 0.0
    """When its callee answered, on the loop's clock."""
    hold: str = ""
    """As was last told (see `cues.LegHold`)."""

    @property
    def pending(self) -> bool:
        """Whether the API is yet to answer."""
        return self.dialing is not None and not self.dialing.done()


@dataclass(frozen=True, slots=True)
class LegThere:
    """A leg that is in the room."""

    leg: str
    member: str
    status: str
    """`sip.callStatus`: dialing, ringing, active …"""
    epoch: int
    """Of the job that dialed it."""
    hold: str = ""
    """See `cues.LegHold`."""

    @property
    def answered(self) -> bool:
        """Whether its callee has answered."""
        return self.status == ACTIVE
