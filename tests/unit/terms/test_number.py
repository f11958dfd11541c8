"""Numbers as people and carriers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.terms.number import ANONYMOUS, country_of, normalise
from gateway.terms.personal import Number


@pytest.mark.parametrize(
    ("written", "country", "expected"),
    [
        ("(510) 555-0100", "US", "+15105550100"),
        ("+1 510 555 0100", "", "+15105550100"),
        ("15105550100", "", "+15105550100"),
        ("15105550100;npdi", "US", "+15105550100"),
        ("sip:+15105550100@10.0.0.1", "", "+15105550100"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("demo", "US", "demo"),
        ("sip:demo", "", "demo"),
        ("100", "US", "100"),
    ],
)
def test_a_number_is_read_in_any_form(written: str, country: str, expected: str) -> None:
    number = normalise(written, country)
    assert number is not None
    assert number.reveal() == expected


@pytest.mark.parametrize("word", [*sorted(ANONYMOUS), "Anonymous", "sip:anonymous@anonymous.invalid", "  "])
def test_a_withheld_caller_is_nobody(word: str) -> None:
    assert normalise(word, "US") is None


@given(st.text(max_size=40), st.sampled_from(["", "US", "GB"]))
def test_reading_never_fails_and_is_stable(written: str, country: str) -> None:
    once = normalise(written, country)
    if once is not None and once.reveal().startswith("+"):
        assert normalise(once.reveal(), country) == once


@pytest.mark.parametrize(
    ("number", "country"), [("+15105550100", "US"), ("+442079460018", "GB"), ("echo", ""), ("+999", "")]
)
def test_a_number_tells_its_country(number: str, country: str) -> None:
    assert country_of(Number(number)) == country
