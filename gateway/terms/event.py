"""What happens in a call, as an append-only stream; control's writer turns it into rows.

Kinds and their data (JSON; times are seconds since the epoch, UTC; optional values may be absent):

| kind | told by | data |
| --- | --- | --- |
| opened | control | room, dialed, caller (E.164 or null), trunk, route, plan, agent, pool |
| dispatched | control | epoch, dispatch |
| rejected | control, edge's bus | status, reason |
| taken | job | epoch, job |
| answered | job | – (the SIP participant's status became active) |
| turn | job | seq, speaker, text, interrupted, latencies |
| facts | job | kind ("lead" or "ticket"), fields (all known so far), complete |
| callback | job | number (or null), reason, promised |
| switched | job | agent (the new one), reason |
| hangup | job, control | by (a Party), reason (text) |
| sip | control | status (int), text, by (a Party), codec – heard from UpdateSIPCallState |
| ended | control | ending (an Ending) |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.terms.call import CallId


class Kind(StrEnum):
    """The kinds of event; their data is in the module's table."""

    OPENED = "opened"
    DISPATCHED = "dispatched"
    REJECTED = "rejected"
    TAKEN = "taken"
    ANSWERED = "answered"
    TURN = "turn"
    FACTS = "facts"
    CALLBACK = "callback"
    SWITCHED = "switched"
    HANGUP = "hangup"
    SIP = "sip"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the stream."""

    call: CallId
    kind: Kind
    at: float
    """Seconds since the epoch (UTC)."""
    data: Mapping[str, object] = field(default_factory=dict)
    """JSON, per the module's table."""
    id: str = ""
    """The stream's own id, needed to acknowledge it; "" before it is appended."""


JOBS = frozenset({Kind.ANSWERED, Kind.TURN, Kind.CALLBACK})
"""The kinds that only jobs tell and that decide how a call has ended."""
