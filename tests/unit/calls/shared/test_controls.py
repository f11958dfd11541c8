"""When an SIP service takes it that no control is there."""

from __future__ import annotations

import math

import pytest

from gateway.calls.shared.controls import BEAT, LOST, SURE, there
from gateway.calls.shared.missing import Missing

NEVER = Missing(SURE, math.inf)
ONCE = NEVER.looked(there(0.5), 10.0)


def test_a_service_that_has_never_heard_of_one_takes_calls() -> None:
    assert not NEVER.looked(there(None), 10.0).sure(100.0)
    assert not NEVER.looked(there(LOST + 1), 10.0).sure(100.0), "what another run has left says nothing"


@pytest.mark.parametrize("silence", [LOST, 1000.0, None])
def test_one_that_is_lost_is_believed_so_after_a_while(silence: float | None) -> None:
    lost = ONCE.looked(there(silence), 20.0)
    assert not lost.sure(20.0 + SURE - 0.1), "its first beat after a standstill comes after our first look"
    again = lost.looked(there(silence), 21.0)
    assert again.sure(20.0 + SURE)
    assert not again.looked(there(0.1), 30.0).sure(30.0)
    assert SURE > 2 * BEAT


def test_one_that_was_heard_of_lately_is_there() -> None:
    assert not ONCE.looked(there(LOST - 0.1), 20.0).sure(100.0)


def test_it_isnt_lost_while_nobody_can_be_asked() -> None:
    away = ONCE.looked(there(LOST), 20.0).unsure()
    assert not away.sure(100.0)
    assert not away.looked(there(LOST), 100.0).sure(100.0)
