"""A member who takes the call in their browser, in place of their phone or because they have none."""

from __future__ import annotations

from typing import cast

import pytest

from gateway.calls.acts import cues
from gateway.handoff.browser import (
    ANSWERS_WITHIN,
    Standing,
    Stands,
    browser_leg,
    may_say_elsewhere,
    rung_leg,
    stands,
)
from gateway.handoff.machine import Phase, Transfer
from gateway.handoff.state import Feature, Third
from gateway.terms.handoff import Tried
from tests.unit.calls.world import START
from tests.unit.handoff.model import EVE, TEAM, Desk, begun

ANA, BEN, *_ = TEAM


def rung() -> tuple[Desk, str, str]:
    """A desk where ana's and ben's phones ring."""
    desk = begun(whisper=("Maria Lopez of Acme.",))
    ana, ben = desk.offer(ANA, BEN)
    desk.happens(cues.LegRings(ana))
    desk.happens(cues.LegRings(ben))
    return desk, ana, ben


def test_a_browsers_leg_is_known_by_its_name() -> None:
    assert rung_leg(browser_leg("desk-19-1")) == "desk-19-1"
    assert rung_leg("desk-19-1") == ""


@pytest.mark.parametrize("answered", [False, True])
def test_who_comes_by_their_browser_has_taken_the_call_and_every_phone_falls_silent(answered: bool) -> None:
    desk, ana, ben = rung()
    if answered:
        desk.answers(ana)
        desk.answers(ben)
    browser = desk.comes(ana)
    assert desk.legs == {ana: "dropped", ben: "dropped", browser: "connected"}
    assert desk.came == {browser: Tried.TAKEN, ben: Tried.BEATEN}
    assert desk.machine.talks_with == "ana"
    desk.hangs_up(browser)
    assert desk.machine.phase is Phase.OVER
    assert desk.held == set()


@pytest.mark.parametrize("browser", [False, True])
def test_two_who_talk_by_their_phones_alone_say_nothing_elsewhere(browser: bool) -> None:
    desk, ana, _ = rung()
    assert may_say_elsewhere(desk.machine), "by the link of a card, that they can't take it"
    if browser:
        desk.comes(ana)
    else:
        desk.answers(ana)
        desk.presses(ana, "1")
    assert desk.machine.phase is Phase.BRIDGED
    assert may_say_elsewhere(desk.machine) is browser
    desk.hangs_up(browser_leg(ana) if browser else ana)
    assert may_say_elsewhere(desk.machine)


def test_the_second_browser_is_let_go() -> None:
    desk, ana, ben = rung()
    first, second = desk.comes(ana), desk.comes(ben)
    assert (desk.legs[first], desk.legs[second]) == ("connected", "dropped")


def test_who_was_faster_by_phone_has_it() -> None:
    desk, ana, ben = rung()
    desk.answers(ben)
    desk.presses(ben, "1")
    assert desk.legs[desk.comes(ana)] == "dropped"


def test_who_isnt_asked_any_more_is_let_go() -> None:
    desk, ana, ben = rung()
    desk.happens(cues.Declined(ana))
    assert desk.legs[desk.comes(ana)] == "dropped"
    desk.answers(ben)
    desk.gone = True
    desk.happens(cues.Gone())
    assert desk.machine.phase is Phase.PARTING
    assert desk.legs[desk.comes(ben)] == "dropped"


def test_who_has_no_phone_has_the_time_to_read_their_card() -> None:
    desk = begun()
    [eve] = desk.offer(EVE, ring_for=20.0)
    desk.happens(cues.LegRings(eve))
    assert desk.cards == ["eve"]
    desk.pass_time(ANSWERS_WITHIN - 1)
    assert desk.outcome is None
    assert desk.legs[desk.comes(eve)] == "connected"


def test_who_has_no_phone_and_doesnt_come_hasnt_answered() -> None:
    desk = begun()
    [eve] = desk.offer(EVE)
    desk.happens(cues.LegRings(eve))
    desk.pass_time(ANSWERS_WITHIN + 1)
    assert desk.came == {eve: Tried.NO_ANSWER}
    assert desk.outcome is not None


def test_another_job_asks_nobody_twice_who_has_no_phone() -> None:
    desk = begun()
    [eve] = desk.offer(EVE)
    desk.happens(cues.LegRings(eve))
    desk.crash(cues.Heard(), 0)
    assert desk.cards == ["eve"], "the card of before is good"
    assert desk.legs[desk.comes(eve)] == "connected"


@pytest.mark.parametrize("effects", range(7))
def test_a_job_that_dies_as_a_browser_comes_is_made_up_for(effects: int) -> None:
    desk, ana, _ = rung()
    browser = browser_leg(ana)
    desk.legs[browser], desk.whose[browser] = "answered", "ana"
    desk.took.add(browser)
    desk.crash(cues.LegAnswered(browser), effects)
    assert desk.legs[browser] == "connected"
    assert desk.those("rings", "answered") == []


def standing(desk: Desk, leg: str) -> Stands:
    return stands(cast(Transfer, desk.machine), leg)


def test_whoever_has_the_link_sees_how_it_stands() -> None:
    desk, ana, ben = rung()
    assert standing(desk, ana) == Stands(Standing.WAITS, name="ana", since=START)
    assert standing(desk, ben) == Stands(Standing.OVER), "the plan doesn't let ben take calls in a browser"
    assert standing(desk, "desk-19-9") == Stands(Standing.OVER)
    browser = desk.comes(ana)
    offers = {Feature.ASIDE: Third.RUNG_ASIDE, Feature.THIRD: Third.RUNG_IN}
    assert standing(desk, ana) == Stands(Standing.YOURS, "ana", whom="fay", offers=offers, dialed=2)
    assert standing(desk, ben) == Stands(Standing.TAKEN, "ana")
    desk.hangs_up(browser)
    assert standing(desk, ana) == Stands(Standing.LEFT, "ana")


def test_they_see_that_the_caller_has_gone_or_that_another_phone_has_it() -> None:
    desk, ana, ben = rung()
    desk.answers(ben)
    desk.gone = True
    desk.happens(cues.Gone())
    assert standing(desk, ana) == Stands(Standing.LEFT)
    desk, ana, ben = rung()
    desk.answers(ben)
    desk.presses(ben, "1")
    assert standing(desk, ana) == Stands(Standing.TAKEN, "ben")
