"""Tests of times as operators write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialplan.when import moment

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 23, 10, 30, tzinfo=ZONE)
"""A Monday."""


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("2026-12-24 11:30", "2026-12-24T11:30-05:00"),
        ("2026-12-24T11:30", "2026-12-24T11:30-05:00"),
        ("2026-12-24", "2026-12-24T00:00-05:00"),
        ("2026-12-24 6pm", "2026-12-24T18:00-05:00"),
        ("2026-12-24 11:30 Europe/London", "2026-12-24T11:30+00:00"),
        ("2026-12-24 11:30 UTC", "2026-12-24T11:30+00:00"),
        ("2026-12-24 11:30Z", "2026-12-24T11:30+00:00"),
        ("2026-12-24 11:30+02:00", "2026-12-24T11:30+02:00"),
        ("tomorrow 09:00", "2026-11-24T09:00-05:00"),
        ("tomorrow", "2026-11-24T00:00-05:00"),
        ("today 18:00", "2026-11-23T18:00-05:00"),
        ("tonight", "2026-11-24T00:00-05:00"),
        ("tonight at 8", "2026-11-23T20:00-05:00"),
        ("tonight 8:30", "2026-11-23T20:30-05:00"),
        ("tonight 12", "2026-11-24T00:00-05:00"),
        ("tonight 0:30", "2026-11-24T00:30-05:00"),
        ("tonight 20:00", "2026-11-23T20:00-05:00"),
        ("tonight 9pm", "2026-11-23T21:00-05:00"),
        ("sunset", None),
        ("Thurs 9:00", "2026-11-26T09:00-05:00"),
        ("18:00", "2026-11-23T18:00-05:00"),
        ("9am", "2026-11-24T09:00-05:00"),
        ("noon tomorrow", None),
        ("Friday 9:00", "2026-11-27T09:00-05:00"),
        ("mon 9:00", "2026-11-30T09:00-05:00"),
        ("in 2h", "2026-11-23T12:30-05:00"),
        ("90m", "2026-11-23T12:00-05:00"),
        ("2027-03-14 02:30", "2027-03-14T03:30-04:00"),
        ("2026-11-01 01:30", "2026-11-01T01:30-04:00"),
        ("2026-02-30", None),
        ("2026-12-24 25:00", None),
        ("2026-12-24 11:30 Mars/Base", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_time_is_what_people_mean(written: str, means: str | None) -> None:
    if means is None:
        with pytest.raises(ValueError, match="There is no|is no time"):
            moment(written, "America/New_York", NOW)
    else:
        found = moment(written, "America/New_York", NOW)
        assert found.astimezone(UTC) == datetime.fromisoformat(means).astimezone(UTC)


def test_what_hangs_on_the_time_of_asking_needs_it() -> None:
    with pytest.raises(ValueError, match="is no time"):
        moment("tomorrow 09:00", "America/New_York", None)


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_told_off(written: str) -> None:
    try:
        assert moment(written, "America/New_York", NOW).tzinfo
    except ValueError as bad:
        assert str(bad).endswith(".")
