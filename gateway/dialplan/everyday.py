"""`open` as people write it: OpenStreetMap's rules, or "Mon-Fri 9-5", which become such rules. Pure, all of it text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

REMEDY = 'Write "Mo-Fr 09:00-18:00; Sa 10:00-14:00", Mon-Fri 9-5, or 24/7.'
_DAYS = {"mo": "Mo", "tu": "Tu", "we": "We", "th": "Th", "fr": "Fr", "sa": "Sa", "su": "Su"}
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
# A month alone is a season, which holidays interrupt; only with a day of the month is it a date, which beats them.
_DATE = re.compile(rf"\b(?:{_MONTHS})\s*\d{{1,2}}\b(?!:)|\beaster\b", re.IGNORECASE)
_CLOCK = r"\d{1,2}:\d{2}"
_SPAN = rf"{_CLOCK}\s*-\s*{_CLOCK}"
_SPANS = re.compile(rf"{_SPAN}(?:\s*,\s*{_SPAN})*")
_MODIFIER = re.compile(r"\b(?:off|closed)\b", re.IGNORECASE)
_SELECTOR_START = rf"(?:Mo|Tu|We|Th|Fr|Sa|Su|PH|week|easter|\d{{4}}\s|(?:{_MONTHS})\b)"
# A comma begins a rule only where the one before it is complete; in `Mo-Fr, PH 09:00-12:00` it makes a list.
_MORE_RULES = re.compile(
    rf"(?:(?<=:\d\d)|(?<=off)|(?<=closed)|(?<=open)|(?<=24/7))\s*,\s*(?={_SELECTOR_START})", re.IGNORECASE
)
_ADDED = ", "
"""What a rule begins with that adds to the rules before it, rather than replacing them on its days."""
_ORDINAL = re.compile(rf"\b((?:{_MONTHS})[a-z]*\.? \d{{1,2}})(?:st|nd|rd|th)\b", re.IGNORECASE)
_COMMENT = re.compile(r'"[^"]*"')
_PH = re.compile(r"\bPH\b", re.IGNORECASE)
_PH_LIST = re.compile(
    r"(?P<days>(?:[A-Z]\w(?:-[A-Z]\w)?,)*PH(?:,[A-Z]\w(?:-[A-Z]\w)?)*)(?P<rest>(?:\s.*)?)", re.IGNORECASE
)
_DAY_LIST = re.compile(rf"\b({_MONTHS}) (\d{{1,2}}),(?=\d{{1,2}}\b(?![:\d]))", re.IGNORECASE)
_OSM_WORDS = frozenset(
    [
        "mo",
        "tu",
        "we",
        "th",
        "fr",
        "sa",
        "su",
        "ph",
        "sh",
        "week",
        "easter",
        "off",
        "closed",
        "open",
        "unknown",
        "day",
        "days",
    ]
) | frozenset(_MONTHS.casefold().split("|"))

# Names are matched whole and never given back: a long row of them would otherwise take hours to turn down.
_WEEKDAY = (
    r"(?>(?:mon|tues|tue|wednes|wed|thurs|thur|thu|fri|satur|sat|sun)(?:days|day)?|mo|tu|we|th|fr|sa|su)(?![a-z])\.?+"
)
_MONTH_DAY = rf"(?>{_MONTHS})[a-z]*+\.?+ \d{{1,2}}(?![:.\d])"
_TIME_TEXT = r"(?:\d{1,2}(?:[:.]\d\d)?(?:\s*[ap]\.?m?\.?(?![a-z]))?|noon|midnight)"
_TO = r"\s*(?:-|–|\bto\b|\buntil\b|\btill\b)\s*"
_ALSO = r"\s*(?:,|&|\band\b)\s*"
_SETS = {
    "weekdays": "Mo-Fr", "weekday": "Mo-Fr", "every weekday": "Mo-Fr", "workdays": "Mo-Fr", "weekends": "Sa-Su",
    "weekend": "Sa-Su", "every day": "Mo-Su", "daily": "Mo-Su", "everyday": "Mo-Su", "all week": "Mo-Su",
}  # fmt: skip
_EVERYDAY = re.compile(
    rf"(?<![a-z])(?P<days>{'|'.join(sorted(_SETS, key=len, reverse=True))}|{_MONTH_DAY}"
    rf"|(?>{_WEEKDAY}(?:\s*(?:-|–|\bto\b|\bthrough\b|,|\band\b|&)\s*{_WEEKDAY})*+))"
    rf"[\s:]+(?P<times>closed|off|all day|24 hours|{_TIME_TEXT}{_TO}{_TIME_TEXT}(?:{_ALSO}{_TIME_TEXT}{_TO}{_TIME_TEXT})*)",
    re.IGNORECASE,
)
_TIME = re.compile(r"(\d{1,2})(?:[:.](\d\d))?\s*([ap])?\.?m?\.?", re.IGNORECASE)
_FROM_TO = re.compile(rf"(?P<a>{_TIME_TEXT}){_TO}(?P<b>{_TIME_TEXT})", re.IGNORECASE)
_NOT_HERE = (
    (re.compile(r"\|"), "'||' has no meaning here: hours are open or closed."),
    (re.compile(r"\bunknown\b", re.IGNORECASE), "'unknown' has no meaning here: hours are open or closed."),
    (re.compile(r"sunrise|sunset|dawn|dusk", re.IGNORECASE), "Where the sun stands isn't known here."),
    (re.compile(r":\d\d\s*\+"), "A time with '+' doesn't say until when."),
    (
        re.compile(r"\bSH\b", re.IGNORECASE),
        "School holidays aren't known here; list them in closed_on:, or write their dates.",
    ),
)


def rules(written: str) -> list[str] | None:
    """OpenStreetMap's rules; None when there are none. Whether each is right, its library tells.

    A rule that adds to those before it, rather than replacing them, begins with a comma. A rule that speaks of holidays
    speaks of nothing else: `Mo-Fr,PH 09:00-12:00` becomes two.
    """
    found: list[str] = []
    for part in " ".join(_COMMENT.sub(" ", written).split()).split(";"):
        text = _ORDINAL.sub(r"\1", part.strip())
        if not text:
            continue
        everyday = None if _looks_exact(text) else _everyday(text)
        found += _osm(text) if everyday is None else everyday
    return found or None


def _looks_exact(text: str) -> bool:
    """Whether it is in OpenStreetMap's own words and times: those mean what they mean there."""
    words = re.findall(r"[a-z]+", text.casefold())
    exact = re.search(r"\d\d:\d\d\s*-\s*\d\d:\d\d", text) and not re.search(r"(?<!\d)\d:\d\d", text)
    return bool(exact) and all(word in _OSM_WORDS for word in words)


def _osm(text: str) -> list[str]:
    found: list[str] = []
    for number, piece in enumerate(_MORE_RULES.split(text)):
        rule = re.sub(r"\s*,\s*", ",", piece).strip()
        while (listed := _DAY_LIST.sub(r"\1 \2,\1 ", rule, count=1)) != rule:
            rule = listed
        rule = re.sub(r"\s+open$", "", rule, flags=re.IGNORECASE)
        rule = "24/7" if rule.casefold() == "open" else rule
        added = _ADDED if number else ""
        found += [added + one for one in _without_others(rule) if one]
    return found


def _without_others(rule: str) -> list[str]:
    """The rule, in two where it is for holidays and for days of the week."""
    listed = _PH_LIST.fullmatch(rule)
    if listed is None:
        return [rule]
    others = ",".join(day for day in listed["days"].split(",") if day.upper() != "PH")
    return [f"{others}{listed['rest']}" if others else "", f"PH{listed['rest']}"]


def not_here(rule: str) -> str:
    """What OpenStreetMap allows in a rule and a telephone can't go by, as a sentence; "" when there is nothing."""
    if names_holidays(rule) and not re.fullmatch(
        r"(?:, )?PH(?: (?:off|closed|[\d:,\s-]+(?: off| closed)?))?", rule, re.IGNORECASE
    ):
        return "PH can only stand alone or among days of the week."
    return next((told for pattern, told in _NOT_HERE if pattern.search(rule)), "")


def _everyday(text: str) -> list[str] | None:
    found: list[str] = []
    at = 0
    if text.casefold() in ("24/7", "always", "around the clock", "24 hours"):
        return ["24/7"]
    if text[:1].isdigit() and (every_day := _spans(text)) is not None:
        return [every_day]
    for part in _EVERYDAY.finditer(text):
        if text[at : part.start()].strip(" ,;.").casefold() not in ("", "and"):
            return None
        spans = _spans(part["times"])
        if spans is None:
            return None
        days = f"{_weekdays(part['days'])} "
        if found and found[-1].startswith(days) and "off" not in (spans, found[-1].removeprefix(days)):
            found[-1] += f",{spans}"  # the same days again: more times, not others
        else:
            found.append(f"{days}{spans}")
        at = part.end()
    return found if found and not text[at:].strip(" ,;.") else None


def _weekdays(written: str) -> str:
    low = written.casefold()
    if low in _SETS:
        return _SETS[low]
    if re.match(_MONTH_DAY, low, re.IGNORECASE):
        return f"{low[:3].title()} {int(low.split(' ')[1]):02}"
    joined = re.sub(r"\s*(?:-|–|\bto\b|\bthrough\b)\s*", "-", low)
    joined = re.sub(r"\s*(?:,|&|\band\b)\s*", ",", joined)
    return re.sub(r"[a-z]+\.?", lambda day: _DAYS[day[0][:2]], joined)


def _spans(written: str) -> str | None:
    low = written.casefold().strip(" ,;")
    if low in ("closed", "off"):
        return "off"
    if low in ("all day", "24 hours"):
        return "00:00-24:00"
    found, at, before = [], 0, 0
    for span in _FROM_TO.finditer(low):
        if low[at : span.start()].strip(" ,&") not in ("", "and"):
            return None
        times = _hours(span["a"], span["b"], before)
        if times is None:
            return None
        found.append("{:02}:{:02}-{:02}:{:02}".format(*divmod(times[0], 60), *divmod(times[1], 60)))
        before = times[1] if times[1] > times[0] else 0
        at = span.end()
    return ",".join(found) if found and not low[at:].strip(" ,&") else None


def _hours(first: str, last: str, before: int) -> tuple[int, int] | None:
    """Minutes of the day. `9` and `5` are 09:00 and 17:00: an end without am or pm that isn't after its start is in the
    afternoon, and so is a start that isn't after the end of the times `before` it (`9-12, 1-5`), unless it is written as
    `05:00`, which means what it says."""
    start, end = _minutes(first), _minutes(last)
    if start is None or end is None:
        return None
    (a, a_said), (b, b_said) = start, end
    a = 0 if a_said == "n" and a == 24 * 60 else a
    clock_of_24 = a_said == ":" and a >= 13 * 60
    if not a_said and a < before <= a + 12 * 60:
        a += 12 * 60
    if not b_said and b <= a < b + 12 * 60 <= 24 * 60 and not clock_of_24:
        b += 12 * 60
    elif b_said == "p" and not a_said and a < 12 * 60 and a + 12 * 60 < b and a < 7 * 60:
        a += 12 * 60  # 1-5pm
    return (a, b) if a < 24 * 60 and b <= 24 * 60 and a != b else None


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
    """What runs past midnight, as times of the day on which it began; `off` where nothing does, and "" where the rule
    neither opens nor closes anything then."""
    if not _SPANS.search(rule):
        if _MODIFIER.search(rule):
            return rule
        return "" if _adds(rule) else "off" if rule.strip() == "24/7" else f"{_selector(rule)} off".strip()
    rest = ",".join(one for found in _SPANS.finditer(rule) for one in _rest(found[0]))
    if not rest and (_adds(rule) or _MODIFIER.search(rule)):
        return ""  # `off` would close what other rules left open
    return _SPANS.sub(rest or "off", rule)


def _adds(rule: str) -> bool:
    return rule.startswith(_ADDED)


def shown(rule: str) -> str:
    """A rule as an operator may read it."""
    return rule.removeprefix(_ADDED)


def joined(rules: Sequence[str]) -> str:
    """One text of many rules; `off` for none."""
    text = ""
    for rule in rules:
        if rule:
            text += (
                rule
                if _adds(rule) and text
                else f"; {rule.removeprefix(_ADDED)}"
                if text
                else rule.removeprefix(_ADDED)
            )
    return text or "off"


def always(rule: str) -> str:
    """The rule's days, all day long."""
    return f"{_selector(_MODIFIER.sub('', rule))} 00:00-24:00"


def _selector(rule: str) -> str:
    return _SPANS.sub("", rule).strip(" ,")


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


def on(days: Sequence[date], rest: str) -> str:
    """A rule for certain dates. `rest`: what follows the days, such as `off`. "" for no days."""
    months = _MONTHS.split("|")
    return ",".join(f"{day.year:04} {months[day.month - 1]} {day.day:02}" for day in days) + f" {rest}" if days else ""


def with_holidays(rule: str, days: Sequence[date]) -> str:
    """The rule with the dates in the place of `PH`; "" when it speaks of holidays and there are none."""
    if not rule or not names_holidays(rule):
        return rule
    dated = on(days, _PH.sub("", rule.removeprefix(_ADDED)).strip())
    return _ADDED + dated if dated and _adds(rule) else dated
