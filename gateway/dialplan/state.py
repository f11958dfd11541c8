"""What a decision has to know beside the plan: what operators have overridden, and how busy the gateway is. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.dialplan.overrides import Override

EVERYWHERE = "all"
"""The subject of a notice for every route."""


@dataclass(frozen=True, slots=True)
class State:
    """How things stand at the time of a decision."""

    closed: Mapping[str, Override] = field(default_factory=dict)
    """By the name of hours or of a route: closed whatever the plan says."""
    opened: Mapping[str, Override] = field(default_factory=dict)
    """The same: open whatever the plan says."""
    away: Mapping[str, Override] = field(default_factory=dict)
    """By the name of a person."""
    notices: Sequence[Override] = ()
    calls: Mapping[str, int] = field(default_factory=dict)
    """Live calls by the name of their route."""
    elsewhere: int = 0
    """Live calls of a route that `calls` doesn't name."""
    no_agent: bool = False
    """The AI is down."""
    nobody: bool = False
    """No worker is there at all, nor has been lately: whatever the plan says, nobody could do it."""
    overloaded: str = ""
    """Why no more callers get an agent now; "" when they do."""

    def live(self, route: str) -> int:
        """How many calls the route has."""
        return self.calls.get(route, self.elsewhere)

    def notes(self, route: str) -> list[str]:
        """The notices for callers of the route."""
        return [one.say for one in self.notices if one.subject in (route, EVERYWHERE)]


def state_of(
    overrides: Sequence[Override],
    now: float,
    *,
    calls: Mapping[str, int] | None = None,
    elsewhere: int = 0,
    no_agent: bool = False,
) -> State:
    """The state that the overrides in force at `now` (seconds since the epoch) make; of two on one subject the later
    counts."""
    valid = sorted((one for one in overrides if in_force(one, now)), key=lambda one: (one.made, one.id))
    doors = {one.subject: one for one in valid if one.kind in ("close", "open")}
    return State(
        closed={subject: one for subject, one in doors.items() if one.kind == "close"},
        opened={subject: one for subject, one in doors.items() if one.kind == "open"},
        away={one.subject: one for one in valid if one.kind == "away"},
        notices=tuple(one for one in valid if one.kind == "notice"),
        calls=calls or {},
        elsewhere=elsewhere,
        no_agent=no_agent,
    )


def in_force(override: Override, now: float) -> bool:
    """Whether the override counts at `now`."""
    return override.made <= now < override.until and (override.ended is None or now < override.ended)
