"""`open` as people write it: OpenStreetMap's rules, or "Mon-Fri 9-5", which become such rules. Pure, all of it text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

REMEDY = 'Write "Mo-Fr 09:00-18:00; Sa 10:00-14:00", Mon-Fri 9-5, or 24/7.'
_DAYS = {"mo": "Mo", "tu": "Tu", "we": "We", "th": "Th", "fr": "Fr", "sa": "Sa", "su": "Su"}
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_DATE = re.compile(rf"\b(?:{_MONTHS})\b|\b\d{{4}}\b(?!:)|\bweek\b|\beaster\b")
_CLOCK = r"\d{1,2}:\d{2}"
_SPAN = rf"{_CLOCK}\s*-\s*{_CLOCK}"
_SPANS = re.compile(rf"{_SPAN}(?:\s*,\s*{_SPAN})*")
_MODIFIER = re.compile(r"\b(?:off|closed)\b", re.IGNORECASE)
_MORE_RULES = re.compile(r"(?<=[\d+fnd]),\s*(?=(?:Mo|Tu|We|Th|Fr|Sa|Su|PH|week|easter|(?:" + _MONTHS + r")\b))")
_PH = re.compile(r"\bPH\b")

_WEEKDAY = r"(?:mon|tue|wed|thu|fri|sat|sun|mo|tu|we|th|fr|sa|su)[a-z]*"
_TIME_TEXT = r"(?:\d{1,2}(?:[:.]\d\d)?(?:\s*[ap]\.?m?\.?(?![a-z]))?|noon|midnight)"
_TO = r"\s*(?:-|–|\bto\b|\buntil\b|\btill\b)\s*"
_ALSO = r"\s*(?:,|&|\band\b)\s*"
_SETS = {
    "weekdays": "Mo-Fr", "weekday": "Mo-Fr", "every weekday": "Mo-Fr", "workdays": "Mo-Fr", "weekends": "Sa-Su",
    "weekend": "Sa-Su", "every day": "Mo-Su", "daily": "Mo-Su", "everyday": "Mo-Su", "all week": "Mo-Su",
}  # fmt: skip
_EVERYDAY = re.compile(
    rf"(?P<days>{'|'.join(sorted(_SETS, key=len, reverse=True))}|{_WEEKDAY}(?:\s*(?:-|–|\bto\b|\bthrough\b|,|\band\b|&)\s*{_WEEKDAY})*)"
    rf"[\s:]+(?P<times>closed|off|all day|24 hours|{_TIME_TEXT}{_TO}{_TIME_TEXT}(?:{_ALSO}{_TIME_TEXT}{_TO}{_TIME_TEXT})*)",
    re.IGNORECASE,
)
_TIME = re.compile(r"(\d{1,2})(?:[:.](\d\d))?\s*([ap])?\.?m?\.?", re.IGNORECASE)
_FROM_TO = re.compile(rf"(?P<a>{_TIME_TEXT}){_TO}(?P<b>{_TIME_TEXT})", re.IGNORECASE)


def rules(written: str) -> list[str] | None:
    """OpenStreetMap's rules; None when the text is neither. Whether each is right, its library tells."""
    text = " ".join(written.split())
    if not text:
        return None
    if (found := _everyday(text)) is not None:
        return found
    return [rule.strip() for part in text.split(";") for rule in _MORE_RULES.split(part) if rule.strip()] or None


def _everyday(text: str) -> list[str] | None:
    found, at = [], 0
    if text.casefold() in ("24/7", "always", "around the clock", "24 hours"):
        return ["24/7"]
    for part in _EVERYDAY.finditer(text):
        if text[at : part.start()].strip(" ,;.").casefold() not in ("", "and"):
            return None
        spans = _spans(part["times"])
        if spans is None:
            return None
        found.append(f"{_weekdays(part['days'])} {spans}")
        at = part.end()
    return found if found and not text[at:].strip(" ,;.") else None


def _weekdays(written: str) -> str:
    low = written.casefold()
    if low in _SETS:
        return _SETS[low]
    joined = re.sub(r"\s*(?:-|–|\bto\b|\bthrough\b)\s*", "-", low)
    joined = re.sub(r"\s*(?:,|&|\band\b)\s*", ",", joined)
    return re.sub(r"[a-z]+", lambda day: _DAYS[day[0][:2]], joined)


def _spans(written: str) -> str | None:
    low = written.casefold().strip(" ,;")
    if low in ("closed", "off"):
        return "off"
    if low in ("all day", "24 hours"):
        return "00:00-24:00"
    found, at = [], 0
    for span in _FROM_TO.finditer(low):
        if low[at : span.start()].strip(" ,&") not in ("", "and"):
            return None
        times = _hours(span["a"], span["b"])
        if times is None:
            return None
        found.append(times)
        at = span.end()
    return ",".join(found) if found and not low[at:].strip(" ,&") else None


def _hours(first: str, last: str) -> str | None:
    """`9` and `5` are 09:00 and 17:00: an end without am or pm that isn't after its start is in the afternoon, unless it
    is written as `05:00`, which means what it says."""
    start, end = _minutes(first), _minutes(last)
    if start is None or end is None:
        return None
    (a, a_said), (b, b_said) = start, end
    if not a_said and not b_said and b <= a and b <= 12 * 60:
        b += 12 * 60
    elif b_said == "p" and not a_said and a < 12 * 60 and a + 12 * 60 < b and a < 7 * 60:
        a += 12 * 60  # 1-5pm
    return f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" if a < 24 * 60 and b <= 24 * 60 and a != b else None


def _minutes(written: str) -> tuple[int, str] | None:
    text = written.strip()
    if text in ("noon", "midnight"):
        return (12 * 60, "n") if text == "noon" else (24 * 60, "n")
    found = _TIME.fullmatch(text)
    if not found or not found[1]:
        return None
    hour, minute, half = int(found[1]), int(found[2] or 0), found[3] or ""
    if minute > 59 or hour > 24 or (half and not 1 <= hour <= 12):
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    exact = hour > 12 or re.fullmatch(r"\d\d:\d\d", text)
    return hour * 60 + minute, half or (":" if exact else "")


def names_date(rule: str) -> bool:
    """Whether a rule is for certain dates, and so beats holidays."""
    return bool(_DATE.search(rule)) or names_holidays(rule)


def names_holidays(rule: str) -> bool:
    """Whether a rule speaks of public holidays."""
    return bool(_PH.search(rule))


def until_midnight(rule: str) -> str:
    """The rule with every span that runs past midnight cut there."""
    return _SPANS.sub(lambda found: ",".join(_cut(found[0])), rule)


def after_midnight(rule: str) -> str:
    """What runs past midnight, as times of the day on which it began; `off` where nothing does."""
    if _MODIFIER.search(rule):
        return rule
    if not _SPANS.search(rule):
        return "off" if rule.strip() == "24/7" else f"{_selector(rule)} off".strip()
    return _SPANS.sub(lambda found: ",".join(_rest(found[0])) or "off", rule)


def always(rule: str) -> str:
    """The rule's days, all day long."""
    return f"{_selector(_MODIFIER.sub('', rule))} 00:00-24:00"


def _selector(rule: str) -> str:
    return re.sub(r'"[^"]*"', "", _SPANS.sub("", rule)).strip(" ,")


def _cut(spans: str) -> list[str]:
    return [f"{_shown(a)}-{_shown(min(b, 1440))}" for a, b in _times(spans) if a < 1440]


def _rest(spans: str) -> list[str]:
    return [f"{_shown(max(a, 1440) - 1440)}-{_shown(b - 1440)}" for a, b in _times(spans) if b > 1440]


def _times(spans: str) -> list[tuple[int, int]]:
    found = []
    for part in spans.split(","):
        a, b = (int(clock.split(":")[0]) * 60 + int(clock.split(":")[1]) for clock in part.split("-"))
        found.append((a, b if b > a else b + 1440))
    return found


def _shown(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def with_holidays(rule: str, days: Sequence[date]) -> str:
    """The rule with `PH` replaced by the dates, in a rule of its own beside other days."""
    if not names_holidays(rule):
        return rule
    others = re.sub(r"^,|,$", "", re.sub(r",?\bPH\b,?", ",", rule.split(" ")[0]).strip(" "))
    rest = rule.partition(" ")[2]
    months = _MONTHS.split("|")
    dated = [f"{day.year} {months[day.month - 1]} {day.day:02} {rest}" for day in days]
    return "; ".join([*([f"{others} {rest}"] if others else []), *dated])


def without_holidays(rule: str) -> str:
    """The rule as its library may judge it."""
    return _PH.sub("Su", rule)
