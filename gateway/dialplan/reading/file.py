"""One file of a plan: from its text to its parts, with everything that is wrong in it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import phonenumbers
from holidays.registry import COUNTRIES
from yaml.nodes import MappingNode, Node, ScalarNode

from gateway.dialplan.actions import Route
from gateway.dialplan.hours import Hours
from gateway.dialplan.model import Callback, Finding, Place, Ref
from gateway.dialplan.people import Person, Rotation, Team
from gateway.dialplan.plan import CallerRule, Trial
from gateway.dialplan.reading import values
from gateway.dialplan.reading.callers import Listed, callers
from gateway.dialplan.reading.context import Context
from gateway.dialplan.reading.hours import hours
from gateway.dialplan.reading.nodes import Key, Reader, TooMuch
from gateway.dialplan.reading.outbound import outbound
from gateway.dialplan.reading.people import people, teams
from gateway.dialplan.reading.routes import read_privacy, routes
from gateway.dialplan.reading.trials import trials
from gateway.dialplan.reading.words import near, unknown
from gateway.dialplan.when import zones
from gateway.terms.outbound import Outbound

_DEFAULT = re.compile(
    r"(default|fallback|catch[_-]?all|otherwise|else)([_-]?(route|agent|number|destination))?", re.IGNORECASE
)
"""What others call the route of numbers that have no line."""
LANGUAGE_VERSION = "1"
TOP = ("offhook", "timezone", "country", "human", "privacy", "outbound", "numbers", "callers", "hours", "routes", "people", "teams",
       "tests")  # fmt: skip
_DEFINING = ("hours", "routes", "people", "teams")
_TOO_MUCH = (
    "The file says too much, or goes too deep: aliases make more of it than a plan can be.",
    "Write it without aliases.",
)


@dataclass(slots=True)
class Part:
    """What one file says."""

    lines: list[tuple[str, Ref, Place]] = field(default_factory=list)
    """Of `numbers`: the key as it was written, its route, and where the key stands."""
    files: list[tuple[str, Place]] = field(default_factory=list)
    """Tables of numbers that `numbers` names."""
    callers: list[CallerRule | Listed] = field(default_factory=list)
    hours: list[tuple[Key, Hours]] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    people: list[Person | Rotation] = field(default_factory=list)
    teams: list[Team] = field(default_factory=list)
    rotations: list[Rotation] = field(default_factory=list)
    """Those of `teams`."""
    tests: list[Trial] = field(default_factory=list)


@dataclass(slots=True)
class File:
    """A file whose YAML has been read. `findings` grow with each step."""

    reader: Reader
    top: dict[str, tuple[Key, Node]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    """Names that the file does define, where something is wrong: that they aren't there is no second mistake."""
    whole: bool = False
    """Its definitions can be read, so that what isn't among them isn't there."""

    @property
    def findings(self) -> list[Finding]:
        """Everything that is wrong so far."""
        return self.reader.findings

    def said(self, name: str) -> tuple[str, Place] | None:
        """A text that the plan says once: `timezone` or `country`."""
        if name not in self.top:
            return None
        node = self.top[name][1]
        text = self.reader.text(node, name)
        checked = None if text is None else _CHECKS[name](self.reader, node, text)
        return None if checked is None else (checked, self.reader.place(node))

    def human(self) -> tuple[Ref | Callback, Place] | None:
        """The plan's `human`."""
        if "human" not in self.top:
            return None
        key, node = self.top["human"]
        found = values.onward(self.reader, node, "human", callback=True)
        return None if found is None else (found, key.place)

    def privacy(self) -> tuple[dict[str, Any], Place] | None:
        """The fields of the plan's `privacy`."""
        if "privacy" not in self.top:
            return None
        key, node = self.top["privacy"]
        return read_privacy(self.reader, node), key.place

    def outbound(self) -> tuple[Outbound, Place] | None:
        """The plan's `outbound`."""
        if "outbound" not in self.top:
            return None
        key, node = self.top["outbound"]
        return outbound(self.reader, node), key.place


def open_file(text: str, name: str) -> File:
    """Read a file's YAML, as far as its top."""
    file = File(Reader(name))
    document = file.reader.document(text)
    if document is None:
        return file
    for key, node in file.reader.mapping(document, "A plan", hint="Begin it with 'offhook: 1'."):
        if key.text in TOP:
            file.top[key.text] = (key, node)
        elif _DEFAULT.fullmatch(key.text):
            remedy = "Write 'otherwise: NAME' below numbers, with a route's name."
            file.reader.fault(key.place, f"There is no '{key.text}' here.", remedy)
        else:
            unknown(file.reader, key.text, key.place, TOP)
            file.lost |= _names(node)
    numbers = file.top["numbers"][1] if "numbers" in file.top else None
    for key, node in numbers.value if isinstance(numbers, MappingNode) else []:
        if isinstance(node, MappingNode) and key.value in TOP:
            file.lost |= _names(node)
    file.whole = all(isinstance(file.top[name][1], MappingNode) for name in _DEFINING if name in file.top)
    _check_version(file, document)
    return file


def read(file: File, context: Context, privacy: dict[str, Any]) -> Part:
    """What the file says; what is wrong is among its findings, and the rest is read all the same."""
    part, reader, top = Part(), file.reader, {key: node for key, (_, node) in file.top.items()}
    try:
        if "numbers" in top:
            _numbers(reader, top["numbers"], part)
        if "callers" in top:
            part.callers = callers(reader, top["callers"], context)
        if "hours" in top:
            part.hours = hours(reader, top["hours"], context)
            file.lost |= _names(top["hours"]) - {key.text for key, _ in part.hours}
        if "routes" in top:
            part.routes = routes(reader, top["routes"], context, privacy)
        if "people" in top:
            part.people = people(reader, top["people"], context)
        if "teams" in top:
            part.teams, part.rotations = teams(reader, top["teams"], context)
        if "tests" in top:
            part.tests = trials(reader, top["tests"], context)
    except TooMuch:
        reader.fault(next(iter(file.top.values()))[0].place, *_TOO_MUCH)
    return part


_LINES = "Write each as +15105550100: sales, below one another."


def _names(node: Node) -> set[str]:
    keys = [key for key, _ in node.value] if isinstance(node, MappingNode) else []
    return {str(key.value).strip() for key in keys if isinstance(key, ScalarNode)}


def _check_version(file: File, document: Node) -> None:
    if "offhook" in file.top:
        node = file.top["offhook"][1]
        version = file.reader.text(node, "offhook")
        if version not in (None, LANGUAGE_VERSION):
            what = f"This offhook reads version {LANGUAGE_VERSION} of the language, not '{version}'."
            file.reader.fault(node, what, f"Write 'offhook: {LANGUAGE_VERSION}'.")
    elif isinstance(document, MappingNode):
        file.reader.fault(document, "The plan doesn't say its language's version.", "Begin it with 'offhook: 1'.")


def _numbers(reader: Reader, node: Node, part: Part) -> None:
    for key, value in reader.mapping(node, "numbers", hint="" if isinstance(node, ScalarNode) else _LINES):
        if key.text in TOP and isinstance(value, MappingNode):
            told = f"'{key.text}' is indented as if it were one of the numbers."
            reader.fault(key.place, told, "Begin it at the line's beginning.")
        elif key.text == "file" and not isinstance(value, MappingNode):
            files = reader.texts(value, "file")
            if not files:
                reader.fault(key.place, "'file' names no file.", "Write file: numbers.csv, or take the line out.")
            part.files += files
        elif isinstance(value, ScalarNode):
            if (route := reader.ref(value, f"The route of '{key.text}'")) is not None:
                part.lines.append((key.text, route, key.place))
        else:
            reader.fault(value, f"The route of '{key.text}' must be one name.", "Add it below 'routes' and name it.")


def _country(reader: Reader, node: Node, text: str) -> str | None:
    if text.upper() in phonenumbers.SUPPORTED_REGIONS:
        return text.upper()
    meant = next(
        (codes[1] for codes in COUNTRIES.values() if text.casefold().replace(" ", "") in map(str.casefold, codes)), ""
    )
    reader.fault(
        node, f"'{text}' is no country's code.", f"Write {meant}." if meant else "Write two letters, such as US or GB."
    )
    return meant or None


def _timezone(reader: Reader, node: Node, text: str) -> str | None:
    if text in zones():
        if text in _NO_SUMMER:
            told = f"Write {_NO_SUMMER[text]} if the clocks change where you are."
            reader.warn(node, f"'{text}' never has summer time.", told)
        return text
    known: Collection[str] = zones()
    reader.fault(node, f"There is no time zone '{text}'.", near(text, known) or "Write one such as America/New_York.")
    return None


_NO_SUMMER = {"EST": "America/New_York", "MST": "America/Denver", "GMT": "Europe/London"}
_CHECKS = {"country": _country, "timezone": _timezone}
