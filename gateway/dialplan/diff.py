"""What a change of the plan means for callers: which numbers, at which hours, reach something else. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime, timedelta

from gateway.dialplan.actions import KIND, Reject
from gateway.dialplan.model import Place, Ref
from gateway.dialplan.numbers import Pattern
from gateway.dialplan.plan import CallerRule, Plan
from gateway.dialplan.route import ANYBODY, Ask, Decision, decide
from gateway.terms.number import normalise
from gateway.terms.personal import Number

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
    for written, key in _numbers(before, after):
        group = (_first(before, key), _first(after, key), *_dialed(before, after, key))
        groups[group].append(written)
        keys.setdefault(group, key)
    changes: dict[tuple[str, str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    times = sorted({start.astimezone(UTC), *_edges(before, start), *_edges(after, start)})
    for group, lines in groups.items():
        for caller, who in _callers(before, after):
            for (old, new), hours in _compared(before, after, keys[group], caller, times, start).items():
                changes[who, old, new, hours] += lines
    listed = [Change(tuple(numbers), who, old, new, hours) for (who, old, new, hours), numbers in changes.items()]
    return Difference(tuple(listed), tuple(_altered(before, after)))


def _numbers(before: Plan, after: Plan) -> Iterator[tuple[str, str]]:
    """Every line of either plan, and a number that it is for."""
    seen: set[str] = set()
    for plan in (before, after):
        for entry in plan.numbers.entries:
            key = example(entry.pattern)
            if entry.written not in seen:
                seen.add(entry.written)
                yield entry.written or entry.pattern.text, key
    old = {number: route for table in before.tables for number, route in table.items()}
    for table in after.tables:
        for number, route in table.items():
            if old.pop(number, None) != route:
                yield number, number
    for number in old:
        yield number, number


def example(pattern: Pattern) -> str:
    """A number that the pattern is for."""
    if pattern.low:
        return pattern.text + pattern.low
    if not pattern.prefix:
        return pattern.text.replace("x", "0")
    # Something that nobody writes a line for.
    return (pattern.text or "+9990") + "7319428"[: max(1, 12 - len(pattern.text))]


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


def _callers(before: Plan, after: Plan) -> list[tuple[Number | None, str]]:
    """Callers whom the plans may tell apart, the ordinary one first."""
    found: dict[str, tuple[Number | None, str]] = {"": (ANYBODY, "")}
    for rule in (*before.callers, *after.callers):
        for number, who in _of_rule(rule):
            found.setdefault(number.reveal() if number else "anonymous", (number, who))
    return list(found.values())


def _of_rule(rule: CallerRule) -> Iterator[tuple[Number | None, str]]:
    if rule.anonymous:
        yield None, "callers without a number"
    for pattern in rule.callers:
        yield normalise(example(pattern)), f"callers from {pattern.text}{'*' if pattern.prefix else ''}"
    if rule.listed is not None and len(rule.listed):
        yield Number(next(iter(rule.listed.items()))[0]), f"callers of {rule.listed.file}"


def _edges(plan: Plan, start: datetime) -> Iterator[datetime]:
    for hours in plan.hours.values():
        for span in hours.spans(start, start + YEAR):
            # In UTC: a time that comes twice equals none of another zone (PEP 495).
            yield from (edge.astimezone(UTC) for edge in span)


def _compared(
    before: Plan, after: Plan, key: str, caller: Number | None, times: Sequence[datetime], start: datetime
) -> dict[tuple[str, str], tuple[str, ...]]:
    """The pairs of what the two plans do that aren't the same, and when."""
    spans: dict[tuple[str, str], list[tuple[datetime, datetime]]] = defaultdict(list)
    ends = [*times[1:], start + YEAR]
    ordinary = caller == ANYBODY
    usual = (_first(before, key), _first(after, key))
    if not ordinary and not any(rule.hours for rule in (*before.callers, *after.callers)):
        times, ends = times[:1], ends[-1:]  # which route comes first doesn't hang on the time
    for at, end in zip(times, ends, strict=True):
        old, new = (decide(plan, Ask(key, caller, at)) for plan in (before, after))
        if not ordinary and (old.first, new.first) == usual:
            continue  # what is told of every caller
        moved = not ordinary and old.first != new.first
        pair = (old.first, new.first) if moved else (_reached(old), _reached(new))
        if at >= end or pair[0] == pair[1]:
            continue
        known = spans[pair]
        if known and known[-1][1] == at:
            known[-1] = (known[-1][0], end)
        else:
            known.append((at, end))
    return {pair: tuple(_shown(found, start, after)) for pair, found in spans.items()}


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


def _altered(before: Plan, after: Plan) -> Iterator[Altered]:
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
    for kind, olds, news in (("team", before.teams, after.teams), ("person", before.people, after.people)):
        for name in olds.keys() & news.keys():
            if lines := list(_parts(olds[name], news[name])):
                yield Altered(f"{kind} {name}", tuple(lines))


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
