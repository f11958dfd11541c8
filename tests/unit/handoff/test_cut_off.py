"""A caller or a human whose line is cut just after they began to talk."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.calls.acts import cues, deeds
from gateway.calls.acts.rung import LATE, RESUME_WITHIN
from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.handoff.asked import PART_WITHIN
from gateway.handoff.cut_off import AT_ONCE, ON_HOLD, RINGS
from gateway.handoff.machine import Phase
from gateway.terms.act import RING_BACK, TALKED
from gateway.terms.handoff import Tried
from gateway.terms.hold import MUSIC, SILENT
from tests.unit.handoff.model import CHOOSE, EVE, TEAM, WHO, Desk, consulted, unanswered

ANA, BEN, *_ = TEAM


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


@pytest.mark.parametrize(
    ("after", "goodbye", "back"),
    [
        (AT_ONCE, False, True),
        (AT_ONCE, True, False),
        (AT_ONCE, None, False),
        (RING_BACK - 1, False, True),
        (RING_BACK - 1, True, False),
        (RING_BACK - 1, None, False),
        (RING_BACK, False, False),
    ],
)
def test_who_hangs_up_early_without_a_goodbye_is_rung_back(after: float, goodbye: bool | None, back: bool) -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.pass_time(after)
    desk.hangs_up(leg, goodbye=goodbye)
    assert (desk.those("rings") != []) is back
    assert desk.came[leg] is (Tried.CUT_OFF if back else Tried.TAKEN)
    assert desk.outcome == (None if back else TALKED)


def test_what_counts_is_when_they_hung_up_however_long_it_takes_to_understand_them() -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.pass_time(RING_BACK - 1)
    at, desk.legs[leg] = desk.now, "left"
    desk.pass_time(2.0)
    desk.happens(cues.LegLeft(leg, at=at, goodbye=False))
    assert desk.machine.rung_back == ANA.name


def test_the_last_words_are_remembered_while_it_is_early_and_no_longer() -> None:
    desk, [leg] = consulted(ANA)
    effects = desk.presses(leg, "1")
    kinds = [type(effect) for effect in effects]
    assert kinds.index(deeds.Remember) + 1 == kinds.index(deeds.Connect), "no word is lost, nor a track taken back"
    desk.pass_time(RING_BACK - 0.1)
    assert desk.remembered == leg
    desk.pass_time(0.1)
    assert (desk.remembered, desk.machine.deadline) == ("", float("inf"))


@pytest.mark.parametrize("whose", ["the human", "the caller"])
def test_nobody_is_heard_who_holds_or_is_held(whose: str) -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    for hold, remembered in ((MUSIC, ""), ("", leg)):
        desk.holds(leg if whose == "the human" else "", hold)
        assert desk.remembered == remembered


def test_whoever_asks_a_third_is_heard_again_once_the_third_is_gone() -> None:
    desk, [leg] = consulted(ANA)
    for keys, remembered in (("1", leg), ("*3", ""), ("*3", leg)):
        for key in keys:
            desk.presses(leg, key)
        assert desk.remembered == remembered


@pytest.mark.parametrize("why", ["a browser", "the plan lets them be", "rung back before"])
def test_nobody_is_heard_who_cant_be_rung_back(why: str) -> None:
    desk, [leg] = consulted(EVE if why == "a browser" else ANA)
    if why == "the plan lets them be":
        desk.machine = replace(desk.machine, act=replace(desk.machine.act, ring_back=0.0))
    if why == "a browser":
        assert desk.comes(leg)
    else:
        desk.presses(leg, "1")
    if why == "rung back before":
        desk.hangs_up(leg, goodbye=False)
        [leg] = desk.those("rings")
        desk.answers(leg)
        desk.presses(leg, "1")
    assert desk.those("connected")
    assert desk.remembered == ""


def test_another_job_remembers_them_anew() -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.crash(cues.LegKey(leg, "5"), 0)
    assert desk.remembered == leg
    desk.pass_time(AT_ONCE)
    desk.hangs_up(leg, goodbye=False)
    assert desk.machine.rung_back == ANA.name


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
    [back] = [effect for effect in effects if isinstance(effect, deeds.Dial)]
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
    assert desk.released == [deeds.Release("desk", "ana", took=True)], "once: they have talked"


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
    assert len(desk.those("connected")) == 1
