"""An outbound call as a table: (state, event) → effects and the next state. Pure; times are seconds of any clock.

    call, effects = begin(Wish(…), now)
    call, effects = step(call, event, now)       # for each thing that happens; carry the effects out in order
    call, effects = expire(call, now)            # at or after call.deadline()

             Joined        Ringing       Accepted             KeysSent
    JOINING ───────▶ DIALING ────▶ RINGING ────▶ [KEYING, with keys] ────▶ ACTIVE
       └────────────────┴─────────────┴─── anything that ends it ──┴──────────┴──▶ ENDED

The request that asked for the call is answered once: when the call is being dialed or, where that was asked for, when
its peer has answered; with an error when it ends before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from livekit.protocol.models import DisconnectReason

from gateway.bus.callstate import MAX_DURATION, MEDIA_TIMEOUT, RINGING_TIMEOUT, ROOM_LOST
from gateway.edge.events import (
    EndAsked,
    HangUp,
    Headers,
    Hearing,
    IllegalEvent,
    Joined,
    Leave,
    MediaHeard,
    MediaLost,
    NoMedia,
    PeerGone,
    Refresh,
    RoomGone,
    ServiceDown,
    SessionAgreed,
    SessionLost,
    SetStatus,
    Stopping,
    TellActive,
    TellEnd,
    TrackThere,
    Transferred,
)
from gateway.edge.outbound.events import (
    Accepted,
    Created,
    Effect,
    Event,
    Failed,
    GivenUp,
    GiveUp,
    Invite,
    Join,
    KeysSent,
    PressKeys,
    Refused,
    Ringing,
    TellJoined,
)
from gateway.edge.session import NEVER, NOT_REFRESHED, Clock, agreed
from gateway.sip.message import phrase_of

RINGING = 180.0
"""Seconds a call rings when nothing is said of it."""
LONGEST = 24 * 3600.0
"""Seconds a call may last."""


class State(StrEnum):
    """Where a call stands; the module shows the way through them."""

    JOINING = "joining"
    DIALING = "dialing"
    RINGING = "ringing"
    KEYING = "keying"
    ACTIVE = "active"
    ENDED = "ended"


TALKING = (State.KEYING, State.ACTIVE)
_INVITED = (State.DIALING, State.RINGING)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the machine has to know of the call that is asked for."""

    waits: bool = False
    """The request is answered when the peer has answered."""
    keys: bool = False
    """Keys are to be pressed after the answer."""
    ringing: float = RINGING
    """Seconds it may ring."""
    longest: float = LONGEST
    """Seconds it may last from the answer on."""


@dataclass(frozen=True, slots=True)
class Call:
    """Where a call stands."""

    wish: Wish
    state: State = State.JOINING
    replied: bool = False
    """The request has been answered."""
    give_up_at: float | None = None
    """When it has rung, or lasted, for too long."""
    session: Clock = NEVER

    def deadline(self) -> float | None:
        """When to call `expire`."""
        return min((at for at in (self.give_up_at, self.session.deadline()) if at is not None), default=None)


Step = tuple[Call, tuple[Effect, ...]]
_Transition = Callable[[Call, Any, float], Step]
"""The second argument is of the event type that the table names."""


def begin(wish: Wish, now: float) -> Step:
    """A call is asked for."""
    return Call(wish), (Join(),)


def step(call: Call, event: Event, now: float) -> Step:
    """What to do about an event. Raises IllegalEvent, changing nothing."""
    if call.state is State.ENDED:
        return call, ()
    rule = _TABLE.get((call.state, type(event)))
    if rule is None:
        raise IllegalEvent(f"An outbound call in state {call.state} can't get {type(event).__name__}.")
    return rule(call, event, now)


def expire(call: Call, now: float) -> Step:
    """What to do because time has passed."""
    if call.session.ended(now):
        return _lost(call, SessionLost(), now)
    if call.session.due(now):
        return replace(call, session=NEVER), (Refresh(),)
    if call.give_up_at is None or now < call.give_up_at:
        return call, ()
    if call.state in TALKING:
        return _hang_up(call, "too long", reason=DisconnectReason.UNKNOWN_REASON, error=MAX_DURATION)
    return _fail(call, 408, outcome="no answer", reason=DisconnectReason.USER_UNAVAILABLE, error=RINGING_TIMEOUT)


def _joined(call: Call, event: Joined, now: float) -> Step:
    dialing = replace(call, state=State.DIALING, give_up_at=now + call.wish.ringing)
    if call.wish.waits:
        return dialing, (TellJoined(), Invite())
    return replace(dialing, replied=True), (TellJoined(), Created(), Invite())


def _ringing(call: Call, event: Ringing, now: float) -> Step:
    return replace(call, state=State.RINGING), (SetStatus("ringing"),)


def _accepted(call: Call, event: Accepted, now: float) -> Step:
    keys = call.wish.keys
    state = State.KEYING if keys else State.ACTIVE
    up = replace(call, state=state, replied=True, give_up_at=now + call.wish.longest)
    effects: tuple[Effect, ...] = (SetStatus("automation"), PressKeys()) if keys else (SetStatus("active"),)
    return up, (*effects, TellActive(), *(() if call.replied else (Created(),)))


def _keyed(call: Call, event: KeysSent, now: float) -> Step:
    return replace(call, state=State.ACTIVE), (SetStatus("active"),)


def _refused(call: Call, event: Refused, now: float) -> Step:
    reason = DisconnectReason.SIP_TRUNK_FAILURE if event.trunk else _REASONS.get(event.code, _reason(event.code))
    return _fail(call, event.code, event.text, outcome=_outcome(event), reason=reason, invited=False)


def _no_media(call: Call, event: NoMedia, now: float) -> Step:
    """The peer's answer can't be used: it has been acknowledged and ended."""
    return _fail(call, 488, outcome="no common codec", reason=DisconnectReason.MEDIA_FAILURE, invited=False)


def _down(call: Call, event: ServiceDown, now: float) -> Step:
    return _fail(call, 0, event.what, outcome="failed", reason=DisconnectReason.JOIN_FAILURE, error=event.what)


def _put_out(call: Call, event: RoomGone, now: float) -> Step:
    """Out of the room before the answer: nobody wants the call any more."""
    return _fail(call, 487, outcome="cancelled", reason=event.reason)


def _given_up(call: Call, event: GivenUp, now: float) -> Step:
    return _fail(call, 487, outcome="cancelled", reason=DisconnectReason.CLIENT_INITIATED)


def _unwanted(call: Call, event: EndAsked, now: float) -> Step:
    return _fail(call, 487, outcome="cancelled", reason=DisconnectReason.PARTICIPANT_REMOVED)


def _ended_talking(call: Call, event: EndAsked, now: float) -> Step:
    return _hang_up(call, "served", reason=DisconnectReason.PARTICIPANT_REMOVED, headers=event.headers)


def _turn_away(call: Call, event: Stopping, now: float) -> Step:
    return _fail(call, 503, outcome="stopping", reason=DisconnectReason.SERVER_SHUTDOWN)


def _hung_up(call: Call, event: PeerGone, now: float) -> Step:
    reason = DisconnectReason.CONNECTION_TIMEOUT if event.lost else DisconnectReason.CLIENT_INITIATED
    error = "the callee can't be reached" if event.lost else ""
    return _ended(call), (Leave("hangup", reason), TellEnd("served", reason, error, 200, "OK"))


def _gone_at_once(call: Call, event: PeerGone, now: float) -> Step:
    """The callee has hung up before we were done with its answer."""
    return _fail(call, 487, outcome="served", reason=DisconnectReason.CLIENT_INITIATED, invited=False)


def _room_gone(call: Call, event: RoomGone, now: float) -> Step:
    if event.reason in _REMOVED:
        return _hang_up(call, "served", reason=event.reason, status="")
    return _hang_up(call, "room lost", reason=event.reason, error=ROOM_LOST, status="")


def _transferred(call: Call, event: Transferred, now: float) -> Step:
    return _hang_up(call, "transferred", reason=DisconnectReason.CLIENT_INITIATED)


def _media_lost(call: Call, event: MediaLost, now: float) -> Step:
    if event.held:
        return call, ()
    return _cut_off(call, "media lost", DisconnectReason.MEDIA_FAILURE, MEDIA_TIMEOUT)


def _lost(call: Call, event: SessionLost, now: float) -> Step:
    return _cut_off(call, "not refreshed", DisconnectReason.CONNECTION_TIMEOUT, NOT_REFRESHED)


def _agreed(call: Call, event: SessionAgreed, now: float) -> Step:
    return replace(call, session=agreed(event.timer, now)), ()


def _stop(call: Call, event: Stopping, now: float) -> Step:
    return _hang_up(call, "stopping", reason=DisconnectReason.SERVER_SHUTDOWN)


def _nothing(call: Call, event: Event, now: float) -> Step:
    return call, ()


_REMOVED = frozenset(
    {DisconnectReason.PARTICIPANT_REMOVED, DisconnectReason.ROOM_DELETED, DisconnectReason.ROOM_CLOSED}
)
"""Somebody wanted the call to end; any other reason is a fault."""
_TABLE: Mapping[tuple[State, type], _Transition] = {
    (State.JOINING, Joined): _joined,
    (State.JOINING, TrackThere): _nothing,
    (State.JOINING, RoomGone): _put_out,
    (State.JOINING, ServiceDown): _down,
    (State.JOINING, GivenUp): _given_up,
    **{(state, EndAsked): _unwanted for state in (State.JOINING, *_INVITED)},
    **{(state, EndAsked): _ended_talking for state in TALKING},
    (State.JOINING, Stopping): _turn_away,
    **{(state, TrackThere): _nothing for state in (*_INVITED, *TALKING)},
    **{(state, MediaHeard): _nothing for state in (*_INVITED, *TALKING)},
    **{(state, Hearing): _nothing for state in (State.JOINING, *_INVITED, *TALKING)},
    (State.DIALING, Ringing): _ringing,
    (State.RINGING, Ringing): _nothing,
    **{(state, Accepted): _accepted for state in _INVITED},
    **{(state, Refused): _refused for state in _INVITED},
    **{(state, NoMedia): _no_media for state in _INVITED},
    **{(state, ServiceDown): _down for state in _INVITED},
    **{(state, RoomGone): _put_out for state in _INVITED},
    **{(state, GivenUp): _given_up for state in _INVITED},
    **{(state, Stopping): _turn_away for state in _INVITED},
    **{(state, PeerGone): _gone_at_once for state in _INVITED},
    **{(state, MediaLost): _nothing for state in _INVITED},  # early media ends before the answer
    (State.KEYING, KeysSent): _keyed,
    **{(state, PeerGone): _hung_up for state in TALKING},
    **{(state, RoomGone): _room_gone for state in TALKING},
    **{(state, Transferred): _transferred for state in TALKING},
    **{(state, MediaLost): _media_lost for state in TALKING},
    **{(state, SessionAgreed): _agreed for state in TALKING},
    **{(state, SessionLost): _lost for state in TALKING},
    **{(state, Stopping): _stop for state in TALKING},
    **{(state, GivenUp): _nothing for state in TALKING},
}
_REJECTED, _UNAVAILABLE = DisconnectReason.USER_REJECTED, DisconnectReason.USER_UNAVAILABLE
_REASONS = {
    401: _REJECTED,
    403: _REJECTED,
    407: _REJECTED,
    486: _REJECTED,
    600: _REJECTED,
    603: _REJECTED,
    607: _REJECTED,
    608: _REJECTED,
    404: _UNAVAILABLE,
    408: _UNAVAILABLE,
    410: _UNAVAILABLE,
    480: _UNAVAILABLE,
    487: _UNAVAILABLE,
    604: _UNAVAILABLE,
}
"""LiveKit's reason for a SIP status, as livekit-sip gives it."""


def _reason(code: int) -> DisconnectReason:
    return DisconnectReason.SIP_TRUNK_FAILURE if code >= 500 else DisconnectReason.UNKNOWN_REASON


def _outcome(event: Refused) -> str:
    if event.trunk:
        return "unreachable"
    return {486: "busy", 600: "busy", 603: "declined", 480: "no answer", 408: "no answer"}.get(event.code, "refused")


def _fail(
    call: Call,
    code: int,
    text: str = "",
    *,
    outcome: str,
    reason: DisconnectReason | int,
    error: str = "",
    invited: bool = True,
) -> Step:
    """End a call that wasn't answered. With `invited`, an INVITE that is under way is cancelled."""
    text = text or (phrase_of(code) if code else "")
    effects: tuple[Effect, ...] = (GiveUp(),) if invited and call.state in _INVITED else ()
    if not call.replied:
        effects += (Failed(code, text),)
    end = TellEnd(outcome, reason, error or text, code, text)
    return _ended(call), (*effects, Leave("", reason), end)


def _hang_up(
    call: Call, outcome: str, *, reason: int, error: str = "", status: str = "hangup", headers: Headers = ()
) -> Step:
    """End a call that was answered, with a BYE."""
    return _ended(call), (HangUp(headers), Leave(status), TellEnd(outcome, reason, error, 200, "OK"))


def _cut_off(call: Call, outcome: str, reason: int, error: str) -> Step:
    """End an answered call that nobody has ended. The room is told so."""
    return _ended(call), (HangUp(), Leave("hangup", reason), TellEnd(outcome, reason, error, 200, "OK"))


def _ended(call: Call) -> Call:
    return replace(call, state=State.ENDED, replied=True, give_up_at=None, session=NEVER)
