"""Times in words: how one is told to a caller, and what a caller's words mean. English. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.terms.english import SMALL

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBERS: Mapping[str, int] = {word: number for number, word in enumerate(SMALL[1:16], 1)} | {
    "twenty": 20, "thirty": 30, "forty": 40, "forty-five": 45, "an": 1, "a": 1, "half": 30,
}  # fmt: skip
_PARTS = {"morning": 9, "noon": 12, "midday": 12, "lunchtime": 12, "afternoon": 14, "evening": 18, "tonight": 18}
_AT = re.compile(
    r"\b(?:(half|quarter)\s+(past|to)\s+)?(\d{1,2}|" + "|".join(sorted(_NUMBERS, key=len, reverse=True)) + r")"
    r"(?:(?::|\s)(\d{2}|thirty|fifteen|forty-five|forty\s+five))?\s*(o'?\s?clock)?\s*([ap]\.?\s?m\b\.?)?",
    re.IGNORECASE,
)
_IN = re.compile(
    r"\bin\s+(half\s+an|\d{1,3}|"
    + "|".join(sorted(_NUMBERS, key=len, reverse=True))
    + r")\s+(minutes?|hours?|days?)\b",
    re.IGNORECASE,
)
_NOW = re.compile(
    r"\b(?:now|right away|as soon as|asap|at once|straight away|immediately|any ?time|whenever)\b", re.IGNORECASE
)


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
    low = words.replace("\u2019", "'").lower()
    wall = datetime.fromtimestamp(now, clock)
    if found := _IN.search(low):
        return _after(found, wall, now)
    day, rest = _day(low, wall)
    part = next((hour for word, hour in _PARTS.items() if re.search(rf"\b{word}\b", rest)), None)
    if found := next((one for one in _AT.finditer(rest) if _names_a_time(one, rest)), None):
        hour, minute = _clock_time(found, part)
        if hour is None:
            return None
        return _on(day, wall, hour, minute, now, fixed=day is not None, clock=clock)
    if part is not None:
        return _on(day, wall, part, 0, now, fixed=day is not None, clock=clock)
    if day is not None:
        return _on(day, wall, 9, 0, now, fixed=True, clock=clock)
    return now if _NOW.search(low) else None


def _after(found: re.Match[str], wall: datetime, now: float) -> float:
    count = 0.5 if found[1].startswith("half") else float(_number(found[1]) or 0)
    unit = found[2][0]
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
    for number, name in enumerate(_DAYS):
        if found := re.search(rf"\b(next\s+)?{name}\b", low):
            gone = (number - wall.weekday()) % 7 or 7
            return gone, low.replace(found[0], " ")
    return None, low


def _names_a_time(found: re.Match[str], rest: str) -> bool:
    """Whether a number is an hour: by what stands around it."""
    before = rest[: found.start()].rstrip()
    word = before.rsplit(" ", 1)[-1] if before else ""
    if found[3] in ("a", "an", "half"):
        return False
    return bool(found[1] or found[4] or found[5] or found[6]) or word in (
        "at",
        "by",
        "around",
        "about",
        "after",
        "from",
        "",
    )


def _clock_time(found: re.Match[str], part: int | None) -> tuple[int | None, int]:
    hour = _number(found[3]) or 0
    minute = _number(found[4].replace(" ", "-")) or 0 if found[4] else 0
    if found[4] and found[4].isdigit():
        minute = int(found[4])
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
        shift = 30 if found[1].lower() == "half" else 15
        minute = shift if found[2].lower() == "past" else 60 - shift
        hour = hour if found[2].lower() == "past" else (hour - 1) % 24
    return hour, minute


def _on(day: int | None, wall: datetime, hour: int, minute: int, now: float, *, fixed: bool, clock: ZoneInfo) -> float:
    """The wall clock's time on that day; without a day the next one there is."""
    there = wall.date() + timedelta(days=day or 0)
    at = datetime(there.year, there.month, there.day, hour, minute, tzinfo=clock).timestamp()
    if at < now and not fixed:
        there += timedelta(days=1)
        at = datetime(there.year, there.month, there.day, hour, minute, tzinfo=clock).timestamp()
    return max(at, now)


def _number(written: str) -> int | None:
    return int(written) if written.isdigit() else _NUMBERS.get(written.lower())
