"""One file of a plan: from its text to its parts, with everything that is wrong in it. Reads the agents' facts files,
nothing else.
"""

from __future__ import annotations

import difflib
import re
import zoneinfo
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import phonenumbers
from yaml.nodes import MappingNode, Node, ScalarNode

from gateway.dialplan import numbers
from gateway.dialplan.model import LANGUAGE, Entry, Finding, Place, Route
from gateway.dialplan.nodes import Reader, is_empty, within
from gateway.terms.call import Pool
from gateway.terms.catalogue import Catalogue

LANGUAGE_VERSION = "1"
_TOP = ("offhook", "timezone", "country", "human", "numbers", "routes")
_LATER = {"privacy", "callers", "hours", "people", "teams", "tests"}
_ROUTE = ("agent", "greeting", "settings", "language", "human", "reject")
_ROUTE_LATER = {
    *("menu", "team", "dial", "message", "split", "handoff", "hours", "closed", "limits", "full", "unanswered"),
    *("no_agent", "dead_air", "privacy", "wait", "ring", "seal_digits"),
}
_ONLY_WITH_AGENT = ("greeting", "settings", "language", "human")
_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]*$", re.IGNORECASE)
_TAG = re.compile(r"^[a-z]{2,3}(-[a-z0-9]{2,8})*$", re.IGNORECASE)


@dataclass(slots=True)
class Part:
    """What one file says. The texts of the plan as a whole come with their places."""

    said: dict[str, tuple[str, Place]] = field(default_factory=dict)
    """`timezone`, `country`, `human`."""
    routes: list[Route] = field(default_factory=list)
    numbers: list[tuple[str, str, Place]] = field(default_factory=list)
    """The key and the route's name as they were written."""
    findings: list[Finding] = field(default_factory=list)


def read(text: str, file: Path, catalogue: Catalogue) -> Part:
    """Read one file; what is wrong is among its findings, and the rest is read all the same."""
    reader, part = Reader(file.name), Part()
    part.findings = reader.findings
    document = reader.document(text)
    if document is None:
        return part
    version = None
    for key, node in reader.mapping(document, "A plan"):
        if key.text == "offhook":
            version = reader.text(node, "offhook")
            _check_version(reader, node, version)
        elif key.text == "numbers":
            _numbers(reader, node, part)
        elif key.text == "routes":
            _routes(reader, node, part, _Agents(catalogue, file.parent))
        elif key.text in _TOP:
            _said(reader, key.text, node, part)
        else:
            _unknown(reader, key.text, key.place, _TOP, _LATER)
    if version is None and isinstance(document, MappingNode):
        reader.fault(document, "The plan doesn't say its language's version.", "Begin it with 'offhook: 1'.")
    return part


@dataclass(frozen=True, slots=True)
class _Agents:
    catalogue: Catalogue
    directory: Path


def _check_version(reader: Reader, node: Node, version: str | None) -> None:
    if version not in (None, LANGUAGE_VERSION):
        reader.fault(node, f"This offhook reads version 1 of the language, not '{version}'.", "Write 'offhook: 1'.")


def _said(reader: Reader, name: str, node: Node, part: Part) -> None:
    text = reader.text(node, name)
    if text is None:
        return
    if name == "country":
        text = text.upper()
        if text not in phonenumbers.SUPPORTED_REGIONS:
            reader.fault(node, f"'{text}' is no country's code.", "Write two letters, such as US or GB.")
            return
    if name == "timezone" and text not in zoneinfo.available_timezones():
        near = _near(text, zoneinfo.available_timezones())
        reader.fault(node, f"There is no time zone '{text}'.", near or "Write one such as America/New_York.")
        return
    part.said[name] = (text, reader.place(node))


def _numbers(reader: Reader, node: Node, part: Part) -> None:
    for key, value in reader.mapping(node, "numbers"):
        route = reader.text(value, f"The route of '{key.text}'")
        if route is not None:
            part.numbers.append((key.text, route, key.place))


def _routes(reader: Reader, node: Node, part: Part, agents: _Agents) -> None:
    for key, value in reader.mapping(node, "routes"):
        if not _NAME.match(key.text):
            reader.fault(key.place, f"'{key.text}' is no name.", "Use letters, digits, '-' and '_'.")
            continue
        part.routes.append(_route(reader, key.text, key.place, value, agents))


def _route(reader: Reader, name: str, place: Place, node: Node, agents: _Agents) -> Route:
    found: dict[str, Node] = {}
    before = len(reader.findings)
    for key, value in reader.mapping(node, f"The route '{name}'"):
        if key.text in _ROUTE:
            found[key.text] = value
        else:
            _unknown(reader, key.text, key.place, _ROUTE, _ROUTE_LATER)
    if "reject" in found:
        for other in ("agent", *_ONLY_WITH_AGENT):
            if other in found:
                reader.fault(found[other], f"The route '{name}' rejects, and has '{other}' too.", "Keep one of them.")
        return Route(name, place, reject=_status(reader, found["reject"]))
    if "agent" not in found:
        if len(reader.findings) == before:
            reader.fault(place, f"The route '{name}' does nothing.", "Give it an 'agent' or a 'reject'.")
        return Route(name, place, reject=503)
    return _answered(reader, name, place, found, agents)


def _answered(reader: Reader, name: str, place: Place, found: dict[str, Node], agents: _Agents) -> Route:
    texts = {
        key: reader.text(found[key], key) or "" for key in ("agent", "greeting", "language", "human") if key in found
    }
    language = texts.get("language", LANGUAGE)
    if not _TAG.match(language):
        reader.fault(found["language"], f"'{language}' is no language.", "Write its tag, such as en-US or es.")
    card = agents.catalogue.get(texts["agent"])
    settings: object = {}
    if card is None:
        known = ", ".join(sorted(agents.catalogue))
        near = _near(texts["agent"], agents.catalogue) or f"There are: {known}."
        reader.fault(found["agent"], f"There is no agent '{texts['agent']}'.", near)
    elif "settings" in found and not is_empty(found["settings"]):
        settings = _settings(reader, found["settings"], texts["agent"], agents)
    return Route(
        name,
        place,
        agent=texts["agent"],
        greeting=texts.get("greeting", ""),
        language=language,
        human=texts.get("human", ""),
        settings=settings if isinstance(settings, dict) else {},
        pool=card.pool if card else Pool.AGENTS,
    )


def _settings(reader: Reader, node: Node, agent: str, agents: _Agents) -> object:
    given = reader.plain(node)
    if not isinstance(given, dict):
        reader.fault(node, "settings must be 'key: value' lines.", "Indent them below it.")
        return {}
    settled, faults = agents.catalogue[agent].settle(given, agents.directory)
    for fault in faults:
        keys = ".".join(str(step) for step in fault.path if isinstance(step, str))
        reader.fault(
            within(node, fault.path), f"In the settings of '{agent}'{f', {keys}' if keys else ''}: {fault.what}"
        )
    return settled


def _status(reader: Reader, node: Node) -> int:
    text = node.value if isinstance(node, ScalarNode) else ""
    if re.fullmatch(r"[4-6]\d\d", text):
        return int(text)
    reader.fault(
        node, f"'{text}' is no SIP status to reject with.", "Write 404 (not found), 486 (busy) or 603 (declined)."
    )
    return 603


def _unknown(reader: Reader, key: str, place: Place, known: Collection[str], later: Collection[str]) -> None:
    if key in later:
        reader.fault(place, f"'{key}' isn't available in this version of offhook yet.", "Leave it out.")
    else:
        near = _near(key, [*known, *later]) or f"Known are: {', '.join(known)}."
        reader.fault(place, f"There is no '{key}' here.", near)


def _near(text: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(text, list(known), n=1)
    return f"Did you mean '{near[0]}'?" if near else ""


def pattern_of(written: str, country: str, place: Place) -> numbers.Pattern | Finding:
    """The pattern of a line of `numbers`, or what is wrong with it."""
    try:
        return numbers.read(written, country)
    except ValueError as bad:
        what, _, remedy = str(bad).partition(". ")
        return Finding(place, f"{what}.", remedy)


def entries(
    lines: Collection[tuple[str, str, Place]], country: str, routes: Collection[str]
) -> tuple[list[Entry], list[Finding]]:
    """The lines of `numbers`, the most specific first, and what is wrong with them."""
    found: list[Entry] = []
    findings: list[Finding] = []
    for written, route, place in lines:
        if route not in routes:
            near = _near(route, routes) or "Add it below 'routes'."
            findings.append(Finding(place, f"'{written}' leads to a route '{route}' that isn't there.", near))
        pattern = pattern_of(written, country, place)
        if isinstance(pattern, Finding):
            findings.append(pattern)
            continue
        clash = next((e for e in found if e.pattern.rank == pattern.rank and e.pattern.overlaps(pattern)), None)
        if clash is not None:
            findings.append(_clash(written, place, clash, pattern))
        found.append(Entry(pattern, route, place))
    return sorted(found, key=lambda entry: entry.pattern.rank), findings


def _clash(written: str, place: Place, other: Entry, pattern: numbers.Pattern) -> Finding:
    if other.pattern == pattern:
        return Finding(place, f"'{written}' has a line already, in {other.place}.", "Keep one of them.")
    return Finding(
        place,
        f"'{written}' and the line in {other.place} fit some numbers both, and neither is the more specific.",
        "Make one of them narrower.",
    )
