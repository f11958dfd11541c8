"""A caller and the human who has taken them: keys, holds, and jobs that die meanwhile."""

from __future__ import annotations

import pytest

from gateway.calls.acts import cues, deeds
from gateway.calls.acts.rung import RESUME_WITHIN
from gateway.calls.words import word
from gateway.calls.words.menu import MenuWord
from gateway.handoff.cut_off import AT_ONCE, ON_HOLD
from gateway.handoff.machine import Phase, Transfer
from gateway.terms.act import TALKED, Because, Onward
from gateway.terms.codes import HELD
from gateway.terms.entry import Entry
from gateway.terms.handoff import Tried
from gateway.terms.hold import MUSIC, SILENT
from tests.unit.calls.world import START
from tests.unit.handoff.model import ACT, CHOOSE, TEAM, Desk, consulted

ANA, BEN, *_ = TEAM


def test_another_job_goes_on_with_the_talk() -> None:
    desk, [ana, ben] = consulted(ANA, BEN)
    desk.took.add(ana)
    desk.crash(cues.LegKey(ana, "1"), 2)
    assert desk.legs == {ana: "connected", ben: "dropped"}
    assert desk.held == {"ana"}
    assert desk.came[ana] is Tried.TAKEN, "which the job before may not have told"
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
    assert desk.released == [deeds.Release("desk", "ana", took=True)]


@pytest.mark.parametrize("keys", ["2", "*5", "5*", "**", "*12"])
def test_other_keys_mean_nothing_to_us(keys: str) -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    for key in keys:
        desk.happens(cues.LegKey(leg, key))
    desk.pass_time(60)
    assert desk.legs == {leg: "connected"}


@pytest.mark.parametrize("entered", [True, False])
def test_star_and_nine_have_the_caller_never_called_again_and_both_hear_so(entered: bool) -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.happens(cues.LegKey(leg, "*"))
    desk.happens(cues.LegKey(leg, "9"))
    assert desk.never_called == 1
    desk.happens(cues.NoCalls(entered))
    said = word(MenuWord.NO_CALLS if entered else MenuWord.NO_CALLS_FAILED, "en-US")
    assert desk.announced == [said]
    assert desk.machine.entry is (Entry.ENTERED if entered else Entry.FAILED)
    assert desk.legs == {leg: "connected"}


@pytest.mark.parametrize("effects", [0, 1])
def test_a_job_that_dies_before_the_number_is_entered_is_made_up_for(effects: int) -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    desk.happens(cues.LegKey(leg, "*"))
    desk.happens(cues.LegKey(leg, "9"), effects=effects)
    desk.crashed, desk.legs[leg], desk.never_called = True, "answered", 0
    desk.happens(cues.Resumed(frozenset({leg})))
    assert desk.never_called == 1, "at once"
    desk.happens(cues.NoCalls(True))
    assert desk.announced == [], "nobody could be told yet"
    desk.happens(cues.LegAnswered(leg))
    desk.happens(cues.NoCalls(True))
    assert desk.announced == [word(MenuWord.NO_CALLS, "en-US")]
    before = desk.never_called
    desk.crash(cues.Heard(), 0)
    assert desk.never_called == before, "what is entered isn't again"


@pytest.mark.parametrize("away", ["held", "aside"])
def test_of_a_caller_who_hears_somebody_else_the_human_is_told_alone(away: str) -> None:
    desk, [leg] = consulted(ANA)
    desk.presses(leg, "1")
    if away == "held":
        desk.holds(leg, SILENT)
    for key in "*8*9" if away == "aside" else "*9":
        desk.happens(cues.LegKey(leg, key))
    desk.happens(cues.NoCalls(True))
    assert desk.announced == []
    assert desk.told_aside == [(leg, (word(MenuWord.NO_CALLS, "en-US"),))]


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
        deeds.Sound("music:default"),
        deeds.Ready((CHOOSE,)),
        deeds.Enter("desk", START, once=True, browsers=("ana", "eve")),
    )


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
