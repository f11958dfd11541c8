from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from gateway.records.groups import Group, merge, merge_fields

OLDEST = Group(("at", "a", "b"))
NEWEST = Group(("when", "c"), newest=True)
GROUPS = (OLDEST, NEWEST)

SMALL = st.none() | st.integers(0, 3)
TIMES = st.none() | st.floats(0, 3)
ROWS = st.fixed_dictionaries({}, optional={"at": TIMES, "a": SMALL, "b": SMALL, "when": TIMES, "c": SMALL})
FIELDS = st.dictionaries(
    st.sampled_from("xyz"), st.fixed_dictionaries({"value": SMALL, "at": st.floats(0, 3)}), max_size=3
)


def test_the_earliest_telling_stands_whole() -> None:
    assert merge(GROUPS, {"at": 2.0, "a": 1, "b": 1}, {"at": 1.0, "a": 2}) == {"at": 1.0, "a": 2, "b": None}


def test_the_newest_telling_stands_where_the_group_says_so() -> None:
    assert merge(GROUPS, {"when": 1.0, "c": 1}, {"when": 2.0, "c": 2}) == {"when": 2.0, "c": 2}


def test_nothing_told_takes_nothing_away() -> None:
    assert merge(GROUPS, {"at": 1.0, "a": 1, "b": 2}, {"when": 1.0, "c": 1}) == {
        "at": 1.0, "a": 1, "b": 2, "when": 1.0, "c": 1,
    }  # fmt: skip


def test_a_weak_telling_yields_though_it_came_first() -> None:
    group = Group(("at", "by"), weak=lambda row: row["by"] is None)
    assert merge((group,), {"at": 1.0}, {"at": 2.0, "by": "caller"}) == {"at": 2.0, "by": "caller"}


def test_a_telling_without_its_time_yields() -> None:
    assert merge((OLDEST,), {"a": 1}, {"at": 5.0, "a": 2}) == {"at": 5.0, "a": 2, "b": None}


@given(st.lists(ROWS, min_size=1, max_size=4))
def test_the_order_and_number_of_tellings_do_not_matter(rows: list[dict[str, object]]) -> None:
    def fold(given: list[dict[str, object]]) -> dict[str, object]:
        done: dict[str, object] = {}
        for row in given:
            done = merge(GROUPS, done, row)
        return {name: value for name, value in done.items() if value is not None}

    expected = fold(rows)
    for order in itertools.permutations(rows):
        assert fold([*order, *order]) == expected


@given(FIELDS, FIELDS, FIELDS)
def test_facts_merge_in_any_order(one: dict[str, object], two: dict[str, object], three: dict[str, object]) -> None:
    assert merge_fields(merge_fields(one, two), three) == merge_fields(three, merge_fields(two, one))
    assert merge_fields(one, one) == one


def test_the_newest_telling_of_each_fact_stands_and_others_stay() -> None:
    old = {"name": {"value": "Ada", "at": 1.0}, "need": {"value": "phones", "at": 1.0}}
    new = {"name": {"value": "Ada L", "at": 2.0}, "size": {"value": 3, "at": 2.0}}
    assert merge_fields(new, old) == {**old, **new}
