from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.records.reading import flag, instant, mapping, text, whole

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "read"), [("a", "a"), ("a\x00b", "ab"), ("\ud800", "?"), (5, "5"), (None, None), ([], None)]
)
def test_text(value: object, read: str | None) -> None:
    assert text(value) == read


@pytest.mark.parametrize(("value", "read"), [(486, 486), (2.0, 2), (2.5, None), (True, None), ("5", None),
                                             (2**31, None), (math.inf, None), (math.nan, None)])  # fmt: skip
def test_whole(value: object, read: int | None) -> None:
    assert whole(value) == read


@pytest.mark.parametrize(("value", "read"), [(1.23456789, 1.234568), (0, 0.0), (-1, None), (1e12, None), (True, None),
                                             (math.nan, None), (math.inf, None), ("1", None)])  # fmt: skip
def test_instant(value: object, read: float | None) -> None:
    assert instant(value) == read


def test_flag_is_true_of_true_only() -> None:
    assert [flag(value) for value in (True, 1, "true", None)] == [True, False, False, False]


@given(ANYTHING)
def test_whatever_is_read_is_storable_json(value: object) -> None:
    shown = json.dumps([text(value), mapping({"k": value})], allow_nan=False, ensure_ascii=False)
    assert "\\u0000" not in shown
    shown.encode()
