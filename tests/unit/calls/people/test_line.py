"""Position and expected wait, and the words for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.people.line import averaged, expected, words
from gateway.calls.words.queue import MINUTES, MOST, sentences, wait_sentence

positions, talks, people = st.integers(1, 200), st.floats(1, 3600), st.integers(1, 50)


@pytest.mark.parametrize(
    ("position", "wait", "said"),
    [
        (1, None, ["You are next in line."]),
        (1, 20.0, ["You are next in line.", "Your wait is less than a minute."]),
        (3, 290.0, ["You are number three in line.", "Your wait is about five minutes."]),
        (2, 60.0, ["You are number two in line.", "Your wait is about one minute."]),
        (20, 2700.0, ["You are number twenty in line.", "Your wait is about forty-five minutes."]),
        (21, 9e9, ["There are twenty callers or more ahead of you.", "Your wait is about an hour or longer."]),
    ],
)
def test_a_caller_is_told_place_and_wait(position: int, wait: float | None, said: list[str]) -> None:
    assert list(words(position, wait, "en-US")) == said
    assert list(words(position, wait, "xx")) == said, "English where a language isn't known"


@given(positions, st.none() | st.floats(0, 1e7))
def test_every_sentence_can_be_rendered_ahead(position: int, wait: float | None) -> None:
    assert set(words(position, wait, "en-GB")) <= set(sentences("en-GB"))


def test_no_sentence_is_listed_twice_or_never_said() -> None:
    listed = list(sentences("en"))
    assert len(listed) == len(set(listed)) == MOST + 1 + 1 + len(MINUTES)


@given(st.floats(46, 1e6), st.floats(46, 1e6))
def test_a_longer_wait_never_sounds_shorter(one: float, other: float) -> None:
    listed = [wait_sentence(60 * minutes, "en") for minutes in MINUTES]
    short, long = sorted((one, other))
    assert listed.index(wait_sentence(short, "en")) <= listed.index(wait_sentence(long, "en"))


@given(positions, talks, people, st.integers(0, 50))
def test_who_stands_behind_waits_longer_and_more_people_serve_faster(
    position: int, talk: float, serving: int, free: int
) -> None:
    here, behind = expected(position, talk, serving, free), expected(position + 1, talk, serving, free)
    more = expected(position, talk, serving + 1, free)
    assert here is not None
    assert behind is not None
    assert more is not None
    assert more <= here <= behind
    assert (here == 0) == (position <= free)


def test_nobody_knows_a_wait_before_the_first_talk_or_without_people() -> None:
    assert expected(1, None, 3) is None
    assert expected(1, 60.0, 0) is None
    assert expected(1, None, 3, free=1) == 0.0
    assert expected(4, 120.0, 2) == 240.0


@given(st.none() | talks, talks)
def test_the_average_lies_between_what_it_was_and_the_last_talk(before: float | None, talk: float) -> None:
    low, high = sorted((talk if before is None else before, talk))
    assert low - 1e-6 <= averaged(before, talk) <= high + 1e-6
