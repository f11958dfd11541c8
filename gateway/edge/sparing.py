"""Whether what a phone says can be kept from its LiveKit room, as nobody hears it there. Pure.

A job says so of the room as it is then. What it has said counts for that room alone: as soon as anybody comes or goes, anybody else
asks anything, the phone's connection is made anew, or another phone hears it directly or no longer does, it is heard again, until
a job says so anew. It counts for nothing where anybody is there who might hear it unknown to that job: another job, somebody who is
no phone of this process, a recorder, or a participant whom LiveKit counts and doesn't show. Nor while LiveKit may not have told yet of
somebody who is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

KNOWN_WITHIN = 5.5
"""Seconds within which LiveKit tells of somebody who publishes nothing, each three, and counts who is there, each five."""


class Part(Enum):
    """What somebody in the room is."""

    PHONE = "phone"
    """One that this process carries, too: it hears directly whom it hears."""
    JOB = "job"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody else in the room."""

    identity: str
    id: str
    """LiveKit's id of this stay in the room (`PA_…`)."""
    part: Part


@dataclass(frozen=True, slots=True)
class Scene:
    """A phone's room, as its process knows it at one moment."""

    others: frozenset[Other]
    heard_by: frozenset[str]
    """Who hears the phone directly: their identities."""
    counted: int = 0
    """How many LiveKit counts in the room, jobs and recorders aside; it may be seconds old."""
    recorded: bool = False
    """Whether a recorder is there, which LiveKit doesn't show."""


def lasts(then: Scene, now: Scene) -> bool:
    """Whether what was said of the room `then` is still to be believed."""
    return now.others == then.others and now.heard_by == then.heard_by


def unheard(by: str, asked: frozenset[str], now: Scene) -> bool:
    """Whether the job `by` can know that nobody hears the phone by LiveKit. `asked`: who has asked anything of the phone, and hasn't
    been seen to leave; LiveKit tells of a job that is silent up to three seconds late."""
    rest = [one for one in now.others if one.part is not Part.PHONE]
    alone = [(one.identity, one.part) for one in rest] == [(by, Part.JOB)] and asked <= {by}
    counted = 1 + len(now.others) - len(rest)  # the phones, and this one
    return alone and bool(now.heard_by) and now.counted <= counted and not now.recorded


class Sparing:
    """One phone's."""

    def __init__(self) -> None:
        self._by = ""
        self._then: Scene | None = None
        """The room of which the job `_by` has said that nobody hears the phone there; None while it is heard."""
        self._asked: frozenset[str] = frozenset()
        self._hidden_until = float("-inf")
        """Until when somebody may be there of whom LiveKit hasn't told."""

    @property
    def said(self) -> bool:
        """Whether a job has said so, and nothing has happened since."""
        return self._then is not None

    def heard(self) -> None:
        """Something has happened that the job might not know of, or somebody says that the phone is heard."""
        self._by, self._then = "", None

    def comes(self, at: float) -> None:
        """Somebody has come of whom LiveKit may not have told yet. `at`: seconds, as in `say`."""
        self._hidden_until = at + KNOWN_WITHIN
        self.heard()

    def asked(self, who: str) -> None:
        """Somebody asks something of the phone: whoever isn't the job that has said so may be another, until they leave."""
        self._asked |= {who}

    def left(self, who: str) -> None:
        """Somebody has gone."""
        self._asked -= {who}
        self.heard()

    def say(self, job: str, now: Scene, at: float) -> bool:
        """A job says that nobody hears the phone by LiveKit; whether it counts, and will until something happens. `at`: seconds on
        any clock."""
        self.heard()
        if at >= self._hidden_until and unheard(job, self._asked | {job}, now):
            self._by, self._then = job, now
        return self.said

    def hearers(self, now: frozenset[str]) -> bool:
        """Whether those who hear the phone directly are the same still."""
        return self._then is not None and self._then.heard_by == now

    def spares(self, now: Scene) -> bool:
        """Whether what the phone says now can be kept from the room."""
        if self._then is None:
            return False
        if not lasts(self._then, now):
            self.heard()
            return False
        return unheard(self._by, self._asked, now)
