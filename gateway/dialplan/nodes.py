"""YAML as an operator wrote it: every value with its place, scalars as the text that stands there. Pure.

PyYAML's nodes keep `+1510…`, `no` and `007` as they were typed, and tell a key that is there twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gateway.dialplan.model import Finding, Place


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a mapping."""

    text: str
    place: Place


class Reader:
    """Reads one file's nodes, and gathers what is wrong with it."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.findings: list[Finding] = []

    def document(self, text: str) -> Node | None:
        """The file's one document; None, with a finding, when it isn't YAML or is empty."""
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as bad:
            mark = bad.problem_mark or bad.context_mark
            place = Place(self._file, mark.line + 1, mark.column + 1) if mark else Place(self._file, 1, 1)
            tab = "\\t" in (bad.problem or "")
            remedy = "Indent with spaces, not tabs." if tab else "Look at that line and the one before it."
            self.fault(place, f"The file isn't YAML: {bad.problem or bad.context}.", remedy)
            return None
        except yaml.YAMLError as bad:
            self.fault(Place(self._file, 1, 1), f"The file isn't YAML: {bad}.".replace("\n", " "), "Save it as UTF-8.")
            return None
        if node is None:
            self.fault(Place(self._file, 1, 1), "The file is empty.", "Write a plan into it, or delete it.")
        return node

    def place(self, node: Node) -> Place:
        """Where the node begins."""
        return Place(self._file, node.start_mark.line + 1, node.start_mark.column + 1)

    def fault(self, at: Node | Place, what: str, remedy: str = "") -> None:
        """Note a finding."""
        self.findings.append(Finding(at if isinstance(at, Place) else self.place(at), what, remedy))

    def mapping(self, node: Node, what: str) -> Iterator[tuple[Key, Node]]:
        """The entries of a mapping, in order, each key once; nothing, with a finding, when the node is none."""
        if is_empty(node):
            return
        if not isinstance(node, MappingNode):
            self.fault(node, f"{what} must be 'key: value' lines.", "Indent them below it.")
            return
        seen: dict[str, Place] = {}
        for key_node, value in node.value:
            place = self.place(key_node)
            if not isinstance(key_node, ScalarNode):
                self.fault(place, f"{what} has a key that is no plain text.", "Quote it.")
            elif key_node.value in seen:
                first = seen[key_node.value]
                self.fault(place, f"'{key_node.value}' is there twice.", f"It is on line {first.line} too; keep one.")
            else:
                seen[key_node.value] = place
                yield Key(key_node.value, place), value

    def text(self, node: Node, what: str) -> str | None:
        """A scalar's text; None, with a finding, when the node is none or empty."""
        if isinstance(node, ScalarNode) and not is_empty(node):
            return str(node.value).strip()
        self.fault(node, f"{what} must be one value.", "Write it on the same line.")
        return None

    def plain(self, node: Node, above: tuple[int, ...] = ()) -> object:
        """Nested dicts, lists and texts. A node that holds itself, by an alias, ends as None with a finding."""
        if id(node) in above:
            self.fault(node, "An alias leads back to itself.", "Write the value out.")
            return None
        inside = (*above, id(node))
        if isinstance(node, SequenceNode):
            return [self.plain(item, inside) for item in node.value]
        if isinstance(node, MappingNode):
            return {key.text: self.plain(value, inside) for key, value in self.mapping(node, "This")}
        return "" if is_empty(node) else str(node.value)


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
