"""What was agreed on of a callback, or can be. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

EARLIEST, LATEST = 8, 21
"""Hours of the day, where the callee is, from and until which they may be called (47 CFR 64.1200(c)(1))."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a route calls back. Times are seconds since the epoch."""

    team: str = ""
    """Whose people call back; "" where callbacks are only listed, for somebody to make by hand."""
    zone: str = "UTC"
    """IANA name of the plan's zone."""
    open: tuple[tuple[float, float], ...] | None = None
    """When the team takes calls, from the call's time on; None for any time."""
    tries: int = 3
    """Times that the callee is called at most."""
    every: float = 900.0
    """Seconds from one time to the next."""

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """The terms of their JSON; what is missing is as it is by default. Raises TypeError or ValueError for other JSON."""
        spans = given.get("open")
        opens = None if spans is None else tuple((float(first), float(last)) for first, last in spans)
        known = {"team": str, "zone": str, "tries": int, "every": float}
        return cls(open=opens, **{name: kind(given[name]) for name, kind in known.items() if name in given})


ANYBODY = Terms()
