"""One provider's circuit: whether calls go to it, and who tries it when it may have come back. Pure; times are seconds
since the epoch.

    closed ──failed──▶ open until T ──T is over, one call claims it──▶ probed ──worked──▶ closed
      ▲                  ▲                                               │
      └────worked────────┴───────────────failed, or nothing told─────────┘

How long a circuit stays open depends on the reason. A time-out or a fault may be over in seconds: 3 s, doubled with each
probe that fails. Who has too much to do says when to come again (429, Retry-After). A key that is refused stays refused
until an operator acts, so nobody tries for minutes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

FIRST, MOST = 3.0, 60.0
"""Seconds that a circuit stays open after a time-out or a fault: at first, and at most."""
RATE, RATE_MOST = 5.0, 120.0
"""Seconds after a 429: when it doesn't say how many, and at most."""
AUTH = 300.0
"""Seconds after a refused key."""
PROBE_WITHIN = 10.0
"""Seconds that a probe may take; then another call may try."""


class Reason(StrEnum):
    """Why a provider didn't serve. An operator reads them."""

    TIMEOUT = "timeout"
    """It doesn't answer, or answers and then says nothing."""
    FAULT = "fault"
    """It can't be reached, answers 5xx, or breaks off."""
    RATE = "rate"
    """429: too many requests, or the quota is used up."""
    AUTH = "auth"
    """401, 402, 403: the key isn't taken, or the account is in arrears. An operator must act."""
    REFUSED = "refused"
    """Another 4xx: this one request is refused, others may be served."""


class State(StrEnum):
    """The circuit's state."""

    CLOSED = "closed"
    OPEN = "open"
    PROBED = "probed"


class Use(StrEnum):
    """Whether a call may use the provider."""

    YES = "yes"
    CLAIM = "claim"
    """It may be back: use it if `claim` makes this call the prober."""
    NO = "no"


@dataclass(frozen=True, slots=True)
class Circuit:
    """A circuit. The default is that of a provider of whom nothing bad is known."""

    state: State = State.CLOSED
    reason: Reason | None = None
    """Why it was opened last."""
    until: float = 0.0
    """OPEN: when it may be probed; PROBED: when the probe counts as lost."""
    trips: int = 0
    """Times it was opened since it last worked."""
    prober: str = ""
    """The call that probes."""

    def use(self, now: float, who: str) -> Use:
        """Whether the call `who` may use the provider."""
        if self.state is State.CLOSED or (self.state is State.PROBED and self.prober == who):
            return Use.YES
        return Use.CLAIM if now >= self.until else Use.NO

    def claim(self, now: float, who: str) -> Circuit:
        """`who` wants to probe; it may if it is the prober of what comes back."""
        if self.use(now, who) is not Use.CLAIM:
            return self
        return replace(self, state=State.PROBED, until=now + PROBE_WITHIN, prober=who)

    def worked(self) -> Circuit:
        """It has served a request."""
        return Circuit()

    def failed(self, now: float, reason: Reason, retry_after: float | None = None) -> Circuit:
        """It has failed a request. `retry_after`: seconds that a 429 named."""
        if reason is Reason.REFUSED:
            return self
        if self.state is State.OPEN and now < self.until and reason is not Reason.AUTH:
            # Told by a call that had begun before it was opened: nothing new, unless it is to wait longer.
            until = now + _wait(reason, 0, retry_after) if reason is Reason.RATE else 0.0
            return replace(self, until=max(self.until, until))
        until = now + _wait(reason, self.trips, retry_after)
        return Circuit(State.OPEN, reason, until, self.trips + 1)

    def __str__(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: str | bytes) -> Circuit:
        """What `str` wrote. Raises ValueError."""
        try:
            read = json.loads(text)
            reason = Reason(read["reason"]) if read["reason"] else None
            return cls(State(read["state"]), reason, float(read["until"]), int(read["trips"]), str(read["prober"]))
        except (KeyError, TypeError) as bad:
            raise ValueError("no circuit") from bad


def _wait(reason: Reason, trips: int, retry_after: float | None) -> float:
    if reason is Reason.AUTH:
        return AUTH
    if reason is Reason.RATE:
        asked = RATE * 2 ** min(trips, 6) if retry_after is None else retry_after
        return float(min(max(asked, 1.0), RATE_MOST))
    return float(min(FIRST * 2 ** min(trips, 6), MOST))
