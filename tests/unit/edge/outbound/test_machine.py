from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol.models import DisconnectReason

from gateway.edge import events as ev
from gateway.edge.events import IllegalEvent
from gateway.edge.outbound import events as own
from gateway.edge.outbound.machine import TALKING, Call, State, Wish, begin, expire, step
from gateway.sip.session_timer import SessionTimer

ASKS = Wish(ringing=20, longest=7200)
WAITS = Wish(waits=True, ringing=20, longest=7200)


def after(wish: Wish, *happened: own.Event, at: float = 0.0) -> tuple[Call, tuple[own.Effect, ...]]:
    """The state after events, and the effects of the last."""
    call, effects = begin(wish, at)
    for event in happened:
        call, effects = step(call, event, at)
    return call, effects


def end(effects: tuple[own.Effect, ...]) -> ev.TellEnd:
    assert isinstance(effects[-1], ev.TellEnd)
    return effects[-1]


DIALING = (ev.Joined(),)
RINGING = (*DIALING, own.Ringing())
ACTIVE = (*RINGING, own.Accepted())


def test_the_way_of_a_call_that_is_waited_for() -> None:
    call, effects = begin(WAITS, 0.0)
    assert effects == (own.Join(),)
    call, effects = step(call, ev.Joined(), 0.1)
    assert effects == (own.TellJoined(), own.Invite())
    assert call.deadline() == 20.1, "ringing counts from the INVITE"
    call, effects = step(call, own.Ringing(), 0.2)
    assert effects == (ev.SetStatus("ringing"),)
    call, effects = step(call, own.Ringing(), 0.3)
    assert effects == ()
    call, effects = step(call, own.Accepted(), 5.0)
    assert (call.state, effects) == (State.ACTIVE, (ev.SetStatus("active"), ev.TellActive(), own.Created()))
    assert call.deadline() == 7205.0
    call, effects = step(call, ev.PeerGone(), 60.0)
    assert effects == (ev.Leave("hangup"), ev.TellEnd("served", DisconnectReason.CLIENT_INITIATED, "", 200, "OK"))


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (ev.PeerGone(lost=True), DisconnectReason.CONNECTION_TIMEOUT),
        (ev.MediaLost(), DisconnectReason.MEDIA_FAILURE),
        (ev.SessionLost(), DisconnectReason.CONNECTION_TIMEOUT),
    ],
)
def test_the_room_is_told_of_an_end_that_nobody_wanted(event: ev.Event, reason: DisconnectReason) -> None:
    _, effects = after(WAITS, *DIALING, own.Accepted(), event)
    assert ev.Leave("hangup", reason) in effects


def test_a_call_that_is_not_waited_for_is_created_as_it_is_dialed() -> None:
    call, effects = after(ASKS, *DIALING)
    assert effects == (own.TellJoined(), own.Created(), own.Invite())
    _, effects = step(call, own.Accepted(), 1.0)
    assert own.Created() not in effects


def test_keys_are_pressed_before_the_call_counts_as_active() -> None:
    call, effects = after(Wish(keys=True), *ACTIVE)
    assert (call.state, effects[:2]) == (State.KEYING, (ev.SetStatus("automation"), own.PressKeys()))
    call, effects = step(call, own.KeysSent(), 2.0)
    assert (call.state, effects) == (State.ACTIVE, (ev.SetStatus("active"),))


@pytest.mark.parametrize(
    ("code", "outcome", "reason"),
    [
        (486, "busy", DisconnectReason.USER_REJECTED),
        (603, "declined", DisconnectReason.USER_REJECTED),
        (480, "no answer", DisconnectReason.USER_UNAVAILABLE),
        (404, "refused", DisconnectReason.USER_UNAVAILABLE),
        (503, "refused", DisconnectReason.SIP_TRUNK_FAILURE),
        (488, "refused", DisconnectReason.UNKNOWN_REASON),
    ],
)
def test_a_refusal_is_told_with_its_status(code: int, outcome: str, reason: int) -> None:
    _, effects = after(WAITS, *RINGING, own.Refused(code, "Words"))
    assert effects == (
        own.Failed(code, "Words"),
        ev.Leave("", reason),
        ev.TellEnd(outcome, reason, "Words", code, "Words"),
    )


def test_a_trunk_that_does_not_answer_is_no_refusal_of_the_callee() -> None:
    _, effects = after(WAITS, *DIALING, own.Refused(408, "No answer", trunk=True))
    assert (end(effects).outcome, end(effects).reason) == ("unreachable", DisconnectReason.SIP_TRUNK_FAILURE)


@pytest.mark.parametrize("happened", [DIALING, RINGING])
def test_nobody_answers(happened: tuple[own.Event, ...]) -> None:
    call, _ = after(WAITS, *happened)
    assert expire(call, 19.9) == (call, ())
    call, effects = expire(call, 20.0)
    assert effects[:2] == (own.GiveUp(), own.Failed(408, "Request Timeout"))
    assert (end(effects).error, end(effects).reason) == ("ringing-timeout", DisconnectReason.USER_UNAVAILABLE)
    assert call.deadline() is None


def test_a_call_that_is_too_long() -> None:
    call, _ = after(WAITS, *ACTIVE)
    _, effects = expire(call, 7200.0)
    assert effects[:2] == (ev.HangUp(), ev.Leave("hangup"))
    assert end(effects).error == "max-call-duration"


@pytest.mark.parametrize(
    "event",
    [
        ev.RoomGone(DisconnectReason.PARTICIPANT_REMOVED),
        own.GivenUp(),
        ev.Stopping(),
        ev.ServiceDown("x"),
        ev.EndAsked(),
    ],
)
@pytest.mark.parametrize("happened", [DIALING, RINGING])
def test_what_nobody_wants_any_more_is_cancelled(happened: tuple[own.Event, ...], event: own.Event) -> None:
    call, effects = after(WAITS, *happened, event)
    assert call.state is State.ENDED
    assert effects[0] == own.GiveUp()
    assert isinstance(effects[1], own.Failed)


def test_hold_is_no_lost_media() -> None:
    call, effects = after(WAITS, *ACTIVE, ev.MediaLost(held=True))
    assert (call.state, effects) == (State.ACTIVE, ())
    _, effects = after(WAITS, *ACTIVE, ev.MediaLost())
    assert effects[0] == ev.HangUp()


def test_a_callee_who_hangs_up_at_once() -> None:
    call, effects = after(WAITS, *RINGING, ev.PeerGone())
    assert (call.state, effects[0]) == (State.ENDED, own.Failed(487, "Request Terminated"))
    assert own.GiveUp() not in effects, "there is nothing left to end"
    assert step(call, own.Accepted(), 1.0) == (call, ())


def test_what_cannot_happen_changes_nothing() -> None:
    call, _ = after(WAITS, *DIALING)
    with pytest.raises(IllegalEvent):
        step(call, own.KeysSent(), 0.0)


EVENTS = st.sampled_from(
    [ev.Joined(), ev.TrackThere(), ev.Hearing(), ev.MediaHeard(), ev.PeerGone(), ev.PeerGone(lost=True), ev.RoomGone(4), ev.RoomGone(7),
     ev.MediaLost(), ev.MediaLost(held=True), ev.NoMedia(), ev.ServiceDown("x"), ev.Stopping(), own.Ringing(),
     own.Accepted(), own.Refused(486, "Busy"), own.Refused(408, "", trunk=True), own.KeysSent(), own.GivenUp(), ev.EndAsked(),
     ev.SessionAgreed(SessionTimer(90, refreshing=True)), ev.SessionAgreed(SessionTimer(90, refreshing=False)),
     ev.SessionAgreed(None), ev.SessionLost(), None]
)  # fmt: skip


@given(st.builds(Wish, waits=st.booleans(), keys=st.booleans()), st.lists(EVENTS, max_size=12))
def test_whatever_happens_the_request_is_answered_once_and_the_end_told_once(
    wish: Wish, happened: list[own.Event | None]
) -> None:
    call, done = begin(wish, 0.0)
    effects, now = list(done), 0.0
    for event in happened:
        now += 1.0
        if event is None and (deadline := call.deadline()) is not None:
            now = max(now, deadline)
        before = call
        try:
            call, done = expire(call, now) if event is None else step(call, event, now)
        except IllegalEvent:
            continue
        effects += done
        assert before.state is not State.ENDED or not done, "nothing happens after the end"
    kinds = [type(effect) for effect in effects]
    replies = kinds.count(own.Created) + kinds.count(own.Failed)
    ended = call.state is State.ENDED
    assert replies <= 1
    assert not ended or replies == 1
    assert kinds.count(ev.TellEnd) == kinds.count(ev.Leave) == int(ended)
    assert kinds.count(own.Invite) <= 1
    talked = own.PressKeys in kinds or ev.TellActive in kinds
    assert (ev.HangUp in kinds) <= talked, "no BYE to a call that was never answered"
    assert (own.GiveUp in kinds) <= (own.Invite in kinds and not talked), "no CANCEL but to an INVITE that rings"
    assert (call.state in TALKING) <= talked


def test_a_session_is_refreshed_or_lost() -> None:
    call, _ = after(ASKS, *ACTIVE)
    call, _ = step(call, ev.SessionAgreed(SessionTimer(100, refreshing=True)), 0.0)
    call, effects = expire(call, 50.0)
    assert effects == (ev.Refresh(),)
    call, _ = step(call, ev.SessionAgreed(SessionTimer(90, refreshing=False)), 51.0)
    assert expire(call, 110.0)[1] == ()
    assert expire(call, 111.0)[1][0] == ev.HangUp()
    assert step(call, ev.SessionLost(), 52.0)[1][0] == ev.HangUp()
