"""Who isn't to blame for being late."""

from __future__ import annotations

from agents.engines.standstill import BEAT, EXCUSED, STILL, Standstill


def going_on(since: float, until: float) -> Standstill:
    known = Standstill()
    for number in range(round((until - since) / BEAT) + 1):
        known.sign(since + number * BEAT)
    return known


def test_nothing_is_excused_of_which_nothing_is_known() -> None:
    assert not Standstill().excuses(1000.0)


def test_what_goes_on_excuses_nobody() -> None:
    known = going_on(5.0, 10.0)
    assert not known.excuses(10.0)
    assert not known.excuses(10.0 + STILL - 0.01)


def test_a_standstill_excuses_before_its_end_is_noticed_and_for_a_while_after() -> None:
    known = going_on(5.0, 10.0)
    assert known.excuses(12.0)
    known.sign(12.0)
    assert known.excuses(12.0)
    for number in range(round(EXCUSED / BEAT)):
        assert known.excuses(12.0 + number * BEAT)
        known.sign(12.0 + number * BEAT)
    assert not known.excuses(12.0 + EXCUSED)
