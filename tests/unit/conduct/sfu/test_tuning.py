"""When a job may ask for a track, and when leave it."""

from __future__ import annotations

from gateway.calls.hearing import Change
from gateway.conduct.sfu.tuning import COMES_WITHIN, LEFT_FOR, MISSED_AFTER, Tuning

ASK, LEAVE = (Change("agent", frozenset({"TR_c", "TR_l"}), subscribe=on) for on in (True, False))


def test_what_was_asked_for_is_left_once_it_has_come_or_will_not() -> None:
    tuning = Tuning()
    assert tuning.due(LEAVE, 0.0) == LEAVE
    assert tuning.asked("TR_c", 0.0) == (COMES_WITHIN, MISSED_AFTER)
    assert tuning.due(LEAVE, 0.9 * COMES_WITHIN).tracks == {"TR_l"}
    assert tuning.due(LEAVE, COMES_WITHIN) == LEAVE
    tuning.came("TR_c")
    assert tuning.due(LEAVE, 0.1) == LEAVE
    assert not tuning.missed(1000.0)


def test_what_was_left_is_asked_for_a_moment_later() -> None:
    tuning = Tuning()
    tuning.left("TR_l", 10.0, had=False)
    assert tuning.due(ASK, 10.0) == ASK, "what was never heard is heard at once"
    tuning.left("TR_c", 10.0, had=True)
    assert tuning.due(ASK, 10.0 + 0.9 * LEFT_FOR).tracks == {"TR_l"}
    assert tuning.due(ASK, 10.0 + LEFT_FOR) == ASK
    tuning.asked("TR_l", 11.0)
    tuning.left("TR_l", 12.0, had=False)
    assert tuning.due(ASK, 12.0).tracks == {"TR_c"}


def test_what_does_not_come_is_missed_once_and_later_each_time_it_is_asked_for() -> None:
    tuning = Tuning()
    tuning.asked("TR_c", 0.0)
    tuning.asked("TR_c", 1.0)
    assert not tuning.missed(0.9 * MISSED_AFTER)
    assert tuning.missed(MISSED_AFTER) == {"TR_c"}
    assert not tuning.missed(MISSED_AFTER)
    assert tuning.due(ASK, MISSED_AFTER).tracks == {"TR_l"}
    assert tuning.asked("TR_c", 10.0)[1] == 2 * MISSED_AFTER
    assert not tuning.missed(10.0 + 1.9 * MISSED_AFTER)
    assert tuning.missed(10.0 + 2 * MISSED_AFTER) == {"TR_c"}
    tuning.came("TR_c")
    assert tuning.asked("TR_c", 20.0)[1] == MISSED_AFTER
