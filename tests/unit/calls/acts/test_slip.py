"""Which keys are still the press that has led a caller on."""

from __future__ import annotations

import pytest

from gateway.calls.acts.slip import SLIP, Presses
from gateway.terms.act import TALK, Act, Because, Choose, Onward, Promise, Record, Wait

MENU, LINE = Choose("For Ana, press 1.", "12"), Wait("desk", press="1")
ONE, ZERO = Onward(Because.KEY, "1"), Onward(Because.HUMAN)


@pytest.mark.parametrize(
    ("onward", "key", "act", "after", "slips"),
    [
        (ONE, "1", MENU, 0.2, True),
        (ONE, "2", MENU, 0.9, True),
        (ONE, "1", LINE, 0.2, True),
        (ONE, "#", Record("Please speak."), 0.2, True),
        (ONE, "1", Promise("sales"), 0.5, True),
        (ONE, "0", MENU, 0.2, False),
        (ONE, "0", Record("Please speak."), 0.2, True),
        (ZERO, "0", MENU, 0.2, True),
        (ZERO, "1", MENU, 0.2, True),
        (ONE, "2", MENU, SLIP, False),
        (Onward(Because.SILENCE), "1", MENU, 0.2, False),
        (Onward(Because.SPEECH), "1", LINE, 0.2, False),
    ],
)
def test_a_key_soon_after_the_one_that_led_on_is_nobodys(
    onward: Onward, key: str, act: Act, after: float, slips: bool
) -> None:
    led = Presses().pressed(100.0).led_on(MENU, onward)
    assert led.slips(key, act, 100.0 + after) is slips
    assert led.pressed(100.0 + after).slips(key, act, 100.0 + after) is slips, "the next one is no later for it"


def test_who_is_led_on_without_a_key_slips_by_none() -> None:
    assert not Presses().slips("1", MENU, 5.0)
    assert not Presses().led_on(MENU, ZERO).slips("0", MENU, 5.0), "who has said it"
    assert not Presses().pressed(5.0).led_on(TALK, ZERO).slips("1", LINE, 5.1), "an agent has told them first"
