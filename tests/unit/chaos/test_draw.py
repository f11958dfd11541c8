"""Tests of what a chaos run places and disturbs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chaos import draw
from tests.chaos.judge import Deed, Target


@given(st.integers(), st.integers(1, 60), st.integers(1, 4))
def test_a_seed_says_all(seed: int, calls: int, at_once: int) -> None:
    found = draw.rounds(seed, calls, at_once)
    assert found == draw.rounds(seed, calls, at_once)
    assert sum(len(each.calls) for each in found) == calls
    assert all(len(each.calls) <= at_once for each in found)
    assert [each.number for each in found] == list(range(1, len(found) + 1))


@given(st.integers(), st.integers(1, 4))
def test_no_two_calls_of_a_round_need_the_same_human(seed: int, at_once: int) -> None:
    for each in draw.rounds(seed, 24, at_once):
        alone = [call.scenario for call in each.calls if call.scenario in draw.OTHERS]
        assert len(alone) == len(set(alone))


def test_everything_is_disturbed_in_a_whole_run() -> None:
    found = {(each.target, each.deed) for each in draw.rounds(1, 200, 4)}
    assert found >= set(draw.KINDS)
    assert {target for target, _ in found} >= set(draw.PROVIDERS)


def test_kinds_can_be_named() -> None:
    assert draw.chosen(["job.kill", "redis"]) == [
        (Target.JOB, Deed.KILL),
        *((Target.REDIS, deed) for deed in (Deed.KILL, Deed.STOP, Deed.CUT, Deed.HOLD, Deed.RESTART, Deed.REFUSE)),
    ]
    assert draw.chosen(["llm.429"]) == [(Target.LLM, Deed.LIMIT)]
    assert draw.chosen(["job.cut"]) == [(Target.JOB, Deed.CUT)]
    assert draw.chosen(["none"]) == [(Target.NONE, Deed.NONE)]
    with pytest.raises(ValueError, match="There is no dog"):
        draw.chosen(["job", "dog"])


def test_media_goes_through_the_test_only_where_it_is_cut_by_name() -> None:
    assert draw.through_media(draw.rounds(1, 4, 4, ["job.cut"]))
    for only in ([], ["job"]):
        assert not draw.through_media(draw.rounds(1, 400, 4, only))


def test_rounds_are_named_one_by_one_and_from_to() -> None:
    assert draw.numbers("2-4,7") == {2, 3, 4, 7}
