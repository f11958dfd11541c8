"""What a caller's words mean, and how a time is told."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.callbacks.said import meant, told

NY = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 30, 10, 20, tzinfo=NY).timestamp()  # a Monday


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("tomorrow at nine", (12, 1, 9, 0)),
        ("Tomorrow at nine thirty, please.", (12, 1, 9, 30)),
        ("today at three", (11, 30, 15, 0)),
        ("at 4:15 pm", (11, 30, 16, 15)),
        ("maybe 4 p.m.?", (11, 30, 16, 0)),
        ("around five o'clock", (11, 30, 17, 0)),
        ("half past two", (11, 30, 14, 30)),
        ("tomorrow at a quarter to ten", (12, 1, 9, 45)),
        ("nine in the morning", (12, 1, 9, 0)),
        ("tomorrow morning", (12, 1, 9, 0)),
        ("this afternoon at 2", (11, 30, 14, 0)),
        ("Wednesday afternoon", (12, 2, 14, 0)),
        ("Monday at 11", (12, 7, 11, 0)),
        ("the day after tomorrow at ten", (12, 2, 10, 0)),
        ("tomorrow", (12, 1, 9, 0)),
        ("noon", (11, 30, 12, 0)),
        ("at 14:30", (11, 30, 14, 30)),
        ("December third at two", (12, 3, 14, 0)),
        ("on December 3rd at 2 pm", (12, 3, 14, 0)),
        ("the fourth of December, in the morning", (12, 4, 9, 0)),
        ("on the second at noon", (12, 2, 12, 0)),
        ("tomorrow between two and three", (12, 1, 14, 0)),
        ("ten to four", (11, 30, 15, 50)),
        ("Tuesday at twenty past three", (12, 1, 15, 20)),
        ("two thirty five", (11, 30, 14, 35)),
        ("four oh five", (11, 30, 16, 5)),
        ("sixteen thirty", (11, 30, 16, 30)),
        ("sixteen hundred", (11, 30, 16, 0)),
        ("not now, tomorrow at one", (12, 1, 13, 0)),
        ("at eight", (11, 30, 20, 0)),
        ("at eleven", (11, 30, 11, 0)),
        ("at nine", (12, 1, 9, 0)),
    ],
)
def test_words_mean_a_time(words: str, wanted: tuple[int, int, int, int]) -> None:
    found = meant(words, NOW, NY)
    assert found is not None
    wall = datetime.fromtimestamp(found, NY)
    assert (wall.month, wall.day, wall.hour, wall.minute) == wanted


@pytest.mark.parametrize(
    ("words", "later"),
    [
        ("in two hours", 7200),
        ("in half an hour", 1800),
        ("in an hour", 3600),
        ("in 20 minutes", 1200),
        ("in twenty five minutes", 1500),
        ("in an hour and a half", 5400),
        ("in two and a half hours", 9000),
        ("in a couple of hours", 7200),
        ("as soon as you can", 0),
        ("right now", 0),
    ],
)
def test_words_mean_a_while(words: str, later: float) -> None:
    assert meant(words, NOW, NY) == NOW + later


@pytest.mark.parametrize(
    "words",
    [
        "",
        "we have two offices",
        "my name is May",
        "I need three licences",
        "25 o'clock",
        "not now",
        "not right now",
        "ten to twenty people",
        "it takes five to six weeks",
        "the first one",
        "the second of them",
    ],
)
def test_other_words_mean_none(words: str) -> None:
    assert meant(words, NOW, NY) is None


@given(st.text(max_size=60))
def test_no_words_mean_the_past_or_break_it(words: str) -> None:
    found = meant(words, NOW, NY)
    assert found is None or found >= NOW


@given(st.floats(0, 6 * 86400))
def test_what_is_told_means_the_same(later: float) -> None:
    at = (NOW + later) // 60 * 60 + 60
    if datetime.fromtimestamp(at, NY).date() == datetime.fromtimestamp(NOW, NY).date() or later > 0:
        assert meant(told(at, NOW, NY), NOW, NY) == at


def test_a_time_is_told_as_one_says_it() -> None:
    def at(*wall: int) -> float:
        return datetime(2026, *wall, tzinfo=NY).timestamp()  # type: ignore[misc,arg-type]

    assert told(at(11, 30, 15), NOW, NY) == "today at 3 PM"
    assert told(at(12, 1, 9, 30), NOW, NY) == "tomorrow at 9:30 AM"
    assert told(at(12, 3, 12), NOW, NY, ours=True) == "on Thursday at 12 PM our time"
    assert told(at(12, 10, 9), NOW, NY) == "on Thursday, December 10 at 9 AM"
