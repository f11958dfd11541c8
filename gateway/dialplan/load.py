"""From files to one checked plan: a directory of YAML, or one file, with the tables and facts that they name."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from gateway.dialplan.build import Common, build, common, in_order
from gateway.dialplan.check.endings import endings
from gateway.dialplan.check.outward import refused
from gateway.dialplan.check.references import references
from gateway.dialplan.check.trials import trials
from gateway.dialplan.check.warnings import warnings
from gateway.dialplan.csv_file import read as read_table
from gateway.dialplan.model import Entry, Finding, Place, Severity
from gateway.dialplan.plan import CallerRule, Plan
from gateway.dialplan.reading.callers import Listed
from gateway.dialplan.reading.compose import LARGEST
from gateway.dialplan.reading.context import Context
from gateway.dialplan.reading.file import File, Part, open_file, read
from gateway.dialplan.sounds import LARGEST as LARGEST_SOUND
from gateway.dialplan.sounds import Sound, sound_of
from gateway.dialplan.table import Table
from gateway.dialplan.trunks import Trunks
from gateway.terms.catalogue import Catalogue

_NO_NUMBERS = ("No number leads anywhere.", "Add 'numbers:' with a line such as '(510) 555-0100: sales'.")
_SUFFIXES = (".yaml", ".yml")
_MEANT = re.compile(r"[^.#][^.]*\.ya?ml(\.txt)?", re.IGNORECASE)
LARGEST_TABLE = 512 * 1024 * 1024
"""Bytes of one CSV file."""
_DIGITS_OF_VERSION = 12
_LONG_LISTS = "Put long lists of numbers into CSV files."


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of loading."""

    plan: Plan | None
    """None when there are errors among the findings."""
    findings: Sequence[Finding]
    """Everything that is wrong, in the files' order."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Everything the plan is made of, by names below the directory: what a version keeps."""
    names: Sequence[str] = ()
    """The same, and files that it names and that couldn't be read."""

    @property
    def errors(self) -> list[Finding]:
        """Those findings that keep the plan from being put in force."""
        return [one for one in self.findings if one.severity is Severity.ERROR]


def load(
    where: Path,
    catalogue: Catalogue,
    now: datetime,
    *,
    before: Plan | None = None,
    trunks: Trunks | None = None,
    tests: bool = True,
) -> Loaded:
    """Read every `*.yaml` file of a directory, or the one file, as one plan. Never raises for what is in them.

    `now`: aware; by it hours are looked at for gaps, and tests without a time run. `before`: a plan whose tables are
    taken over where their file is the same. `trunks`: those of the trunk file, where known. `tests`:
    whether the plan's own tests run; a version's have, when it was made, and may fail at another time of day.
    """
    return _Loading(where, catalogue, before, tests=tests).load(now, trunks)


def plan_files(where: Path) -> list[Path]:
    """The files that make the plan, in the order of their names; hidden ones and editors' copies are none of them."""
    if where.is_file():
        return [where]
    found = [path for suffix in _SUFFIXES for path in where.glob(f"*{suffix}")]
    return sorted(path for path in found if path.is_file() and not path.name.startswith((".", "#")))


def _nearly(where: Path) -> str:
    """A file that was meant as a plan by its name: MAIN.YAML, or main.yaml.txt, as some editors save; "" for none."""
    if not where.is_dir():
        return ""
    return next((one.name for one in sorted(where.iterdir()) if one.is_file() and _MEANT.fullmatch(one.name)), "")


class _Loading:
    """One look at the files."""

    def __init__(self, where: Path, catalogue: Catalogue, before: Plan | None, *, tests: bool) -> None:
        self._where, self._catalogue = where, catalogue
        self._directory = where.parent if where.is_file() else where
        self._before = {table.file: table for table in before.tables} if before else {}
        self._findings: list[Finding] = []
        self._files: dict[str, bytes] = {}
        self._names: set[str] = set()
        self._tests = tests

    def load(self, now: datetime, trunks: Trunks | None) -> Loaded:
        paths = plan_files(self._where)
        if not paths:
            missing = Place(str(self._where), 1, 1)
            if self._where.is_dir() and not os.access(self._where, os.R_OK | os.X_OK):
                what = "The directory can't be read: Permission denied."
                return Loaded(None, [Finding(missing, what, f"Let offhook read it: chmod a+rx {self._where}.")])
            if nearly := _nearly(self._where):
                what = f"'{nearly}' isn't called .yaml, and nothing else here is."
                return Loaded(None, [Finding(missing, what, f"Rename it to {nearly.split('.')[0]}.yaml.")])
            return Loaded(None, [Finding(missing, "There is no dial plan here.", "Write main.yaml, as in the README.")])
        if self._where.is_file() and self._where.suffix not in _SUFFIXES:
            named = Place(self._where.name, 1, 1)
            remedy = f"Rename it to {self._where.stem or 'main'}.yaml."
            return Loaded(None, [Finding(named, f"'{self._where.name}' isn't called .yaml.", remedy)])
        files = [open_file(text, path.name) for path in paths if (text := self._text(path)) is not None]
        said, wrong = common(files)
        self._findings += wrong
        context = Context(said.country, said.timezone, self._catalogue, self._directory)
        parts = [read(file, context, said.privacy or {}) for file in files]
        routes = [route.name for part in parts for route in part.routes]
        tables = [table for part in parts for one in part.files if (table := self._table(*one, said, routes))]
        rules = [rule for part in parts for one in part.callers if (rule := self._rule(one, said))]
        for name in sorted(context.named):
            self._keep(name)
        sounds = self._sounds(context.sounds)
        plan, wrong = build([*parts, Part(hours=context.hours)], said, self._version(), tables, rules)
        plan = replace(plan, sounds=sounds)
        self._findings += [*wrong, *(finding for file in files for finding in file.findings)]
        self._check(plan, files, now, trunks)
        order = {path.name: place for place, path in enumerate(paths)}
        found = in_order(self._findings, lambda name: order.get(name, len(order)))
        good = all(one.severity is not Severity.ERROR for one in found)
        return Loaded(plan if good else None, tuple(found), self._files, sorted(self._names))

    def _check(self, plan: Plan, files: Sequence[File], now: datetime, trunks: Trunks | None) -> None:
        """The looks at the whole, each only when those before have found the plan sound enough for it."""
        if not plan.size and not self._failed():
            first = next(iter(files), None)
            place = first.findings[0].place if first and first.findings else Place(next(iter(self._files), ""), 1, 1)
            self._findings.append(Finding(place, *_NO_NUMBERS))
        lost = {name for file in files for name in file.lost}
        whole = all(file.whole for file in files)
        if missing := references(plan):
            self._findings += [finding for name, finding in missing if whole and name not in lost]
            return
        self._findings += [*endings(plan, now), *refused(plan)]
        if not self._failed():
            self._findings += [*(trials(plan, now) if self._tests else ()), *warnings(plan, now, trunks)]

    def _failed(self) -> bool:
        return any(one.severity is Severity.ERROR for one in self._findings)

    def _version(self) -> str:
        """Hash of everything that decides what callers meet: facts and tables too."""
        digest = hashlib.sha256()
        for name, data in sorted(self._files.items()):
            digest.update(f"{name}\0{len(data)}\0".encode() + data)
        return digest.hexdigest()[:_DIGITS_OF_VERSION]

    def _text(self, path: Path) -> str | None:
        if any("\ud800" <= sign <= "\udfff" for sign in path.name):
            place = Place(path.name.encode(errors="replace").decode(), 1, 1)
            self._findings.append(Finding(place, "The file's name isn't UTF-8 text.", "Rename it."))
            return None
        data = self._bytes(path, path.name, LARGEST)
        if data is None:
            return None
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as bad:
            line = data.count(b"\n", 0, bad.start) + 1
            place = Place(path.name, line, 1)
            self._findings.append(Finding(place, "It can't be read: it isn't UTF-8 text.", "Save it anew, as UTF-8."))
            return None

    def _bytes(
        self, path: Path, name: str, largest: int, named: Place | None = None, remedy: str = _LONG_LISTS
    ) -> bytes | None:
        place = named or Place(name, 1, 1)
        self._names.add(name)
        try:
            if path.stat().st_size > largest:
                what = f"'{name}' has {path.stat().st_size} bytes; at most {largest} are read."
                self._findings.append(Finding(place, what, remedy))
                return None
            data = path.read_bytes()
        except OSError as bad:
            what = f"'{name}' can't be read: {bad.strerror}."
            forbidden = isinstance(bad, PermissionError)
            remedy = f"Let offhook read it: chmod a+r {name}." if forbidden else "Correct its name, or save it anew."
            self._findings.append(Finding(place, what, remedy))
            return None
        self._files[name] = data
        return data

    def _keep(self, name: str) -> None:
        """Facts that a route's settings name; the agent has read, and judged, them already."""
        path = (self._directory / name).resolve()
        if path.is_relative_to(self._directory.resolve()):
            self._names.add(name)
            if path.is_file():
                self._bytes(path, name, LARGEST)

    def _sounds(self, named: Sequence[tuple[str, Place]]) -> dict[str, Sound]:
        found: dict[str, Sound] = {}
        first: dict[str, Place] = {}
        for name, place in named:
            first.setdefault(name, place)
        for name, place in first.items():
            data = self._named(name, place, LARGEST_SOUND, "Save it with 8000 or 16000 samples a second, mono.")
            if data is None:
                continue
            try:
                found[name] = sound_of(data)
            except ValueError as bad:
                what, _, remedy = str(bad).rpartition(". ")
                self._findings.append(Finding(place, f"'{name}' {what}.", remedy))
        return found

    def _named(self, name: str, place: Place, largest: int = LARGEST_TABLE, remedy: str = _LONG_LISTS) -> bytes | None:
        path = (self._directory / name).resolve()
        if not path.is_relative_to(self._directory.resolve()):
            what = f"'{name}' lies outside the dial plans' directory."
            self._findings.append(Finding(place, what, "Put it beside the plan."))
            return None
        return self._bytes(path, name, largest, place, remedy)

    def _table(
        self, name: str, place: Place, said: Common, routes: Sequence[str]
    ) -> tuple[Table, Sequence[Entry]] | None:
        data = self._named(name, place)
        if data is None:
            return None
        table, entries, wrong = read_table(data, name, said.country, routes, self._before.get(name))
        self._findings += wrong
        return table, entries

    def _rule(self, one: CallerRule | Listed, said: Common) -> CallerRule | None:
        if isinstance(one, CallerRule):
            return one
        data = self._named(one.file, one.place)
        if data is None:
            return None
        table, entries, wrong = read_table(data, one.file, said.country, None, None)
        self._findings += wrong
        return replace(one.rule, listed=table, callers=tuple(entry.pattern for entry in entries))
