"""An inbound call as a table: (state, event) → effects and the next state. Pure; times are seconds of any clock.

    call, effects = begin(now)
    call, effects = step(call, event, now)       # for each thing that happens; carry the effects out in order
    call, effects = expire(call, now)            # at or after call.deadline()

            TrunkTold        RuleTold          Joined + TrackThere     first RTP, or 1 s
    TRUNK ───────────▶ RULE ───────────▶ JOINING ───────────▶ ANSWERED ───────────▶ ACTIVE
      └───────────────────┴─────────────────┴───── anything that ends it ──┴───────────┴──▶ ENDED

Until ANSWERED the caller hears ringing, and the call ends by a final response; from then on by a BYE. What comes after
the end is ignored: events cross on the wire.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from livekit.protocol.models import DisconnectReason

from gateway.bus.callstate import MAX_DURATION, MEDIA_TIMEOUT, NO_ACK, RINGING_TIMEOUT
from gateway.bus.ioinfo import TrunkFault, Verdict
from gateway.edge.events import (
    EndAsked,
    HangUp,
    Headers,
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
from gateway.edge.inbound.events import (
    Answer,
    AskRule,
    AskTrunk,
    Challenge,
    Effect,
    Event,
    Ignore,
    Join,
    Reject,
    Ring,
    RuleTold,
    TellIncoming,
    TellRoom,
    TrunkTold,
    Unacknowledged,
)
from gateway.edge.session import NEVER, NOT_REFRESHED, Clock, agreed
from gateway.sip.digest import Proof
from gateway.sip.message import phrase_of

RING_AGAIN = 1.0
"""Seconds between two 180s: over UDP one may be lost, and nothing else asks for it again."""
RINGING = 180.0
"""Seconds a call rings when the trunk says nothing."""
LONGEST = 24 * 3600.0
"""Seconds a call may last."""
BRIDGE_AT_LATEST = 1.0
"""Seconds after the answer when the call counts as active even if no RTP has come."""
REALM = "LiveKit"
"""Realm of a challenge where the trunk names none; livekit-sip's."""
TRY_AGAIN = 5
"""Retry-After of a 503, seconds."""


class State(StrEnum):
    """Where a call stands; the module shows the way through them."""

    TRUNK = "trunk"
    RULE = "rule"
    JOINING = "joining"
    ANSWERED = "answered"
    ACTIVE = "active"
    ENDED = "ended"


UNANSWERED = (State.TRUNK, State.RULE, State.JOINING)
TALKING = (State.ANSWERED, State.ACTIVE)


@dataclass(frozen=True, slots=True)
class Call:
    """Where a call stands. Deadlines are None while nothing is awaited."""

    state: State = State.TRUNK
    joined: bool = False
    track: bool = False
    """Somebody in the room can be heard."""
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
_Transition = Callable[[Call, Any, float], Step]
"""The second argument is of the event type that the table names."""


def begin(now: float) -> Step:
    """An INVITE came."""
    return Call(give_up_at=now + RINGING), (AskTrunk(),)


def step(call: Call, event: Event, now: float) -> Step:
    """What to do about an event. Raises IllegalEvent, changing nothing."""
    if call.state is State.ENDED:
        return call, ()
    rule = _TABLE.get((call.state, type(event)))
    if rule is None:
        raise IllegalEvent(f"A call in state {call.state} can't get {type(event).__name__}.")
    return rule(call, event, now)


def expire(call: Call, now: float) -> Step:
    """What to do because time has passed."""
    if call.give_up_at is not None and now >= call.give_up_at:
        if call.state in UNANSWERED:
            reason = DisconnectReason.USER_UNAVAILABLE
            return _refuse(call, 486, "no answer", reason=reason, error=RINGING_TIMEOUT)
        return _hang_up(call, "too long", reason=DisconnectReason.UNKNOWN_REASON, error=MAX_DURATION)
    if call.session.ended(now):
        return _lost(call, SessionLost(), now)
    if call.session.due(now):
        return replace(call, session=NEVER), (Refresh(),)
    if call.bridge_at is not None and now >= call.bridge_at:
        return _bridge(call, MediaHeard(), now)
    if call.ring_at is not None and now >= call.ring_at:
        return replace(call, ring_at=now + RING_AGAIN), (Ring(),)
    return call, ()


def _trunk(call: Call, event: TrunkTold, now: float) -> Step:
    answer = event.answer
    told = TellIncoming(answer.trunk)
    if answer.drop:
        end = TellEnd("dropped", DisconnectReason.UNKNOWN_REASON, error="flood")
        return _ended(call), (told, Ignore(), end)
    if answer.fault is not TrunkFault.NONE:
        code = 503 if answer.fault is TrunkFault.QUOTA else 404
        return _told_first(told, _refuse(call, code, "no match", error=answer.fault))
    if answer.guarded and event.proof in (Proof.NONE, Proof.STALE):
        # Every honest call begins so: it is no call yet, and nobody is told of it.
        return _ended(call), (Challenge(answer.realm or REALM, stale=event.proof is Proof.STALE),)
    if answer.guarded and event.proof is not Proof.GOOD:
        return _told_first(told, _refuse(call, 403, "refused", error="wrong password"))
    ringing = replace(call, state=State.RULE, ring_at=now + RING_AGAIN)
    return ringing, (Ring(), told, AskRule(answer.trunk))


def _rule(call: Call, event: RuleTold, now: float) -> Step:
    answer = event.answer
    if answer.verdict is Verdict.PIN:
        return _refuse(call, 403, "refused", error="the rule demands a PIN")
    if answer.verdict is not Verdict.ACCEPT:
        return _refuse(call, 404, "no match")
    told = TellRoom(answer)
    if event.refusal:
        return _told_first(told, _refuse(call, event.refusal, "no common codec"))
    longest = min(answer.max_duration or LONGEST, LONGEST)
    joining = replace(call, state=State.JOINING, longest=longest, give_up_at=now + (answer.ringing_timeout or RINGING))
    return joining, (told, Join(answer))


def _joined(call: Call, event: Joined, now: float) -> Step:
    return _answer_if_ready(replace(call, joined=True), now)


def _track(call: Call, event: TrackThere, now: float) -> Step:
    return _answer_if_ready(replace(call, track=True), now)


def _answer_if_ready(call: Call, now: float) -> Step:
    if not (call.joined and call.track):
        return call, ()
    answered = replace(
        call,
        state=State.ANSWERED,
        ring_at=None,
        give_up_at=now + call.longest,
        bridge_at=now + BRIDGE_AT_LATEST,
    )
    return answered, (Answer(),)


def _bridge(call: Call, event: MediaHeard, now: float) -> Step:
    return replace(call, state=State.ACTIVE, bridge_at=None), (SetStatus("active"), TellActive())


def _gave_up(call: Call, event: PeerGone, now: float) -> Step:
    reason, error = _caller(event)
    return _refuse(call, 487, "cancelled", reason=reason, error=error, status="hangup")


def _hung_up(call: Call, event: PeerGone, now: float) -> Step:
    reason, error = _caller(event)
    return _ended(call), (Leave("hangup"), TellEnd("served", reason, error, 200, "OK"))


def _put_out(call: Call, event: RoomGone, now: float) -> Step:
    """Out of the room while it rings: control's way to reject a call."""
    if event.reason not in _REMOVED:
        return _refuse(call, 503, "failed", reason=event.reason, error="the room was lost")
    return _refuse(call, reject_status(event.reject), "rejected", reason=event.reason)


def _room_gone(call: Call, event: RoomGone, now: float) -> Step:
    outcome = "served" if event.reason in _REMOVED else "room lost"
    return _hang_up(call, outcome, reason=event.reason, status="")


def _ended_ringing(call: Call, event: EndAsked, now: float) -> Step:
    return _refuse(call, 486, "rejected", reason=DisconnectReason.PARTICIPANT_REMOVED, headers=event.headers)


def _ended_talking(call: Call, event: EndAsked, now: float) -> Step:
    return _hang_up(call, "served", reason=DisconnectReason.PARTICIPANT_REMOVED, headers=event.headers)


def _transferred(call: Call, event: Transferred, now: float) -> Step:
    return _hang_up(call, "transferred", reason=DisconnectReason.CLIENT_INITIATED)


def _media_lost(call: Call, event: MediaLost, now: float) -> Step:
    if event.held:
        return call, ()
    return _hang_up(call, "media lost", reason=DisconnectReason.MEDIA_FAILURE, error=MEDIA_TIMEOUT)


def _lost(call: Call, event: SessionLost, now: float) -> Step:
    return _hang_up(call, "not refreshed", reason=DisconnectReason.CONNECTION_TIMEOUT, error=NOT_REFRESHED)


def _agreed(call: Call, event: SessionAgreed, now: float) -> Step:
    return replace(call, session=agreed(event.timer, now)), ()


def _unacknowledged(call: Call, event: Unacknowledged, now: float) -> Step:
    return _hang_up(call, "no ack", reason=DisconnectReason.CONNECTION_TIMEOUT, error=NO_ACK)


def _unheard(call: Call, event: Unacknowledged, now: float) -> Step:
    """The caller demanded to acknowledge the 180, and never did (RFC 3262 section 3)."""
    return _refuse(call, 504, "no ack", reason=DisconnectReason.CONNECTION_TIMEOUT, error=NO_ACK)


def _no_media(call: Call, event: NoMedia, now: float) -> Step:
    return _hang_up(call, "no common codec", reason=DisconnectReason.MEDIA_FAILURE, error="no common codec")


def _down(call: Call, event: ServiceDown, now: float) -> Step:
    return _refuse(call, 503, "failed", reason=DisconnectReason.JOIN_FAILURE, error=event.what)


def _turn_away(call: Call, event: Stopping, now: float) -> Step:
    return _refuse(call, 503, "stopping", reason=DisconnectReason.SERVER_SHUTDOWN)


def _stop(call: Call, event: Stopping, now: float) -> Step:
    return _hang_up(call, "stopping", reason=DisconnectReason.SERVER_SHUTDOWN)


def _nothing(call: Call, event: Event, now: float) -> Step:
    return call, ()


_TABLE: Mapping[tuple[State, type], _Transition] = {
    (State.TRUNK, TrunkTold): _trunk,
    (State.TRUNK, PeerGone): _gave_up,
    (State.TRUNK, ServiceDown): _down,
    (State.TRUNK, Stopping): _turn_away,
    (State.RULE, RuleTold): _rule,
    (State.RULE, PeerGone): _gave_up,
    (State.RULE, Unacknowledged): _unheard,
    (State.RULE, ServiceDown): _down,
    (State.RULE, Stopping): _turn_away,
    (State.JOINING, Joined): _joined,
    (State.JOINING, TrackThere): _track,
    (State.JOINING, PeerGone): _gave_up,
    (State.JOINING, RoomGone): _put_out,
    (State.JOINING, EndAsked): _ended_ringing,
    (State.JOINING, Unacknowledged): _unheard,
    (State.JOINING, ServiceDown): _down,
    (State.JOINING, Stopping): _turn_away,
    (State.ANSWERED, TrackThere): _nothing,
    (State.ANSWERED, MediaHeard): _bridge,
    (State.ANSWERED, PeerGone): _hung_up,
    (State.ANSWERED, RoomGone): _room_gone,
    (State.ANSWERED, EndAsked): _ended_talking,
    (State.ANSWERED, Transferred): _transferred,
    (State.ANSWERED, SessionAgreed): _agreed,
    (State.ANSWERED, SessionLost): _lost,
    (State.ANSWERED, MediaLost): _media_lost,
    (State.ANSWERED, Unacknowledged): _unacknowledged,
    (State.ANSWERED, NoMedia): _no_media,
    (State.ANSWERED, Stopping): _stop,
    (State.ACTIVE, TrackThere): _nothing,
    (State.ACTIVE, MediaHeard): _nothing,
    (State.ACTIVE, PeerGone): _hung_up,
    (State.ACTIVE, RoomGone): _room_gone,
    (State.ACTIVE, EndAsked): _ended_talking,
    (State.ACTIVE, Transferred): _transferred,
    (State.ACTIVE, SessionAgreed): _agreed,
    (State.ACTIVE, SessionLost): _lost,
    (State.ACTIVE, MediaLost): _media_lost,
    (State.ACTIVE, Unacknowledged): _unacknowledged,
    (State.ACTIVE, NoMedia): _no_media,
    (State.ACTIVE, Stopping): _stop,
}
_REMOVED = frozenset(
    {DisconnectReason.PARTICIPANT_REMOVED, DisconnectReason.ROOM_DELETED, DisconnectReason.ROOM_CLOSED}
)
"""Somebody wanted the call to end; any other reason is a fault."""


def reject_status(wish: str) -> int:
    """The status that an `offhook.reject` attribute names: 300 to 699, else 486 (RFC 3261 section 21)."""
    return int(wish) if re.fullmatch("[3-6][0-9]{2}", wish) else 486


def _caller(event: PeerGone) -> tuple[int, str]:
    """Reason and error text of an end by the caller."""
    if event.lost:
        return DisconnectReason.CONNECTION_TIMEOUT, "the caller can't be reached"
    return DisconnectReason.CLIENT_INITIATED, ""


def _refuse(
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
    if call.state is State.JOINING:
        effects += (Leave(status),)
    return _ended(call), (*effects, TellEnd(outcome, reason, error, code, phrase))


def _hang_up(
    call: Call, outcome: str, *, reason: int, error: str = "", status: str = "hangup", headers: Headers = ()
) -> Step:
    """End a call that was answered, with a BYE."""
    return _ended(call), (HangUp(headers), Leave(status), TellEnd(outcome, reason, error, 200, "OK"))


def _ended(call: Call) -> Call:
    return replace(call, state=State.ENDED, ring_at=None, give_up_at=None, bridge_at=None, session=NEVER)


def _told_first(told: Effect, rest: Step) -> Step:
    call, effects = rest
    return call, (told, *effects)
