"""Tests of looking numbers up among very many, against the plain definition."""

from __future__ import annotations

import random
import time
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialplan.index import build
from gateway.dialplan.model import Entry, Place
from gateway.dialplan.numbers import OTHERWISE, Pattern

HEAD = "+1510555"
EXACT = st.text("012", min_size=3, max_size=3).map(lambda tail: Pattern(HEAD + tail))
MASKS = st.text("012x", min_size=3, max_size=3).map(lambda tail: Pattern(HEAD + tail))
RANGES = st.tuples(st.integers(0, 222), st.integers(1, 60)).map(
    lambda one: Pattern(HEAD, f"{one[0]:03}", f"{min(999, one[0] + one[1]):03}")
)
PREFIXES = st.sampled_from(["+", "+1510", "+15105550", "+15105551", "+151055500", "demo"]).map(
    lambda text: Pattern(text, prefix=True)
)
USERS = st.sampled_from([Pattern("demo"), Pattern("100"), OTHERWISE])
LINES = st.lists(st.one_of(EXACT, MASKS, RANGES, PREFIXES, USERS), max_size=12)
KEYS = [f"{HEAD}{number:03}" for number in range(290)] + ["+1510", "+4420", "demo", "demos", "100", ""]


def entries(patterns: list[Pattern]) -> list[Entry]:
    return [
        Entry(pattern, f"r{number}", Place("main.yaml", number + 1, 1), str(number))
        for number, pattern in enumerate(patterns)
    ]


@settings(max_examples=300, deadline=None)
@given(LINES)
def test_the_index_finds_what_the_definition_finds(patterns: list[Pattern]) -> None:
    lines = entries(patterns)
    index, clashes = build(lines)
    for key in KEYS:
        fitting = [entry for entry in lines if entry.pattern.fits(key)]
        found = index.find(key)
        assert (found is None) == (not fitting)
        if found is not None:
            assert found in fitting
            assert found.pattern.rank == min(entry.pattern.rank for entry in fitting)
        assert sorted(one.route for one in index.looked(key)) == sorted(one.route for one in fitting)
    pairs = {
        (one.route, other.route)
        for place, one in enumerate(lines)
        for other in lines[place + 1 :]
        if one.pattern.rank == other.pattern.rank and one.pattern.overlaps(other.pattern)
    }
    told = {(clash.first.route, clash.second.route) for clash in clashes}
    assert told <= pairs
    assert {second for _, second in pairs} == {second for _, second in told}, "each line that clashes is told"


def test_ten_thousand_lines_of_every_kind_are_ready_at_once() -> None:
    patterns = [Pattern(f"+1510{number:07}") for number in range(4000)]
    patterns += [Pattern(f"+1415{number:05}xx") for number in range(3000)]
    patterns += [Pattern(f"+1212{number:04}", "000", f"{100 + number % 800:03}") for number in range(2990)]
    patterns += [Pattern(f"+44{number}", prefix=True) for number in range(10)]
    started = time.process_time()
    index, clashes = build(entries(patterns))
    assert clashes == []
    assert time.process_time() - started < 2.0
    assert (index.find("+14150299977") or pytest.fail("not found")).pattern == Pattern("+141502999xx")


TAILS = (
    st.text("01x", min_size=5, max_size=5)
    .filter(lambda tail: tail.count("x") < 4)
    .map(lambda tail: Pattern(HEAD + tail))
)
WIDE = st.tuples(st.integers(0, 99_000), st.sampled_from([10, 100])).map(
    lambda one: Pattern(HEAD, f"{one[0] % 11_200:05}", f"{one[0] % 11_200 + one[1] - 1:05}")
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(TAILS, WIDE), min_size=10, max_size=40))
def test_masks_of_many_shapes_and_ranges_as_wide(patterns: list[Pattern]) -> None:
    lines = entries(patterns)
    index, clashes = build(lines)
    for number in range(0, 11_300, 31):
        key = f"{HEAD}{number:05}"
        fitting = [entry for entry in lines if entry.pattern.fits(key)]
        least = min(fitting, key=lambda entry: (entry.pattern.rank, entry.place.line), default=None)
        assert index.find(key) is least, "of lines that clash the first counts"
    for clash in clashes:
        assert clash.first.place.line < clash.second.place.line
        assert clash.first.pattern.overlaps(clash.second.pattern)
        assert clash.same == (numbers_of(clash.first.pattern) == numbers_of(clash.second.pattern))
    assert [clash.second.place.line for clash in clashes] == [
        one.place.line
        for place, one in enumerate(lines)
        if any(one.pattern.rank == two.pattern.rank and one.pattern.overlaps(two.pattern) for two in lines[:place])
    ]


def numbers_of(pattern: Pattern) -> set[str]:
    if pattern.low:
        return {pattern.text + f"{one:0{len(pattern.low)}}" for one in range(int(pattern.low), int(pattern.high) + 1)}
    return {"".join(signs) for signs in product(*("0123456789" if sign == "x" else sign for sign in pattern.text))}


def test_a_range_of_one_number_is_that_number() -> None:
    index, clashes = build(entries([Pattern(HEAD, "0100", "0100"), Pattern(f"{HEAD}0100")]))
    assert [clash.same for clash in clashes] == [True]
    assert index.find(f"{HEAD}0100") is index.entries[0]


@pytest.mark.parametrize("key", ["+²²²²²²²²²²²", "+1510555x", "+", "²", "+" + "1" * 5000])
def test_keys_that_are_no_numbers_find_nothing(key: str) -> None:
    lines = entries([Pattern("+1510555xxxx"), Pattern("+1510555", "0100", "0200"), Pattern("+x" + "1" * 10)])
    assert build(lines)[0].find(key) is None


def test_a_sip_user_with_an_x_is_itself() -> None:
    index, _ = build(entries([Pattern("+1x0y"), Pattern("box")]))
    assert (index.find("+1x0y"), index.find("box")) == index.entries
    assert index.find("+110y") is None


def test_ten_thousand_masks_of_every_shape_are_ready_at_once() -> None:
    shuffled = random.Random(1)
    patterns = [Pattern("+1" + "".join(shuffled.choice("0123456789xx") for _ in range(10))) for _ in range(10_000)]
    started = time.process_time()
    index, _ = build(entries(patterns))
    built = time.process_time()
    for number in range(2000):
        index.find(f"+1{number:010}")
    assert built - started < 1.0
    assert time.process_time() - built < 0.4, "200 µs each; looking at every line takes thousands"
