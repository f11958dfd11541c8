"""Times in words: how one is told to a caller, and what a caller's words mean. English. Pure."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.terms.english import SMALL, ordinal

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = {name: number for number, name in enumerate(calendar.month_name) if name}
_NUMBERS: Mapping[str, int] = {word: number for number, word in enumerate(SMALL[1:], 1)} | {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "an": 1, "a": 1, "half": 30, "couple of": 2,
} | {f"{tens}-{SMALL[unit]}": 10 * number + unit for number, tens in ((2, "twenty"), (3, "thirty"), (4, "forty"), (5, "fifty"))
     for unit in range(1, 10)}  # fmt: skip
_ORDINALS = {ordinal(day): day for day in range(1, 32)}
_PARTS = {"morning": 9, "noon": 12, "midday": 12, "lunchtime": 12, "afternoon": 14, "evening": 18, "tonight": 18}


def _one_of(words: Iterable[str]) -> str:
    return "|".join(sorted((word.replace("-", r"[\s-]") for word in words), key=len, reverse=True))


_NUMBER = rf"(?:{_one_of(_NUMBERS)})(?![a-z])"
_AT = re.compile(
    r"\b(?:(half|quarter|five|ten|twenty(?:[\s-]five)?|[125]?[05])\s+(?:minutes\s+)?(past|to|after)\s+)?"
    rf"(\d{{1,2}}(?!\d)|{_NUMBER})"
    rf"(?:(?::|\s)(\d{{2}}(?!\d)|(?:oh|o)[\s-](?:{_one_of(SMALL[1:10])})|(?:ten|fifteen|twenty|thirty|forty|fifty)"
    rf"(?:[\s-](?:{_one_of(SMALL[1:10])}))?(?![a-z])))?(?:\s+hundred)?\s*(o'?\s?clock)?\s*([ap]\.?\s?m\b\.?)?",
    re.IGNORECASE,
)
_IN = re.compile(
    rf"\bin\s+(?:a\s+(?=couple))?(half\s+an|\d{{1,3}}|{_NUMBER})(\s+and\s+a\s+half)?\s+(minutes?|hours?|days?)"
    r"(\s+and\s+a\s+half)?\b",
    re.IGNORECASE,
)
_DATE = re.compile(
    rf"\b(?:({_one_of(_MONTHS)})\s+(?:the\s+)?(\d{{1,2}}(?:st|nd|rd|th)?|{_one_of(_ORDINALS)})(?![a-z\d:])"
    rf"|the\s+(\d{{1,2}}(?:st|nd|rd|th)|{_one_of(_ORDINALS)})\s+of\s+({_one_of(_MONTHS)})"
    rf"|on\s+the\s+(\d{{1,2}}(?:st|nd|rd|th)|{_one_of(_ORDINALS)})(?![a-z])(?!\s+(?:one|of)\b))",
    re.IGNORECASE,
)
_NOW = re.compile(
    r"\b(?:now|right away|as soon as|asap|at once|straight away|immediately|any ?time|whenever)\b", re.IGNORECASE
)
_NOT_NOW = re.compile(r"\bnot\s+(?:right\s+|just\s+)?now\b", re.IGNORECASE)
_BEFORE_TIMES = ("at", "by", "around", "about", "after", "from", "between", "")
_AFTER_TIMES = re.compile(r"\s*(?:$|[.,!?;]|(?:on|in|would|will|is|if|then|please|works?|maybe|sharp|thanks?)\b)")
"""What stands around a number that is an hour, though nothing of it says so."""
_LATEST_BARE = 8
"""An hour at most that somebody may mean in the evening who names it bare, when it has passed in the morning."""


def told(at: float, now: float, clock: ZoneInfo, *, ours: bool = False) -> str:
    """A time as one says it: "today at 3 PM", "on Monday at 9:30 AM". `ours`: the clock isn't the callee's, so that it is named."""
    wall, today = datetime.fromtimestamp(at, clock), datetime.fromtimestamp(now, clock)
    gone = (wall.date() - today.date()).days
    if gone in (0, 1):
        day = ("today", "tomorrow")[gone]
    elif gone < 7:
        day = f"on {wall:%A}"
    else:
        day = f"on {wall:%A}, {wall:%B} {wall.day}"
    hour = f"{wall.hour % 12 or 12}{f':{wall.minute:02}' if wall.minute else ''}"
    return f"{day} at {hour} {'AM' if wall.hour < 12 else 'PM'}{' our time' if ours else ''}"


def meant(words: str, now: float, clock: ZoneInfo) -> float | None:
    """The time that a caller's words mean, on their clock: "tomorrow at nine", "in two hours", "Monday afternoon", "as
    soon as you can". None where no time is in them. Whoever names an hour without its half of the day means one between
    seven in the morning and half past six."""
    low = _NOT_NOW.sub(" ", words.replace("\u2019", "'").lower())
    wall = datetime.fromtimestamp(now, clock)
    if found := _IN.search(low):
        return _after(found, wall, now)
    day, rest = _day(low, wall)
    part = next((hour for word, hour in _PARTS.items() if re.search(rf"\b{word}\b", rest)), None)
    if found := next((one for one in _AT.finditer(rest) if _names_a_time(one, rest)), None):
        hour, minute = _clock_time(found, part)
        if hour is None:
            return None
        bare = day is None and part is None and not found[6] and not found[5]
        if bare and 7 <= hour <= _LATEST_BARE and (hour, minute) <= (wall.hour, wall.minute):
            hour += 12
        return _on(day, wall, hour, minute, now, fixed=day is not None, clock=clock)
    if part is not None:
        return _on(day, wall, part, 0, now, fixed=day is not None, clock=clock)
    if day is not None:
        return _on(day, wall, 9, 0, now, fixed=True, clock=clock)
    return now if _NOW.search(low) else None


def _after(found: re.Match[str], wall: datetime, now: float) -> float:
    count = 0.5 if found[1].startswith("half") else float(_number(found[1]) or 0)
    count += 0.5 if found[2] or found[4] else 0.0
    unit = found[3][0]
    if unit == "d":
        return (wall + timedelta(days=count)).replace(fold=0).timestamp()
    return now + count * (3600.0 if unit == "h" else 60.0)


def _day(low: str, wall: datetime) -> tuple[int | None, str]:
    """The days from today that the words name, and the words without them."""
    if found := re.search(r"\bday after tomorrow\b", low):
        return 2, low.replace(found[0], " ")
    if "tomorrow" in low:
        return 1, low.replace("tomorrow", " ")
    if re.search(r"\b(?:today|tonight)\b", low):
        return 0, low.replace("today", " ")
    if (found := _DATE.search(low)) and (gone := _days_until(found, wall)) is not None:
        return gone, low.replace(found[0], " ")
    for number, name in enumerate(_DAYS):
        if found := re.search(rf"\b(next\s+)?{name}\b", low):
            gone = (number - wall.weekday()) % 7 or 7
            return gone, low.replace(found[0], " ")
    return None, low


def _days_until(found: re.Match[str], wall: datetime) -> int | None:
    """The days until the next such date; None where there is none."""
    month, written = found[1] or found[4], re.sub(r"\s", "-", found[2] or found[3] or found[5])
    digits = re.match(r"\d+", written)
    day = int(digits[0]) if digits else _ORDINALS[written]
    for ahead in range(13):
        year, at = divmod(wall.month - 1 + ahead, 12)
        if month and _MONTHS[month.capitalize()] != at + 1:
            continue
        try:
            gone = (wall.date().replace(year=wall.year + year, month=at + 1, day=day) - wall.date()).days
        except ValueError:
            continue
        if gone >= 0:
            return gone
    return None


def _names_a_time(found: re.Match[str], rest: str) -> bool:
    """Whether a number is an hour: by what stands around it."""
    before = rest[: found.start()].rstrip()
    word = before.rsplit(" ", 1)[-1] if before else ""
    if found[3] in ("a", "an", "half"):
        return False
    if (
        found[1] and found[1] not in ("half", "quarter") and not (found[5] or found[6])
    ):  # "ten to twenty people" is no time
        return word in _BEFORE_TIMES and bool(_AFTER_TIMES.match(rest[found.end() :]))
    return bool(found[1] or found[4] or found[5] or found[6]) or word in _BEFORE_TIMES


def _clock_time(found: re.Match[str], part: int | None) -> tuple[int | None, int]:
    hour = _number(found[3]) or 0
    minute = _minutes(found[4]) if found[4] else 0
    half = (found[6] or "").replace(".", "").replace(" ", "").lower()
    if hour > 23 or minute > 59 or (half and not 1 <= hour <= 12):
        return None, 0
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    elif hour <= 12 and part is not None:
        hour = hour % 12 + (12 if part >= 12 and not (part == 12 and hour == 11) else 0)
    elif 1 <= hour <= 6:
        hour += 12
    if found[1]:
        shift = {"half": 30, "quarter": 15}.get(found[1].lower()) or _number(found[1]) or 0
        past = found[2].lower() != "to"
        minute = shift if past else 60 - shift
        hour = hour if past else (hour - 1) % 24
    return hour, minute


def _on(day: int | None, wall: datetime, hour: int, minute: int, now: float, *, fixed: bool, clock: ZoneInfo) -> float:
    """The wall clock's time on that day; without a day the next one there is."""
    there = wall.date() + timedelta(days=day or 0)
    at = datetime(there.year, there.month, there.day, hour, minute, tzinfo=clock).timestamp()
    if at < now and not fixed:
        there += timedelta(days=1)
        at = datetime(there.year, there.month, there.day, hour, minute, tzinfo=clock).timestamp()
    return max(at, now)


def _minutes(written: str) -> int:
    """Of `30`, `thirty`, `thirty five` or `oh five`."""
    return _number(re.sub(r"^oh?[\s-]", "", written)) or 0


def _number(written: str) -> int | None:
    plain = written.lower()
    return int(plain) if plain.isdigit() else _NUMBERS.get(plain, _NUMBERS.get(re.sub(r"\s", "-", plain)))
