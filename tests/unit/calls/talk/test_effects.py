"""An effect's key: the same for the same meaning however it is written, another for another."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.talk.effects import canonical, key

leaves = st.none() | st.booleans() | st.integers(-999, 999) | st.floats(-9, 9) | st.text(max_size=8)
values = st.recursive(
    leaves, lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=4), one, max_size=3)
)
arguments = st.dictionaries(st.text(max_size=6), values, max_size=5)


@given(arguments, st.randoms())
def test_order_and_nulls_make_no_difference(given_arguments: dict[str, object], random: object) -> None:
    items = list(given_arguments.items())
    random.shuffle(items)  # type: ignore[attr-defined]
    assert key("book", dict(items)) == key("book", given_arguments)
    assert key("book", {**given_arguments, "\N{SNOWMAN}\N{SNOWMAN}never": None}) == key("book", given_arguments)


@given(st.text(max_size=12), st.text(" \t\n", max_size=3))
def test_blanks_and_composition_make_no_difference(text: str, blanks: str) -> None:
    written = {"a": f"{blanks}{unicodedata.normalize('NFD', text)}{blanks}"}
    assert canonical("t", written) == canonical("t", {"a": unicodedata.normalize("NFC", text)})


@given(st.integers(-(2**40), 2**40))
def test_a_whole_number_is_one_however_it_is_written(number: int) -> None:
    assert key("t", {"n": float(number)}) == key("t", {"n": number})


@given(st.integers(), st.integers(), st.text(max_size=5), st.text(max_size=5))
def test_another_meaning_is_another_key(one: int, other: int, tool: str, another: str) -> None:
    assert (key("t", {"n": one}) == key("t", {"n": other})) == (one == other)
    assert (key(tool, {}) == key(another, {})) == (tool == another)


def test_what_is_no_json_is_refused_and_a_key_tells_nothing() -> None:
    with pytest.raises(TypeError):
        canonical("t", {"a": {1, 2}})
    assert "5550177" not in key("book", {"number": "+15105550177"})
    assert key("t", {"a": True}) != key("t", {"a": 1})
