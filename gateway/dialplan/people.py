"""Who takes calls: people, people by turns, and teams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.dialplan.model import Callback, Place, Ref
from gateway.terms.act import RING_BACK

RINGS = ("ringall", "linear", "rrmemory", "leastrecent", "fewestcalls", "random")
"""How a team is rung, by Asterisk's names: all at once, one after the other, on from the last who was rung, the longest
idle, who had the fewest calls, by chance."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who takes calls."""

    name: str
    place: Place
    call: str = ""
    """E.164, or a SIP address whose host is an outbound trunk; "" for none."""
    browser: bool = False
    """Whether the link of a card takes the call in their browser."""
    languages: tuple[str, ...] = ()
    """BCP 47 tags."""
    hours: Ref | None = None
    notify: tuple[str, ...] = ()
    """Addresses that get a card of whose call it is, when they are rung for a handoff."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """People who take calls by turns. A turn begins at the same wall-clock time each, whatever the clocks do."""

    name: str
    place: Place
    order: tuple[Ref, ...]
    every: timedelta
    begins: datetime
    """Aware; when the first of the order begins."""

    def turn(self, at: datetime) -> int:
        """Whose turn it is, as an index into `order`; before `begins` it is the first's. `at` is aware."""
        local = at.astimezone(self.begins.tzinfo).replace(tzinfo=None)
        gone = (local - self.begins.replace(tzinfo=None)) // self.every
        return max(0, gone) % len(self.order)


@dataclass(frozen=True, slots=True)
class Escalate:
    """Somebody else is told of a caller whom the team missed, and whom nobody has called back."""

    after: float
    """Seconds."""
    to: tuple[str, ...]
    """Addresses."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What the team has missed in a day, told at a time of it."""

    minute: int
    """Of the day, by the plan's clock."""
    to: tuple[str, ...] = ()
    """Addresses; () for the team's."""


@dataclass(frozen=True, slots=True)
class Team:
    """People who take the calls of a route."""

    name: str
    place: Place
    members: tuple[Ref, ...]
    """People and rotations."""
    ring: str = "ringall"
    """One of RINGS."""
    ring_for: float = 20.0
    """Seconds."""
    hours: Ref | None = None
    wrap_up: float = 0.0
    """Seconds that a member is left in peace after a call."""
    notify: tuple[str, ...] = ()
    """Addresses that are told of a lead or a message."""
    untaken: Mapping[str, Ref | Callback] = field(default_factory=dict)
    """Where callers go whom nobody took, and `says` what they are told first: by the words of `gateway.dialplan.untaken`."""
    says: Mapping[str, str] = field(default_factory=dict)
    third: Ref | None = None
    """Whom a member who talks with a caller may bring in, or ask in private: a person, or people by turns."""
    ring_back: float = RING_BACK
    """Seconds from taking a call in which a lost line is rung back; 0 for never."""
    owner_first: bool = False
    """Whether whoever has talked with a caller last is rung first when that caller calls again."""
    escalate: Escalate | None = None
    """Who is told when nobody has dealt with what the team has missed."""
    digest: Digest | None = None
    """Who is told once a day what the team has missed."""
