"""An inbound call as a table: (state, event) → effects and the next state. Pure; times are seconds of any clock.

    call, effects = begin(now)
    call, effects = step(call, event, now)       # for each thing that happens; carry the effects out in order
    call, effects = expire(call, now)            # at or after call.deadline()

            TrunkTold        RuleTold          Joined + TrackThere     first RTP, or 1 s
    TRUNK ───────────▶ RULE ───────────▶ JOINING ───────────▶ ANSWERED ───────────▶ ACTIVE
      │                 │ PIN           PinKeyed          RuleTold         Joined + TrackThere
      │                 └────────▶ PIN ─────────▶ CHECKING ───────▶ ENTERING ─────────▶ ACTIVE
      │                             ▲──── wrong ────┘
      └─────────── anything that ends it, from any of them ───────────────────────▶ ENDED

Until ANSWERED or PIN the caller hears ringing, and the call ends by a final response; from then on by a BYE. What comes
after the end is ignored: events cross on the wire.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from livekit.protocol.models import DisconnectReason

from gateway.bus.callstate import MAX_DURATION, MEDIA_TIMEOUT, NO_ACK, RINGING_TIMEOUT, ROOM_LOST
from gateway.bus.ioinfo import TrunkFault, Verdict
from gateway.edge.events import (
    EndAsked,
    Hearing,
    IllegalEvent,
    Joined,
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
    AskPin,
    AskRule,
    AskTrunk,
    Challenge,
    Comfort,
    Dismiss,
    Dismissed,
    Effect,
    Event,
    Ignore,
    Join,
    PinKeyed,
    Prompt,
    Ring,
    RuleTold,
    TellIncoming,
    TellRoom,
    TrunkTold,
    Unacknowledged,
)
from gateway.edge.inbound.state import (
    BRIDGE_AT_LATEST,
    HEAR_AT_LATEST,
    LONGEST,
    PIN_TRIES,
    PIN_WITHIN,
    REALM,
    REMOVED,
    RING_AGAIN,
    RINGING,
    TALKING,
    UNANSWERED,
    Call,
    State,
    Step,
    ended,
    hang_up,
    refuse,
    reject_status,
    told_first,
)
from gateway.edge.session import NEVER, NOT_REFRESHED, agreed
from gateway.sip.sign_in import Proof

WRONG_PIN = "wrong PIN"
SIGNED_ELSEWHERE = "the password's proof is for another number"
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
            # Nobody has come who could be heard, not even to say that nobody can: a carrier may know another way.
            return refuse(call, 503, "no answer", reason=reason, error=RINGING_TIMEOUT)
        if call.state in (State.PIN, State.CHECKING):
            return hang_up(call, "refused", reason=DisconnectReason.USER_REJECTED, error=WRONG_PIN)
        if call.state is State.ENTERING:
            return hang_up(call, "no answer", reason=DisconnectReason.USER_UNAVAILABLE, error=RINGING_TIMEOUT)
        return hang_up(call, "too long", reason=DisconnectReason.UNKNOWN_REASON, error=MAX_DURATION)
    if call.session.ended(now):
        return _lost(call, SessionLost(), now)
    if call.session.due(now):
        return replace(call, session=NEVER), (Refresh(),)
    if call.bridge_at is not None and now >= call.bridge_at:
        if call.hearing or call.media:
            return _bridge(call)
        return replace(call, media=True, bridge_at=now + HEAR_AT_LATEST), ()
    if call.ring_at is not None and now >= call.ring_at:
        return replace(call, ring_at=now + RING_AGAIN), (Ring(),)
    return call, ()


def _trunk(call: Call, event: TrunkTold, now: float) -> Step:
    answer = event.answer
    told = TellIncoming(answer.trunk)
    if answer.drop:
        end = TellEnd("dropped", DisconnectReason.UNKNOWN_REASON, error="flood")
        return ended(call), (told, Ignore(), end)
    if answer.fault is not TrunkFault.NONE:
        code = 503 if answer.fault is TrunkFault.QUOTA else 404
        return told_first(told, refuse(call, code, "no match", error=answer.fault))
    if answer.guarded and event.proof in (Proof.NONE, Proof.STALE):
        # Every honest call begins so: it is no call yet, and nobody is told of it.
        return ended(call), (Challenge(answer.realm or REALM, stale=event.proof is Proof.STALE),)
    if answer.guarded and event.proof is not Proof.GOOD:
        elsewhere = event.proof is Proof.ELSEWHERE
        return told_first(told, refuse(call, 403, "refused", error=SIGNED_ELSEWHERE if elsewhere else "wrong password"))
    if event.full:
        return told_first(told, refuse(call, 503, event.full))
    ringing = replace(call, state=State.RULE, trunk=answer.trunk, ring_at=now + RING_AGAIN)
    return ringing, (Ring(), told, AskRule(answer.trunk))


def _rule(call: Call, event: RuleTold, now: float) -> Step:
    answer = event.answer
    if answer.verdict not in (Verdict.ACCEPT, Verdict.PIN):
        return refuse(call, 404, "no match")
    if event.refusal:
        told: tuple[Effect, ...] = (TellRoom(answer),) if answer.verdict is Verdict.ACCEPT else ()
        call, effects = refuse(call, event.refusal, "no common codec", headers=event.headers)
        return call, (*told, *effects)
    if answer.verdict is Verdict.PIN:
        asking = replace(call, state=State.PIN, ring_at=None, give_up_at=now + PIN_WITHIN)
        return asking, (Answer(), AskPin(Prompt.ENTER))
    longest = min(answer.max_duration or LONGEST, LONGEST)
    joining = replace(call, state=State.JOINING, longest=longest, give_up_at=now + (answer.ringing_timeout or RINGING))
    return joining, (TellRoom(answer), Join(answer))


def _keyed(call: Call, event: PinKeyed, now: float) -> Step:
    return replace(call, state=State.CHECKING), (AskRule(call.trunk, event.pin),)


def _checked(call: Call, event: RuleTold, now: float) -> Step:
    answer = event.answer
    if event.refusal:
        return hang_up(call, "no common codec", reason=DisconnectReason.MEDIA_FAILURE, error="no common codec")
    if answer.verdict is not Verdict.ACCEPT:
        return _wrong(replace(call, tries=call.tries + 1))
    longest = min(answer.max_duration or LONGEST, LONGEST)
    entering = replace(
        call, state=State.ENTERING, longest=longest, give_up_at=now + (answer.ringing_timeout or RINGING)
    )
    return entering, (TellRoom(answer), Join(answer, "active"), Comfort())


def _wrong(call: Call) -> Step:
    if call.tries < PIN_TRIES:
        return replace(call, state=State.PIN), (AskPin(Prompt.AGAIN),)
    return replace(call, state=State.PIN), (Dismiss(),)


def _dismissed(call: Call, event: Dismissed, now: float) -> Step:
    return hang_up(call, "refused", reason=DisconnectReason.USER_REJECTED, error=WRONG_PIN)


def _seat_taken(call: Call, event: Joined, now: float) -> Step:
    return _enter_if_ready(replace(call, joined=True), now)


def _seat_heard(call: Call, event: TrackThere, now: float) -> Step:
    return _enter_if_ready(replace(call, track=True), now)


def _enter_if_ready(call: Call, now: float) -> Step:
    if not (call.joined and call.track):
        return call, ()
    return replace(call, state=State.ACTIVE, give_up_at=now + call.longest), (TellActive(),)


def _cut_off(call: Call, event: ServiceDown, now: float) -> Step:
    return hang_up(call, "failed", reason=DisconnectReason.JOIN_FAILURE, error=event.what)


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


def _media_heard(call: Call, event: MediaHeard, now: float) -> Step:
    if call.hearing:
        return _bridge(call)
    return replace(call, media=True, bridge_at=now + HEAR_AT_LATEST), ()


def _hearing(call: Call, event: Hearing, now: float) -> Step:
    call = replace(call, hearing=True)
    return _bridge(call) if call.state is State.ANSWERED and call.media else (call, ())


def _bridge(call: Call) -> Step:
    return replace(call, state=State.ACTIVE, bridge_at=None), (SetStatus("active"), TellActive())


def _gave_up(call: Call, event: PeerGone, now: float) -> Step:
    reason, error = _caller(event)
    return refuse(call, 487, "cancelled", reason=reason, error=error, status="hangup")


def _hung_up(call: Call, event: PeerGone, now: float) -> Step:
    reason, error = _caller(event)
    over, (_, *rest) = hang_up(call, "served", reason=reason, error=error, lost=event.lost)
    return over, tuple(rest)


def _put_out(call: Call, event: RoomGone, now: float) -> Step:
    """Out of the room while it rings: control's way to reject a call."""
    if event.reason not in REMOVED:
        return refuse(call, 503, "failed", reason=event.reason, error="the room was lost")
    return refuse(call, reject_status(event.reject), "rejected", reason=event.reason)


def _room_gone(call: Call, event: RoomGone, now: float) -> Step:
    if event.reason in REMOVED:
        return hang_up(call, "served", reason=event.reason, status="")
    return hang_up(call, "room lost", reason=event.reason, error=ROOM_LOST, status="")


def _ended_ringing(call: Call, event: EndAsked, now: float) -> Step:
    return refuse(call, 486, "rejected", reason=DisconnectReason.PARTICIPANT_REMOVED, headers=event.headers)


def _ended_talking(call: Call, event: EndAsked, now: float) -> Step:
    return hang_up(call, "served", reason=DisconnectReason.PARTICIPANT_REMOVED, headers=event.headers)


def _transferred(call: Call, event: Transferred, now: float) -> Step:
    return hang_up(call, "transferred", reason=DisconnectReason.CLIENT_INITIATED)


def _media_lost(call: Call, event: MediaLost, now: float) -> Step:
    if event.held:
        return call, ()
    return hang_up(call, "media lost", reason=DisconnectReason.MEDIA_FAILURE, error=MEDIA_TIMEOUT, lost=True)


def _lost(call: Call, event: SessionLost, now: float) -> Step:
    return hang_up(call, "not refreshed", reason=DisconnectReason.CONNECTION_TIMEOUT, error=NOT_REFRESHED, lost=True)


def _agreed(call: Call, event: SessionAgreed, now: float) -> Step:
    return replace(call, session=agreed(event.timer, now)), ()


def _unacknowledged(call: Call, event: Unacknowledged, now: float) -> Step:
    return hang_up(call, "no ack", reason=DisconnectReason.CONNECTION_TIMEOUT, error=NO_ACK)


def _unheard(call: Call, event: Unacknowledged, now: float) -> Step:
    """The caller demanded to acknowledge the 180, and never did (RFC 3262 section 3)."""
    return refuse(call, 504, "no ack", reason=DisconnectReason.CONNECTION_TIMEOUT, error=NO_ACK)


def _no_media(call: Call, event: NoMedia, now: float) -> Step:
    return hang_up(call, "no common codec", reason=DisconnectReason.MEDIA_FAILURE, error="no common codec")


def _down(call: Call, event: ServiceDown, now: float) -> Step:
    return refuse(call, event.status, "failed", reason=DisconnectReason.JOIN_FAILURE, error=event.what)


def _turn_away(call: Call, event: Stopping, now: float) -> Step:
    return refuse(call, 503, "stopping", reason=DisconnectReason.SERVER_SHUTDOWN)


def _stop(call: Call, event: Stopping, now: float) -> Step:
    return hang_up(call, "stopping", reason=DisconnectReason.SERVER_SHUTDOWN)


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
    (State.PIN, PinKeyed): _keyed,
    (State.PIN, Dismissed): _dismissed,
    (State.CHECKING, RuleTold): _checked,
    **{(state, ServiceDown): _cut_off for state in (State.PIN, State.CHECKING, State.ENTERING)},
    (State.ENTERING, Joined): _seat_taken,
    (State.ENTERING, TrackThere): _seat_heard,
    **{(state, MediaHeard): _nothing for state in TALKING if state is not State.ANSWERED},
    (State.ANSWERED, MediaHeard): _media_heard,
    **{(state, Hearing): _hearing for state in (State.JOINING, State.ENTERING, State.ANSWERED, State.ACTIVE)},
    **{(state, TrackThere): _nothing for state in (State.ANSWERED, State.ACTIVE)},
    **{(state, RoomGone): _room_gone for state in (State.ENTERING, State.ANSWERED, State.ACTIVE)},
    **{(state, EndAsked): _ended_talking for state in (State.ENTERING, State.ANSWERED, State.ACTIVE)},
    **{(state, PeerGone): _hung_up for state in TALKING},
    **{(state, Transferred): _transferred for state in TALKING},
    **{(state, SessionAgreed): _agreed for state in TALKING},
    **{(state, SessionLost): _lost for state in TALKING},
    **{(state, MediaLost): _media_lost for state in TALKING},
    **{(state, Unacknowledged): _unacknowledged for state in TALKING},
    **{(state, NoMedia): _no_media for state in TALKING},
    **{(state, Stopping): _stop for state in TALKING},
}


def _caller(event: PeerGone) -> tuple[int, str]:
    """Reason and error text of an end by the caller."""
    if event.lost:
        return DisconnectReason.CONNECTION_TIMEOUT, "the caller can't be reached"
    return DisconnectReason.CLIENT_INITIATED, ""
