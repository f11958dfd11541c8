"""Where an inbound call stands, and how it ends: what `gateway.edge.inbound.machine` is made of. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from livekit.protocol.models import DisconnectReason

from gateway.edge.events import HangUp, Headers, Leave, TellEnd
from gateway.edge.inbound.events import Effect, Reject
from gateway.edge.session import NEVER, Clock
from gateway.sip.message import phrase_of

RING_AGAIN = 1.0
"""Seconds between two 180s: over UDP one may be lost, and nothing else asks for it again."""
RINGING = 180.0
"""Seconds a call rings when the trunk says nothing."""
LONGEST = 24 * 3600.0
"""Seconds a call may last."""
PIN_WITHIN = 90.0
"""Seconds that a caller has to key the right PIN."""
PIN_TRIES = 3
BRIDGE_AT_LATEST = 1.0
"""Seconds after the answer when the call counts as active even if no RTP has come."""
HEAR_AT_LATEST = 2.0
"""Seconds more that it waits for the room's audio to arrive: an agent speaks when it is active, and would else speak to
nobody on a busy machine."""
REALM = "LiveKit"
"""Realm of a challenge where the trunk names none; livekit-sip's."""
TRY_AGAIN = 5
"""Retry-After of a 503, seconds."""


class State(StrEnum):
    """Where a call stands; `gateway.edge.inbound.machine` shows the way through them."""

    TRUNK = "trunk"
    RULE = "rule"
    PIN = "pin"
    CHECKING = "checking"
    ENTERING = "entering"
    JOINING = "joining"
    ANSWERED = "answered"
    ACTIVE = "active"
    ENDED = "ended"


UNANSWERED = (State.TRUNK, State.RULE, State.JOINING)
TALKING = (State.PIN, State.CHECKING, State.ENTERING, State.ANSWERED, State.ACTIVE)
"""There is a dialog."""
_SEATED = (State.JOINING, State.ENTERING, State.ANSWERED, State.ACTIVE)
"""There is a room that we are in, or about to be."""


@dataclass(frozen=True, slots=True)
class Call:
    """Where a call stands. Deadlines are None while nothing is awaited."""

    state: State = State.TRUNK
    trunk: str = ""
    tries: int = 0
    """PINs that were wrong."""
    joined: bool = False
    track: bool = False
    """Somebody in the room can be heard."""
    hearing: bool = False
    """… and is."""
    media: bool = False
    """The caller has sent RTP, or had the time to."""
    longest: float = LONGEST
    """Seconds the call may last, from its answer."""
    ring_at: float | None = None
    """When the next 180 is due."""
    give_up_at: float | None = None
    """When it has rung, or lasted, for too long."""
    bridge_at: float | None = None
    session: Clock = NEVER

    def deadline(self) -> float | None:
        """When to call `expire`."""
        awaited = (self.ring_at, self.give_up_at, self.bridge_at, self.session.deadline())
        return min((at for at in awaited if at is not None), default=None)


Step = tuple[Call, tuple[Effect, ...]]


def refuse(
    call: Call,
    code: int,
    outcome: str,
    *,
    reason: int = DisconnectReason.UNKNOWN_REASON,
    error: str = "",
    status: str = "",
    headers: Headers = (),
) -> Step:
    """End a call that wasn't answered. The caller's side hears of it first."""
    phrase = phrase_of(code)
    effects: tuple[Effect, ...] = (Reject(code, phrase, TRY_AGAIN if code == 503 else 0, headers),)
    if call.state in _SEATED:
        effects += (Leave(status),)
    return ended(call), (*effects, TellEnd(outcome, reason, error, code, phrase))


def hang_up(
    call: Call,
    outcome: str,
    *,
    reason: int,
    error: str = "",
    status: str = "hangup",
    headers: Headers = (),
    lost: bool = False,
) -> Step:
    """End a call that was answered, with a BYE. `lost`: nobody has ended it, and the room is told so."""
    leave = Leave(status, reason) if lost else Leave(status)
    effects: tuple[Effect, ...] = (HangUp(headers), leave) if call.state in _SEATED else (HangUp(headers),)
    return ended(call), (*effects, TellEnd(outcome, reason, error, 200, "OK"))


def ended(call: Call) -> Call:
    """The call, over: nothing is awaited any more."""
    return replace(call, state=State.ENDED, ring_at=None, give_up_at=None, bridge_at=None, session=NEVER)


def told_first(told: Effect, rest: Step) -> Step:
    """The step, with one more effect before all others."""
    call, effects = rest
    return call, (told, *effects)


def reject_status(wish: str) -> int:
    """The status that an `offhook.reject` attribute names: 300 to 699, else 486 (RFC 3261 section 21)."""
    return int(wish) if re.fullmatch("[3-6][0-9]{2}", wish) else 486


REMOVED = frozenset({DisconnectReason.PARTICIPANT_REMOVED, DisconnectReason.ROOM_DELETED, DisconnectReason.ROOM_CLOSED})
"""Somebody wanted the call to end; any other reason is a fault."""
