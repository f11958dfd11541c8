"""When an SIP service takes it that no control is there."""

from __future__ import annotations

import pytest

from gateway.calls.shared.controls import BEAT, LOST, SURE, Attendance

ONCE = Attendance().looked(0.5, 10.0)


def test_a_service_that_has_never_heard_of_one_takes_calls() -> None:
    assert not Attendance().looked(None, 10.0).nobody(100.0)
    assert not Attendance().looked(LOST + 1, 10.0).nobody(100.0), "what another run has left says nothing"


@pytest.mark.parametrize("silence", [LOST, 1000.0, None])
def test_one_that_is_lost_is_believed_so_after_a_while(silence: float | None) -> None:
    lost = ONCE.looked(silence, 20.0)
    assert not lost.nobody(20.0 + SURE - 0.1), "its first beat after a standstill comes after our first look"
    again = lost.looked(silence, 21.0)
    assert again.nobody(20.0 + SURE)
    assert not again.looked(0.1, 30.0).nobody(30.0)
    assert SURE > 2 * BEAT


def test_one_that_was_heard_of_lately_is_there() -> None:
    assert not ONCE.looked(LOST - 0.1, 20.0).nobody(100.0)


def test_it_isnt_lost_while_nobody_can_be_asked() -> None:
    away = ONCE.looked(LOST, 20.0).unsure()
    assert not away.nobody(100.0)
    assert not away.looked(LOST, 100.0).nobody(100.0)
