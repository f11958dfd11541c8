"""Tests of what stands left of the colon in `numbers`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialplan.numbers import Pattern, read

DIGITS = st.text("0123456789", min_size=4, max_size=4)
MASKS = st.text("0123456789x", min_size=4, max_size=4).map(lambda mask: Pattern(f"+1510555{mask}"))
RANGES = st.tuples(DIGITS, DIGITS).map(lambda ends: Pattern("+1510555", min(ends), max(ends)))


@pytest.mark.parametrize(
    "written",
    [
        "(510) 555-0100",
        "+1 510 555 0100",
        "+15105550100",
        "510.555.0100",
        "1-510-555-0100",
        "5105550100",
        " 5105550100 ",
    ],
)
def test_a_number_in_any_form_is_one_number(written: str) -> None:
    assert read(written, "US") == Pattern("+15105550100")


@pytest.mark.parametrize(
    ("written", "country", "fits", "fits_not"),
    [
        ("+1 510 555 03xx", "US", ["+15105550300", "+15105550399"], ["+15105550400", "+151055503", "+151055503000"]),
        ("(510) 555-03XX", "US", ["+15105550312"], ["+15105550212"]),
        ("+1 510 555 0400-0449", "US", ["+15105550400", "+15105550449"], ["+15105550450", "+15105550399"]),
        ("5105550400 - 0449", "US", ["+15105550449"], ["+15105550450"]),
        ("+1 510 555 0449 - 51", "US", ["+15105550451"], ["+15105550452", "+15105550448"]),
        ("+44 20 7946 0*", "US", ["+442079460018"], ["+44207946"]),
        ("020 7946 0*", "GB", ["+442079460018"], ["+4420794500"]),
        ("011 44 20*", "US", ["+442079460018"], ["+14420794600"]),
        ("00 44 20*", "DE", ["+442079460018"], ["+49442079460"]),
        ("sip:Demo", "US", ["demo"], ["demos", "+1demo"]),
        ("sip:100", "US", ["100"], ["1000"]),
        ("100", "US", ["100"], ["+100", "1000"]),
        ("otherwise", "US", ["", "anything", "+15105550100"], []),
    ],
)
def test_a_pattern_fits_what_it_says(written: str, country: str, fits: list[str], fits_not: list[str]) -> None:
    pattern = read(written, country)
    assert [number for number in fits if not pattern.fits(number)] == []
    assert [number for number in fits_not if pattern.fits(number)] == []


@pytest.mark.parametrize(
    ("written", "country", "says"),
    [
        ("banana", "US", "is no number"),
        ("5105550100", "", "has no country"),
        ("+1 510", "US", "can't be a telephone number"),
        ("sip:ben@pbx", "US", "Write sip:ben"),
        ("sip:", "US", "isn't a SIP user"),
        ("+1 510 555 0449 - 0400", "US", "runs backwards"),
        ("+1 510 555 49 - 0450", "US", "is the longer"),
        ("+49 30 1234-1299", "US", "spaces around the hyphen"),
        ("510*", "", "which country"),
        ("+*", "US", "Write otherwise"),
        ("+1 5x0*", "US", "mixes x and *"),
        ("+XX01XX011X51X55", "US", "can't be a telephone number"),
    ],
)
def test_what_is_no_pattern_says_what_to_write(written: str, country: str, says: str) -> None:
    with pytest.raises(ValueError, match=says.replace("*", r"\*").replace("+", r"\+")):
        read(written, country)


def test_the_narrower_pattern_has_the_lower_rank() -> None:
    lines = ["+15105550300", "+1 510 555 030x", "+1 510 555 0300 - 0349", "+1 510 555 03xx", "+1 510 555*", "+1*"]
    ranks = [read(line, "US").rank for line in [*lines, "otherwise"]]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)


@given(st.one_of(MASKS, RANGES), st.one_of(MASKS, RANGES))
def test_patterns_overlap_when_a_number_fits_both(one: Pattern, other: Pattern) -> None:
    both = any(one.fits(number) and other.fits(number) for n in range(10_000) if (number := f"+1510555{n:04d}"))
    assert one.overlaps(other) == other.overlaps(one) == both


@given(st.text(max_size=30), st.sampled_from(["US", "GB", "DE", ""]))
def test_any_text_is_a_pattern_or_told_off(written: str, country: str) -> None:
    try:
        pattern = read(written, country)
    except ValueError as bad:
        assert str(bad).endswith((".", "country."))
    else:
        assert pattern.rank >= 1
