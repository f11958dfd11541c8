"""A caller who is given to a human."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.calls.acts import cues
from gateway.calls.acts.rung import LATE, RESUME_WITHIN
from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.handoff.asked import DECIDE_WITHIN, PART_WITHIN, WHISPER_WITHIN
from gateway.handoff.browser import browser_leg, rung_leg
from gateway.handoff.cut_off import AT_ONCE, ON_HOLD, RINGS
from gateway.handoff.machine import EVENTS, TABLE, Phase, Transfer
from gateway.handoff.state import HOLD_EVERY, LEFT, SETTLE
from gateway.handoff.talking import HELD
from gateway.terms.act import RING_BACK, TALKED, Because, Callee, Handoff, Onward
from gateway.terms.handoff import Tried
from gateway.terms.hold import MUSIC, SILENT
from tests.unit.calls.world import START
from tests.unit.handoff.model import ACT, FAY, TEAM, Desk, begun

ANA, BEN, CHI, DEE, _ = TEAM
CHOOSE = "Press 1 to take it, 2 to decline, 3 to repeat."
WHO = ("Maria of Acme is on the line.", "They need phones.")


def unanswered(why: str) -> Onward:
    return Onward(Because.UNANSWERED, why=why)


def consulted(*callees: Callee) -> tuple[Desk, list[str]]:
    """A team that rings, of which all have answered."""
    desk = begun(whisper=WHO, caller="Maria")
    legs = desk.offer(*callees)
    for leg in legs:
        desk.answers(leg)
    return desk, legs


def test_every_event_is_defined_in_every_phase() -> None:
    assert set(EVENTS) == set(get_args(cues.Event))
    assert TABLE.keys() == {(phase, event) for phase in Phase for event in EVENTS}


def test_the_caller_hears_music_and_whoever_answers_who_it_is() -> None:
    desk = begun(whisper=WHO)
    assert desk.sound == "music:default"
    [leg] = desk.offer(ANA)
    assert desk.machine.phase is Phase.RINGING
    desk.happens(cues.LegRings(leg))
    assert desk.answers(leg) == (
        cues.Whisper(leg, (*WHO, CHOOSE)),
        cues.Ready(("I have Ana for you.",), whisper=False),
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
    assert desk.released == [cues.Release("desk", "ana", took=True)]


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
    assert desk.presses(leg, "3") == (cues.Whisper(leg, (*WHO, CHOOSE)),)
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
    assert effects[:2] == (cues.Drop(ana), cues.Connect(ben, "Maria, I have Ben for you."))
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
    assert desk.released[0] == cues.Release("desk", "ana", took=False, missed=missed)
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


def test_a_caller_who_hangs_up_stops_the_ringing_and_who_had_answered_is_told() -> None:
    desk = begun()
    ana, ben = desk.offer(ANA, BEN)
    desk.answers(ana)
    desk.gone = True
    desk.happens(cues.Gone())
    assert desk.legs == {ana: "answered", ben: "dropped"}
    assert desk.told[ana] == ("The caller has just hung up. Goodbye.",)
    assert desk.machine.phase is Phase.PARTING
    desk.hears(ana)
    assert (desk.legs[ana], desk.outcome, desk.held) == ("dropped", LEFT, set())


def test_who_cant_be_told_is_dropped_soon() -> None:
    desk, [leg] = consulted(ANA)
    desk.gone = True
    desk.happens(cues.Gone())
    desk.pass_time(PART_WITHIN)
    assert (desk.legs[leg], desk.outcome) == ("dropped", LEFT)


def test_a_caller_who_hangs_up_ends_the_talk() -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.pass_time(AT_ONCE)
    desk.gone = True
    desk.happens(cues.Gone())
    assert (desk.legs[leg], desk.outcome) == ("dropped", TALKED)


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


def test_another_job_goes_on_with_the_talk() -> None:
    desk, [ana, ben] = consulted(ANA, BEN)
    desk.took.add(ana)
    desk.crash(cues.LegKey(ana, "1"), 2)
    assert desk.legs == {ana: "connected", ben: "dropped"}
    assert desk.held == {"ana"}
    desk.pass_time(7200)
    assert desk.outcome is None


def test_a_talk_whose_other_side_has_gone_is_over() -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.legs[leg] = "left"
    desk.crash(cues.Heard(), 0)
    desk.pass_time(RESUME_WITHIN + 0.1)
    assert desk.outcome == TALKED


def test_star_and_two_give_the_caller_back_to_the_agent() -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.happens(cues.LegKey(leg, "*"))
    assert desk.machine.phase is Phase.BRIDGED
    desk.happens(cues.LegKey(leg, "2"))
    assert desk.legs == {leg: "dropped"}
    assert desk.sound == "music:default", "until the agent speaks"
    assert desk.outcome == Onward(Because.RETURNED, why=Tried.GAVE_BACK.value)
    assert desk.came[leg] is Tried.GAVE_BACK
    assert desk.released == [cues.Release("desk", "ana", took=True)]


@pytest.mark.parametrize("keys", ["2", "*5", "5*", "**", "*12"])
def test_other_keys_mean_nothing_to_us(keys: str) -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    for key in keys:
        desk.happens(cues.LegKey(leg, key))
    desk.pass_time(60)
    assert desk.legs == {leg: "connected"}


def test_a_star_is_held_for_a_second() -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.happens(cues.LegKey(leg, "*"))
    desk.pass_time(HELD + 0.1)
    desk.happens(cues.LegKey(leg, "2"))
    assert desk.legs == {leg: "connected"}


def test_who_died_while_a_caller_was_given_back_is_made_up_for() -> None:
    for effects in range(5):
        desk, [leg] = consulted(ANA)
        desk.presses(leg, "1")
        desk.happens(cues.LegKey(leg, "*"))
        desk.crash(cues.LegKey(leg, "2"), effects)
        assert desk.outcome == Onward(Because.RETURNED, why=Tried.GAVE_BACK.value)
        assert desk.legs == {leg: "dropped"}


def test_a_job_that_died_before_the_first_step_is_made_up_for() -> None:
    desk = Desk(Transfer(ACT))
    assert desk.happens(cues.Resumed()) == (
        cues.Sound("music:default"),
        cues.Ready((CHOOSE,)),
        cues.Enter("desk", START, once=True, browsers=("ana", "eve")),
    )


@pytest.mark.parametrize(
    ("after", "lost", "back"),
    [
        (0.0, False, True),
        (AT_ONCE, False, False),
        (AT_ONCE, True, True),
        (RING_BACK - 1, True, True),
        (RING_BACK, True, False),
    ],
)
def test_who_is_cut_off_early_is_rung_back_and_who_hangs_up_isnt(after: float, lost: bool, back: bool) -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.pass_time(after)
    desk.hangs_up(leg, lost=lost)
    assert (desk.those("rings") != []) is back
    assert desk.came[leg] is (Tried.CUT_OFF if back else Tried.TAKEN)
    assert desk.outcome == (None if back else TALKED)


@pytest.mark.parametrize(("after", "back"), [(0.0, True), (ON_HOLD - 0.1, True), (ON_HOLD, False)])
def test_who_is_gone_just_after_they_put_the_caller_on_hold_is_rung_back(after: float, back: bool) -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.pass_time(10 * RING_BACK)
    desk.holds(leg, MUSIC)
    desk.pass_time(after)
    desk.hangs_up(leg)
    assert (desk.those("rings") != []) is back


def test_who_is_back_from_hold_has_said_goodbye() -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.pass_time(AT_ONCE)
    desk.holds(leg, SILENT)
    desk.holds(leg, "")
    desk.hangs_up(leg)
    assert desk.outcome == TALKED


@pytest.mark.parametrize(
    ("after", "lost", "back"),
    [
        (0.0, False, True),
        (AT_ONCE, False, False),
        (AT_ONCE, True, True),
        (RING_BACK - 1, True, True),
        (RING_BACK, True, False),
    ],
)
def test_a_caller_who_is_cut_off_early_is_called_back_and_the_human_told(after: float, lost: bool, back: bool) -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.pass_time(after)
    desk.gone = True
    desk.happens(cues.Gone(lost))
    assert desk.came[leg] is (Tried.CALLER_CUT_OFF if back else Tried.TAKEN)
    assert desk.booked == (["they were cut off while they talked with us"] if back else [])
    if back:
        assert desk.machine.phase is Phase.PARTING
        desk.happens(cues.Booked(True))
        assert desk.told[leg] == (word(HandoffWord.CALLER_CUT_OFF, "en-US"),)
        desk.hears(leg)
    assert (desk.legs[leg], desk.held) == ("dropped", set())
    assert desk.machine.phase is Phase.OVER


@pytest.mark.parametrize(("holds_for", "back"), [(ON_HOLD - 0.1, True), (ON_HOLD, False)])
def test_a_caller_who_is_gone_just_after_they_held_the_human_is_called_back(holds_for: float, back: bool) -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.pass_time(2 * RING_BACK)
    desk.holds("", MUSIC)
    assert desk.sound == "", "their phone plays to the human"
    desk.pass_time(holds_for)
    desk.gone = True
    desk.happens(cues.Gone())
    assert bool(desk.booked) is back


def test_a_caller_who_cant_be_called_back_is_gone_and_the_human_told() -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.gone = True
    desk.happens(cues.Gone(lost=True))
    desk.happens(cues.Booked(False))
    assert desk.told[leg] == (word(HandoffWord.CALLER_LOST, "en-US"),)
    desk.pass_time(PART_WITHIN)
    assert (desk.legs[leg], desk.machine.phase) == ("dropped", Phase.OVER)


def test_whoever_was_beaten_to_a_caller_who_is_cut_off_then_is_given_back_once() -> None:
    desk, [leg, _] = consulted(ANA, BEN)
    desk.presses(leg, "1")
    desk.gone = True
    desk.happens(cues.Gone(lost=True))
    desk.happens(cues.Booked(True))
    desk.hears(leg)
    assert (desk.machine.phase, [one.name for one in desk.released]) == (Phase.OVER, ["ben", "ana"])


def test_nobody_calls_a_caller_back_whom_the_plan_lets_be() -> None:
    desk, [leg] = consulted(ANA)
    desk.machine = replace(desk.machine, act=replace(desk.machine.act, ring_back=0.0))
    desk.presses(leg, "1")
    desk.gone = True
    desk.happens(cues.Gone(lost=True))
    assert (desk.booked, desk.outcome) == ([], TALKED)


@pytest.mark.parametrize("ring_back", [0.0, 0.5])
def test_the_plan_says_whether_anybody_is_rung_back_and_when(ring_back: float) -> None:
    desk, [leg] = consulted(ANA)
    desk.machine = replace(desk.machine, act=replace(desk.machine.act, ring_back=ring_back))
    desk.presses(leg, "1")
    desk.holds(leg, SILENT)
    desk.holds(leg, "")
    desk.pass_time(ring_back)
    desk.hangs_up(leg, lost=True)
    assert desk.outcome == TALKED


def test_a_caller_on_hold_hears_music_where_the_human_plays_none() -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.holds(leg, MUSIC)
    assert desk.sound == ""
    desk.holds(leg, SILENT)
    assert (desk.sound, desk.accompanied) == ("music:default", True)
    desk.holds(leg, MUSIC)
    assert (desk.sound, desk.accompanied) == ("", False)
    desk.holds(leg, SILENT)
    desk.holds(leg, "")
    assert (desk.sound, desk.accompanied, desk.legs[leg]) == ("", False, "connected")
    desk.pass_time(AT_ONCE)
    desk.hangs_up(leg)
    assert desk.outcome == TALKED


@pytest.mark.parametrize("effects", range(3))
def test_another_job_goes_on_with_a_caller_on_hold(effects: int) -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.crash(cues.LegHold(leg, SILENT), effects)
    assert (desk.sound, desk.accompanied) == ("music:default", True)


def test_another_job_finds_that_who_held_the_caller_is_back() -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.holds(leg, SILENT)
    desk.crash(cues.LegKey(leg, "5"), 0, back=leg)
    assert (desk.sound, desk.accompanied, desk.machine.held) == ("", False, 0.0)
    desk.pass_time(AT_ONCE)
    desk.hangs_up(leg)
    assert desk.outcome == TALKED


def test_who_has_held_the_caller_for_long_as_another_job_comes_and_hangs_up_then_says_goodbye() -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.holds(leg, SILENT)
    desk.pass_time(ON_HOLD)
    desk.crash(cues.LegKey(leg, "5"), 0)
    desk.hangs_up(leg)
    assert desk.outcome == TALKED


def test_who_is_gone_just_after_a_hold_is_rung_back_by_another_job_too() -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.pass_time(AT_ONCE)
    desk.crash(cues.LegHold(leg, SILENT), 0)
    desk.pass_time(ON_HOLD / 2)
    desk.hangs_up(leg)
    assert desk.machine.rung_back == ANA.name


@pytest.mark.parametrize("back", [None, ""])
def test_another_job_knows_since_when_the_caller_holds_the_human(back: str | None) -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.holds("", SILENT)
    desk.pass_time(ON_HOLD)
    desk.crash(cues.LegKey(leg, "5"), 0, back=back)
    assert bool(desk.machine.caller_held) is (back is None)
    desk.gone = True
    desk.happens(cues.Gone())
    assert (desk.booked, desk.outcome) == ([], TALKED)


@pytest.mark.parametrize(
    ("after", "lost", "back"),
    [(0.0, False, True), (AT_ONCE, False, False), (RING_BACK - 1, True, True), (RING_BACK, True, False)],
)
def test_who_is_cut_off_while_no_job_is_there_is_rung_back_by_the_next_as_by_one_that_was(
    after: float, lost: bool, back: bool
) -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.pass_time(after)
    at, desk.legs[leg] = desk.now, "left"
    desk.pass_time(30.0)
    desk.crash(cues.LegKey(leg, "5"), 0)
    desk.happens(cues.LegLeft(leg, lost, at))
    assert (desk.those("rings") != []) is back
    assert desk.came[leg] is (Tried.CUT_OFF if back else Tried.TAKEN)
    assert desk.outcome == (None if back else TALKED)


def test_who_has_left_without_anybody_telling_how_has_hung_up() -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.legs[leg] = "left"
    desk.crash(cues.LegKey(leg, "5"), 0)
    desk.pass_time(RESUME_WITHIN)
    assert desk.outcome == TALKED


def cut_off() -> tuple[Desk, str]:
    """A caller whose human was cut off; the leg that rings them back."""
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.pass_time(20.0)
    effects = desk.hangs_up(leg, lost=True)
    [back] = [effect for effect in effects if isinstance(effect, cues.Dial)]
    assert back.callee == ANA
    return desk, back.leg


def test_the_two_talk_on_once_who_was_cut_off_takes_it_again() -> None:
    desk, leg = cut_off()
    assert (desk.said, desk.sound) == (["We were cut off. I'm calling back. Please stay on the line."], "words")
    desk.happens(cues.Heard())
    assert desk.sound == "music:default"
    desk.answers(leg)
    assert desk.told[leg] == ("Your call was cut off, and the caller is still there.", CHOOSE)
    assert desk.legs[leg] == "answered", "a mailbox may have answered"
    desk.presses(leg, "1")
    assert (desk.legs[leg], desk.introduced, desk.in_line) == ("connected", "", False)
    desk.hangs_up(leg, lost=True)
    assert desk.outcome == TALKED, "nobody is rung back twice"


def test_whoever_else_is_free_is_rung_when_who_was_cut_off_doesnt_answer() -> None:
    desk, leg = cut_off()
    desk.happens(cues.LegRings(leg))
    assert not desk.in_line, "nobody else is rung meanwhile"
    desk.pass_time(RINGS)
    assert (desk.legs[leg], desk.outcome, desk.in_line) == ("dropped", None, True)
    [ben] = desk.offer(BEN)
    desk.answers(ben)
    assert desk.told[ben] == (*WHO, CHOOSE)
    desk.presses(ben, "1")
    assert desk.introduced == "Maria, I have Ben for you."


def test_nobody_else_being_free_the_caller_goes_back_to_the_agent() -> None:
    desk, leg = cut_off()
    desk.fails(leg, 503)
    desk.happens(cues.Standing(1, None, free=0))
    assert desk.outcome == unanswered("unreachable")


@pytest.mark.parametrize("ends", ["declined", "not answered", "caller", "given back", "talked"])
def test_who_is_rung_back_is_nobody_elses_to_ring_until_it_has_ended(ends: str) -> None:
    desk, leg = cut_off()
    assert (desk.held, desk.machine.held_on, desk.released) == ({"ana"}, "ana", [])
    if ends == "not answered":
        desk.pass_time(RINGS + LATE)
    elif ends == "caller":
        desk.gone = True
        desk.happens(cues.Gone())
    else:
        desk.answers(leg)
        desk.presses(leg, "2" if ends == "declined" else "1")
    if ends == "given back":
        desk.presses(leg, "*")
        desk.presses(leg, "2")
    if ends == "talked":
        assert (desk.held, desk.machine.held_on) == ({"ana"}, "ana")
        desk.pass_time(AT_ONCE)
        desk.hangs_up(leg)
    assert (desk.held, desk.machine.held_on) == (set(), desk.machine.talks_with)
    assert desk.released == [cues.Release("desk", "ana", took=True)], "once: they have talked"


def test_another_job_goes_on_ringing_back_whoever_was_cut_off_and_nobody_else() -> None:
    desk, leg = cut_off()
    desk.crash(cues.LegRings(leg), 0)
    assert (desk.legs[leg], desk.in_line) == ("rings", False)
    desk.fails(leg, 486)
    assert desk.in_line


@pytest.mark.parametrize("effects", range(6))
def test_who_was_cut_off_as_the_job_died_is_connected_by_the_next(effects: int) -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.legs[leg] = "left"
    desk.crash(cues.LegLeft(leg, lost=True), effects)
    desk.pass_time(RESUME_WITHIN)
    for back in desk.those("rings"):
        desk.answers(back)
        desk.presses(back, "1")
    assert desk.claimed in desk.those("connected")


class Handoffs(RuleBasedStateMachine):
    """Any events in any order, and jobs that die amid any of them: what each of them hears is never wrong."""

    desk: Desk

    @initialize(introduce=st.booleans(), at_most=st.sampled_from([10.0, 120.0]))
    def begin(self, introduce: bool, at_most: float) -> None:
        self.desk = begun(Handoff("desk", introduce=introduce, at_most=at_most, third=FAY), whisper=WHO)
        self.crashes = 0

    @precondition(lambda self: self.desk.in_line)
    @rule(data=st.data(), crash=st.none() | st.integers(0, 4))
    def members_are_offered(self, data: st.DataObject, crash: int | None) -> None:
        desk = self.desk
        busy = {desk.whose[leg] for leg in desk.those("rings", "answered", "connected")} | desk.held
        offered = data.draw(
            st.lists(st.sampled_from([one for one in TEAM if one.name not in busy] or [ANA]), unique=True)
        )
        offered = [one for one in offered if one.name not in busy]
        desk.held.update(one.name for one in offered)
        self._happens(cues.Offered(tuple(offered), 20.0), crash)

    @precondition(lambda self: self.desk.in_line)
    @rule(free=st.none() | st.integers(0, 3), staffed=st.booleans())
    def the_line_moves(self, free: int | None, staffed: bool) -> None:
        self._happens(cues.Standing(1, None, staffed, free), None)

    @precondition(lambda self: self.desk.phones("rings"))
    @rule(data=st.data(), crash=st.none() | st.integers(0, 3))
    def somebody_answers(self, data: st.DataObject, crash: int | None) -> None:
        leg = data.draw(st.sampled_from(self.desk.phones("rings")))
        self.desk.legs[leg] = "answered"
        self._happens(cues.LegAnswered(leg), crash)

    @precondition(lambda self: self.desk.those("rings", "answered"))
    @rule(data=st.data(), crash=st.none() | st.integers(0, 6))
    def somebody_comes_by_their_browser(self, data: st.DataObject, crash: int | None) -> None:
        desk = self.desk
        leg = data.draw(st.sampled_from(desk.those("rings", "answered")))
        browser = browser_leg(leg)
        if browser not in desk.legs and not rung_leg(leg):
            desk.legs[browser], desk.whose[browser] = "answered", desk.whose[leg]
            desk.took.add(browser)
            self._happens(cues.LegAnswered(browser), crash)

    @precondition(lambda self: self.desk.phones("rings"))
    @rule(
        data=st.data(),
        status=st.sampled_from([0, 404, 408, 480, 486, 487, 503, 603]),
        crash=st.none() | st.integers(0, 3),
    )
    def somebody_cant_be_had(self, data: st.DataObject, status: int, crash: int | None) -> None:
        leg = data.draw(st.sampled_from(self.desk.phones("rings")))
        self.desk.legs[leg] = "failed"
        self._happens(cues.LegFailed(leg, status), crash)

    @precondition(lambda self: self.desk.those("rings"))
    @rule(data=st.data())
    def a_phone_rings(self, data: st.DataObject) -> None:
        self._happens(cues.LegRings(data.draw(st.sampled_from(self.desk.those("rings")))), None)

    @precondition(lambda self: self.desk.those("answered"))
    @rule(data=st.data(), key=st.sampled_from("123*0"), crash=st.none() | st.integers(0, 6))
    def a_key_is_pressed(self, data: st.DataObject, key: str, crash: int | None) -> None:
        leg = data.draw(st.sampled_from(self.desk.those("answered")))
        if key == "1":
            self.desk.took.add(leg)
        self._happens(cues.LegKey(leg, key), crash)

    @precondition(lambda self: self.desk.those("answered"))
    @rule(
        data=st.data(),
        said=st.sampled_from(["yes", "i'll take it", "no", "again", "please leave a message after the tone"]),
    )
    def something_is_said(self, data: st.DataObject, said: str) -> None:
        leg = data.draw(st.sampled_from(self.desk.those("answered")))
        one = self.desk.machine.named(leg)
        if said in ("yes", "i'll take it") and one is not None and not one.machine:
            self.desk.took.add(leg)
        self._happens(cues.LegSaid(leg, said), None)

    @precondition(lambda self: self.desk.those("answered"))
    @rule(data=st.data(), sound=st.sampled_from(cues.LegSound))
    def something_sounds(self, data: st.DataObject, sound: cues.LegSound) -> None:
        self._happens(cues.LegSounds(data.draw(st.sampled_from(self.desk.those("answered"))), sound), None)

    @precondition(lambda self: any(self.desk.told.values()))
    @rule(data=st.data(), crash=st.none() | st.integers(0, 2))
    def the_whisper_ends(self, data: st.DataObject, crash: int | None) -> None:
        leg = data.draw(st.sampled_from([leg for leg, texts in self.desk.told.items() if texts]))
        self.desk.told[leg] = ()
        self._happens(cues.LegHeard(leg), crash)

    @precondition(lambda self: self.desk.those("answered", "connected", "aside"))
    @rule(data=st.data(), lost=st.booleans(), crash=st.none() | st.integers(0, 8))
    def a_human_hangs_up(self, data: st.DataObject, lost: bool, crash: int | None) -> None:
        leg = data.draw(st.sampled_from(self.desk.those("answered", "connected", "aside")))
        self.desk.legs[leg] = "left"
        self.desk.told.pop(leg, None)
        self._happens(cues.LegLeft(leg, lost), crash)

    @precondition(lambda self: self.desk.those("connected") and not self.desk.gone)
    @rule(data=st.data(), lost=st.booleans(), told=st.booleans(), crash=st.none() | st.integers(0, 8))
    def a_human_leaves_while_no_job_is_there(
        self, data: st.DataObject, lost: bool, told: bool, crash: int | None
    ) -> None:
        desk = self.desk
        leg = data.draw(st.sampled_from(desk.those("connected")))
        desk.legs[leg] = "left"
        desk.crash(cues.LegKey(leg, "5"), 0)
        if told:
            self._happens(cues.LegLeft(leg, lost, desk.now), crash)
        else:
            desk.pass_time(RESUME_WITHIN)

    @precondition(lambda self: self.desk.those("connected", "aside"))
    @rule(data=st.data(), hold=st.sampled_from(["", MUSIC, SILENT]), crash=st.none() | st.integers(0, 2))
    def somebody_puts_the_caller_on_hold(self, data: st.DataObject, hold: str, crash: int | None) -> None:
        leg = data.draw(st.sampled_from(self.desk.those("connected", "aside")))
        self._happens(cues.LegHold(leg, hold), crash)

    @precondition(lambda self: self.desk.those("connected", "aside"))
    @rule(data=st.data(), keys=st.sampled_from(["*", "2", "*2", "*3", "*8"]), crash=st.none() | st.integers(0, 5))
    def a_key_is_pressed_in_the_talk(self, data: st.DataObject, keys: str, crash: int | None) -> None:
        leg = data.draw(st.sampled_from(self.desk.those("connected", "aside")))
        for key in keys[:-1]:
            self._happens(cues.LegKey(leg, key), None)
        self._happens(cues.LegKey(leg, keys[-1]), crash)

    @precondition(lambda self: self.desk.legs)
    @rule(data=st.data())
    def a_link_is_used(self, data: st.DataObject) -> None:
        self._happens(cues.Declined(data.draw(st.sampled_from(sorted(self.desk.legs)))), None)

    @precondition(lambda self: not self.desk.gone)
    @rule(often=st.integers(0, 9), lost=st.booleans(), done=st.booleans())
    def the_caller_hangs_up(self, often: int, lost: bool, done: bool) -> None:
        if often == 0:
            self.desk.gone = True
            self._happens(cues.Gone(lost), None)
            if self.desk.booked:
                self._happens(cues.Booked(done), None)

    @rule()
    def all_is_said(self) -> None:
        if self.desk.sound == "words":
            self._happens(cues.Heard(), None)

    @rule(seconds=st.sampled_from([0.1, 1.0, 4.0, 12.0, 31.0]))
    def time_passes(self, seconds: float) -> None:
        self.desk.pass_time(seconds)

    def _happens(self, event: cues.Event, crash: int | None) -> None:
        # A job that dies once the caller has gone has no successor.
        if crash is None or self.desk.gone:
            self.desk.happens(event)
        else:
            self.desk.crash(event, crash)

    @invariant()
    def nobody_is_alone_and_silent(self) -> None:
        if hasattr(self, "desk"):
            self.desk.check()

    def teardown(self) -> None:
        if not hasattr(self, "desk"):
            return
        desk = self.desk
        for _ in range(3):
            for leg in desk.those("connected", "aside"):
                if desk.legs[leg] in ("connected", "aside"):
                    desk.hangs_up(leg)
            desk.pass_time(400.0)
        assert desk.outcome is not None, "it ends in bounded time"
        assert desk.machine.deadline == float("inf")
        assert desk.held == set(), "everybody is free in the end"
        assert not desk.in_line
        for leg in desk.those("rings"):  # one that a dead job should have dropped is dropped when it answers
            desk.answers(leg)
            assert desk.legs[leg] == "dropped"


Handoffs.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestHandoffs = Handoffs.TestCase
