"""What operators override for a while, whatever the plan says. Pure."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("close", "open", "away", "notice")


@dataclass(frozen=True, slots=True)
class Override:
    """One override. Times are seconds since the epoch (UTC)."""

    id: int
    kind: str
    """One of KINDS."""
    subject: str
    """Hours or a route (`close`, `open`), a person (`away`), a route or `all` (`notice`)."""
    until: float
    say: str
    author: str
    made: float
    ended: float | None = None
    """When somebody ended it before its time."""
    ended_by: str = ""
