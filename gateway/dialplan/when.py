"""Times as operators write them: `2026-12-24 11:30`, with a zone, `tomorrow 09:00`, `in 2h`. Pure."""

from __future__ import annotations

import re
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

_STAMP = re.compile(
    r"^(?P<day>\d{4}-\d\d-\d\d)(?:[T ]\s*(?P<time>\d{1,2}(?::\d\d){0,2}\s*(?:[ap]m)?))?\s*(?P<zone>\S.*)?$",
    re.IGNORECASE,
)
_RELATIVE = re.compile(r"^(?:in\s+)?(\d{1,5})\s*(s|m|min|h|d|w|seconds?|minutes?|hours?|days?|weeks?)$", re.IGNORECASE)
_NAMED = re.compile(
    r"^(?P<day>today|tonight|tomorrow|mon(?:day)?|tue(?:s|sday)?|wed(?:s|nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?"
    r"|sat(?:urday)?|sun(?:day)?)(?:\s+(?:at\s+)?(?P<time>.+))?$",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"^(\d{1,2})(?::(\d\d))?(?::(\d\d))?\s*([ap]m)?$", re.IGNORECASE)
_OFFSET = re.compile(r"^(?:UTC|Z|([+-])(\d\d):?(\d\d))$", re.IGNORECASE)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FORMS = "Write 2026-12-24 11:30, with a zone such as Europe/London behind it if it isn't the plan's."
"""The remedy where only a date will do."""
SAID = 'Write 18:00, "tomorrow 9:00", "in 2h" or "2026-12-24 11:30", with a zone behind it if it isn\'t the plan\'s.'
"""The remedy where the time may be told from now."""


@cache
def zones() -> frozenset[str]:
    """The names of all time zones."""
    return frozenset(zoneinfo.available_timezones())


def moment(written: str, home: str, now: datetime | None) -> datetime:
    """The time that is meant, aware.

    `home`: IANA name of the zone that counts where the text names none. `now`: aware; None allows no `tomorrow` or
    `in 2h`. A wall-clock time that the clocks skip is the one as much later; one that comes twice is the first.
    Raises ValueError with a sentence for the operator.
    """
    text = " ".join(written.split())
    if found := _STAMP.match(text):
        zone = _zone(found["zone"] or home)
        try:
            day = date.fromisoformat(found["day"])
        except ValueError:
            raise ValueError(f"There is no day {found['day']}.") from None
        return _at(day, _clock(found["time"] or "0"), zone)
    if now is not None:
        if found := _RELATIVE.match(text):
            return now + timedelta(seconds=int(found[1]) * _UNITS[found[2][0].lower()])
        local = now.astimezone(ZoneInfo(home))
        if found := _NAMED.match(text):
            return _named(found["day"].lower(), found["time"], local)
        if _CLOCK.match(text):
            at = _at(local.date(), _clock(text), local.tzinfo or UTC)
            return at if at > local else _at(local.date() + timedelta(days=1), _clock(text), local.tzinfo or UTC)
    raise ValueError(f"'{written[:80]}' is no time.")


def _named(day: str, clock: str | None, local: datetime) -> datetime:
    zone = local.tzinfo or UTC
    if day[:3] in _DAYS:
        ahead = (_DAYS.index(day[:3]) - local.weekday()) % 7 or 7
    else:
        ahead = int(day == "tomorrow")
    default = "0" if day not in ("today", "tonight") else "24"
    at = _clock(clock or default)
    if day == "tonight" and clock and re.fullmatch(r"[\d:]+", clock) and at <= timedelta(hours=12):
        at += timedelta(hours=24 if at < timedelta(hours=1) else 12)
    return _at(local.date() + timedelta(days=ahead), at, zone)


def _clock(written: str) -> timedelta:
    text = written.strip().lower()
    if text in ("noon", "midday", "midnight"):
        return timedelta(hours=24 if text == "midnight" else 12)
    found = _CLOCK.match(text)
    if not found:
        raise ValueError(f"'{written[:40]}' is no time of day.")
    hour, minute, second = int(found[1]), int(found[2] or 0), int(found[3] or 0)
    if found[4]:
        if not 1 <= hour <= 12:
            raise ValueError(f"'{written}' is no time of day.")
        hour = hour % 12 + (12 if found[4] == "pm" else 0)
    if minute > 59 or second > 59 or (hour, minute, second) > (24, 0, 0):
        raise ValueError(f"'{written}' is no time of day.")
    return timedelta(hours=hour, minutes=minute, seconds=second)


def _at(day: date, clock: timedelta, zone: tzinfo) -> datetime:
    try:
        naive = datetime.combine(day, time()) + clock
        local = naive.replace(tzinfo=zone)
        # By way of UTC a skipped time becomes the one that the clocks show then.
        return local.astimezone(UTC).astimezone(zone)
    except OverflowError:
        raise ValueError(f"There is no day {day}.") from None


def _zone(written: str) -> tzinfo:
    if found := _OFFSET.match(written):
        if not found[1]:
            return UTC
        shift = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return timezone(shift if found[1] == "+" else -shift)
    if written not in zones():
        raise ValueError(f"There is no time zone '{written[:60]}'.")
    return ZoneInfo(written)
