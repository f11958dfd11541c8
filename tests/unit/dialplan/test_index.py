"""Tests of looking numbers up among very many, against the plain definition."""

from __future__ import annotations

import time

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
    started = time.perf_counter()
    index, clashes = build(entries(patterns))
    assert clashes == []
    assert time.perf_counter() - started < 2.0
    assert (index.find("+14150299977") or pytest.fail("not found")).pattern == Pattern("+141502999xx")
