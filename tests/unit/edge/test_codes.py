"""Which keys of a human's the caller's phone is told of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.codes import Codes
from gateway.terms.codes import HELD, KEYS

GAPS = st.sampled_from([0.1, HELD - 0.05, HELD, 2 * HELD])
PRESSES = st.lists(st.tuples(st.sampled_from("*238#57"), GAPS), max_size=12)


def told(presses: list[tuple[str, float]]) -> str:
    """What the phone is told of keys, each pressed that many seconds after the one before, and of what is held at last."""
    codes, now, heard = Codes(), 0.0, ""
    for key, gap in presses:
        now += gap
        heard += codes.pressed(key, now)
    return heard + codes.due(now + HELD)


def uncoded(presses: list[tuple[str, float]]) -> str:
    """All keys but codes."""
    heard, at = "", 0
    while at < len(presses):
        key = presses[at][0]
        if key == "*" and at + 1 < len(presses) and presses[at + 1][0] in KEYS and presses[at + 1][1] < HELD:
            at += 2
            continue
        heard += key
        at += 1
    return heard


@given(PRESSES)
def test_all_keys_but_codes_are_told_in_their_order(presses: list[tuple[str, float]]) -> None:
    assert told(presses) == uncoded(presses)


def test_only_a_star_waits() -> None:
    codes = Codes()
    assert codes.pressed("5", 0.0) == "5"
    assert codes.pressed("*", 1.0) == ""
    assert codes.due(1.0 + HELD - 0.01) == ""
    assert codes.due(1.0 + HELD) == "*"
    assert codes.due(9.0) == ""
