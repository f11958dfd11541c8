"""A caller who is given to a human: the team is rung, and whoever answers hears whose call it is."""

from __future__ import annotations

import pytest

from gateway.calls.acts import cues, deeds
from gateway.calls.acts.rung import LATE
from gateway.handoff.asked import DECIDE_WITHIN, WHISPER_WITHIN
from gateway.handoff.cut_off import AT_ONCE
from gateway.handoff.machine import Phase
from gateway.handoff.state import HOLD_EVERY, SETTLE
from gateway.terms.act import TALKED, Handoff
from gateway.terms.handoff import Tried
from tests.unit.handoff.model import CHOOSE, TEAM, WHO, begun, consulted, unanswered

ANA, BEN, CHI, *_ = TEAM


def test_the_caller_hears_music_and_whoever_answers_who_it_is() -> None:
    desk = begun(whisper=WHO)
    assert desk.sound == "music:default"
    [leg] = desk.offer(ANA)
    assert desk.machine.phase is Phase.RINGING
    desk.happens(cues.LegRings(leg))
    assert desk.answers(leg) == (
        deeds.Whisper(leg, (*WHO, CHOOSE)),
        deeds.Ready(("I have Ana for you.",), whisper=False),
    )
    assert desk.machine.phase is Phase.WHISPERING
    desk.hears(leg)
    assert desk.machine.phase is Phase.DECIDING
    assert desk.sound == "music:default"
    desk.presses(leg, "1")
    assert desk.machine.phase is Phase.BRIDGED
    assert desk.legs[leg] == "connected"
    assert (desk.held, desk.in_line) == ({"ana"}, False)
    desk.pass_time(AT_ONCE)
    desk.hangs_up(leg)
    assert desk.outcome == TALKED
    assert desk.released == [deeds.Release("desk", "ana", took=True)]


def test_a_key_counts_in_the_middle_of_the_whisper() -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    assert desk.legs[leg] == "connected"
    assert desk.introduced == "Maria, I have Ana for you."


def test_silence_is_an_introduction_too() -> None:
    desk = begun(Handoff("desk", introduce=False), caller="Maria")
    [leg] = desk.offer(ANA)
    desk.answers(leg)
    desk.presses(leg, "1")
    assert desk.introduced == ""


@pytest.mark.parametrize(("said", "takes"), [("I'll take it", True), ("Yes.", False), ("hello", False), ("ana", False)])
def test_before_they_have_heard_it_only_clear_words_take_the_call(said: str, takes: bool) -> None:
    desk, [leg] = consulted(ANA)
    desk.took.add(leg)
    desk.happens(cues.LegSaid(leg, said))
    assert (desk.legs[leg] == "connected") is takes


def test_yes_takes_it_once_they_have_heard_it() -> None:
    desk, [leg] = consulted(ANA)
    desk.hears(leg)
    desk.took.add(leg)
    desk.happens(cues.LegSaid(leg, "Yes."))
    assert desk.legs[leg] == "connected"


def test_three_tells_it_again() -> None:
    desk, [leg] = consulted(ANA)
    desk.hears(leg)
    assert desk.presses(leg, "3") == (deeds.Whisper(leg, (*WHO, CHOOSE)),)
    assert desk.machine.phase is Phase.WHISPERING
    assert desk.presses(leg, "7") == ()


def test_nobody_hears_it_again_and_again_while_the_caller_waits() -> None:
    desk, [leg] = consulted(ANA)
    for _ in range(20):
        desk.hears(leg)
        desk.presses(leg, "3")
    desk.pass_time(WHISPER_WITHIN + 3 * DECIDE_WITHIN)
    assert desk.legs == {leg: "dropped"}
    assert desk.came[leg] is Tried.UNDECIDED


def test_the_first_to_take_it_wins_not_the_first_to_answer() -> None:
    desk, [ana, ben] = consulted(ANA, BEN)
    assert {desk.legs[ana], desk.legs[ben]} == {"answered"}
    effects = desk.presses(ben, "1")
    assert effects[:3] == (deeds.Drop(ana), deeds.Remember(ben), deeds.Connect(ben, "Maria, I have Ben for you."))
    assert desk.came == {ana: Tried.BEATEN, ben: Tried.TAKEN}
    assert desk.held == {"ben"}


def test_who_declines_is_rung_no_more_and_the_next_is() -> None:
    desk = begun()
    [ana] = desk.offer(ANA, free=1)
    desk.answers(ana)
    desk.presses(ana, "2")
    assert desk.legs[ana] == "dropped"
    assert desk.machine.phase is Phase.OFFERING
    assert desk.offer(ANA, free=1) == [], "each is rung once"
    assert "ana" not in desk.held
    [ben] = desk.offer(BEN)
    desk.answers(ben)
    desk.presses(ben, "1")
    assert desk.legs[ben] == "connected"


def test_a_link_declines_too() -> None:
    desk = begun()
    [ana] = desk.offer(ANA)
    desk.happens(cues.LegRings(ana))
    desk.happens(cues.Declined("another"))
    assert desk.outcome is None
    desk.happens(cues.Declined(ana))
    assert (desk.legs[ana], desk.outcome) == ("dropped", unanswered("declined"))


@pytest.mark.parametrize(
    ("status", "told", "missed"),
    [
        (486, "busy", False),
        (600, "busy", False),
        (603, "declined", False),
        (480, "declined", False),
        (408, "no answer", True),
        (487, "no answer", True),
        (404, "unreachable", False),
        (503, "unreachable", False),
        (0, "unreachable", False),
    ],
)
def test_the_caller_goes_on_at_once_with_what_became_of_it(status: int, told: str, missed: bool) -> None:
    desk = begun()
    [leg] = desk.offer(ANA)
    desk.fails(leg, status)
    assert desk.outcome == unanswered(told)
    assert desk.released[0] == deeds.Release("desk", "ana", took=False, missed=missed)
    assert desk.came == {leg: Tried(told)}


def test_of_several_reasons_the_caller_is_told_what_says_most() -> None:
    desk = begun()
    ana, ben, chi = desk.offer(ANA, BEN, CHI)
    desk.fails(ana, 503)
    desk.fails(ben, 486)
    desk.fails(chi, 408)
    assert desk.outcome == unanswered("busy")


@pytest.mark.parametrize(("rings", "waits"), [(True, 20.0), (False, 20.0 + LATE)])
def test_a_phone_rings_for_as_long_as_the_plan_says(rings: bool, waits: float) -> None:
    desk = begun()
    [leg] = desk.offer(ANA)
    if rings:
        desk.happens(cues.LegRings(leg))
    desk.pass_time(waits - 0.1)
    assert desk.legs[leg] == "rings"
    desk.pass_time(0.2)
    assert (desk.legs[leg], desk.outcome) == ("dropped", unanswered("no answer" if rings else "unreachable"))


def test_the_card_goes_out_once_when_the_phone_rings() -> None:
    desk = begun()
    ana, ben = desk.offer(ANA, BEN)
    desk.happens(cues.LegRings(ana))
    desk.happens(cues.LegRings(ana))
    desk.answers(ana)
    desk.answers(ben)
    assert desk.cards == ["ana", "ben"]


def test_who_never_says_anything_is_reminded_and_let_go() -> None:
    desk, [leg] = consulted(ANA)
    desk.pass_time(WHISPER_WITHIN)
    assert desk.machine.phase is Phase.DECIDING
    desk.pass_time(DECIDE_WITHIN)
    assert desk.told[leg] == (CHOOSE,)
    desk.pass_time(DECIDE_WITHIN)
    assert desk.outcome == unanswered("undecided")


def test_a_mailbox_never_gets_the_caller() -> None:
    desk, [leg] = consulted(ANA)
    desk.happens(
        cues.LegSaid(leg, "Hi, this is Ana. I am not available right now. Please leave a message after the tone.")
    )
    desk.happens(cues.LegSaid(leg, "yes"))
    assert desk.legs[leg] == "answered"
    desk.happens(cues.LegSounds(leg, cues.LegSound.BEEP))
    assert desk.outcome == unanswered("machine")
    assert desk.came == {leg: Tried.MACHINE}


def test_a_mailbox_of_which_nothing_is_understood_never_gets_the_caller_either() -> None:
    desk, [leg] = consulted(ANA)
    desk.happens(cues.LegSounds(leg, cues.LegSound.MONOLOGUE))
    desk.hears(leg)
    desk.pass_time(2 * DECIDE_WITHIN)
    assert desk.outcome == unanswered("machine")


def test_somebody_whose_calls_are_screened_may_take_it_by_key() -> None:
    desk, [leg] = consulted(ANA)
    desk.happens(cues.LegSaid(leg, "Please say your name and why you're calling."))
    desk.hears(leg)
    desk.happens(cues.LegSaid(leg, "yes"))
    assert desk.legs[leg] == "answered"
    desk.presses(leg, "1")
    assert desk.legs[leg] == "connected"


def test_a_tone_alone_is_no_mailbox() -> None:
    desk, [leg] = consulted(ANA)
    for _ in range(3):
        desk.happens(cues.LegSounds(leg, cues.LegSound.BEEP))
    desk.took.add(leg)
    desk.happens(cues.LegSaid(leg, "I'll take it"))
    assert desk.legs[leg] == "connected"


def test_who_hangs_up_in_the_whisper_hasnt_taken_it() -> None:
    desk, [leg] = consulted(ANA)
    desk.hangs_up(leg)
    assert desk.outcome == unanswered("hung up")


def test_where_nobody_is_free_the_caller_waits_no_longer_than_a_moment() -> None:
    desk = begun()
    desk.happens(cues.Standing(1, None, free=0))
    desk.pass_time(SETTLE - 0.1)
    assert desk.outcome is None
    desk.pass_time(0.2)
    assert desk.outcome == unanswered("nobody")


def test_where_nobody_takes_calls_neither() -> None:
    desk = begun()
    desk.happens(cues.Standing(1, None, staffed=False))
    desk.pass_time(SETTLE)
    assert desk.outcome == unanswered("nobody")


def test_nobody_is_rung_for_longer_than_the_act_says_but_who_has_answered_may_decide() -> None:
    desk = begun(Handoff("desk", at_most=30.0))
    ana, ben = desk.offer(ANA, BEN, ring_for=60.0, free=3)
    desk.pass_time(29)
    desk.answers(ana)
    desk.pass_time(2)
    assert desk.legs == {ana: "answered", ben: "rings"}
    desk.presses(ana, "2")
    desk.pass_time(0)
    assert desk.legs == {ana: "dropped", ben: "dropped"}
    assert desk.outcome == unanswered("declined")
    assert desk.came[ben] is Tried.LATE


def test_a_caller_who_waits_long_hears_that_it_goes_on() -> None:
    desk = begun()
    desk.offer(ANA, ring_for=60.0)
    desk.pass_time(HOLD_EVERY)
    assert desk.said == ["I'm still looking for somebody. Please stay on the line."]
    desk.happens(cues.Heard())
    assert desk.sound == "music:default"


def test_another_job_tells_whoever_had_answered_from_the_beginning() -> None:
    desk, [ana, ben] = consulted(ANA, BEN)
    desk.hears(ana)
    desk.crash(cues.LegHeard(ben), 0)
    assert desk.told == {ana: (*WHO, CHOOSE), ben: (*WHO, CHOOSE)}
    desk.presses(ana, "1")
    assert desk.legs == {ana: "connected", ben: "dropped"}
