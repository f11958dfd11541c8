"""Holidays by country and region, with their names; days on which one works all the same, and days of one's own. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType

import holidays as calendars

_ISO = r"\d{4}-\d{2}-\d{2}"
_ONE = re.compile(rf"^({_ISO})$")
_RANGE = re.compile(rf"^({_ISO})\s*(?:-|–|to|until|\.\.)\s*({_ISO})$")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEARLY = re.compile(
    r"^(?:([a-z]{3})[a-z]*\.?\s+(\d{1,2})|(\d{1,2})\.?\s+([a-z]{3})[a-z]*\.?|(\d{2})-(\d{2}))$", re.IGNORECASE
)
_YEAR = 2027
"""A year by which names of holidays are known."""
_FIELD = tuple[str, int, str, str]


@dataclass(frozen=True, slots=True)
class Closed:
    """The closed days of one year."""

    holidays: Mapping[date, str]
    days: Mapping[date, str]


@dataclass(frozen=True, slots=True)
class Days:
    """Which days are closed, and why."""

    region: str = ""
    """Country and region, as in `GB-ENG`; "" for no holidays."""
    works_on: tuple[str, ...] = ()
    """Names of holidays that are none here."""
    ranges: tuple[tuple[date, date], ...] = ()
    """First and last day of each range."""
    yearly: tuple[tuple[int, int], ...] = ()
    """Month and day."""

    def in_year(self, year: int) -> Closed:
        """The closed days of a year, with their names."""
        return _closed(self, year)

    def closed(self, day: date) -> str:
        """The name of what closes the day; "" for nothing."""
        closed = self.in_year(day.year)
        return closed.days.get(day) or closed.holidays.get(day, "")


@lru_cache(maxsize=512)
def _closed(days: Days, year: int) -> Closed:
    known = holiday_names(days.region, year) if days.region else {}
    off = {day: name for day, name in known.items() if not _matches(name, days.works_on)}
    own: dict[date, str] = {}
    for first, last in days.ranges:
        day, end = max(first, date(year, 1, 1)), min(last, date(year, 12, 31))
        while day <= end:
            own[day] = f"closed on {day}" if first == last else f"closed {first} - {last}"
            day += timedelta(days=1)
    for month, number in days.yearly:
        try:
            own[date(year, month, number)] = f"closed every {_MONTHS[month - 1].title()} {number}"
        except ValueError:  # 29 February
            continue
    return Closed(MappingProxyType(off), MappingProxyType(own))


@lru_cache(maxsize=256)
def holiday_names(region: str, year: int) -> Mapping[date, str]:
    """The public holidays of a year, by date. `region`: `US`, `GB-ENG`, `US-CA`. Raises ValueError with a sentence when
    there is no such country or region."""
    country, _, part = region.strip().upper().partition("-")
    supported = _countries()
    if country not in supported:
        near = difflib.get_close_matches(country, supported, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else "Write a country's code, such as US, or GB-ENG."
        raise ValueError(f"There are no holidays of '{region}'. {hint}")
    if part and part not in supported[country]:
        known = ", ".join(supported[country]) or "none"
        raise ValueError(f"'{country}' has no region '{part}'. There are: {known}.")
    found = calendars.country_holidays(country, subdiv=part or None, years=year, language=_language(country))
    return MappingProxyType({day: found[day] for day in sorted(found) if day.year == year})


@lru_cache(maxsize=1)
def _countries() -> Mapping[str, Sequence[str]]:
    return MappingProxyType(calendars.list_supported_countries(include_aliases=True))


def _language(country: str) -> str | None:
    """English names where the country has them: operators write those."""
    known = getattr(getattr(calendars, country, None), "supported_languages", ())
    return next((language for language in ("en_US", "en_GB", "en") if language in known), None)


def days_of(region: str, works_on: Sequence[str], closed_on: Sequence[str]) -> tuple[Days, list[_FIELD]]:
    """The closed days that a plan says; and what is wrong: key, item, sentence, remedy."""
    wrong: list[_FIELD] = []
    if region:
        try:
            holiday_names(region, _YEAR)
        except ValueError as bad:
            what, _, remedy = str(bad).partition(". ")
            wrong.append(("holidays", 0, f"{what}.", remedy))
            region = ""
    for item, name in enumerate(works_on):
        if told := _unknown(name, region):
            wrong.append(("works_on", item, *told))
    ranges: list[tuple[date, date]] = []
    yearly: list[tuple[int, int]] = []
    for item, text in enumerate(closed_on):
        try:
            first, last = _days(text)
        except ValueError as bad:
            wrong.append(("closed_on", item, str(bad), "Write 2026-12-24, 2026-12-24 - 2027-01-02, or Dec 24."))
            continue
        if isinstance(first, date) and isinstance(last, date):
            ranges.append((first, last))
        elif isinstance(first, int) and isinstance(last, int):
            yearly.append((first, last))
    return Days(region.upper(), tuple(works_on), tuple(ranges), tuple(yearly)), wrong


def _unknown(name: str, region: str) -> tuple[str, str] | None:
    if not region:
        return f"'{name}' is no holiday here: the hours name no holidays.", "Add holidays: with a country."
    known = sorted({one for year in (_YEAR, _YEAR + 1) for one in holiday_names(region, year).values()})
    if any(_matches(one, (name,)) for one in known):
        return None
    near = difflib.get_close_matches(name, known, n=1)
    return (
        f"'{name}' is no holiday of {region}.",
        f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(known)}.",
    )


def _matches(name: str, wanted: Sequence[str]) -> bool:
    """Whether a holiday is meant by one of the names, in any spelling of them, or by a part of its own."""
    plain = _plain(name)
    return any(plain == _plain(one) or f" {_plain(one)} " in f" {plain} " for one in wanted if _plain(one))


def _plain(name: str) -> str:
    words = re.sub(r"[^\w\s]", "", name.casefold().replace("’", "'")).split()
    return " ".join(word for word in words if word not in ("day", "the", "observed"))


def _days(text: str) -> tuple[date, date] | tuple[int, int]:
    low = " ".join(text.casefold().split())
    try:
        if found := _ONE.match(low):
            return date.fromisoformat(found[1]), date.fromisoformat(found[1])
        if found := _RANGE.match(low):
            first, last = date.fromisoformat(found[1]), date.fromisoformat(found[2])
            if first > last or (last - first).days > 3660:
                raise ValueError(f"'{text[:60]}' runs backwards." if first > last else f"'{text[:60]}' is too long.")
            return first, last
        if found := _YEARLY.match(low):
            name, number = found[1] or found[4], found[2] or found[3] or found[6]
            month = _MONTHS.index(name) + 1 if name else int(found[5])
            date(2024, month, int(number))
            return month, int(number)
    except ValueError as bad:
        if str(bad).startswith("'"):
            raise
        raise ValueError(f"There is no day '{text[:60]}'.") from None
    raise ValueError(f"'{text[:60]}' is no day.")
