"""When somebody can be called back: within the team's hours, and between eight and nine o'clock in the evening where the
callee is. Pure.

A number may belong to several zones (a toll-free one, a mobile one in some countries): then it is called only when it is
day in all of them; of a country of one zone that shares its code with others, in that one. Times are seconds since the epoch; a span is (from, until), its end excluded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone as _zones

from gateway.terms.callback import EARLIEST, LATEST, Terms
from gateway.terms.personal import Number

Span = tuple[float, float]

AHEAD = 7 * 86400.0
"""Seconds for which times are offered."""
NOTICE = 15 * 60.0
"""Seconds from now to the first time that is offered."""
OFFERED = 3
"""Times that are offered at once."""
_HOUR = 3600.0
_APART = 2 * _HOUR
"""Seconds behind the first time in which no other is offered."""
_ONE_ZONE = {
    "AG": "America/Antigua", "AI": "America/Anguilla", "AS": "Pacific/Pago_Pago", "BB": "America/Barbados",
    "BM": "Atlantic/Bermuda", "BS": "America/Nassau", "DM": "America/Dominica", "DO": "America/Santo_Domingo",
    "GD": "America/Grenada", "GU": "Pacific/Guam", "JM": "America/Jamaica", "KN": "America/St_Kitts",
    "KY": "America/Cayman", "KZ": "Asia/Almaty", "LC": "America/St_Lucia", "MP": "Pacific/Saipan",
    "MS": "America/Montserrat", "PR": "America/Puerto_Rico", "SX": "America/Lower_Princes", "TC": "America/Grand_Turk",
    "TT": "America/Port_of_Spain", "VC": "America/St_Vincent", "VG": "America/Tortola", "VI": "America/St_Thomas",
}  # fmt: skip
"""By ISO 3166 code: where one zone is all of a country that shares +1 or +7, of whose mobile numbers phonenumbers knows all the
zones of the code alone. In those of North America it is day together for two hours and a half."""
_SOMEWHERE = frozenset({
    phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE,
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE, phonenumbers.PhoneNumberType.VOIP,
})  # fmt: skip
"""Types of numbers whose owners are in the number's country."""


def zones_of(number: Number | None, otherwise: str) -> tuple[str, ...]:
    """The IANA zones in which whoever has the number may be; `otherwise` where nobody can tell."""
    try:
        parsed = phonenumbers.parse(number.reveal()) if number else None
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None:
        return (otherwise,)
    own = _ONE_ZONE.get(phonenumbers.region_code_for_number(parsed) or "", "")
    if own and _known(own) and phonenumbers.number_type(parsed) in _SOMEWHERE:
        return (own,)
    return tuple(zone for zone in _zones.time_zones_for_number(parsed) if _known(zone)) or (otherwise,)


def by_day(start: float, end: float, zones: Sequence[str]) -> list[Span]:
    """When it is day in all of the zones, between two times."""
    spans = [(start, end)]
    for zone in zones:
        spans = both(spans, list(_days(start, end, ZoneInfo(zone))))
    return spans


def both(some: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """What is in some span of each; both are in order and don't overlap."""
    found, left, right = [], 0, 0
    while left < len(some) and right < len(others):
        first, last = max(some[left][0], others[right][0]), min(some[left][1], others[right][1])
        if first < last:
            found.append((first, last))
        if some[left][1] < others[right][1]:
            left += 1
        else:
            right += 1
    return found


def free(terms: Terms, zones: Sequence[str], now: float, ahead: float = AHEAD) -> list[Span]:
    """When the callee may be called, from now on."""
    day = by_day(now, now + ahead, zones)
    return day if terms.open is None else both(_merged(terms.open), day)


def allowed(terms: Terms, zones: Sequence[str], at: float) -> bool:
    """Whether the callee may be called at that time."""
    return any(first <= at < last for first, last in free(terms, zones, at, _HOUR))


def night(zones: Sequence[str], at: float) -> float:
    """When the callee's day is over in which a time lies: the time itself where it is night."""
    return next((last for first, last in by_day(at, at + AHEAD, zones) if first <= at), at)


def earliest(terms: Terms, zones: Sequence[str], at: float) -> float | None:
    """The first time from `at` on; None where there is none for AHEAD."""
    spans = free(terms, zones, at)
    return spans[0][0] if spans else None


def offers(terms: Terms, zones: Sequence[str], now: float) -> tuple[float, ...]:
    """Times to offer, the first first: whole hours by the clock that they are told in; after the first, one a half day."""
    clock = clock_of(zones, terms.zone, now).zone
    found: list[float] = []
    taken: set[tuple[date, bool]] = set()
    for first, last in free(terms, zones, now):
        at = _whole_hour(max(first, now + NOTICE), clock)
        while at < last and len(found) < OFFERED:
            wall = datetime.fromtimestamp(at, clock)
            half = (wall.date(), wall.hour < 12)
            if half not in taken:
                taken.add(half)
                found.append(at)
            at = _whole_hour(at + 1, clock)
    return tuple(found)


def choices(terms: Terms, zones: Sequence[str], now: float) -> tuple[float, ...]:
    """Times to choose from: as soon as can be, and some that are offered; none where nobody can call at all."""
    first = earliest(terms, zones, now)
    if first is None:
        return ()
    return (first, *offers(terms, zones, first + _APART - NOTICE)[: OFFERED - 1])


def fitting(terms: Terms, zones: Sequence[str], wanted: float, now: float) -> float | None:
    """The time that is wanted, where they may be called then; else the next one; None for none."""
    return earliest(terms, zones, max(wanted, now))


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock that a time is told by."""

    zone: ZoneInfo
    theirs: bool
    """Whether it is the callee's, so that it needn't be named."""


def clock_of(zones: Sequence[str], otherwise: str, at: float) -> Clock:
    """The clock in which a time is told to the callee: theirs, where there is only one; else the plan's."""
    offsets = {datetime.fromtimestamp(at, ZoneInfo(zone)).utcoffset() for zone in zones}
    theirs = len(offsets) == 1
    return Clock(ZoneInfo(zones[0] if theirs else otherwise), theirs)


def _days(start: float, end: float, zone: ZoneInfo) -> Iterable[Span]:
    day = datetime.fromtimestamp(start, zone).date() - timedelta(days=1)
    while True:
        first = datetime.combine(day, time(EARLIEST), zone).timestamp()
        last = datetime.combine(day, time(LATEST), zone).timestamp()
        if first >= end:
            return
        if last > start:
            yield max(first, start), min(last, end)
        day += timedelta(days=1)


def _whole_hour(at: float, clock: ZoneInfo) -> float:
    """The first whole hour by the clock at or after a time: its minutes, since clocks differ by half hours too."""
    wall = datetime.fromtimestamp(at, clock)
    past = wall.minute * 60 + wall.second + wall.microsecond / 1e6
    return at if past == 0 else round(at - past) + _HOUR


def _merged(spans: Sequence[Span]) -> list[Span]:
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def _known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return zone != "Etc/Unknown"
