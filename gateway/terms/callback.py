"""What was agreed on of a callback, or can be. Pure."""

from __future__ import annotations

from dataclasses import dataclass

EARLIEST, LATEST = 8, 21
"""Hours of the day, where the callee is, from and until which they may be called (47 CFR 64.1200(c)(1))."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a route calls back. Times are seconds since the epoch."""

    within: float = 3600.0
    """Seconds that the callee waits at most once they may be called."""
    team: str = ""
    """Whose people call back; "" where the callbacks are only listed, for somebody to make by hand."""
    zone: str = "UTC"
    """IANA name of the plan's zone."""
    open: tuple[tuple[float, float], ...] = ()
    """When the team takes calls, from the call's time on; () where nobody said when, so at any time."""
    tries: int = 3
    """Times that the callee is rung at most."""
    every: float = 900.0
    """Seconds from one time to the next."""
