"""A third beside two who talk: asked in private, brought in, passed the caller on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.calls.acts import cues, deeds
from gateway.calls.acts.rung import LATE, RESUME_WITHIN
from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.handoff.screening import BEGINS, LISTENS
from gateway.handoff.state import Feature, Third
from gateway.handoff.talking import code
from gateway.handoff.third import MOVES, PARTS, RINGS, offers
from gateway.terms.act import TALKED, Because, Onward
from gateway.terms.handoff import Tried
from tests.unit.handoff.model import ACT, FAY, TEAM, Desk, begun

ANA = TEAM[0]
MUSIC = "music:default"


def talking() -> tuple[Desk, str]:
    """Ana talks with the caller; her leg."""
    desk = begun()
    [leg] = desk.offer(ANA)
    desk.answers(leg)
    desk.presses(leg, "1")
    return desk, leg


def codes(desk: Desk, leg: str, keys: str) -> None:
    for key in keys:
        desk.happens(cues.LegKey(leg, key))


def asked(keys: str) -> tuple[Desk, str, str]:
    """As `talking`, and a third is rung; both legs."""
    desk, ana = talking()
    codes(desk, ana, keys)
    return desk, ana, next(leg for leg, name in desk.whose.items() if name == FAY.name)


def test_every_code_is_defined_whoever_is_there() -> None:
    assert MOVES.keys() == {(third, feature) for third in Third for feature in (Feature.THIRD, Feature.ASIDE)}


def test_what_is_offered_is_what_a_code_makes_of_it() -> None:
    """From everywhere: what is offered comes about, and what isn't does nothing."""
    seen = set[Third]()
    for first in ("*8", "*3", "*8*8", "*3*3", "*8*3", "*3*8"):
        for answers in (False, True):
            desk, ana, fay = asked(first[:2])
            if answers:
                desk.answers(fay)
            codes(desk, ana, first[2:])
            desk.pass_time(PARTS)
            before = desk.machine
            seen.add(before.third)
            for feature in (Feature.ASIDE, Feature.THIRD):
                after = before
                for key in code(feature):
                    after, _ = after.on(cues.LegKey(ana, key), desk.now)
                to = offers(before).get(feature, before.third)
                leaves = to is Third.NOBODY and before.third in (Third.RUNG_ASIDE, Third.ASIDE)
                assert after.third is (Third.LEFT if leaves else to)
    assert seen == set(Third) - {Third.LEFT}


def test_star_eight_asks_a_third_in_private() -> None:
    desk, ana, fay = asked("*8")
    assert (desk.sound, desk.legs) == (MUSIC, {ana: "aside", fay: "rings"})
    desk.answers(fay)
    assert (desk.sound, desk.legs) == (MUSIC, {ana: "aside", fay: "aside"})
    codes(desk, ana, "*8")
    assert (desk.sound, desk.legs) == (MUSIC, {ana: "aside", fay: "dropped"}), "until the third is out of the room"
    desk.pass_time(PARTS)
    assert (desk.sound, desk.legs) == ("", {ana: "connected", fay: "dropped"})


def test_star_three_brings_them_in() -> None:
    desk, ana, fay = asked("*3")
    assert (desk.sound, desk.legs) == ("", {ana: "connected", fay: "rings"}), "the two talk on"
    desk.answers(fay)
    assert (desk.sound, desk.legs) == ("", {ana: "connected", fay: "connected"})
    codes(desk, ana, "*3")
    assert desk.legs == {ana: "connected", fay: "dropped"}


def test_who_was_asked_is_brought_in() -> None:
    desk, ana, fay = asked("*8")
    desk.answers(fay)
    codes(desk, ana, "*3")
    assert (desk.sound, desk.legs) == ("", {ana: "connected", fay: "connected"})
    codes(desk, ana, "*8")
    assert (desk.sound, desk.legs) == ("", {ana: "connected", fay: "connected"}), "nobody was heard anew yet"
    assert desk.told_aside == [(ana, (word(HandoffWord.NO_ASIDE, "en-US"),))], "and she is told"
    desk.happens(cues.Renewed())
    codes(desk, ana, "*8")
    assert (desk.sound, desk.legs) == (MUSIC, {ana: "aside", fay: "aside"})
    assert desk.renewing == (ana, fay), "the caller loses both"


def test_a_third_is_asked_as_often_as_all_can_be_heard_anew() -> None:
    desk, ana = talking()
    for times in range(3):
        codes(desk, ana, "*8")
        assert desk.renewing == (ana,)
        fay = [leg for leg, name in desk.whose.items() if name == FAY.name][times]
        desk.happens(cues.Renewed())
        desk.answers(fay)
        assert (desk.sound, desk.legs[ana], desk.legs[fay]) == (MUSIC, "aside", "aside")
        codes(desk, ana, "*8")
        desk.pass_time(PARTS)
        assert (desk.sound, desk.legs[ana], desk.legs[fay]) == ("", "connected", "dropped")
    assert desk.told_aside == []


def test_where_nobody_can_be_heard_anew_the_caller_is_left_once() -> None:
    desk, ana, fay = asked("*8")
    desk.answers(fay)
    codes(desk, ana, "*8")
    desk.pass_time(PARTS)
    codes(desk, ana, "*8")
    assert (desk.sound, desk.legs) == ("", {ana: "connected", fay: "dropped"})
    assert [leg for leg, _ in desk.told_aside] == [ana]


def test_another_job_has_all_be_heard_anew_again() -> None:
    desk, _, fay = asked("*8")
    desk.renewing = ()
    desk.legs[fay] = "answered"
    desk.crash(cues.LegAnswered(fay), 0)
    assert desk.renewing


@pytest.mark.parametrize("keys", ["*8", "*3"])
def test_who_hangs_up_leaves_the_caller_to_the_third(keys: str) -> None:
    desk, ana, fay = asked(keys)
    desk.answers(fay)
    desk.hangs_up(ana)
    desk.pass_time(PARTS)
    assert (desk.sound, desk.legs[fay]) == ("", "connected")
    assert (desk.held, desk.released) == (set(), [deeds.Release("desk", "ana", took=True)])
    assert desk.came == {ana: Tried.TAKEN, fay: Tried.TAKEN}
    desk.hangs_up(fay)
    assert desk.outcome == TALKED


@pytest.mark.parametrize("keys", ["*8", "*3"])
def test_who_hangs_up_before_the_third_answers_gives_the_caller_back(keys: str) -> None:
    desk, ana, fay = asked(keys)
    desk.hangs_up(ana)
    assert desk.legs[fay] == "dropped"
    assert (desk.sound, desk.outcome) == (MUSIC, Onward(Because.RETURNED, why=Tried.GAVE_BACK.value))


@pytest.mark.parametrize("keys", ["*8", "*3"])
def test_a_third_who_cant_be_had_leaves_the_two_as_they_were(keys: str) -> None:
    desk, ana, fay = asked(keys)
    desk.fails(fay, 486)
    desk.pass_time(PARTS)
    assert (desk.sound, desk.legs[ana]) == ("", "connected")
    codes(desk, ana, "*3")
    [_, again] = [leg for leg, name in desk.whose.items() if name == FAY.name]
    desk.pass_time(RINGS + LATE + PARTS + 0.1)
    assert (desk.sound, desk.legs) == ("", {ana: "connected", fay: "failed", again: "dropped"})


MAILBOX = word(HandoffWord.MAILBOX, "en-US")
GREETING = "You have reached the voicemail of Fay. Please leave a message after the tone."


@pytest.mark.parametrize("keys", ["*8", "*3"])
@pytest.mark.parametrize("by", ["its words", "its tone"])
def test_a_third_whose_mailbox_answers_is_let_go_and_the_human_is_told(keys: str, by: str) -> None:
    desk, ana, fay = asked(keys)
    desk.answers(fay)
    assert desk.overheard == fay
    if by == "its words":
        desk.happens(cues.LegSaid(fay, GREETING))
    else:
        desk.happens(cues.LegSounds(fay, cues.LegSound.BEEP))
        assert desk.legs[fay] != "dropped", "another call waits for her"
        desk.happens(cues.LegSounds(fay, cues.LegSound.MONOLOGUE))
        desk.happens(cues.LegSounds(fay, cues.LegSound.BEEP))
    assert desk.legs[fay] == "dropped"
    assert desk.overheard == ""
    desk.pass_time(PARTS)
    assert (desk.sound, desk.legs[ana]) == ("", "connected")
    assert desk.told_aside == [(ana, (MAILBOX,))]
    assert desk.came == {ana: Tried.TAKEN, fay: Tried.MACHINE}
    codes(desk, ana, "*3")
    [_, again] = [leg for leg, name in desk.whose.items() if name == FAY.name]
    desk.answers(again)
    assert desk.legs[again] == "connected", "she may be asked again"


def test_a_third_who_talks_is_heard_no_longer_than_it_takes() -> None:
    desk, ana, fay = asked("*3")
    desk.answers(fay)
    desk.happens(cues.LegSaid(fay, "Hello, Fay here. What can I do for you?"))
    desk.pass_time(BEGINS + 1)
    desk.happens(cues.LegSounds(fay, cues.LegSound.MONOLOGUE))
    desk.happens(cues.LegSounds(fay, cues.LegSound.BEEP))
    assert desk.legs[fay] == "connected"
    desk.pass_time(LISTENS)
    assert desk.overheard == ""
    desk.happens(cues.LegSaid(fay, GREETING))
    assert desk.legs == {ana: "connected", fay: "connected"}


@pytest.mark.parametrize("keys", ["*8", "*3"])
def test_a_caller_is_left_to_no_machine(keys: str) -> None:
    desk, ana, fay = asked(keys)
    desk.answers(fay)
    desk.happens(cues.LegSounds(fay, cues.LegSound.MONOLOGUE))
    desk.hangs_up(ana)
    assert desk.legs[fay] == "dropped"
    assert desk.outcome == Onward(Because.RETURNED, why=Tried.GAVE_BACK.value)


@pytest.mark.parametrize("keys", ["*8", "*3"])
def test_a_caller_who_was_left_to_one_goes_on_with_the_agent(keys: str) -> None:
    desk, ana, fay = asked(keys)
    desk.answers(fay)
    desk.hangs_up(ana)
    desk.pass_time(2.0)  # who was aside is with the caller by now
    desk.happens(cues.LegSaid(fay, GREETING))
    assert desk.legs[fay] == "dropped"
    assert desk.came[fay] is Tried.MACHINE
    assert desk.outcome == Onward(Because.RETURNED, why=Tried.GAVE_BACK.value)


@pytest.mark.parametrize("keys", ["*8", "*3"])
def test_nobody_listens_on_to_a_caller_and_whom_they_were_left_to(keys: str) -> None:
    desk, ana, fay = asked(keys)
    desk.answers(fay)
    desk.pass_time(0.1)
    desk.hangs_up(ana)
    desk.pass_time(2.0)
    assert desk.overheard == fay
    desk.pass_time(LISTENS)
    assert (desk.overheard, desk.legs[fay]) == ("", "connected")


def test_another_job_hears_the_third_on() -> None:
    desk, _, fay = asked("*3")
    desk.answers(fay)
    desk.crash(cues.LegSounds(fay, cues.LegSound.MONOLOGUE), 0)
    assert desk.overheard == fay
    desk.happens(cues.LegSounds(fay, cues.LegSound.BEEP))
    assert desk.legs[fay] == "dropped"


def test_a_caller_who_hangs_up_ends_it_for_both() -> None:
    desk, ana, fay = asked("*8")
    desk.answers(fay)
    desk.gone = True
    desk.happens(cues.Gone())
    assert (desk.legs, desk.outcome) == ({ana: "dropped", fay: "dropped"}, TALKED)


def test_the_caller_is_given_back_from_three_too() -> None:
    desk, ana, fay = asked("*3")
    desk.answers(fay)
    codes(desk, ana, "*2")
    assert desk.legs == {ana: "dropped", fay: "dropped"}
    assert desk.outcome == Onward(Because.RETURNED, why=Tried.GAVE_BACK.value)


def test_where_the_plan_names_nobody_the_codes_mean_nothing() -> None:
    desk, ana = talking()
    desk.machine = replace(desk.machine, act=replace(ACT, third=None))
    codes(desk, ana, "*8")
    codes(desk, ana, "*3")
    assert desk.legs == {ana: "connected"}


@pytest.mark.parametrize("effects", range(5))
@pytest.mark.parametrize(("keys", "sound", "state"), [("*8", MUSIC, "aside"), ("*3", "", "connected")])
def test_another_job_goes_on_with_it(keys: str, sound: str, state: str, effects: int) -> None:
    desk, ana, fay = asked(keys)
    desk.legs[fay] = "answered"
    desk.crash(cues.LegAnswered(fay), effects)
    assert (desk.sound, desk.legs) == (sound, {ana: state, fay: state})


@pytest.mark.parametrize("effects", range(5))
def test_another_job_goes_on_with_whom_the_caller_was_left_to(effects: int) -> None:
    desk, ana, fay = asked("*8")
    desk.answers(fay)
    desk.legs[ana] = "left"
    desk.crash(cues.LegLeft(ana), effects)
    desk.pass_time(RESUME_WITHIN + PARTS + 0.1)
    assert (desk.sound, desk.legs[fay], desk.held) == ("", "connected", set())
