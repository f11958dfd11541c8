"""Keys become entries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.conduct.digits import GAP, LONE, MOST, Entry, Keypad


def press(keys: str, each: float = 0.2) -> tuple[Keypad, list[Entry], float]:
    pad, entries, now = Keypad(), list[Entry](), 0.0
    for key in keys:
        pad, entry = pad.press(key, now)
        entries += [entry] if entry else []
        now += each
    return pad, entries, now - each


@pytest.mark.parametrize(
    ("keys", "entries"),
    [
        ("123#", [Entry("123", False)]),
        ("0#", [Entry("0", True)]),
        ("12*34#", [Entry("34", False)]),
        ("#", [Entry("#", False)]),
        ("1" * MOST, [Entry("1" * MOST, False)]),
        ("1x2#", [Entry("12", False)]),
    ],
)
def test_an_entry_ended_by_a_key(keys: str, entries: list[Entry]) -> None:
    assert press(keys)[1] == entries


def test_a_pause_ends_an_entry_and_a_lone_nought_sooner() -> None:
    pad, _, last = press("0421")
    assert pad.due(last + GAP - 0.01) == (pad, None)
    assert pad.due(last + GAP)[1] == Entry("0421", False)
    nought, _, last = press("0")
    assert nought.due(last + LONE)[1] == Entry("0", True)


@given(st.text("0123456789", max_size=100))
def test_no_digit_is_lost_or_doubled(keys: str) -> None:
    pad, entries, last = press(keys)
    pad, rest = pad.due(last + GAP)
    assert "".join(entry.keys for entry in entries) + (rest.keys if rest else "") == keys
    assert pad.deadline is None
