"""How English says numbers, lengths of time, and times. Pure.

Another language is another module with these four functions, and a line in gateway.terms.sentences.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

SMALL = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]  # fmt: skip
TENS = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
"""The words for 0 to 19, and for the tens, by their number; for who understands numbers, too."""
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
             "twelve": "twelfth"}  # fmt: skip
_GROUPS = ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_PLAIN = range(7, 19)
"""Hours that are said bare, as everybody takes them: seven is in the morning, six in the evening."""
_SMALL_HOURS = 4
"""Before that hour it is still the night of the day before."""
LATER = "later"
"""When nobody knows."""


def number(value: int) -> str:
    """A whole number in words."""
    if value < 0:
        return f"minus {number(-value)}"
    if value < 20:
        return SMALL[value]
    if value < 100:
        tens = TENS[value // 10]
        return f"{tens}-{SMALL[value % 10]}" if value % 10 else tens
    size, name = next((size, name) for size, name in _GROUPS if value >= size)
    head = f"{number(value // size)} {name}"
    return f"{head} {number(value % size)}" if value % size else head


def ordinal(value: int) -> str:
    """The same as a place in a row: first, twenty-second."""
    words = number(value)
    cut = max(words.rfind(" "), words.rfind("-")) + 1
    last = words[cut:]
    ending = _ORDINALS.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")
    return words[:cut] + ending


def duration(seconds: float) -> str:
    """About how long: "less than a minute", "about five minutes", "about an hour and a half"."""
    minutes = round(seconds / 60)
    if seconds < 45:
        return "less than a minute"
    if minutes <= 1:
        return "about a minute"
    if minutes <= 12:
        return f"about {number(minutes)} minutes"
    if minutes < 53:
        return f"about {number(round(minutes / 5) * 5)} minutes"
    halves = round(minutes / 30)
    if halves == 2:
        return "about an hour"
    if halves == 3:
        return "about an hour and a half"
    return f"about {number(halves // 2)}{' and a half' if halves % 2 else ''} hours"


def when(at: datetime, now: datetime) -> str:
    """A time to come, as one says it now: "at nine", "tomorrow at nine thirty", "on Monday at noon", "on January fourth
    at nine". Both aware, `at` in the zone of whoever is there; LATER for what is past or a year ahead."""
    here = now.astimezone(at.tzinfo)
    ahead = (at.date() - here.date()).days
    if at <= now or ahead > 360:
        return LATER
    if ahead == 0:
        return f"at {clock(at.time())}"
    if ahead == 1 and at.hour < _SMALL_HOURS and here.hour >= 12:
        return f"at {clock(at.time())}" if at.time() < time(0, 1) else f"tonight at {_hour(at.time())}"
    said = f" at {clock(at.time())}" if at.time() >= time(0, 1) else ""
    return f"{_day(at.date(), ahead)}{said}"


def clock(at: time) -> str:
    """A time of day: "nine", "two oh five", "noon", "eight thirty in the evening"."""
    if (at.hour, at.minute) in ((0, 0), (12, 0)):
        return "noon" if at.hour else "midnight"
    if at.hour in _PLAIN:
        return _hour(at)
    return f"{_hour(at)} in the {'evening' if at.hour >= 12 else 'morning'}"


def _hour(at: time) -> str:
    hour = number((at.hour - 1) % 12 + 1)
    if not at.minute:
        return hour
    return f"{hour} {'oh ' if at.minute < 10 else ''}{number(at.minute)}"


def _day(day: date, ahead: int) -> str:
    if ahead == 1:
        return "tomorrow"
    if timedelta(days=ahead) < timedelta(days=7):
        return f"on {_DAYS[day.weekday()]}"
    return f"on {_MONTHS[day.month - 1]} {ordinal(day.day)}"
