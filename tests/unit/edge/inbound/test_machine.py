from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol.models import DisconnectReason

from gateway.bus.callstate import ROOM_LOST
from gateway.bus.ioinfo import RuleAnswer, TrunkAnswer, TrunkFault, Verdict
from gateway.edge import events as ev
from gateway.edge.events import IllegalEvent
from gateway.edge.inbound import events as own
from gateway.edge.inbound import machine
from gateway.edge.inbound.machine import begin, expire, step
from gateway.edge.inbound.state import TRY_AGAIN, Call, State, reject_status
from gateway.edge.session import NEVER
from gateway.sip.session_timer import SessionTimer
from gateway.sip.sign_in import Proof
from gateway.terms.personal import Digits

TRUNK = own.TrunkTold(TrunkAnswer("ST_1"))
ACCEPTED = RuleAnswer(Verdict.ACCEPT, room="call-x", ringing_timeout=60, max_duration=7200)
RULE = own.RuleTold(ACCEPTED)
REMOVED = DisconnectReason.PARTICIPANT_REMOVED


def after(*happened: own.Event, at: float = 0.0) -> tuple[Call, tuple[own.Effect, ...]]:
    """The state after events, and the effects of the last."""
    call, effects = begin(at)
    for event in happened:
        call, effects = step(call, event, at)
    return call, effects


def end(effects: tuple[own.Effect, ...]) -> ev.TellEnd:
    assert isinstance(effects[-1], ev.TellEnd)
    return effects[-1]


JOINING = (TRUNK, RULE)
ANSWERED = (*JOINING, ev.Joined(), ev.TrackThere(), ev.Hearing())
ACTIVE = (*ANSWERED, ev.MediaHeard())


def test_the_way_of_a_call() -> None:
    call, effects = begin(0.0)
    assert effects == (own.AskTrunk(),)
    call, effects = step(call, TRUNK, 0.01)
    assert effects == (own.Ring(), own.TellIncoming("ST_1"), own.AskRule("ST_1"))
    call, effects = step(call, RULE, 0.02)
    assert effects == (own.TellRoom(ACCEPTED), own.Join(ACCEPTED))
    call, effects = step(call, ev.Joined(), 0.1)
    assert effects == ()
    call, effects = step(call, ev.TrackThere(), 0.3)
    assert (call.state, effects) == (State.ANSWERED, (own.Answer(),))
    call, effects = step(call, ev.Hearing(), 0.32)
    assert (call.state, effects) == (State.ANSWERED, ())
    call, effects = step(call, ev.MediaHeard(), 0.35)
    assert (call.state, effects) == (State.ACTIVE, (ev.SetStatus("active"), ev.TellActive()))
    call, effects = step(call, ev.PeerGone(), 60.0)
    assert call.state is State.ENDED
    assert effects == (ev.Leave("hangup"), ev.TellEnd("served", DisconnectReason.CLIENT_INITIATED, "", 200, "OK"))


def test_a_track_that_is_there_before_us() -> None:
    call, effects = after(*JOINING, ev.TrackThere())
    assert (call.state, effects) == (State.JOINING, ())
    call, effects = step(call, ev.Joined(), 0.0)
    assert (call.state, effects) == (State.ANSWERED, (own.Answer(),))


def test_ringing_repeats_until_the_answer() -> None:
    call, _ = after(TRUNK)
    assert call.deadline() == 1.0
    call, effects = expire(call, 1.0)
    assert effects == (own.Ring(),)
    call, _ = step(call, RULE, 1.2)
    assert call.deadline() == 2.0
    call, _ = step(call, ev.Joined(), 1.3)
    call, _ = step(call, ev.TrackThere(), 1.4)
    assert call.deadline() == pytest.approx(2.4)  # not for ringing, but for bridging without RTP


def test_active_without_rtp_after_a_second() -> None:
    call, _ = after(*ANSWERED)
    assert call.deadline() == 1.0
    assert expire(call, 0.9)[1] == ()
    call, effects = expire(call, 1.0)
    assert (call.state, effects) == (State.ACTIVE, (ev.SetStatus("active"), ev.TellActive()))
    assert call.deadline() == 7200


@pytest.mark.parametrize(
    ("answer", "code", "outcome"),
    [
        (TrunkAnswer("", fault=TrunkFault.NO_TRUNK), 404, "no match"),
        (TrunkAnswer("", fault=TrunkFault.QUOTA), 503, "no match"),
    ],
)
def test_a_trunk_that_says_no(answer: TrunkAnswer, code: int, outcome: str) -> None:
    call, effects = after(own.TrunkTold(answer))
    assert call.state is State.ENDED
    assert isinstance(effects[0], own.TellIncoming)
    assert isinstance(effects[1], own.Reject)
    assert effects[1].code == code
    assert end(effects).outcome == outcome


def test_a_body_that_can_t_be_read_is_refused_with_what_can_be() -> None:
    headers = (("Accept", "application/sdp"),)
    _, effects = after(TRUNK, own.RuleTold(ACCEPTED, refusal=415, headers=headers))
    assert effects[1] == own.Reject(415, "Unsupported Media Type", headers=headers)


def test_a_flood_gets_no_answer() -> None:
    call, effects = after(own.TrunkTold(TrunkAnswer("", drop=True)))
    assert call.state is State.ENDED
    assert not any(isinstance(effect, own.Reject | own.Ring) for effect in effects)
    assert own.Ignore() in effects


@pytest.mark.parametrize(("verdict", "code"), [(Verdict.REJECT, 404), (Verdict.DROP, 404)])
def test_a_rule_that_says_no(verdict: Verdict, code: int) -> None:
    call, effects = after(TRUNK, own.RuleTold(RuleAnswer(verdict)))
    assert call.state is State.ENDED
    assert isinstance(effects[0], own.Reject)
    assert (effects[0].code, end(effects).sip_status) == (code, code)


def test_media_that_nobody_shares() -> None:
    call, effects = after(TRUNK, own.RuleTold(ACCEPTED, refusal=488))
    assert call.state is State.ENDED
    assert effects[:2] == (own.TellRoom(ACCEPTED), own.Reject(488, "Not Acceptable Here"))


@pytest.mark.parametrize("happened", [(), (TRUNK,), JOINING, (*JOINING, ev.Joined()), (*JOINING, ev.TrackThere())])
def test_the_caller_gives_up_at_every_stage(happened: tuple[own.Event, ...]) -> None:
    call, effects = after(*happened, ev.PeerGone())
    assert call.state is State.ENDED
    assert effects[0] == own.Reject(487, "Request Terminated")
    assert (ev.Leave("hangup") in effects) == (len(happened) > 1)
    assert end(effects).reason == DisconnectReason.CLIENT_INITIATED


@pytest.mark.parametrize("happened", [(), (TRUNK,), JOINING])
def test_a_service_that_fails(happened: tuple[own.Event, ...]) -> None:
    call, effects = after(*happened, ev.ServiceDown("the bus is down"))
    assert call.state is State.ENDED
    assert effects[0] == own.Reject(503, "Service Unavailable", retry_after=5)
    assert end(effects).error == "the bus is down"
    call, effects = after(*happened, ev.ServiceDown("a fault", status=500))
    assert effects[0] == own.Reject(500, "Server Internal Error")


@pytest.mark.parametrize(
    ("wish", "code"), [("603", 603), ("", 486), ("200", 486), ("700", 486), ("6O3", 486), ("٤٠٤", 486)]
)
def test_removed_while_it_rings(wish: str, code: int) -> None:
    call, effects = after(*JOINING, ev.RoomGone(REMOVED, wish))
    assert call.state is State.ENDED
    assert isinstance(effects[0], own.Reject)
    assert effects[0].code == code
    assert end(effects).reason == REMOVED


def test_a_room_lost_while_it_rings_isnt_the_callers_fault() -> None:
    _, effects = after(*JOINING, ev.RoomGone(DisconnectReason.SIGNAL_CLOSE))
    assert isinstance(effects[0], own.Reject)
    assert effects[0].code == 503


@pytest.mark.parametrize("happened", [ANSWERED, ACTIVE])
@pytest.mark.parametrize(
    ("event", "outcome", "status"),
    [
        (ev.RoomGone(DisconnectReason.ROOM_DELETED), "served", ""),
        (ev.RoomGone(DisconnectReason.SIGNAL_CLOSE), "room lost", ""),
        (ev.MediaLost(), "media lost", "hangup"),
        (own.Unacknowledged(), "no ack", "hangup"),
        (ev.NoMedia(), "no common codec", "hangup"),
        (ev.Stopping(), "stopping", "hangup"),
    ],
)
def test_we_hang_up(happened: tuple[own.Event, ...], event: own.Event, outcome: str, status: str) -> None:
    call, effects = after(*happened, event)
    assert call.state is State.ENDED
    lost = DisconnectReason.MEDIA_FAILURE if isinstance(event, ev.MediaLost) else DisconnectReason.CLIENT_INITIATED
    assert effects[:2] == (ev.HangUp(), ev.Leave(status, lost)), "the room is told of a line that is lost"
    assert (end(effects).outcome, end(effects).sip_status) == (outcome, 200)


def test_a_call_that_loses_its_room_says_so() -> None:
    assert end(after(*ACTIVE, ev.RoomGone(DisconnectReason.SIGNAL_CLOSE))[1]).error == ROOM_LOST
    assert not end(after(*ACTIVE, ev.RoomGone(DisconnectReason.ROOM_DELETED))[1]).error


def test_on_hold_silence_is_fine() -> None:
    call, effects = after(*ACTIVE, ev.MediaLost(held=True))
    assert (call.state, effects) == (State.ACTIVE, ())


def test_it_rings_as_long_as_the_trunk_says() -> None:
    call, _ = after(*JOINING)
    assert expire(call, 59.9)[0].state is State.JOINING
    call, effects = expire(call, 60.0)
    assert call.state is State.ENDED
    assert effects[0] == own.Reject(503, "Service Unavailable", TRY_AGAIN)
    assert ev.Leave() in effects
    assert end(effects).error == "ringing-timeout"


def test_it_lasts_as_long_as_the_trunk_says_and_never_over_a_day() -> None:
    call, _ = after(*ACTIVE)
    call, effects = expire(call, 7200.0)
    assert call.state is State.ENDED
    assert effects[0] == ev.HangUp()
    assert end(effects).error == "max-call-duration"
    for said in (0.0, 1e9):
        rule = RuleAnswer(Verdict.ACCEPT, max_duration=said)
        assert after(TRUNK, own.RuleTold(rule), ev.Joined(), ev.TrackThere())[0].give_up_at == machine.LONGEST


def test_an_event_that_cant_be_changes_nothing() -> None:
    call, _ = after(TRUNK)
    with pytest.raises(IllegalEvent, match="Joined"):
        step(call, ev.Joined(), 0.0)


events = st.one_of(
    st.builds(
        own.TrunkTold,
        st.builds(
            TrunkAnswer,
            st.just("ST_1"),
            st.booleans(),
            st.sampled_from(["", "user"]),
            fault=st.sampled_from(TrunkFault),
        ),
        st.sampled_from(Proof),
    ),
    st.just(TRUNK),
    st.builds(own.RuleTold, st.builds(RuleAnswer, st.sampled_from(Verdict)), st.sampled_from([0, 488])),
    st.just(RULE),
    st.just(ev.Joined()),
    st.just(ev.TrackThere()),
    st.just(ev.MediaHeard()),
    st.just(ev.Hearing()),
    st.just(own.Unacknowledged()),
    st.builds(ev.PeerGone, st.booleans()),
    st.builds(ev.RoomGone, st.sampled_from(DisconnectReason.values()), st.text(max_size=4)),
    st.builds(ev.MediaLost, st.booleans()),
    st.just(ev.NoMedia()),
    st.just(ev.ServiceDown("down")),
    st.just(ev.Stopping()),
    st.just(ev.EndAsked()),
    st.just(ev.SessionLost()),
    st.just(own.PinKeyed(Digits("1234"))),
    st.just(own.Dismissed()),
    st.builds(ev.SessionAgreed, st.none() | st.builds(SessionTimer, st.sampled_from([90, 120]), st.booleans())),
)


@given(st.lists(st.tuples(events, st.floats(0, 100)), max_size=20), st.booleans())
def test_whatever_happens(happenings: list[tuple[own.Event, float]], straight: bool) -> None:
    now, told = 0.0, list[own.Effect]()
    call, effects = begin(now)
    told += effects
    if straight:
        happenings = [(event, 0.0) for event in ACTIVE] + happenings
    for event, pause in happenings:
        now += pause
        before = call
        while call.deadline() is not None and call.deadline() <= now:
            call, effects = expire(call, now)
            told += effects
            now += 0.001
        try:
            call, effects = step(call, event, now)
        except IllegalEvent:
            continue
        told += effects
        assert not (before.state is State.ENDED and effects)
    kinds = [type(effect) for effect in told]
    finals = [kind for kind in kinds if kind in (own.Reject, own.Answer, own.Ignore, own.Challenge)]
    assert len(finals) <= 1
    assert kinds.count(ev.Leave) == (kinds.count(own.Join) if call.state is State.ENDED else 0)
    asked = own.Challenge in kinds
    assert kinds.count(ev.TellEnd) == (call.state is State.ENDED and not asked)
    assert not asked or set(kinds) == {own.AskTrunk, own.Challenge}, "nobody is told of who hasn't signed in"
    assert kinds.count(ev.HangUp) <= kinds.count(own.Answer)
    assert (call.deadline() is None) == (call.state is State.ENDED)
    if finals:
        assert own.Ring not in kinds[kinds.index(finals[0]) :]
    if call.state is State.ENDED and not asked:
        assert kinds[-1] is ev.TellEnd


@given(st.text())
def test_any_wish_gives_a_status(wish: str) -> None:
    assert 300 <= reject_status(wish) <= 699


GUARDED = TrunkAnswer("ST_1", username="user", password="secret")


@pytest.mark.parametrize(("proof", "stale"), [(Proof.NONE, False), (Proof.STALE, True)])
def test_who_has_not_signed_in_is_asked_to_and_nobody_is_told(proof: Proof, stale: bool) -> None:
    call, effects = after(own.TrunkTold(GUARDED, proof))
    assert (call.state, effects) == (State.ENDED, (own.Challenge("LiveKit", stale=stale),))


@pytest.mark.parametrize(
    ("proof", "why"), [(Proof.WRONG, "wrong password"), (Proof.ELSEWHERE, machine.SIGNED_ELSEWHERE)]
)
def test_a_wrong_password_is_refused(proof: Proof, why: str) -> None:
    _, effects = after(own.TrunkTold(GUARDED, proof))
    assert effects[:2] == (own.TellIncoming("ST_1"), own.Reject(403, "Forbidden"))
    assert end(effects).error == why


def test_who_has_signed_in_is_let_in() -> None:
    call, effects = after(own.TrunkTold(GUARDED, Proof.GOOD))
    assert (call.state, effects[0]) == (State.RULE, own.Ring())


def test_a_stranger_without_a_password_finds_no_place_and_one_with_is_asked_for_it() -> None:
    call, effects = after(own.TrunkTold(TrunkAnswer("ST_1"), full="too many strangers"))
    assert effects[:2] == (own.TellIncoming("ST_1"), own.Reject(503, "Service Unavailable", 5))
    assert (call.state, end(effects).outcome) == (State.ENDED, "too many strangers")
    _, effects = after(own.TrunkTold(GUARDED, full="too many strangers"))
    assert effects == (own.Challenge("LiveKit"),)


def test_somebody_in_the_room_ends_the_call() -> None:
    headers = (("Reason", "Q.850;cause=21"),)
    _, effects = after(*JOINING, ev.EndAsked(headers))
    assert effects[0] == own.Reject(486, "Busy Here", 0, headers)
    _, effects = after(*ACTIVE, ev.EndAsked(headers))
    assert effects[0] == ev.HangUp(headers)


def test_a_session_that_we_refresh() -> None:
    call, _ = after(*ACTIVE)
    call, effects = step(call, ev.SessionAgreed(SessionTimer(100, refreshing=True)), 10.0)
    assert (effects, call.deadline()) == ((), 60.0)
    call, effects = expire(call, 60.0)
    assert (effects, call.session) == ((ev.Refresh(),), NEVER)
    call, _ = step(call, ev.SessionAgreed(SessionTimer(200, refreshing=True)), 61.0)
    assert call.deadline() == 161.0
    assert step(call, ev.SessionAgreed(None), 62.0)[0].session == NEVER


@pytest.mark.parametrize("how", ["not refreshed", "refused"])
def test_a_session_that_is_lost(how: str) -> None:
    call, _ = after(*ACTIVE)
    call, _ = step(call, ev.SessionAgreed(SessionTimer(90, refreshing=False)), 0.0)
    assert call.deadline() == 60.0
    call, effects = expire(call, 60.0) if how == "not refreshed" else step(call, ev.SessionLost(), 1.0)
    assert effects[:2] == (ev.HangUp(), ev.Leave("hangup", DisconnectReason.CONNECTION_TIMEOUT))
    assert (end(effects).reason, end(effects).error) == (
        DisconnectReason.CONNECTION_TIMEOUT,
        "the session wasn't refreshed",
    )
    assert call.deadline() is None


def test_a_caller_who_demanded_to_acknowledge_and_never_did() -> None:
    _, effects = after(*JOINING, own.Unacknowledged())
    assert effects[0] == own.Reject(504, "Server Time-out")


ASKED = (TRUNK, own.RuleTold(RuleAnswer(Verdict.PIN)))
KEYED = own.PinKeyed(Digits("1234"))


def test_the_way_of_a_call_that_needs_a_pin() -> None:
    call, effects = after(*ASKED)
    assert (call.state, effects) == (State.PIN, (own.Answer(), own.AskPin(own.Prompt.ENTER)))
    call, effects = step(call, KEYED, 5.0)
    assert (call.state, effects) == (State.CHECKING, (own.AskRule("ST_1", Digits("1234")),))
    call, effects = step(call, RULE, 5.1)
    assert effects == (own.TellRoom(ACCEPTED), own.Join(ACCEPTED, "active"), own.Comfort())
    call, effects = step(call, ev.Joined(), 5.2)
    assert effects == ()
    call, effects = step(call, ev.TrackThere(), 5.4)
    assert (call.state, effects) == (State.ACTIVE, (ev.TellActive(),))
    assert call.deadline() == 5.4 + ACCEPTED.max_duration


def test_a_pin_may_be_wrong_twice() -> None:
    call, _ = after(*ASKED)
    for last in (False, False, True):
        call, _ = step(call, KEYED, 1.0)
        call, effects = step(call, own.RuleTold(RuleAnswer(Verdict.REJECT)), 1.0)
        assert effects == ((own.Dismiss(),) if last else (own.AskPin(own.Prompt.AGAIN),))
    _, effects = step(call, own.Dismissed(), 3.0)
    assert effects[0] == ev.HangUp()
    assert (end(effects).error, end(effects).reason) == ("wrong PIN", DisconnectReason.USER_REJECTED)
    assert ev.Leave not in map(type, effects), "there is no room to leave"


@pytest.mark.parametrize("happened", [(), (KEYED,), (KEYED, RULE), (KEYED, RULE, ev.Joined())])
def test_who_dawdles_is_hung_up(happened: tuple[own.Event, ...]) -> None:
    call, _ = after(*ASKED, *happened)
    assert call.deadline() == (60 if RULE in happened else 90)
    _, effects = expire(call, 90.0)
    assert effects[0] == ev.HangUp()


def test_it_is_active_only_when_the_rooms_audio_arrives() -> None:
    """An agent speaks when the call is active: earlier nobody would hear it."""
    call, _ = after(*JOINING, ev.Joined(), ev.TrackThere())
    call, effects = step(call, ev.MediaHeard(), 0.1)
    assert (call.state, effects) == (State.ANSWERED, ())
    _, effects = step(call, ev.Hearing(), 0.9)
    assert effects == (ev.SetStatus("active"), ev.TellActive())
    assert call.deadline() == pytest.approx(2.1)
    assert expire(call, 2.1)[1] == (ev.SetStatus("active"), ev.TellActive())


def test_a_room_that_is_heard_at_once_or_never() -> None:
    call, _ = after(*JOINING, ev.Joined(), ev.Hearing(), ev.TrackThere())
    assert step(call, ev.MediaHeard(), 0.0)[0].state is State.ACTIVE
    call, _ = after(*JOINING, ev.Joined(), ev.TrackThere())
    call, effects = expire(call, 1.0)
    assert (call.deadline(), effects) == (3.0, ())
    assert expire(call, 3.0)[0].state is State.ACTIVE
