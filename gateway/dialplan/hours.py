"""When somebody is there: hours, holidays, half days, in the wall clock of a zone. Pure.

OpenStreetMap's opening_hours is evaluated by the package opening-hours-py, with two things done around it: holidays come
from the package `holidays` by name, and a span that runs past midnight belongs to the day on which it began, so that a
closed day takes its whole night with it and none of the night before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from opening_hours import OpeningHours
from opening_hours import State as _State

from gateway.dialplan import everyday
from gateway.dialplan.holiday import Days, days_of
from gateway.dialplan.when import zones

_DAY = timedelta(days=1)
_AHEAD = timedelta(days=400)
LONGEST = 1000
"""Characters of `open`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a set of hours."""

    field: str
    """`open`, `holidays`, `works_on`, `closed_on` or `timezone`."""
    item: int
    """Which of a list, from 0."""
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Closure:
    """A date on which the hours are closed, or others than usual, for a reason with a name."""

    day: date
    name: str


@dataclass(frozen=True, slots=True)
class Status:
    """Whether the hours are open, and why."""

    open: bool
    why: str


@dataclass(frozen=True)
class Hours:
    """A set of hours. Equal by what was written."""

    name: str
    written: str
    timezone: str
    weekly: tuple[str, ...]
    """opening_hours' rules that name no date."""
    dated: tuple[str, ...] = ()
    """Those that do: they beat holidays."""
    days: Days = field(default_factory=Days)

    @property
    def label(self) -> str:
        """As one says it: hours of somebody's own are named after them."""
        return self.name if " " in self.name else f"hours {self.name}"

    @property
    def zone(self) -> ZoneInfo:
        """Whose wall clock they follow."""
        return _zone(self.timezone)

    def is_open(self, at: datetime) -> bool:
        """Whether they are open. `at`: aware."""
        wall = at.astimezone(_zone(self.timezone)).replace(tzinfo=None)
        day = wall.replace(hour=0, minute=0, second=0, microsecond=0)
        return any(first <= wall < last for first, last in _of_day(self, day))

    def state(self, at: datetime) -> Status:
        """Whether they are open, and what says so. `at`: aware."""
        wall = at.astimezone(_zone(self.timezone)).replace(tzinfo=None)
        if self.is_open(at):
            return Status(True, self.written)
        why = _reason(self, wall.date())
        if not why and _parsed(everyday.joined(self.weekly)).is_open(wall):  # what began the day before
            why = _reason(self, wall.date() - _DAY)
        return Status(False, why or f"outside {self.written}")

    def spans(self, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """When they are open between two aware times, in their zone; touching spans are one."""
        zone = _zone(self.timezone)
        merged: list[tuple[datetime, datetime]] = []
        for first, last in self._open(start.astimezone(UTC), end.astimezone(UTC)):
            if merged and merged[-1][1] == first:
                merged[-1] = (merged[-1][0], last)
            else:
                merged.append((first, last))
        return [(first.astimezone(zone), last.astimezone(zone)) for first, last in merged]

    def changes(self, at: datetime, within: timedelta = _AHEAD) -> datetime | None:
        """The next time after `at` (aware) at which they open or close; None when that isn't `within`."""
        start = at.astimezone(UTC)
        end, now, zone = start + within, self.is_open(at), _zone(self.timezone)
        upto = start
        for first, last in self._open(start, end):
            if not now:
                return first.astimezone(zone)
            if first > upto:
                break
            upto = last
        return upto.astimezone(zone) if now and upto < end else None

    def closures(self, first: date, last: date) -> list[Closure]:
        """Holidays, closed days and dated rules between two dates, where the week's rules would be open that day."""
        found = []
        day = first
        while day <= last:
            name = self.days.closed(day) or _dated(self, day)
            if name and self._usual(day):
                found.append(Closure(day, name))
            day += _DAY
        return found

    def _usual(self, day: date) -> bool:
        start = datetime.combine(day, time())
        return any(True for _ in _intervals(_parsed(everyday.joined(self.weekly)), start, start + _DAY))

    def _open(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Open spans in UTC, in order, cut at midnights and where the clocks change."""
        zone = _zone(self.timezone)
        for low, high, offset in _steady(start, end, zone):
            first, last = (low + offset).replace(tzinfo=None), (high + offset).replace(tzinfo=None)
            day = datetime.combine(first.date(), time())
            while day < last:
                for one in _of_day(self, day):
                    a, b = max(one[0], first), min(one[1], last)
                    if a < b:
                        yield (a - offset).replace(tzinfo=UTC), (b - offset).replace(tzinfo=UTC)
                day += _DAY


def build(
    name: str,
    *,
    open: str,
    timezone: str,
    holidays: str = "",
    works_on: Sequence[str] = (),
    closed_on: Sequence[str] = (),
) -> tuple[Hours | None, list[Fault]]:
    """The hours that a plan's keys say, and what is wrong with them; None when they can't be read at all."""
    faults = []
    if timezone not in zones():
        faults.append(Fault("timezone", 0, f"There is no time zone '{timezone}'.", "Write one as America/New_York."))
    days, wrong = days_of(holidays, works_on, closed_on)
    faults += [Fault(*one) for one in wrong]
    text = open.strip()
    if len(text) > LONGEST:
        return None, [
            *faults,
            Fault("open", 0, f"The hours have more than {LONGEST} characters.", "Make them shorter."),
        ]
    rules = everyday.rules(text) or []
    told = next(filter(None, map(everyday.not_here, rules)), "")
    if told:
        return None, [*faults, Fault("open", 0, told, everyday.REMEDY)]
    weekly = tuple(rule for rule in rules if not everyday.names_date(rule))
    dated = tuple(rule for rule in rules if everyday.names_date(rule))
    if not rules or not _readable(Hours(name, text, "UTC", weekly, dated, days)):
        return None, [*faults, Fault("open", 0, f"'{text[:60]}' are no hours.", everyday.REMEDY)]
    if any(everyday.names_holidays(rule) for rule in rules) and not holidays:
        remedy = "Add holidays: with a country, such as US or GB-ENG."
        return None, [*faults, Fault("open", 0, "PH stands for holidays, and the hours name no country's.", remedy)]
    if faults:
        return None, faults
    return Hours(name, text, timezone, weekly, dated, days), []


def _readable(hours: Hours) -> bool:
    """Whether the library reads every rule, alone and with the others, and can evaluate them."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    try:
        for rule in (*hours.weekly, *hours.dated):
            named = everyday.with_holidays(rule, [start.date()])
            for part in (named, everyday.until_midnight(named), everyday.after_midnight(named)):
                _parsed(everyday.joined([part])).is_open(datetime(2026, 1, 1))
            if rule in hours.dated:
                _applies(named, start.date())
                _applies(rule, start.date())
        hours.state(start)
        hours.changes(start)
        hours.closures(start.date(), start.date())
    except BaseException as bad:  # the library's panics derive from BaseException
        if isinstance(bad, KeyboardInterrupt | SystemExit | GeneratorExit):
            raise
        return False
    return True


@lru_cache(maxsize=4096)
def _in(hours: Hours, year: int) -> tuple[OpeningHours, OpeningHours]:
    """What governs a year: the spans of each day up to midnight, and what runs on after it, as if on that same day."""
    closed = hours.days.in_year(year)
    off, shut = everyday.on(sorted(closed.holidays), "off"), everyday.on(sorted(closed.days), "off")
    rules = [*hours.weekly, off, *(everyday.with_holidays(rule, sorted(closed.holidays)) for rule in hours.dated)]
    before = everyday.joined([*(everyday.until_midnight(rule) for rule in rules), shut])
    after = everyday.joined([*(everyday.after_midnight(rule) for rule in rules if rule), shut])
    return _parsed(before), _parsed(after)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> OpeningHours:
    return OpeningHours(text)


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=4096)
def _of_day(hours: Hours, day: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """The open spans between a day's midnight and the next, in order, none touching."""
    before = day - _DAY
    own = list(_intervals(_in(hours, day.year)[0], day, day + _DAY))
    left = [(a + _DAY, b + _DAY) for a, b in _intervals(_in(hours, before.year)[1], before, day)]
    merged: list[tuple[datetime, datetime]] = []
    for first, last in sorted([*own, *left]):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def _intervals(hours: OpeningHours, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    for first, last, state, _ in hours.intervals(start, end):
        if state == _State.OPEN:
            yield max(first, start), min(last or end, end)


def _steady(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """The time between two instants (UTC) in stretches whose offset from UTC stays the same."""
    low = start
    while low < end:
        offset = _offset(low, zone)
        high = low
        while high < end and _offset(min(high + _DAY, end), zone) == offset:
            high = min(high + _DAY, end)
        if high < end:
            high = _turn(high, min(high + _DAY, end), zone)
        yield low, high, offset
        low = high


def _turn(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The instant between `low` and `high` at which the offset of `low` ends, to the second."""
    offset = _offset(low, zone)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (middle, high) if _offset(middle, zone) == offset else (low, middle)
    return high.replace(microsecond=0)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


@lru_cache(maxsize=4096)
def _reason(hours: Hours, day: date) -> str:
    """The name of what closes the day, if it has one."""
    return hours.days.closed(day) or _dated(hours, day)


def _dated(hours: Hours, day: date) -> str:
    """The first dated rule that speaks of the day; "" for none."""
    return next((everyday.shown(rule) for rule in hours.dated if _applies(rule, day)), "")


def _applies(rule: str, day: date) -> bool:
    """Whether a dated rule says something for the day."""
    start = datetime.combine(day, time())
    return any(True for _ in _intervals(_parsed(everyday.always(rule)), start, start + _DAY))
