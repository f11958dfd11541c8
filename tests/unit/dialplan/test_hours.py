"""Tests of hours, against an oracle that goes minute by minute."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialplan.holiday import holiday_names
from gateway.dialplan.hours import Hours, build

NEW_YORK = ZoneInfo("America/New_York")
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
Spans = list[tuple[int, int]]
"""Minutes from midnight; the end of one that runs into the next day is over 1440."""


def hours(text: str, zone: str = "America/New_York", **more: object) -> Hours:
    made, faults = build("office", open=text, timezone=zone, **more)  # type: ignore[arg-type]  # names of build's
    assert faults == []
    assert made
    return made


def local(text: str, zone: ZoneInfo = NEW_YORK) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


OFFICE = hours(
    "Mo-Fr 09:00-12:30,13:30-18:00; Dec 24 09:00-12:00",
    holidays="US",
    works_on=["Veterans Day"],
    closed_on=["2026-11-27"],
)


@pytest.mark.parametrize(
    ("at", "opened", "why"),
    [
        ("2026-11-23 10:00", True, "Mo-Fr"),
        ("2026-11-23 12:30", False, "outside"),
        ("2026-11-23 13:29", False, "outside"),
        ("2026-11-23 13:30", True, "Mo-Fr"),
        ("2026-11-26 10:00", False, "Thanksgiving Day"),
        ("2026-11-27 10:00", False, "closed on 2026-11-27"),
        ("2026-11-11 10:00", True, "Mo-Fr"),
        ("2026-12-24 11:59", True, "Dec 24"),
        ("2026-12-24 12:00", False, "Dec 24 09:00-12:00"),
        ("2026-12-25 10:00", False, "Christmas Day"),
        ("2027-06-18 10:00", False, "(observed)"),
    ],
)
def test_the_office_is_open_when_its_hours_say(at: str, opened: bool, why: str) -> None:
    state = OFFICE.state(local(at))
    assert state.open == opened == OFFICE.is_open(local(at).astimezone(UTC))
    assert why in state.why


def test_closures_are_told_by_name() -> None:
    found = {str(one.day): one.name for one in OFFICE.closures(date(2026, 11, 1), date(2027, 10, 31))}
    assert found["2026-11-26"] == "Thanksgiving Day"
    assert found["2026-12-24"] == "Dec 24 09:00-12:00"
    assert "2026-11-11" not in found, "one works on Veterans Day"
    assert "2027-07-04" not in found, "a Sunday is closed anyway"
    assert "observed" in found["2027-07-05"]


def test_they_tell_when_they_open_again() -> None:
    assert OFFICE.changes(local("2026-11-25 19:00")) == local("2026-11-30 09:00")
    assert OFFICE.changes(local("2026-11-23 10:00")) == local("2026-11-23 12:30")
    assert hours("24/7").changes(local("2026-11-25 19:00")) is None


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("Mon-Fri 9-5", "Mo-Fr 09:00-17:00"),
        ("Mo-Fr 9-5", "Mo-Fr 09:00-17:00"),
        ("weekdays 9 to 5", "Mo-Fr 09:00-17:00"),
        ("Mon-Fri 9am-5:30pm, Sat 10-2", "Mo-Fr 09:00-17:30; Sa 10:00-14:00"),
        ("Mon - Fri: 9:00 a.m. - 5 p.m.", "Mo-Fr 09:00-17:00"),
        ("Mondays to Thursdays 9-12 and 13-17", "Mo-Th 09:00-12:00,13:00-17:00"),
        ("Mon-Fri 9-12, 1-5", "Mo-Fr 09:00-12:00,13:00-17:00"),
        ("Mon-Fri 8-12 and 12:30-4:30", "Mo-Fr 08:00-12:00,12:30-16:30"),
        ("Mon-Fri 9-5, 6-8", "Mo-Fr 09:00-17:00,18:00-20:00"),
        ("Mon-Fri 9am-12pm, 1-5pm", "Mo-Fr 09:00-12:00,13:00-17:00"),
        ("9-5", "09:00-17:00"),
        ("9-12, 1-5", "09:00-12:00,13:00-17:00"),
        ("Mon-Fri 9am-5", "Mo-Fr 09:00-17:00"),
        ("Mo-Fr 09:00-5:00", "Mo-Fr 09:00-17:00"),
        ("Mon-Fri 8pm-12", "Mo-Fr 20:00-24:00"),
        ("Mon-Fri 10pm-2", "Mo-Fr 22:00-02:00"),
        ("Mon-Fri 17-6", "Mo-Fr 17:00-06:00"),
        ("Mon-Fri midnight-8am", "Mo-Fr 00:00-08:00"),
        ("Mon-Fri 9am-12pm, Mon-Fri 1pm-5pm", "Mo-Fr 09:00-12:00,13:00-17:00"),
        ("Mon-Fri 9-5, Nov 19th off", "Mo-Fr 09:00-17:00; Nov 19 off"),
        ("Mon-Fri 9-5; December 24th 9-12", "Mo-Fr 09:00-17:00; Dec 24 09:00-12:00"),
        ("every day 8-20", "Mo-Su 08:00-20:00"),
        ("Sat, Sun 10am to 4pm; Mon closed", "Sa,Su 10:00-16:00; Mo off"),
        ("weekdays 1-5pm", "Mo-Fr 13:00-17:00"),
        ("Mon-Fri 9-noon", "Mo-Fr 09:00-12:00"),
        ("Mon-Fri 22-2", "Mo-Fr 22:00-02:00"),
        ("weekends all day", "Sa-Su 00:00-24:00"),
        ("always", "24/7"),
    ],
)
def test_everyday_forms_mean_what_people_mean(written: str, means: str) -> None:
    one, other = hours(written), hours(means)
    assert (one.weekly, one.dated) == (other.weekly, other.dated)


def test_a_night_belongs_to_the_day_on_which_it_began() -> None:
    night = hours("Fr,Sa 22:00-02:00", closed_on=["2026-11-27"])  # a Friday
    assert not night.is_open(local("2026-11-27 23:00"))
    assert not night.is_open(local("2026-11-28 01:00")), "the closed Friday's night is closed too"
    assert night.is_open(local("2026-11-28 23:00"))
    saturday = hours("Fr 22:00-02:00", closed_on=["2026-11-28"])
    assert saturday.is_open(local("2026-11-28 01:00")), "Friday's night goes on into the closed Saturday"


def test_holidays_may_have_hours_of_their_own() -> None:
    some = hours("Mo-Fr 09:00-17:00; PH 10:00-12:00", holidays="US")
    assert some.is_open(local("2026-11-26 11:00"))
    assert not some.is_open(local("2026-11-26 13:00"))
    assert some.is_open(local("2026-11-25 13:00"))


@pytest.mark.parametrize(
    ("given_", "field", "says"),
    [
        ({"open": "banana"}, "open", "are no hours"),
        ({"open": "Mo-Fr 25:00-26:00"}, "open", "are no hours"),
        ({"open": "x" * 2000}, "open", "more than"),
        ({"open": "Mo 09:00-10:00; PH off"}, "open", "name no country"),
        ({"open": "24/7", "timezone": "Mars/Base"}, "timezone", "no time zone"),
        ({"open": "24/7", "holidays": "XX"}, "holidays", "no holidays"),
        ({"open": "24/7", "holidays": "GB-XYZ"}, "holidays", "no region"),
        ({"open": "24/7", "holidays": "US", "works_on": ["Vetern Day"]}, "works_on", "Did you mean 'Veterans Day'"),
        ({"open": "24/7", "closed_on": ["2026-02-30"]}, "closed_on", "no day"),
        ({"open": "24/7", "closed_on": ["2026-12-27 - 2026-12-24"]}, "closed_on", "backwards"),
        ({"open": "24/7", "closed_on": ["soon"]}, "closed_on", "is no day"),
        ({"open": "24/7", "closed_on": ["Decoy 5"]}, "closed_on", "no day"),
        ({"open": "24/7", "closed_on": ["1990-01-01"]}, "closed_on", "long past"),
        ({"open": "24/7", "holidays": "GB-ENG", "works_on": ["Bank Holiday"]}, "works_on", "one of several"),
        ({"open": "24/7", "holidays": "Germany"}, "holidays", "Write DE."),
        ({"open": "24/7", "holidays": "united states"}, "holidays", "Write US."),
        ({"open": "24/7", "holidays": "Narnia"}, "holidays", "Write a country's code"),
        ({"open": "24/7", "holidays": "GB_ENG"}, "holidays", "Did you mean 'GB-ENG'"),
        ({"open": "Thanksgiving 9-5"}, "open", "are no hours"),
        ({"open": "Mornings 9-12"}, "open", "are no hours"),
        ({"open": 'Mo-Fr 09:00-17:00 || "by appointment"'}, "open", "'||' has no meaning"),
        ({"open": '"by appointment"'}, "open", "are no hours"),
        ({"open": "sunrise-sunset"}, "open", "Where the sun stands"),
        ({"open": "Mo 18:00+"}, "open", "until when"),
        ({"open": "SH 09:00-10:00"}, "open", "School holidays"),
        ({"open": "Mo 09:00-10:00; PH Mo off", "holidays": "US"}, "open", "PH can only stand"),
    ],
)
def test_what_is_wrong_is_told(given_: dict[str, object], field: str, says: str) -> None:
    _, faults = build("office", **{"timezone": "UTC", **given_})  # type: ignore[arg-type]  # names of build's
    assert [(fault.field, says in f"{fault.what} {fault.remedy}") for fault in faults] == [(field, True)]


def wall(made: Hours, day: str) -> list[str]:
    """When they are open on a day, as `09:00-17:00`."""
    start = local(f"{day} 00:00", ZoneInfo(made.timezone))
    spans = made.spans(start, local(f"{day} 23:59", ZoneInfo(made.timezone)))
    return [f"{first:%H:%M}-{last:%H:%M}" for first, last in spans]


@pytest.mark.parametrize(
    ("text", "day", "opened"),
    [
        ("Mo-Fr 08:00-12:00, We 14:00-18:00", "2026-11-25", ["08:00-12:00", "14:00-18:00"]),  # a comma adds
        ("Mo-Fr 08:00-12:00; We 14:00-18:00", "2026-11-25", ["14:00-18:00"]),  # a semicolon replaces
        ("Mo-Fr 22:00-02:00, We 14:00-18:00", "2026-11-26", ["00:00-02:00"]),  # Wednesday's night, on Thanksgiving
        ("Mo-Su 20:00-04:00; Fr 22:00-02:00 off", "2026-11-28", ["02:00-04:00", "20:00-23:59"]),
        ("Mo-Fr, PH 09:00-17:00", "2026-11-26", ["09:00-17:00"]),
        ("Mo-Fr,PH 09:00-17:00; Fr 09:00-12:00", "2026-11-27", ["09:00-12:00"]),
        ("Dec 24,Dec 31 09:00-12:00", "2026-12-24", ["09:00-12:00"]),
        ("Dec 24,31 09:00-12:00", "2026-12-31", ["09:00-12:00"]),
        ("Apr-Sep Mo-Fr 08:00-18:00; Oct-Mar Mo-Fr 09:00-16:00", "2026-12-25", []),  # a season names no date
        ("Mo-Fr 09:00-17:00; Dec 25 10:00-11:00", "2026-12-25", ["10:00-11:00"]),
        ("mo-fr 09:00-17:00; dec 25 10:00-11:00", "2026-12-25", ["10:00-11:00"]),
        ('Mo-Fr 09:00-17:00 "room 1234, Dec 25"', "2026-12-25", []),
        ("Mon-Fri 9-5; Dec 24 09:00-12:00", "2026-12-24", ["09:00-12:00"]),
        ("Mon-Fri 9-5, Dec 25 9-12", "2026-12-25", ["09:00-12:00"]),
        ("Sa 10:00-02:00", "2026-11-28", ["10:00-23:59"]),  # OpenStreetMap's own: until two in the night
    ],
)
def test_rules_mean_what_openstreetmap_says(text: str, day: str, opened: list[str]) -> None:
    assert wall(hours(text, holidays="US"), day) == opened


def test_one_works_on_a_holiday_whatever_ph_says() -> None:
    made = hours("Mo-Fr 09:00-17:00; PH off", holidays="US", works_on=["VETERANS", "new year’s day"])
    assert wall(made, "2026-11-11") == ["09:00-17:00"]
    assert wall(made, "2027-01-01") == ["09:00-17:00"]
    assert wall(made, "2027-12-31") == ["09:00-17:00"], "the day on which it is observed goes with it"
    assert wall(made, "2026-11-26") == []


def test_hours_of_dates_alone_tell_their_closures() -> None:
    assert hours("Dec 24 10:00-12:00").closures(date(2026, 12, 1), date(2026, 12, 31)) == []
    added = hours("Mo-Fr 09:00-12:00, Dec 24 14:00-15:00")
    assert [one.name for one in added.closures(date(2026, 12, 24), date(2026, 12, 24))] == ["Dec 24 14:00-15:00"]


def test_hours_are_values() -> None:
    again = hours("24/7", holidays="US", closed_on=["Dec 25"])
    assert again == hours("24/7", holidays="US", closed_on=["Dec 25"]) == pickle.loads(pickle.dumps(again))
    assert again != hours("24/7", holidays="US")


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "text", ["mon ," * 190, "mon - " * 160, "mo" + "n" * 990, "Mon 9 to 5 and " * 60, "noon-" * 190, "1" * 1000]
)
def test_no_text_takes_long_to_turn_down(text: str) -> None:
    assert build("x", open=text, timezone="UTC")[0] is None


SPAN = st.tuples(st.integers(0, 95), st.integers(1, 60)).map(lambda one: (one[0] * 15, (one[0] + one[1]) * 15))


@st.composite
def a_week(draw: st.DrawFn) -> dict[int, Spans]:
    """Hours of each weekday; spans of one day don't touch, and a night ends before the next day's first begins."""
    found: dict[int, Spans] = {}
    for day in draw(st.sets(st.integers(0, 6), min_size=1)):
        spans: Spans = []
        for start, end in sorted(draw(st.lists(SPAN, min_size=1, max_size=2))):
            if not spans or start > spans[-1][1]:
                spans.append((start, end))
        found[day] = spans
    return found


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def written(week: dict[int, Spans]) -> str:
    return "; ".join(
        f"{DAYS[day]} {','.join(f'{clock(a)}-{clock(b % 1440 or 1440) if b <= 1440 else clock(b % 1440)}' for a, b in spans)}"
        for day, spans in sorted(week.items())
    )


def oracle(week: dict[int, Spans], closed: set[date], half: dict[date, Spans], wall: datetime) -> bool:
    """Whether a wall-clock minute is open, by nothing but arithmetic."""
    for back in (0, 1):
        day = wall.date() - timedelta(days=back)
        spans = [] if day in closed else half.get(day, week.get(day.weekday(), []))
        minute = wall.hour * 60 + wall.minute + back * 1440
        if any(a <= minute < b for a, b in spans):
            return True
    return False


CHANGES = [  # days on which clocks change, and their neighbours
    ("America/New_York", date(2026, 10, 31)),
    ("America/New_York", date(2027, 3, 13)),
    ("Europe/London", date(2026, 10, 24)),
    ("Europe/London", date(2027, 3, 27)),
    ("Australia/Lord_Howe", date(2026, 10, 3)),
    ("Australia/Lord_Howe", date(2027, 4, 3)),
    ("America/New_York", date(2026, 12, 31)),
    ("Europe/London", date(2026, 12, 24)),  # Christmas, and Boxing Day on a Saturday with the Monday observed
]


@settings(max_examples=60, deadline=None)
@given(
    a_week(),
    st.sampled_from(CHANGES),
    st.sets(st.integers(0, 3), max_size=2),
    st.none() | st.integers(0, 3),
    st.sampled_from(["", "US", "GB-ENG"]),
)
def test_they_agree_with_the_oracle_minute_by_minute(
    week: dict[int, Spans], when: tuple[str, date], shut: set[int], short: int | None, region: str
) -> None:
    zone_name, first = when
    zone = ZoneInfo(zone_name)
    closed = {first + timedelta(days=day) for day in shut}
    half = {first + timedelta(days=short): [(600, 660)]} if short is not None else {}
    text = written(week) + "".join(f"; {day:%Y %b %d} 10:00-11:00" for day in half)
    made = hours(text, zone_name, closed_on=[str(day) for day in sorted(closed)], holidays=region)
    half = {day: spans for day, spans in half.items() if day not in closed}
    free = {day for year in (2026, 2027) for day in holiday_names(region, year)} if region else set()
    closed |= free - set(half)  # a rule with a date beats a holiday
    start = datetime.combine(first, time(), zone).astimezone(UTC)
    end = start + timedelta(days=3)
    spans, was, flips = made.spans(start, end), None, []
    for minute in range(3 * 1440):
        at = start + timedelta(minutes=minute)
        wanted = oracle(week, closed, half, at.astimezone(zone).replace(tzinfo=None))
        if was is None or minute % 7 == 0 or wanted != was:
            assert made.is_open(at) == wanted, (text, at.astimezone(zone))
        if was is not None and wanted != was:
            flips.append(at)
        was = wanted
    # In UTC: a time that comes twice equals none of another zone (PEP 495).
    edges = [utc for span in spans for edge in span if start < (utc := edge.astimezone(UTC)) < end]
    assert edges == flips
    for before, at in zip([start, *flips], flips, strict=False):
        assert (made.changes(before) or end).astimezone(UTC) == at


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='MoTuWeFrSa-,;: 0123456789apmPHoff"/+[]()weekJan|', max_size=40))
def test_any_text_is_hours_or_told_off(text: str) -> None:
    made, faults = build("x", open=text, timezone="UTC", holidays="US")
    assert (made is None) == bool(faults)
    if made is not None:
        made.is_open(local("2026-11-23 10:00"))
        made.spans(local("2026-11-23 10:00"), local("2026-11-25 10:00"))


WORDS = (
    *(
        "Mo",
        "Tu-Fr",
        "Sa,Su",
        "PH",
        "SH",
        "Dec",
        "24",
        "31",
        "2026",
        "2027-2030",
        "Jan-Mar",
        "week",
        "1-53/2",
        "easter",
    ),
    *("-2", "days", "Fr[5]", "Mo[-1]", "Feb", "29", "30", "09:00-17:00", "22:00-02:00", "22:00-26:00", "00:00-48:00"),
    *("24/7", "off", "closed", "open", "unknown", "sunset", "9-5", "9am", "to", "noon", "and", "weekdays"),
    *(", ", "; ", "; ", ",", ";", " || ", '"call, us; Dec 24"'),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join), st.integers(1990, 2090))
def test_any_words_of_the_language_are_hours_or_told_off(text: str, year: int) -> None:
    made, faults = build("x", open=text, timezone="America/New_York", holidays="US")
    assert (made is None) == bool(faults)
    if made is not None:
        at = datetime(year, 3, 1, 10, tzinfo=UTC)
        flip = made.changes(at, timedelta(days=30))
        assert flip is None or made.is_open(flip) != made.is_open(at) == made.state(at).open
        made.closures(date(year, 12, 20), date(year, 12, 31))
