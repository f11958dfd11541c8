"""From a directory of YAML files to one checked plan."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.dialplan.model import Finding, Place, Plan, Route
from gateway.dialplan.read import Part, entries, read
from gateway.terms.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of loading."""

    plan: Plan | None
    """None when there are findings."""
    findings: Sequence[Finding]
    """Everything that is wrong, in the files' order."""


def load(directory: Path, catalogue: Catalogue) -> Loaded:
    """Read every `*.yaml` file of the directory as one plan. Touches files, never raises for what is in them."""
    files = plan_files(directory)
    if not files:
        missing = Place(str(directory), 1, 1)
        return Loaded(None, [Finding(missing, "There is no dial plan here.", "Write main.yaml, as in the README.")])
    digest, parts = hashlib.sha256(), []
    for file in files:
        try:
            data = file.read_bytes()
            text = data.decode("utf-8")
        except (OSError, UnicodeDecodeError) as bad:
            why = bad.strerror if isinstance(bad, OSError) else "it isn't UTF-8 text"
            parts.append(Part(findings=[Finding(Place(file.name, 1, 1), f"It can't be read: {why}.", "Save it anew.")]))
            continue
        digest.update(file.name.encode() + b"\0" + data + b"\0")
        try:
            parts.append(read(text, file, catalogue))
        except RecursionError:
            parts.append(Part(findings=[Finding(Place(file.name, 1, 1), *_TOO_DEEP)]))
    for route in (route for part in parts for route in part.routes):
        # Settings carry the text of facts files, which decides what callers hear as much as the plan's own does.
        digest.update(json.dumps([route.name, route.settings], sort_keys=True, default=str).encode())
    return _merge(parts, digest.hexdigest()[:12])


def plan_files(directory: Path) -> list[Path]:
    """The files that make the plan, in the order of their names; hidden ones and editors' copies are none of them."""
    return sorted(path for path in directory.glob("*.yaml") if path.is_file() and not path.name.startswith((".", "#")))


def _merge(parts: Sequence[Part], version: str) -> Loaded:
    findings = [finding for part in parts for finding in part.findings]
    said: dict[str, tuple[str, Place]] = {}
    for part in parts:
        for name, (text, place) in part.said.items():
            first = said.setdefault(name, (text, place))
            if first[0] != text:
                what = f"'{name}' is '{text}' here and '{first[0]}' in {first[1]}."
                findings.append(Finding(place, what, "Say it once."))
    routes = _routes(parts, findings)
    human = said.get("human", ("", Place("", 1, 1)))
    routes = {name: _with_human(route, human, routes, findings) for name, route in routes.items()}
    if human[0] and human[0] not in routes:
        findings.append(Finding(human[1], f"There is no route '{human[0]}' for 'human'.", "Add it below 'routes'."))
    country = said.get("country", ("",))[0]
    lines = [line for part in parts for line in part.numbers]
    numbers, wrong = entries(lines, country, routes)
    findings += wrong
    if not lines and not findings:
        findings.append(Finding(Place(next(iter(routes.values())).place.file if routes else "", 1, 1), *_NO_NUMBERS))
    if findings:
        return Loaded(None, sorted(findings, key=lambda one: (one.place.file, one.place.line, one.place.column)))
    timezone = said.get("timezone", ("UTC",))[0]
    return Loaded(Plan(version, country, timezone, routes, tuple(numbers)), ())


_TOO_DEEP = ("Brackets or aliases go too deep inside one another.", "Write it with fewer levels.")
_NO_NUMBERS = ("No number leads anywhere.", "Add 'numbers:' with a line such as '(510) 555-0100: sales'.")


def _routes(parts: Sequence[Part], findings: list[Finding]) -> dict[str, Route]:
    routes: dict[str, Route] = {}
    for route in (route for part in parts for route in part.routes):
        first = routes.setdefault(route.name, route)
        if first is not route:
            what = f"The route '{route.name}' is there already, in {first.place}."
            findings.append(Finding(route.place, what, "Rename or remove one of them."))
    return routes


def _with_human(route: Route, plans: tuple[str, Place], routes: dict[str, Route], findings: list[Finding]) -> Route:
    """The route with the `human` that counts for it: its own, else the plan's; none for the human's own route."""
    name = route.human or plans[0]
    if route.reject is not None or not name or name == route.name:
        return replace(route, human="")
    target = routes.get(name)
    if target is None:
        if route.human:
            what = f"'human' of '{route.name}' leads to a route '{name}' that isn't there."
            findings.append(Finding(route.place, what, "Add it below 'routes'."))
        return replace(route, human="")
    if not target.agent:
        what = f"'human' leads to '{name}', which rejects the caller."
        place = route.place if route.human else plans[1]
        finding = Finding(place, what, "Name a route with an agent, or leave 'human' out: then a callback is booked.")
        if finding not in findings:
            findings.append(finding)
        return replace(route, human="")
    return replace(route, human=name)
