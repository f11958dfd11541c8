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
from holidays.registry import COUNTRIES

_ISO = r"\d{4}-\d{2}-\d{2}"
_ONE = re.compile(rf"^({_ISO})$")
_RANGE = re.compile(rf"^({_ISO})\s*(?:-|–|to|until|\.\.)\s*({_ISO})$")
_MONTH_NAMES = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEARLY = re.compile(r"^(?:([a-z]{3,9})\.?\s+(\d{1,2})|(\d{1,2})\.?\s+([a-z]{3,9})\.?|(\d{2})-(\d{2}))$", re.IGNORECASE)
_SPELLED = 5
"""Letters from which on a word is a country's name, not its code."""
_YEAR = 2027
_YEARS = range(_YEAR - 1, _YEAR + 4)
"""Years by which names of holidays are known: some come every fourth year."""
_OLDEST = date(2020, 1, 1)
"""A day before this is a slip of the hand: nothing is planned for it."""
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
    """Names of holidays that are none here, in their plain form."""
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
    off = {day: name for day, name in known.items() if not _worked(name, days.works_on)}
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
        raise ValueError(f"There are no holidays of '{region[:20]}'. {_near(region.strip().upper())}")
    if part and part not in supported[country]:
        known = ", ".join(f"{country}-{one}" for one in supported[country]) or f"only {country}"
        raise ValueError(f"'{country}' has no region '{part}'. There are: {known}.")
    found = calendars.country_holidays(country, subdiv=part or None, years=year, language=_language(country))
    return MappingProxyType({day: found[day] for day in sorted(found) if day.year == year})


def _near(region: str) -> str:
    """What may have been meant by a region that there isn't."""
    country, _, part = re.sub(r"[^A-Z0-9]+", "-", region).strip("-").partition("-")
    supported = _countries()
    if part in supported.get(country, ()):
        return f"Did you mean '{country}-{part}'?"
    named = {name.upper(): codes[1] for name, codes in COUNTRIES.items()}
    spelled = re.sub(r"[^A-Z]+", "_", region)
    if close := difflib.get_close_matches(spelled, named, n=1, cutoff=0.85):
        return f"Write {named[close[0]]}."
    near = difflib.get_close_matches(country, supported, n=3) if len(country) < _SPELLED else []
    return (
        f"Did you mean {' or '.join(repr(one) for one in near)}?"
        if near
        else "Write a country's code, as US or GB-ENG."
    )


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
    worked: list[str] = []
    for item, name in enumerate(works_on):
        meant, told = _meant(name, region)
        worked += meant
        if told:
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
    return Days(region.strip().upper(), tuple(sorted(set(worked))), tuple(ranges), tuple(yearly)), wrong


def _meant(name: str, region: str) -> tuple[list[str], tuple[str, str] | None]:
    """The plain name of the holiday that is meant, by its name or an unambiguous part; or what is wrong, and a remedy."""
    if not region:
        told = f"'{name[:60]}' is no holiday here: the hours name no holidays."
        return [], (told, "Add holidays: with a country.")
    known = {
        _plain(one): one for year in _YEARS for names in holiday_names(region, year).values() for one in _each(names)
    }
    wanted = _plain(name)
    if wanted in known:
        return [wanted], None
    found = [plain for plain in known if wanted and f" {wanted} " in f" {plain} "]
    if len(found) == 1:
        return found, None
    shown = sorted(known[plain] for plain in found or known)
    if found:
        return [], (f"'{name[:60]}' may be one of several holidays of {region}.", f"Write one of {', '.join(shown)}.")
    near = difflib.get_close_matches(wanted, known, n=1)
    remedy = f"Did you mean '{known[near[0]]}'?" if near else f"There are: {', '.join(shown)}."
    return [], (f"'{name[:60]}' is no holiday of {region}.", remedy)


def _each(names: str) -> list[str]:
    """The holidays that come on one day."""
    return [re.sub(r"\s*\((?:observed|estimated|,|\s)*\)", "", one).strip() for one in names.split(";")]


def _worked(names: str, worked: Sequence[str]) -> bool:
    """Whether one works on a day with these holidays: on every one of them."""
    return all(_plain(one) in worked for one in _each(names))


def _plain(name: str) -> str:
    words = re.sub(r"[^\w\s]", "", name.casefold().replace("’", "'")).split()
    return " ".join(word for word in words if word not in ("day", "the", "observed", "estimated"))


def _days(text: str) -> tuple[date, date] | tuple[int, int]:
    low = " ".join(text.casefold().split())
    try:
        if found := _ONE.match(low):
            return _planned(found[1], found[1])
        if found := _RANGE.match(low):
            return _planned(found[1], found[2])
        if found := _YEARLY.match(low):
            name, number = found[1] or found[4], found[2] or found[3] or found[6]
            month = _month(name) if name else int(found[5])
            date(2024, month, int(number))
            return month, int(number)
    except ValueError as bad:
        if str(bad).startswith("'"):
            raise
        raise ValueError(f"There is no day '{text[:60]}'.") from None
    raise ValueError(f"'{text[:60]}' is no day.")


def _planned(start: str, end: str) -> tuple[date, date]:
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    shown = start if start == end else f"{start} - {end}"
    if first > last:
        raise ValueError(f"'{shown}' runs backwards.")
    if last < _OLDEST:
        raise ValueError(f"'{shown}' is long past.")
    if (last - first).days > 3660:
        raise ValueError(f"'{shown}' is too long.")
    return first, last


def _month(name: str) -> int:
    """The number of a month by its name or the first letters of it, three at least. Raises ValueError."""
    for number, full in enumerate(_MONTH_NAMES, 1):
        if full.startswith(name):
            return number
    raise ValueError(name)
