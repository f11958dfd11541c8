"""What a change of the plan means for callers: which numbers, at which hours, reach something else. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime, timedelta

from gateway.dialplan.actions import KIND, Reject
from gateway.dialplan.model import Place, Ref
from gateway.dialplan.people import Person, Rotation, Team
from gateway.dialplan.plan import Plan
from gateway.dialplan.route import Ask, Decision, decide
from gateway.dialplan.samples import Kind, kinds, numbers

YEAR = timedelta(days=365)
_WEEKLY = 40
"""Weeks of a year in which the same hours change that are told as weekly ones."""
_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


@dataclass(frozen=True, slots=True)
class Change:
    """Calls that reach something else."""

    numbers: tuple[str, ...]
    """As they are written in a plan."""
    caller: str
    """Whom it is about, as a rule says it; "" for every caller."""
    before: str
    """What they reached: a route's name, or a SIP status."""
    after: str
    hours: tuple[str, ...]
    """When, in the plan's zone: `always`, weekly hours, then single days."""


@dataclass(frozen=True, slots=True)
class Altered:
    """A route that both plans have, and that does something else."""

    route: str
    what: tuple[str, ...]
    """One line for each part that changed."""


@dataclass(frozen=True, slots=True)
class Difference:
    """All that two plans do otherwise."""

    changes: tuple[Change, ...]
    altered: tuple[Altered, ...]

    def __bool__(self) -> bool:
        return bool(self.changes or self.altered)


def diff(before: Plan, after: Plan, start: datetime) -> Difference:
    """What `after` does otherwise than `before` in the year from the beginning of the day of `start` (aware)."""
    start = start.astimezone(after.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    groups: dict[tuple[object, ...], list[str]] = defaultdict(list)
    keys: dict[tuple[object, ...], str] = {}
    for written, key in numbers(before, after):
        group = (_first(before, key), _first(after, key), *_dialed(before, after, key))
        groups[group].append(written)
        keys.setdefault(group, key)
    changes: dict[tuple[str, str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    year = _Year(before, after, start)
    for group, lines in groups.items():
        for who, pairs in year.of(keys[group]):
            for (old, new), hours in pairs.items():
                changes[who, old, new, hours] += lines
    listed = [Change(tuple(lines), who, old, new, hours) for (who, old, new, hours), lines in changes.items()]
    return Difference(tuple(listed), tuple(_altered(before, after, start)))


def _first(plan: Plan, key: str) -> str:
    for table in plan.tables:
        if (found := table.find(key)) is not None:
            return found[0]
    entry = plan.numbers.find(key)
    return entry.route if entry else ""


def _dialed(before: Plan, after: Plan, key: str) -> Iterator[bool]:
    """Which rules of callers look at the number: numbers are alike only where these are."""
    for rule in (*before.callers, *after.callers):
        yield not rule.dialed or any(pattern.fits(key) for pattern in rule.dialed)


def _edges(plan: Plan, start: datetime) -> Iterator[datetime]:
    for hours in plan.hours.values():
        for span in hours.spans(start, start + YEAR):
            # In UTC: a time that comes twice equals none of another zone (PEP 495).
            yield from (edge.astimezone(UTC) for edge in span)


_Pairs = dict[tuple[str, str], tuple[str, ...]]
"""What calls reached and what they reach now, with the hours in which the two aren't the same."""


class _Year:
    """Calls by both plans at every time at which one of them may decide otherwise."""

    def __init__(self, before: Plan, after: Plan, start: datetime) -> None:
        rules = (*before.callers, *after.callers)
        self.plans, self.start, self.kinds = (before, after), start, kinds(rules)
        self.times = sorted({start.astimezone(UTC), *_edges(before, start), *_edges(after, start)})
        self.by_time = any(rule.hours for rule in rules)

    def of(self, key: str) -> Iterator[tuple[str, _Pairs]]:
        """For each kind of call to the number, what the two plans do that isn't the same, and when."""
        usual = [self._pair(key, self.kinds[0], at) for at in self.times]
        yield "", self._told((_reached(old), _reached(new)) for old, new in usual)
        for kind in self.kinds[1:]:
            # Without hours in a rule, which route comes first doesn't hang on the time.
            first = self._pair(key, kind, self.times[0])
            if not self.by_time and _firsts(first) == _firsts(usual[0]):
                continue
            moved = not self.by_time and first[0].first != first[1].first
            pairs = [first] if moved else [self._pair(key, kind, at) for at in self.times]
            yield kind.who, self._told(map(_of_some, pairs, usual), whole=moved)

    def _pair(self, key: str, kind: Kind, at: datetime) -> tuple[Decision, Decision]:
        ask = Ask(key, kind.caller, at, kind.headers)
        return decide(self.plans[0], ask), decide(self.plans[1], ask)

    def _told(self, pairs: Iterable[tuple[str, str] | None], *, whole: bool = False) -> _Pairs:
        """`pairs`: for each of the times; None for nothing to tell. With `whole` there is one, for the year."""
        end = self.start + YEAR
        spans: dict[tuple[str, str], list[tuple[datetime, datetime]]] = defaultdict(list)
        for at, until, pair in zip(self.times, [end] if whole else [*self.times[1:], end], pairs, strict=False):
            if at >= until or pair is None or pair[0] == pair[1]:
                continue
            known = spans[pair]
            if known and known[-1][1] == at:
                known[-1] = (known[-1][0], until)
            else:
                known.append((at, until))
        return {pair: tuple(_shown(found, self.start, self.plans[1])) for pair, found in spans.items()}


def _firsts(pair: tuple[Decision, Decision]) -> tuple[str, str]:
    return pair[0].first, pair[1].first


def _of_some(pair: tuple[Decision, Decision], usual: tuple[Decision, Decision]) -> tuple[str, str] | None:
    """What is told of a kind of calls: nothing that is told of every call."""
    if _firsts(pair) == _firsts(usual):
        return None
    return _firsts(pair) if pair[0].first != pair[1].first else (_reached(pair[0]), _reached(pair[1]))


def _reached(decision: Decision) -> str:
    if isinstance(decision.action, Reject):
        return f"{decision.route} ({decision.action.status})" if decision.route else str(decision.action.status)
    return decision.route


def _shown(spans: Sequence[tuple[datetime, datetime]], start: datetime, plan: Plan) -> Iterator[str]:
    """Weekly hours first, then what doesn't come every week."""
    if len(spans) == 1 and spans[0][0] == start and spans[0][1] == start + YEAR:
        yield "always"
        return
    slots: dict[tuple[int, int, str], list[tuple[datetime, datetime]]] = defaultdict(list)
    for first, last in spans:
        a, b = first.astimezone(plan.zone), last.astimezone(plan.zone)
        slots[a.weekday(), (b.date() - a.date()).days, f"{a:%H:%M}-{b:%H:%M}"].append((a, b))
    weekly: dict[tuple[int, str], list[int]] = defaultdict(list)
    single: list[tuple[datetime, datetime]] = []
    for (day, length, clock), found in slots.items():
        if len(found) >= _WEEKLY:
            weekly[length, clock].append(day)
        else:
            single += found
    for (length, clock), days in sorted(weekly.items(), key=lambda one: (min(one[1]), one[0][1])):
        if length > 1 or (length == 1 and not clock.endswith("-00:00")):
            yield from (
                f"{_DAYS[day]} {clock.replace('-', f' - {_DAYS[(day + length) % 7]} ')}" for day in sorted(days)
            )
        else:
            yield f"{_days(sorted(days))} {clock}"
    for a, b in sorted(single):
        yield f"{a:%a %Y-%m-%d %H:%M} - {f'{b:%H:%M}' if a.date() == b.date() else f'{b:%a %Y-%m-%d %H:%M}'}"


def _days(days: Sequence[int]) -> str:
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][1] == day - 1:
            runs[-1][1] = day
        else:
            runs.append([day, day])
    return ",".join(_DAYS[a] if a == b else f"{_DAYS[a]}-{_DAYS[b]}" for a, b in runs)


def _altered(before: Plan, after: Plan, start: datetime) -> Iterator[Altered]:
    for name, old in before.routes.items():
        new = after.routes.get(name)
        if new is None:
            continue
        told = []
        if type(old.action) is not type(new.action):
            told.append(f"{KIND[type(old.action)]} → {KIND[type(new.action)]}")
        else:
            told += _parts(old.action, new.action)
        told += [line for line in _parts(old, new) if not line.startswith("action")]
        if told:
            yield Altered(name, tuple(told))
    people: list[tuple[str, _Who, _Who | None]] = []
    people += [("team", old, after.teams.get(name)) for name, old in before.teams.items()]
    people += [("person", old, after.people.get(name)) for name, old in before.people.items()]
    for kind, one, now in people:
        told = [*_parts(one, now), *_times(before, after, one, now, start)]
        if told:
            yield Altered(f"{kind} {one.name}", tuple(told))


_Who = Team | Person | Rotation


def _times(before: Plan, after: Plan, old: _Who, new: _Who | None, start: datetime) -> Iterator[str]:
    """Hours of the same name that aren't the same any more; those of routes are told as changes."""
    a, b = (getattr(one, "hours", None) for one in (old, new))
    if a is None or a != b:
        return
    was, now = before.hours[a.name], after.hours[b.name]
    if was != now and was.spans(start, start + YEAR) != now.spans(start, start + YEAR):
        parts = [f"{was.written} → {now.written}"] if was.written != now.written else []
        if was.timezone != now.timezone:
            parts.append(f"{was.timezone} → {now.timezone}")
        yield f"{now.label}: {', '.join(parts) or 'other days are closed'}"


def _parts(old: object, new: object) -> Iterator[str]:
    if not is_dataclass(old) or not is_dataclass(new):
        return
    for one in fields(old):
        a, b = getattr(old, one.name), getattr(new, one.name, None)
        if isinstance(a, Place) or a == b:
            continue
        yield f"{one.name}: {_text(a)} → {_text(b)}"


def _text(value: object) -> str:
    if isinstance(value, Ref):
        return value.name
    if isinstance(value, tuple):
        return "[" + ", ".join(_text(one) for one in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_text(one)}" for key, one in value.items()) + "}"
    if is_dataclass(value) and not isinstance(value, type):
        return "{" + ", ".join(f"{one.name}: {_text(getattr(value, one.name))}" for one in fields(value)) + "}"
    if value in ("", None):
        return "nothing"
    return str(value)
