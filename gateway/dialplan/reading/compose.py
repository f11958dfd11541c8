"""YAML's events to nodes, within bounds: no text makes it run away. Pure.

PyYAML's own composer recurses and knows no limits; the events come from libyaml where it is there, one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)
from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

DEEPEST = 32
"""Levels of brackets and indents inside one another."""
LARGEST = 8 * 1024 * 1024
"""Bytes of one YAML file; longer lists of numbers belong in a CSV file."""
_NULL = "tag:yaml.org,2002:null"
_TEXT = "tag:yaml.org,2002:str"
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Refused(Exception):
    """Something that YAML allows and a plan doesn't: `args` are the sentence and its remedy; `line` and `column`
    count from 1."""

    def __init__(self, what: str, remedy: str, line: int, column: int) -> None:
        super().__init__(what, remedy)
        self.what, self.remedy, self.line, self.column = what, remedy, line, column


def compose(text: str) -> Node | None:
    """The nodes of the text's one document; None when it is empty. Raises Refused, yaml.YAMLError."""
    events = iter(yaml.parse(text, Loader=_LOADER))
    document: Node | None = None
    documents = 0
    for event in events:
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _refused(event, "The file has two documents.", "Take out the line '---' in the middle.")
        elif isinstance(event, NodeEvent):
            document = _document(event, events)
    return document


def _document(first: Event, events: Iterator[Event]) -> Node:
    anchors: dict[str, Node] = {}
    event = first
    root: Node | None = None
    open_: list[CollectionNode] = []
    keys: list[Node | None] = []
    """Of each open mapping, the key whose value comes next."""
    while True:
        if isinstance(event, CollectionEndEvent):
            keys.pop()
            done = open_.pop()
            done.end_mark = event.end_mark
            if not open_:
                return done
        else:
            node = _node(event, anchors)
            if open_:
                _add(open_[-1], keys, node)
            root = root or node
            if isinstance(event, CollectionStartEvent):
                if len(open_) >= DEEPEST:
                    raise _refused(event, "Brackets or indents go too deep inside one another.",
                                   "Write it with fewer levels.")  # fmt: skip
                assert isinstance(node, CollectionNode)
                open_.append(node)
                keys.append(None)
            elif not open_:
                return root
        event = next(events)


def _add(parent: CollectionNode, keys: list[Node | None], node: Node) -> None:
    if isinstance(parent, SequenceNode):
        parent.value.append(node)
    elif (key := keys[-1]) is None:
        keys[-1] = node
    else:
        parent.value.append((key, node))
        keys[-1] = None


def _node(event: Any, anchors: dict[str, Node]) -> Node:
    if isinstance(event, AliasEvent):
        if event.anchor not in anchors:
            raise _refused(
                event,
                f"'*{event.anchor}' isn't plain text to YAML: it is a reference to something named '{event.anchor}'.",
                f'Put quotes around it: "*{event.anchor}".',
            )
        return anchors[event.anchor]
    node: Node
    start: Any = event.start_mark
    end: Any = event.end_mark
    if isinstance(event, ScalarEvent):
        tag = _NULL if event.implicit[0] and event.style in (None, "") and event.value in _NOTHING else _TEXT
        node = ScalarNode(tag, event.value, start, end, event.style)
    elif isinstance(event, MappingStartEvent):
        node = MappingNode("", [], start, end, event.flow_style)
    else:
        node = SequenceNode("", [], start, end, None)
    if (anchor := getattr(event, "anchor", None)) is not None:
        anchors[anchor] = node
    return node


def _refused(event: Any, what: str, remedy: str) -> Refused:
    mark = event.start_mark
    return Refused(what, remedy, mark.line + 1, mark.column + 1)
