"""When a call's session is to be refreshed, or has ended for want of it (RFC 4028 section 10). Pure.

A part of both directions' machines: `agreed` gives the clock, which their `deadline` and `expire` ask.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.sip.session_timer import SessionTimer

NOT_REFRESHED = "the session wasn't refreshed"


@dataclass(frozen=True, slots=True)
class Clock:
    """Times of the call's clock, seconds; None for never."""

    refresh_at: float | None = None
    """When we are to refresh."""
    ends_at: float | None = None
    """When the other side should have done so long ago."""

    def deadline(self) -> float | None:
        """The earlier one."""
        return min((at for at in (self.refresh_at, self.ends_at) if at is not None), default=None)

    def due(self, now: float) -> bool:
        """Whether we are to refresh now."""
        return self.refresh_at is not None and now >= self.refresh_at

    def ended(self, now: float) -> bool:
        """Whether the session is over."""
        return self.ends_at is not None and now >= self.ends_at


NEVER = Clock()


def agreed(timer: SessionTimer | None, now: float) -> Clock:
    """The clock after a session began or was refreshed."""
    if timer is None:
        return NEVER
    if timer.refreshing:
        return Clock(refresh_at=now + timer.refresh_after)
    return Clock(ends_at=now + timer.ends_after)
