"""Digits that are said on a sealed route are hidden, and what isn't a secret is left."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.terms.english import number
from gateway.terms.said_digits import hidden
from gateway.terms.sealed import HIDDEN


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", ""),
        ("my internet is not working", "my internet is not working"),
        ("I have two routers", "I have two routers"),
        ("it's the one in the kitchen", "it's the one in the kitchen"),
        ("my number is seven three nine one four six thanks", f"my number is {HIDDEN} thanks"),
        ("It is 739146.", f"It is {HIDDEN}."),
        ("it is 7 3 9, 1 4 6", f"it is {HIDDEN}"),
        ("seven three", HIDDEN),
        ("seven", HIDDEN),
        ("7", HIDDEN),
        ("double seven three", HIDDEN),
        ("Seven-three oh nine and then four", f"{HIDDEN} and then four"),
        ("forty-two", HIDDEN),
        ("twelve thirty four", HIDDEN),
        ("oh no", "oh no"),
        ("I'm one of seven and you", "I'm one of seven and you"),
    ],
)
def test_hidden(said: str, told: str) -> None:
    assert hidden(said) == told


@given(st.text(alphabet="0123456789", min_size=2, max_size=16), st.sampled_from([" ", "", "-", ", ", ". ", "  "]))
def test_no_numeral_is_left(digits: str, between: str) -> None:
    told = hidden(f"well it is {between.join(digits)} I think")
    assert not any(char.isdecimal() for char in told)
    assert told == f"well it is {HIDDEN} I think"


@given(st.lists(st.integers(0, 9), min_size=2, max_size=16))
def test_no_word_of_a_string_of_digits_is_left(digits: list[int]) -> None:
    assert hidden(f"well it is {' '.join(number(digit) for digit in digits)} I think") == f"well it is {HIDDEN} I think"


@given(st.text(max_size=60))
def test_hiding_twice_changes_nothing(said: str) -> None:
    assert hidden(hidden(said)) == hidden(said)
