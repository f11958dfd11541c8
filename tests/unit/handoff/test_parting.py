"""A caller who hangs up."""

from __future__ import annotations

import pytest

from gateway.calls.acts import cues
from gateway.handoff.asked import PART_WITHIN
from gateway.handoff.cut_off import AT_ONCE
from gateway.handoff.machine import Phase
from gateway.handoff.state import LEFT
from gateway.terms.act import TALKED
from gateway.terms.handoff import Tried
from tests.unit.handoff.model import TEAM, begun, consulted

ANA, BEN, *_ = TEAM


@pytest.mark.parametrize(("lost", "came"), [(False, Tried.CALLER_LEFT), (True, Tried.CALLER_LOST)])
def test_a_caller_who_hangs_up_stops_the_ringing_and_who_had_answered_is_told(lost: bool, came: Tried) -> None:
    desk = begun()
    ana, ben = desk.offer(ANA, BEN)
    desk.answers(ana)
    desk.gone = True
    desk.happens(cues.Gone(lost))
    assert desk.legs == {ana: "answered", ben: "dropped"}
    assert desk.came == {ana: came, ben: came}
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
