"""Numbers, lengths of time and times as people say them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.terms import english
from gateway.terms.sentences import fill, of, reopens, variables

NEW_YORK = ZoneInfo("America/New_York")
FRIDAY = datetime(2026, 11, 27, 18, 30, tzinfo=NEW_YORK)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("opening", "said"),
    [
        ("2026-11-27 20:00", "at eight in the evening"),
        ("2026-11-28 00:00", "at midnight"),
        ("2026-11-28 00:30", "tonight at twelve thirty"),
        ("2026-11-28 09:00", "tomorrow at nine"),
        ("2026-11-28 14:05", "tomorrow at two oh five"),
        ("2026-11-28 05:45", "tomorrow at five forty-five in the morning"),
        ("2026-11-29 00:00", "on Sunday"),
        ("2026-11-30 09:30", "on Monday at nine thirty"),
        ("2026-12-03 12:00", "on Thursday at noon"),
        ("2026-12-04 09:00", "on December fourth at nine"),
        ("2027-01-04 09:00", "on January fourth at nine"),
        ("2026-11-27 18:30", "later"),
        ("2026-11-27 18:00", "later"),
        ("2027-11-26 09:00", "later"),
    ],
)
def test_a_reopening_is_said_as_people_say_it(opening: str, said: str) -> None:
    assert reopens(at(opening), FRIDAY, "en-US") == said


def test_it_is_said_by_the_clock_where_somebody_is_not_by_the_callers() -> None:
    london = datetime(2026, 11, 28, 9, tzinfo=ZoneInfo("Europe/London"))
    assert reopens(london, at("2026-11-27 20:00"), "en-GB") == "at nine", "in London it is Saturday already"


def test_at_night_the_same_day_is_today() -> None:
    assert reopens(at("2026-11-28 09:00"), at("2026-11-28 01:00"), "en-US") == "at nine"


def test_nobody_knows_is_later_and_an_unknown_language_english() -> None:
    assert reopens(None, FRIDAY, "en-US") == "later"
    assert of("xx-YY") is of("en-GB")


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(lambda one: one.replace(tzinfo=UTC))


@given(MOMENTS, st.integers(1, 340 * 24 * 60), st.sampled_from(["America/New_York", "Europe/Berlin", "Asia/Kolkata"]))
def test_what_is_said_leads_back_to_the_day_and_the_hour(now: datetime, minutes: int, zone: str) -> None:
    """Also where the clocks change and years end: the day that is named, counted by the wall calendar, is the day."""
    opening = (now + timedelta(minutes=minutes)).astimezone(ZoneInfo(zone)).replace(second=0, microsecond=0)
    if opening <= now:
        return
    here, said = now.astimezone(ZoneInfo(zone)), english.when(opening, now)
    ahead = (opening.date() - here.date()).days
    days = [here.date() + timedelta(days=number) for number in range(361)]
    if said.startswith("tomorrow"):
        assert ahead == 1
    elif found := re.match(r"on (\w+day)\b", said):
        assert 2 <= ahead <= 6
        assert [day for day in days[2:7] if f"{day:%A}" == found[1]] == [opening.date()]
    elif said.startswith("on "):
        named = [day for day in days if said.startswith(f"on {day:%B} {english.ordinal(day.day)}")]
        assert opening.date() in named
        assert len(named) == 1
    else:
        assert said.startswith(("at ", "tonight at "))
        assert ahead == 0 or (ahead == 1 and opening.hour < 4)
    assert english._hour(opening.time()) in said or opening.time() in (time(0), time(12))


@given(st.integers(0, 10**9))
def test_each_number_has_words_of_its_own(value: int) -> None:
    words = english.number(value)
    assert re.fullmatch(r"[a-z]+([ -][a-z]+)*", words)
    assert _value(words) == value


def _value(words: str) -> int:
    """What the words mean, read by another way."""
    small = {english.number(value): value for value in range(100)}
    total = part = 0
    for word in words.split():
        if word == "hundred":
            part *= 100
        elif size := {"thousand": 1000, "million": 10**6, "billion": 10**9}.get(word):
            total, part = total + part * size, 0
        else:
            part += small[word]
    return total + part


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1, "first"),
        (2, "second"),
        (3, "third"),
        (12, "twelfth"),
        (20, "twentieth"),
        (21, "twenty-first"),
        (31, "thirty-first"),
    ],
)
def test_places_in_a_row(value: int, said: str) -> None:
    assert english.ordinal(value) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "less than a minute"), (50, "about a minute"), (300, "about five minutes"), (760, "about fifteen minutes"),
        (3300, "about an hour"), (5400, "about an hour and a half"), (7300, "about two hours"),
        (9000, "about two and a half hours"),
    ],
)  # fmt: skip
def test_lengths_of_time(seconds: float, said: str) -> None:
    assert english.duration(seconds) == said


def test_variables_are_filled_and_others_left() -> None:
    assert variables("We open {reopens}, {x }.") == ["reopens", "x"]
    assert fill("We open {reopens}, {x}.", {"reopens": "at nine"}) == "We open at nine, {x}."
