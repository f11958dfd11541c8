from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.presses import SAME, Presses, Way

KEYS = st.lists(st.sampled_from("0123456789*#"), max_size=20)


@given(KEYS, st.lists(st.floats(0.05, 2.0), min_size=20, max_size=20), st.floats(0, SAME - 0.01))
def test_a_peer_that_tells_each_key_twice_is_heard_once(keys: list[str], gaps: list[float], behind: float) -> None:
    ats = [sum(gaps[: number + 1]) for number in range(len(keys))]
    told = [(at, Way.EVENT, key) for at, key in zip(ats, keys, strict=True)]
    told += [(at + behind, Way.INFO, key) for at, key in zip(ats, keys, strict=True)]
    presses = Presses()
    heard = [key for at, way, key in sorted(told, key=lambda each: each[0]) if presses.told(way, key, at)]
    assert heard == keys


@given(KEYS, st.lists(st.floats(0.0, 0.6), min_size=20, max_size=20), st.sampled_from(Way))
def test_a_peer_that_tells_them_in_one_way_is_heard_as_often_as_it_tells(
    keys: list[str], gaps: list[float], way: Way
) -> None:
    presses = Presses()
    assert all(presses.told(way, key, sum(gaps[:number])) for number, key in enumerate(keys))


@pytest.mark.parametrize("order", [[Way.EVENT, Way.TONE, Way.INFO], [Way.INFO, Way.EVENT, Way.TONE]])
def test_three_ways_are_one_press(order: list[Way]) -> None:
    presses = Presses()
    assert [presses.told(way, "5", number * 0.1) for number, way in enumerate(order)] == [True, False, False]


def test_a_long_press_that_info_tells_of_at_its_end() -> None:
    presses = Presses()
    assert presses.told(Way.EVENT, "1", 0.0)
    assert not presses.told(Way.INFO, "1", 4.0, lasted=4.0)
    assert presses.told(Way.INFO, "1", 4.0 + 2 * SAME, lasted=0.1), "later it is another"


def test_another_key_is_another_press() -> None:
    presses = Presses()
    assert [presses.told(Way.EVENT, "1", 0.0), presses.told(Way.INFO, "2", 0.0)] == [True, True]


def test_keys_are_not_in_what_is_logged() -> None:
    presses = Presses()
    presses.told(Way.EVENT, "7", 0.0)
    assert "7" not in repr(presses._lately)


def test_memory_is_bounded() -> None:
    presses = Presses()
    for number in range(1000):
        presses.told(Way.EVENT, "1", float(number))
    assert len(presses._lately) == 32
    assert all(one.at < two.at for one, two in pairwise(presses._lately))
