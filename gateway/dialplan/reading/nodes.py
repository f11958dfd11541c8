"""YAML as an operator wrote it: every value with its place, scalars as the text that stands there. Pure.

Nodes keep `+1510…`, `no` and `007` as they were typed, and tell a key that is there twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gateway.dialplan.model import Finding, Place, Ref, Severity
from gateway.dialplan.reading import slips
from gateway.dialplan.reading.compose import DEEPEST, Refused, compose

_NO_LIST = "Take the '- ' out of each line."
_BREAKS = re.compile(r"\r\n?")
_RARE = str.maketrans("\x85\u2028\u2029\xa0\u202f", " " * 5)
"""YAML breaks lines at the first three; editors, and people who count lines, don't. The others are spaces to people, not
to YAML."""
MOST = 200_000
"""Values that are read of one file; aliases count each time they are used."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a mapping."""

    text: str
    place: Place


class TooMuch(Exception):
    """The file has more values than MOST, or aliases lead too deep."""


class Reader:
    """Reads one file's nodes, and gathers what is wrong with it."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._lines: list[str] = []
        self._read = 0
        self.findings: list[Finding] = []

    def document(self, text: str) -> Node | None:
        """The file's one document; None, with a finding, when it isn't YAML or is empty."""
        text = _BREAKS.sub("\n", text).translate(_RARE)
        self._lines = text.split("\n")
        try:
            node = compose(text)
        except Refused as bad:
            self.fault(Place(self._file, bad.line, bad.column), bad.what, bad.remedy)
            return None
        except yaml.MarkedYAMLError as bad:
            mark = bad.problem_mark or bad.context_mark
            line, column = (mark.line, mark.column) if mark else (0, 0)
            began = (bad.context_mark.line, bad.context_mark.column) if bad.context_mark else (line, column)
            complaint = slips.Complaint(bad.problem or "", line, column, bad.context or "", began)
            slip = slips.of_yaml(self._lines, complaint)
            self.fault(Place(self._file, slip.line + 1, slip.column + 1), slip.what, slip.remedy)
            return None
        except yaml.YAMLError as bad:
            line = next((n for n, one in enumerate(self._lines, 1) if slips.unprintable(one)), 1)
            why = "it holds characters that no text has" if line else str(bad)
            self.fault(Place(self._file, line, 1), f"The file isn't YAML: {why}.", "Save it as plain UTF-8 text.")
            return None
        for number, text_there in enumerate(self._lines, 1):
            if remark := slips.hidden(text_there):
                self.warn(Place(self._file, number, remark.column + 1), remark.what, remark.remedy)
        if node is None:
            self.fault(Place(self._file, 1, 1), "The file is empty.", "Write a plan into it, or delete it.")
        return node

    def place(self, node: Node) -> Place:
        """Where the node begins."""
        return Place(self._file, node.start_mark.line + 1, node.start_mark.column + 1)

    def fault(self, at: Node | Place, what: str, remedy: str = "") -> None:
        """Note an error."""
        self.findings.append(Finding(at if isinstance(at, Place) else self.place(at), what, remedy))

    def warn(self, at: Node | Place, what: str, remedy: str = "") -> None:
        """Note a warning."""
        place = at if isinstance(at, Place) else self.place(at)
        self.findings.append(Finding(place, what, remedy, Severity.WARNING))

    def mapping(self, node: Node, what: str, *, hint: str = "", once: bool = True) -> Iterator[tuple[Key, Node]]:
        """The entries of a mapping, in order, each key `once`; nothing, with a finding, when the node is none. `hint`
        is the remedy then."""
        if is_empty(node):
            return
        if not isinstance(node, MappingNode):
            remedy = "Write 'key: value', with a colon and a space." if isinstance(node, ScalarNode) else _NO_LIST
            self.fault(node, f"{what} must be 'key: value' lines.", hint or remedy)
            return
        seen: dict[str, Place] = {}
        for key_node, value in node.value:
            self._count(1)
            place = self.place(key_node)
            if node.flow_style and isinstance(value, ScalarNode) and _alone(key_node, value):
                slip = slips.alone(str(key_node.value), self._lines[place.line - 1])
                if not (self.findings and self.findings[-1].what == slip.what):
                    self.fault(place, slip.what, slip.remedy)
            elif not isinstance(key_node, ScalarNode):
                self.fault(place, f"{what} has a key that is no plain text.", "Put quotes around it.")
            elif once and key_node.value in seen:
                first = seen[key_node.value]
                self.fault(place, f"'{key_node.value}' is there twice.", f"It is on line {first.line} too; keep one.")
            else:
                seen[key_node.value] = place
                yield Key(key_node.value.strip(), place), value

    def items(self, node: Node, what: str) -> list[Node]:
        """The items of a list; a single value is a list of one."""
        if is_empty(node):
            return []
        if isinstance(node, SequenceNode):
            self._count(len(node.value))
            return list(node.value)
        if isinstance(node, ScalarNode):
            return [node]
        self.fault(node, f"{what} must be a list.", "Write it as [a, b].")
        return []

    def text(self, node: Node, what: str) -> str | None:
        """A scalar's text; None, with a finding, when the node is none or empty."""
        if isinstance(node, ScalarNode) and not is_empty(node):
            self._count(1)
            return str(node.value).strip()
        told = what if " " in what or what[:1] == "'" else f"'{what}'"
        remedy = "Write it behind the colon." if is_empty(node) else "Write one, without brackets."
        self.fault(node, f"{told} must be one value.", remedy)
        return None

    def texts(self, node: Node, what: str) -> list[tuple[str, Place]]:
        """The texts of a list, or of one value, with their places."""
        found = ((self.text(item, f"Each of {what}"), self.place(item)) for item in self.items(node, what))
        return [(text, place) for text, place in found if text is not None]

    def ref(self, node: Node, what: str) -> Ref | None:
        """A name that leads elsewhere."""
        text = self.text(node, what)
        return None if text is None else Ref(text, self.place(node))

    def sentence(self, node: Node, what: str) -> str:
        """Words for callers; notes what YAML would cut off them."""
        text = self.text(node, what)
        if text is None:
            return ""
        if isinstance(node, ScalarNode) and not node.style:
            rest = self._lines[node.end_mark.line][node.end_mark.column :]
            if slip := slips.cut(text, rest):
                self.fault(Place(self._file, node.end_mark.line + 1, node.end_mark.column + 2), slip.what, slip.remedy)
        return text

    def plain(self, node: Node, above: tuple[int, ...] = ()) -> object:
        """Nested dicts, lists and texts. A node that holds itself, by an alias, ends as None with a finding."""
        if id(node) in above:
            self.fault(node, "An alias leads back to itself.", "Write the value out.")
            return None
        if len(above) > DEEPEST:
            raise TooMuch
        self._count(1)
        inside = (*above, id(node))
        if isinstance(node, SequenceNode):
            return [self.plain(item, inside) for item in node.value]
        if isinstance(node, MappingNode):
            return {key.text: self.plain(value, inside) for key, value in self.mapping(node, "This")}
        return "" if is_empty(node) else str(node.value)

    def _count(self, values: int) -> None:
        self._read += values
        if self._read > MOST:
            raise TooMuch


def _alone(key: Node, value: ScalarNode) -> bool:
    """Whether there is no colon behind a key."""
    return isinstance(key, ScalarNode) and is_empty(value) and value.start_mark.index == key.end_mark.index


def is_empty(node: Node) -> bool:
    """Whether nothing, `~` or `null` stands there."""
    return isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def within(node: Node, path: tuple[str | int, ...]) -> Node:
    """The node that the path leads to, or the deepest on the way that exists."""
    for step in path:
        if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        elif isinstance(node, MappingNode):
            entries: Mapping[str, Node] = {key.value: value for key, value in node.value if isinstance(key.value, str)}
            if str(step) not in entries:
                return node
            node = entries[str(step)]
        else:
            return node
    return node
