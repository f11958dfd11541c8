"""Nobody is called back at night, whatever clocks, zones and hours there are."""

from __future__ import annotations

import math
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
import phonenumbers.timezone
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.callbacks import times
from gateway.callbacks.times import Span, allowed, both, by_day, clock_of, earliest, fitting, free, offers, zones_of
from gateway.terms.callback import EARLIEST, LATEST, Terms
from gateway.terms.personal import Number

NY, LA = "America/New_York", "America/Los_Angeles"
ZONES = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))
# 2024 to 2029: every rule of clocks that counts now, forwards and back.
NOWS = st.floats(1_704_067_200, 1_861_920_000)
SOME_ZONES = st.lists(st.sampled_from(ZONES), min_size=1, max_size=4, unique=True)


def at(zone: str, *wall: int) -> float:
    return datetime(*wall, tzinfo=ZoneInfo(zone)).timestamp()  # type: ignore[arg-type,misc]


@st.composite
def hours(draw: st.DrawFn) -> tuple[float, Terms]:
    """A time, and a team's hours from then on."""
    now = draw(NOWS)
    spans: list[Span] = []
    begin = now
    for _ in range(draw(st.integers(0, 6))):
        first = begin + draw(st.floats(60, 86400))
        begin = first + draw(st.floats(60, 86400))
        spans.append((first, begin))
    return now, Terms(zone=draw(st.sampled_from(ZONES)), open=draw(st.sampled_from([tuple(spans), None])))


@given(hours(), SOME_ZONES)
def test_every_time_is_in_hours_and_in_the_day_of_every_zone(given: tuple[float, Terms], zones: list[str]) -> None:
    now, terms = given
    offered = offers(terms, zones, now)
    first = earliest(terms, zones, now)
    assert list(offered) == sorted(set(offered))
    assert len(offered) <= times.OFFERED
    for one in (*offered, *([first] if first is not None else [])):
        assert one >= now
        assert terms.open is None or any(begin <= one < end for begin, end in terms.open)
        assert allowed(terms, zones, one)
        for zone in zones:
            wall = datetime.fromtimestamp(
                math.floor(one), ZoneInfo(zone)
            )  # which rounds up what is just before the end
            assert EARLIEST <= wall.hour < LATEST, (zone, wall)
    assert all(one >= now + times.NOTICE for one in offered)
    assert not offered or first is not None


@given(hours(), SOME_ZONES, st.floats(0, 6 * 86400))
def test_a_time_that_is_wanted_is_kept_where_it_may_be(
    given: tuple[float, Terms], zones: list[str], later: float
) -> None:
    now, terms = given
    wanted = now + later
    found = fitting(terms, zones, wanted, now)
    if allowed(terms, zones, wanted):
        assert found == wanted
    elif found is not None:
        assert found > wanted
        assert allowed(terms, zones, found)
        middle = wanted + (found - wanted) / 2
        assert not allowed(terms, zones, middle)


@given(NOWS, st.sampled_from(ZONES))
def test_a_day_of_one_zone_has_thirteen_hours_whatever_its_clock_does(now: float, zone: str) -> None:
    for first, last in by_day(now, now + 3 * 86400, [zone])[1:-1]:
        begin, end = (datetime.fromtimestamp(one, ZoneInfo(zone)) for one in (first, last))
        assert (begin.hour, begin.minute, end.hour, end.minute) == (8, 0, 21, 0)


SPANS = st.lists(st.tuples(st.integers(0, 100), st.integers(1, 9)), max_size=8)


@given(SPANS, SPANS)
def test_what_is_in_both_is_in_each(some: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    def spans(lengths: list[tuple[int, int]]) -> list[Span]:
        found, begin = [], 0.0
        for gap, length in lengths:
            found.append((begin + gap + 1, begin + gap + 1 + length))
            begin = found[-1][1]
        return found

    left, right = spans(some), spans(others)
    common = both(left, right)
    for moment in range(1000):
        inside = [any(a <= moment + 0.5 < b for a, b in part) for part in (left, right, common)]
        assert inside[2] == (inside[0] and inside[1])


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+15105550100", (LA,)),
        ("+18085550100", ("Pacific/Honolulu",)),
        ("+442079460000", ("Europe/London",)),
        ("+990", ("Europe/Berlin",)),
        ("demo", ("Europe/Berlin",)),
    ],
)
def test_a_number_tells_where_its_callee_is(number: str, zones: tuple[str, ...]) -> None:
    assert zones_of(Number(number), "Europe/Berlin") == zones
    assert zones_of(None, NY) == (NY,)


@pytest.mark.parametrize(
    ("number", "zone"),
    [
        ("+18762101234", "America/Jamaica"), ("+12423591234", "America/Nassau"), ("+77710009998", "Asia/Almaty"),
        ("+17872345678", "America/Puerto_Rico"),
    ],
)  # fmt: skip
def test_a_country_of_one_zone_is_in_it_though_its_code_has_many(number: str, zone: str) -> None:
    assert zones_of(Number(number), NY) == (zone,)
    noon = at(zone, 2026, 12, 1, 8, 30)
    assert allowed(Terms(), zones_of(Number(number), NY), noon)


def test_those_countries_have_one_clock() -> None:
    """Of each, phonenumbers knows the zone among those of its fixed lines, or of the whole code."""
    for country, zone in times._ONE_ZONE.items():
        example = phonenumbers.example_number(country)
        assert example is not None
        assert phonenumbers.region_code_for_number(example) == country
        of_its_code = phonenumbers.timezone.time_zones_for_number(example)
        now = datetime(2026, 12, 1, tzinfo=ZoneInfo(zone))
        offsets = {datetime(2026, 12, 1, tzinfo=ZoneInfo(one)).utcoffset() for one in of_its_code}
        assert now.utcoffset() in offsets, country


@pytest.mark.parametrize("number", ["+18005550100", "+79123456789", "+61412345678"])
def test_who_may_be_in_several_zones_is_called_in_none_of_their_nights(number: str) -> None:
    zones = zones_of(Number(number), NY)
    assert len(zones) > 1
    day = by_day(at(NY, 2026, 12, 1, 0), at(NY, 2026, 12, 3, 0), zones)
    assert day, "and they are called"
    for first, last in day:
        for zone in zones:
            for moment in (first, last - 1):
                assert EARLIEST <= datetime.fromtimestamp(moment, ZoneInfo(zone)).hour < LATEST


def test_a_toll_free_number_is_called_only_when_it_is_day_everywhere() -> None:
    zones = zones_of(Number("+18005550100"), NY)
    assert len(zones) > 20
    noon = at(NY, 2026, 11, 30, 12)
    assert not allowed(Terms(zone=NY), zones, noon)  # it is five in the morning in Hawaii
    found = earliest(Terms(zone=NY), zones, noon)
    assert found is not None
    assert all(8 <= datetime.fromtimestamp(found, ZoneInfo(zone)).hour < 21 for zone in zones)


def test_the_caller_of_another_coast_is_offered_their_own_morning() -> None:
    terms = Terms(
        zone=NY,
        open=((at(NY, 2026, 11, 30, 9), at(NY, 2026, 11, 30, 17)), (at(NY, 2026, 12, 1, 9), at(NY, 2026, 12, 1, 17))),
    )
    now = at(NY, 2026, 11, 30, 7)
    assert offers(terms, [LA], now) == (at(LA, 2026, 11, 30, 8), at(LA, 2026, 11, 30, 12), at(LA, 2026, 12, 1, 8))
    assert earliest(terms, [LA], at(LA, 2026, 11, 30, 14)) == at(LA, 2026, 12, 1, 8)


@pytest.mark.parametrize("day", [(2026, 3, 8), (2026, 11, 1)], ids=["forwards", "back"])
def test_the_clocks_change_at_night_and_eight_is_eight(day: tuple[int, int, int]) -> None:
    found = earliest(Terms(zone=NY), [NY], at(NY, *day, 0, 30))
    assert found == at(NY, *day, 8)
    assert not allowed(Terms(zone=NY), [NY], at(NY, *day, 7, 59))
    assert allowed(Terms(zone=NY), [NY], at(NY, *day, 20, 59))
    assert not allowed(Terms(zone=NY), [NY], at(NY, *day, 21))


def test_hours_that_meet_no_day_offer_nothing() -> None:
    night = ((at(NY, 2026, 11, 30, 22), at(NY, 2026, 12, 1, 6)),)
    terms = Terms(zone=NY, open=night)
    now = at(NY, 2026, 11, 30, 12)
    assert (offers(terms, [NY], now), earliest(terms, [NY], now), free(terms, [NY], now)) == ((), None, [])


def test_a_time_is_told_by_the_callees_clock_where_there_is_only_one() -> None:
    now = at(NY, 2026, 11, 30, 12)
    assert clock_of([LA], NY, now) == times.Clock(ZoneInfo(LA), theirs=True)
    assert clock_of([LA, NY], "Europe/Berlin", now) == times.Clock(ZoneInfo("Europe/Berlin"), theirs=False)
    assert clock_of([NY, "America/Toronto"], LA, now).theirs
