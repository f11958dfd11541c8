"""From the parts of all files to one plan: what is said once is said once, and every name means one thing. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from gateway.dialplan.actions import Route
from gateway.dialplan.hours import Hours
from gateway.dialplan.index import Index
from gateway.dialplan.index import build as build_index
from gateway.dialplan.model import Callback, Entry, Finding, Place, Ref, Severity
from gateway.dialplan.numbers import read as read_pattern
from gateway.dialplan.people import Person, Rotation, Team
from gateway.dialplan.plan import CallerRule, Plan, talks
from gateway.dialplan.reading.file import File, Part
from gateway.dialplan.table import Table
from gateway.terms.outbound import Outbound

_T = TypeVar("_T")
UTC = "UTC"


@dataclass(slots=True)
class Common:
    """What the plan says once, wherever it says it."""

    country: str = ""
    no_country: bool = False
    """The country is said, and wrongly: that a number has none is no second mistake."""
    timezone: str = UTC
    zoned: bool = False
    """The time zone is said, rightly or not."""
    human: tuple[Ref | Callback, Place] | None = None
    privacy: dict[str, Any] | None = None
    outbound: tuple[Outbound, Place] | None = None


def common(files: Sequence[File]) -> tuple[Common, list[Finding]]:
    """What the files say for all of them."""
    found, findings = Common(), []
    for name in ("country", "timezone"):
        said = [one for file in files if (one := file.said(name)) is not None]
        if said:
            setattr(found, name, said[0][0])
        for text, place in said[1:]:
            if text != said[0][0]:
                what = f"'{name}' is '{text}' here and '{said[0][0]}' in {said[0][1]}."
                findings.append(Finding(place, what, "Say it once."))
    found.zoned = any("timezone" in file.top for file in files)
    found.no_country = not found.country and any("country" in file.top for file in files)
    people = [human for file in files if (human := file.human()) is not None]
    words = [kept for file in files if (kept := file.privacy()) is not None]
    out = [rules for file in files if (rules := file.outbound()) is not None]
    once = (
        ("human", [one[1] for one in people]),
        ("privacy", [one[1] for one in words]),
        ("outbound", [one[1] for one in out]),
    )
    for key, places in once:
        for place in places[1:]:
            findings.append(Finding(place, f"'{key}' is there already, in {places[0]}.", "Say it once."))
    found.human = people[0] if people else None
    found.privacy = words[0][0] if words else {}
    found.outbound = out[0] if out else None
    return found, findings


def build(
    parts: Sequence[Part],
    said: Common,
    version: str,
    tables: Sequence[tuple[Table, Sequence[Entry]]],
    rules: Sequence[CallerRule],
) -> tuple[Plan, list[Finding]]:
    """The plan that the parts make, and what is wrong between them. The plan is whole only when nothing is."""
    findings: list[Finding] = []
    names = _Names(findings)
    routes = names.once("route", ((one.name, one.place, one) for part in parts for one in part.routes))
    hours: Mapping[str, Hours] = names.once(
        "set of hours", ((key.text, key.place, one) for part in parts for key, one in part.hours)
    )
    people: Mapping[str, Person | Rotation] = names.once(
        "person", ((one.name, one.place, one) for part in parts for one in (*part.people, *part.rotations))
    )
    teams: Mapping[str, Team] = names.once("team", ((one.name, one.place, one) for part in parts for one in part.teams))
    for name in routes.keys() & hours.keys():
        what = f"'{name}' is a route and a set of hours: offhook close couldn't tell them apart."
        findings.append(Finding(routes[name].place, what, "Rename one of them."))
    index, wrong = _numbers(parts, said, [entry for _, entries in tables for entry in entries])
    findings += [*wrong, *_twice(index, [table for table, _ in tables]), *_zoneless(parts, said)]
    findings = _copies(findings, names.doubled, names.defined)
    plan = Plan(
        version=version,
        country=said.country,
        timezone=said.timezone,
        routes={name: _with_human(route, said) for name, route in routes.items()},
        numbers=index,
        tables=tuple(table for table, _ in tables),
        callers=tuple(rules),
        hours=hours,
        people=people,
        teams=teams,
        tests=tuple(trial for part in parts for trial in part.tests),
        outbound=said.outbound[0] if said.outbound else Outbound(),
        outbound_place=said.outbound[1] if said.outbound else None,
        human=said.human[0] if said.human and isinstance(said.human[0], Ref) else None,
    )
    return plan, findings


def _zoneless(parts: Sequence[Part], said: Common) -> Iterator[Finding]:
    """Hours in a zone that nobody has chosen."""
    place = next((key.place for part in parts for key, one in part.hours if one.timezone == UTC), None)
    if place is not None and not said.zoned:
        what = "The plan names no timezone: its hours are read in UTC."
        remedy = "Add timezone: with a name such as America/New_York at the plan's top."
        yield Finding(place, what, remedy, Severity.WARNING)


_AGAIN = ("Keep one of them.", "Rename or remove one of them.")
_FEW = 3
"""Names that two files may both define by a slip each."""


def _copies(findings: list[Finding], doubled: Counter[tuple[str, str]], defined: Counter[str]) -> list[Finding]:
    """The findings; of a file most of which another has too, one in place of all that tell so. Whoever edits leaves copies
    beside the plan, and is to see that, not a line for each name."""
    for (file, other), count in doubled.items():
        if file != other and count > _FEW and 2 * count > defined[file]:
            findings = [one for one in findings if one.place.file != file or one.remedy not in _AGAIN]
            what = f"Most of this file is in {other} too: one of them is a copy."
            remedy = "Move the copy out of the directory: each .yaml file there is part of the plan."
            findings.append(Finding(Place(file, 1, 1), what, remedy))
    return findings


class _Names:
    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings
        self.doubled: Counter[tuple[str, str]] = Counter()
        """By the file that defines names again, and the one that has them already: how many."""
        self.defined: Counter[str] = Counter()
        """How many names a file defines."""

    def once(self, what: str, named: Iterable[tuple[str, Place, _T]]) -> dict[str, _T]:
        """By name; a name that is defined twice is a finding."""
        found: dict[str, tuple[Place, _T]] = {}
        for name, place, one in named:
            self.defined[place.file] += 1
            if name in found:
                self.doubled[place.file, found[name][0].file] += 1
                told = f"The {what} '{name}' is there already, in {found[name][0]}."
                self._findings.append(Finding(place, told, _AGAIN[1]))
            else:
                found[name] = (place, one)
        return {name: one for name, (_, one) in found.items()}


def _numbers(parts: Sequence[Part], said: Common, listed: Sequence[Entry]) -> tuple[Index, list[Finding]]:
    entries, findings = list(listed), []
    for written, route, place in (line for part in parts for line in part.lines):
        try:
            pattern = read_pattern(written, said.country)
        except ValueError as bad:
            if said.no_country and not written.strip().startswith("+"):
                continue
            what, _, remedy = str(bad).partition(". ")
            findings.append(Finding(place, f"{what}.", remedy))
            continue
        entries.append(Entry(pattern, route.name, place, written))
    index, clashes = build_index(entries)
    for clash in clashes:
        written = clash.second.written
        if clash.same:
            told = (f"'{written}' has a line already, in {clash.first.place}.", "Keep one of them.")
        else:
            both = f"'{written}' and '{clash.first.written}' in {clash.first.place} fit some numbers both"
            told = (f"{both}, and neither is the more specific.", "Make one of them narrower.")
        findings.append(Finding(clash.second.place, *told))
    return index, findings


def _twice(index: Index, tables: Sequence[Table]) -> list[Finding]:
    """Numbers that a table holds, and a line of the plan or another table too."""
    findings = []
    for entry in index.entries:
        found = next((found for table in tables if (found := table.find(entry.pattern.text)) is not None), None)
        if found is not None and entry.pattern.rank == 1 and not entry.pattern.low:
            what = f"'{entry.written}' has a line already, in {found[1]}."
            findings.append(Finding(entry.place, what, "Keep one of them."))
    for number, table in enumerate(tables):
        for other in tables[number + 1 :]:
            if both := table.shared(other):
                place = (other.find(both) or ("", Place(other.file, 1, 1)))[1]
                what = f"{both} has a line already, in {(table.find(both) or ('', place))[1]}."
                findings.append(Finding(place, what, "Keep one of them."))
    return findings


def _with_human(route: Route, said: Common) -> Route:
    """The route with the `human` that counts for it: its own, else the plan's."""
    if not talks(route):
        return route
    human = route.human or (said.human[0] if said.human else None)
    return replace(route, human=human)


def in_order(findings: Iterable[Finding], rank: Callable[[str], int]) -> list[Finding]:
    """By file, line and column; each once."""
    once = dict.fromkeys(findings)
    return sorted(once, key=lambda one: (rank(one.place.file), one.place.file, one.place.line, one.place.column))
