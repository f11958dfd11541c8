"""`unanswered`: where callers go whom nobody took, all of them alike or by how that ended."""

from __future__ import annotations

from collections.abc import Mapping

from yaml.nodes import MappingNode, Node

from gateway.dialplan.model import Callback, Ref
from gateway.dialplan.reading import values
from gateway.dialplan.reading.nodes import Reader
from gateway.dialplan.reading.spoken import words
from gateway.dialplan.reading.words import unknown
from gateway.dialplan.untaken import ENDINGS, UNANSWERED, word_of

OTHERWISE = "otherwise"
_STEP = ("say", "to")

Untaken = tuple[Mapping[str, Ref | Callback], Mapping[str, str]]
"""Where callers go, and what they are told first, by the words of `gateway.dialplan.untaken`."""


def untaken(reader: Reader, node: Node, *, agent: bool) -> Untaken:
    """A route's name or a callback for all; or one of these, or `{say: …, to: …}`, for each ending. `agent`: whether one may go
    on where a step has no `to`."""
    leads: dict[str, Ref | Callback] = {}
    says: dict[str, str] = {}
    if not _by_ending(node):
        found = values.onward(reader, node, UNANSWERED, callback=True)
        return ({UNANSWERED: found} if found else {}), says
    known = (*ENDINGS.values(), OTHERWISE)
    for key, value in reader.mapping(node, UNANSWERED):
        if key.text not in known:
            unknown(reader, key.text, key.place, known, "in unanswered")
            continue
        word = UNANSWERED if key.text == OTHERWISE else word_of(key.text)
        to, say = _step(reader, value, key.text, agent=agent)
        if to is not None:
            leads[word] = to
        if say:
            says[word] = say
    return leads, says


def _by_ending(node: Node) -> bool:
    """Whether it tells endings apart, and isn't a callback for all."""
    return isinstance(node, MappingNode) and any(str(key.value) != "callback" for key, _ in node.value)


def _step(reader: Reader, node: Node, ending: str, *, agent: bool) -> tuple[Ref | Callback | None, str]:
    if not isinstance(node, MappingNode) or not any(str(key.value) in _STEP for key, _ in node.value):
        return values.onward(reader, node, ending, callback=True), ""
    to, say = None, ""
    before = len(reader.findings)
    for key, value in reader.mapping(node, ending):
        if key.text == "to":
            to = values.onward(reader, value, ending, callback=True)
        elif key.text == "say":
            say = words(reader, value, "say", None)
        else:
            unknown(reader, key.text, key.place, _STEP, f"in {ending}")
    if to is None and len(reader.findings) == before and not agent:
        reader.fault(node, f"Nothing follows the words of '{ending}'.", "Add to: with a route's name, or callback.")
    return to, say
