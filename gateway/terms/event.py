"""What happens in a call, as an append-only stream; control's writer turns it into rows.

Kinds and their data (JSON; times are seconds since the epoch, UTC; optional values may be absent):

| kind | told by | data |
| --- | --- | --- |
| opened | control | room, dialed, caller (E.164 or null), trunk, route, plan, agent, act, because (its first stop, number 1), pool |
| dispatched | control | epoch, dispatch |
| rejected | control, edge's bus | status, reason |
| taken | job | epoch, job |
| left | job | epoch, why: it leaves the call to another |
| answered | job | epoch (the SIP participant's status is active: the caller can hear this job) |
| turn | job | seq, speaker, text, interrupted, latencies, last_key (`gateway.terms.gap`'s number of the last one keyed in) |
| heard | job | words, speaking, after, keys, keyed_for, last_key (`gateway.terms.kept.Heard`): kept for the next job, never in the stream |
| facts | job | kind ("lead" or "ticket"), fields (all known so far), complete, notify (whom the plan tells of it) |
| callback | job | number (or null), reason, promised |
| no_calls | job | number, why: whose it is is never to be called again |
| switched | job | agent (the new one), reason |
| engine | job | engine (stt, llm, tts), before, now (providers; now is null when nobody serves), why |
| held | job | text (a holding phrase that was said), after (seconds of silence) |
| in_vain | job | after (seconds that the caller had waited for an answer when the agent was given up) |
| stop | control | number (2 for the first that the call was led to), route, act, because |
| leg | job | leg, member, number, event (dialed, ringing, answered, failed, left, dropped), status, reason |
| hold | job | leg (null for the caller), hold (one of `gateway.terms.hold`, null for back): it has put the others on hold |
| handoff | job | leg, tried (a `gateway.terms.handoff.Tried`): what came of asking one of a team |
| transferred | job | to (a name of the plan's `people`, or ""), by ("refer") |
| waiting | job | team, event (entered, left), why |
| message | job | id, file (its name in the messages' directory), seconds, size (bytes), because, team, notify |
| transcribed | agents' worker | id (the message's), text |
| message_done | `offhook messages` | id (the message's), by |
| deliver | job, control | kind, subject, to (addresses), content, urgent, due, until (`gateway.terms.delivery.asked`) |
| hangup | job, control | by (a Party), reason (text) |
| sip | control | status (int), text, by (a Party), codec, quality (`gateway.rtp.quality.of`), why (what the SIP service says of the end, beside the status) – heard from UpdateSIPCallState |
| ended | control | ending (an Ending) |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.terms.call import CallId
from gateway.terms.turn import Speaker


class Kind(StrEnum):
    """The kinds of event; their data is in the module's table."""

    OPENED = "opened"
    DISPATCHED = "dispatched"
    REJECTED = "rejected"
    TAKEN = "taken"
    LEFT = "left"
    """A job leaves the call to another."""
    ANSWERED = "answered"
    TURN = "turn"
    HEARD = "heard"
    """Somebody speaks, or said what isn't a turn yet."""
    FACTS = "facts"
    CALLBACK = "callback"
    NO_CALLS = "no_calls"
    """Somebody wants never to be called again."""
    SWITCHED = "switched"
    ENGINE = "engine"
    """Another provider serves one of the agent's engines."""
    HELD = "held"
    """The caller was told to hold on, because nothing else could be said."""
    IN_VAIN = "in_vain"
    """The caller has waited for an answer that never came."""
    STOP = "stop"
    """The call has come to another stop of its way."""
    LEG = "leg"
    """Something happened to a leg to somebody who is rung."""
    HOLD = "hold"
    """Somebody has put the others on hold, or is back."""
    HANDOFF = "handoff"
    """What came of asking one of a team whether they take the call."""
    TRANSFERRED = "transferred"
    """The caller has got to somebody outside by their own carrier."""
    WAITING = "waiting"
    """The caller entered a team's line, or left it."""
    MESSAGE = "message"
    """The caller has left a message, which is stored."""
    TRANSCRIBED = "transcribed"
    MESSAGE_DONE = "message_done"
    """Somebody has dealt with a message."""
    DELIVER = "deliver"
    """Somebody outside is to be told something."""
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
    uid: str = ""
    """By which it is one event however often it is told; "" where it is told once."""


JOBS = frozenset({Kind.ANSWERED, Kind.TURN, Kind.CALLBACK, Kind.MESSAGE, Kind.TRANSFERRED})
"""The kinds that only jobs tell and that decide how a call has ended."""
REFUSED_WITHIN = 4.0
"""Seconds in which an answer that never comes may have been refused, by who has no key or is down: that tells nothing of how
long callers wait. Who takes longer has let a caller wait."""


def epoch_of(event: Event) -> int:
    """The epoch of the job that told it, as it says; 1 where it says none."""
    epoch = event.data.get("epoch")
    return epoch if isinstance(epoch, int) else 1


def latency(event: Event) -> float | None:
    """The seconds that the caller waited for the agent's answer that the event tells of, or for one that never came; None of
    any other event."""
    if event.kind is Kind.IN_VAIN:
        after = event.data.get("after")
        return float(after) if isinstance(after, int | float) and after > REFUSED_WITHIN else None
    if event.kind is not Kind.TURN or event.data.get("speaker") != Speaker.AGENT.value:
        return None
    told = event.data.get("latencies")
    found = told.get("e2e_latency") if isinstance(told, Mapping) else None
    return float(found) if isinstance(found, int | float) else None


def last_key(event: Event) -> int:
    """The number of the last of the caller's keys that the event has what came of; 0 for none."""
    told = event.data.get("last_key") if event.kind in (Kind.TURN, Kind.HEARD) else None
    return told if isinstance(told, int) else 0
