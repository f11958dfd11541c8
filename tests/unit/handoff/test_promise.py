"""The words by which a caller is given to a team: its phones ring meanwhile, and they are heard whole, unless somebody takes the call."""

from __future__ import annotations

from gateway.calls.acts import cues, deeds
from gateway.handoff.machine import Phase, Transfer
from gateway.handoff.promise import PROMISE_WITHIN
from gateway.handoff.state import HOLD_EVERY, LEFT, SETTLE
from gateway.terms.act import Handoff
from tests.unit.calls.world import START
from tests.unit.handoff.model import ACT, PROMISE, TEAM, WHO, Desk, begun, unanswered

ANA, BEN, *_ = TEAM


def promised(act: Handoff = ACT) -> Desk:
    """A caller who is being told that they are put through."""
    desk = begun(act, whisper=WHO, promise=PROMISE)
    assert (desk.sound, desk.said, desk.in_line) == ("words", [PROMISE], True)
    return desk


def test_the_team_is_rung_while_the_caller_is_told_so_and_music_begins_then() -> None:
    desk = promised()
    [leg] = desk.offer(ANA)
    assert (desk.machine.phase, desk.sound) == (Phase.RINGING, "words")
    desk.happens(cues.LegRings(leg))
    assert desk.cards == ["ana"]
    desk.happens(cues.Heard())
    assert desk.sound == "music:default"


def test_who_takes_the_call_before_its_end_has_the_caller_at_once() -> None:
    desk = promised()
    [leg] = desk.offer(ANA)
    desk.answers(leg)
    desk.presses(leg, "1")
    assert (desk.legs[leg], desk.sound) == ("connected", "")
    desk.crash(cues.LegKey(leg, "5"), 0)
    assert desk.said == [PROMISE], "nor is it said to two who talk"


def test_whoever_refuses_before_its_end_lets_the_caller_hear_it_all_the_same() -> None:
    desk = promised()
    [ana] = desk.offer(ANA)
    desk.fails(ana, 603)
    assert (desk.sound, desk.held, desk.outcome) == ("words", set(), None)
    desk.happens(cues.Standing(1, None, free=0))
    assert (desk.sound, desk.outcome) == ("words", None)
    desk.happens(cues.Heard())
    assert desk.outcome == unanswered("declined")


def test_who_is_free_again_before_its_end_is_rung() -> None:
    desk = promised()
    [ana] = desk.offer(ANA)
    desk.fails(ana, 486)
    [ben] = desk.offer(BEN)
    desk.happens(cues.Heard())
    assert (desk.legs[ben], desk.sound) == ("rings", "music:default")


def test_where_nobody_is_there_after_all_the_caller_is_told_once_they_have_heard_it() -> None:
    desk = promised()
    desk.happens(cues.Standing(1, None, free=0))
    desk.pass_time(SETTLE + 1.0)
    assert desk.outcome is None
    desk.happens(cues.Heard())
    assert desk.outcome == unanswered("nobody")


def test_a_team_that_may_be_there_in_a_moment_is_waited_for() -> None:
    desk = promised()
    desk.pass_time(4.0)
    desk.happens(cues.Standing(1, None, free=0))
    desk.happens(cues.Heard())
    assert (desk.outcome, desk.sound) == (None, "music:default")
    desk.pass_time(SETTLE)
    assert desk.outcome == unanswered("nobody")


def test_who_has_waited_for_as_long_as_the_plan_says_hears_it_whole() -> None:
    desk = promised(Handoff("desk", at_most=2.0))
    [leg] = desk.offer(ANA)
    desk.happens(cues.LegRings(leg))
    desk.pass_time(3.0)
    assert (desk.outcome, desk.legs[leg]) == (None, "rings")
    desk.happens(cues.Heard())
    assert (desk.outcome, desk.legs[leg]) == (unanswered("no answer"), "dropped")


def test_a_caller_who_hangs_up_before_its_end_stops_the_ringing() -> None:
    desk = promised()
    [leg] = desk.offer(ANA)
    desk.gone = True
    desk.happens(cues.Gone())
    assert (desk.legs[leg], desk.sound, desk.outcome) == ("dropped", "", LEFT)


def test_a_voice_that_hangs_doesnt_keep_the_caller() -> None:
    desk = promised()
    desk.pass_time(PROMISE_WITHIN)
    assert desk.sound == "music:default"
    desk.pass_time(HOLD_EVERY)
    assert desk.sound == "words", "they hear that somebody is looked for, as late as ever"


def test_a_job_that_dies_before_its_end_has_the_next_say_it_again_and_the_one_after_not() -> None:
    desk = promised()
    [leg] = desk.offer(ANA)
    desk.happens(cues.LegRings(leg))
    desk.crash(cues.Standing(1, None, free=0), 0)
    assert (desk.said, desk.sound) == ([PROMISE] * 2, "words")
    assert desk.those("rings") == [leg], "whoever rings isn't rung again"
    desk.crash(cues.Standing(1, None, free=0), 0)
    assert (desk.said, desk.sound) == ([PROMISE] * 2, "music:default")


def test_a_job_that_dies_after_its_end_has_nobody_say_it_again() -> None:
    desk = promised()
    desk.happens(cues.Heard())
    desk.crash(cues.Standing(1, None, free=1), 0)
    assert (desk.said, desk.sound) == ([PROMISE], "music:default")


def test_a_job_that_says_it_again_lets_it_be_heard_whole() -> None:
    desk = promised()
    [leg] = desk.offer(ANA)
    desk.crash(cues.Standing(1, None, free=0), 0)
    desk.happens(cues.Standing(1, None, free=0))
    desk.fails(leg, 603)
    assert (desk.sound, desk.outcome) == ("words", None)
    desk.happens(cues.Heard())
    assert desk.outcome == unanswered("declined")


def test_it_is_said_before_anything_else() -> None:
    begins, effects = Transfer(ACT, promise=PROMISE).on(cues.Begun(), START)
    assert (begins.phase, effects[0]) == (Phase.OFFERING, deeds.Say(PROMISE))
