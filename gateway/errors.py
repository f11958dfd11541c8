"""One tree of errors, split by whose fault it is.

An operator reads the message as it stands, so it says what is wrong and, in `remedy`, what to do about it.
`sip_status` is the response a caller's INVITE should get when the error ends a call that was not answered yet
(RFC 3261 section 21); None means that no SIP response fits.
"""

from __future__ import annotations


class OffhookError(Exception):
    """The root. Never raised itself; catch it at a process's edge."""

    sip_status: int | None = None

    def __init__(self, what: str, *, remedy: str = "", sip_status: int | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        if sip_status is not None:
            self.sip_status = sip_status

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".strip()


class OurFault(OffhookError):
    """A fault of this program: a state that cannot be, a broken invariant."""

    sip_status = 500


class SetupFault(OffhookError):
    """The machine or its configuration is not ready: a port in use, a missing binary, a bad plan. Exit status 2."""

    sip_status = 503


class PeerFault(OffhookError):
    """The other side broke a protocol or refused: a malformed message, an error response."""

    sip_status = 400


class Unavailable(PeerFault):
    """A service we lean on (Redis, LiveKit, a speech provider) does not answer; the same call may work later."""

    sip_status = 503


class Refused(PeerFault):
    """A service answered, and its answer is no."""

    sip_status = 403
