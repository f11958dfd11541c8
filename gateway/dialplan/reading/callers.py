"""`callers`: rules that look at who calls, before the number."""

from __future__ import annotations

from dataclasses import dataclass

from yaml.nodes import MappingNode, Node, SequenceNode

from gateway.dialplan.model import Place, Ref
from gateway.dialplan.plan import Attestation, CallerRule
from gateway.dialplan.reading.context import Context
from gateway.dialplan.reading.hours import named_or_own
from gateway.dialplan.reading.nodes import Reader, is_empty
from gateway.dialplan.reading.words import near, unknown
from gateway.terms.number import ANONYMOUS

_RULE = ("from", "to", "diverted_from", "attestation", "hours", "route")
_ATTESTED = {
    "a": "A",
    "full": "A",
    "b": "B",
    "partial": "B",
    "c": "C",
    "gateway": "C",
    "none": "none",
    "failed": "none",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A rule whose `from` lies in a file, which isn't read yet."""

    rule: CallerRule
    file: str
    place: Place


def callers(reader: Reader, node: Node, context: Context) -> list[CallerRule | Listed]:
    """The rules of a file, in order."""
    if is_empty(node):
        return []
    if not isinstance(node, SequenceNode):
        reader.fault(node, "callers must be a list of rules.", "Begin each with '- from:'.")
        return []
    found = (_rule(reader, item, context) for item in node.value)
    return [rule for rule in found if rule is not None]


def _rule(reader: Reader, node: Node, context: Context) -> CallerRule | Listed | None:
    given: dict[str, Node] = {}
    for key, value in reader.mapping(node, "A rule of callers", hint='Write - from: "+1 900 *" and route: below it.'):
        if key.text in _RULE:
            given[key.text] = value
        else:
            unknown(reader, key.text, key.place, _RULE, "in callers")
    route = reader.ref(given["route"], "route") if "route" in given else None
    if route is None:
        if isinstance(node, MappingNode) and "route" not in given:
            reader.fault(node, "The rule leads nowhere.", "Add route: with a route's name.")
        return None
    if given.keys() <= {"route"}:
        reader.fault(node, "The rule is for every caller.", "Add from:, diverted_from: or attestation:.")
        return None
    return _conditions(reader, node, given, route, context)


def _conditions(
    reader: Reader, node: Node, given: dict[str, Node], route: Ref, context: Context
) -> CallerRule | Listed | None:
    said = {key: reader.texts(value, key) for key, value in given.items() if not isinstance(value, MappingNode)}
    withheld = [text for text, _ in said.get("from", ()) if text.casefold() in ANONYMOUS]
    listed = [(text, place) for text, place in said.get("from", ()) if text.casefold() not in ANONYMOUS]
    any_diverted = [text for text, _ in said.get("diverted_from", ()) if text.casefold() in ("any", "anybody", "*")]
    before = len(reader.findings)
    hours = None
    if "hours" in given:
        place = reader.place(node)
        owner = f"the rule in {place.file}:{place.line}:{place.column}"
        hours = named_or_own(reader, owner, given["hours"], context)
    if any(text.casefold() in ("otherwise", "any", "anybody", "everybody", "all", "*") for text, _ in listed):
        reader.fault(given["from"], "The rule is for every caller.", "Write who is meant, or lead the numbers there.")
        return None
    rule = CallerRule(
        place=reader.place(node),
        route=route,
        callers=tuple(context.patterns(reader, listed)),
        anonymous=bool(withheld),
        dialed=tuple(context.patterns(reader, said.get("to", []))),
        diverted_from=() if any_diverted else tuple(context.patterns(reader, said.get("diverted_from", []))),
        diverted=bool(any_diverted),
        attestations=_attestations(reader, said.get("attestation", [])),
        hours=hours.name if hours else "",
        written="; ".join(
            f"{key} {_short([text for text, _ in said.get(key, ())])}" for key in given if key != "route"
        ),
    )
    if "from" in given and isinstance(given["from"], MappingNode):
        return _file(reader, given["from"], rule)
    for key in ("from", "to", "diverted_from", "attestation"):
        if key in given and not said.get(key) and len(reader.findings) == before:
            reader.fault(given[key], f"'{key}' names nothing.", "Write a number, or take the line out.")
    return rule if len(reader.findings) == before else None


def _file(reader: Reader, node: Node, rule: CallerRule) -> Listed | None:
    for key, value in reader.mapping(node, "from"):
        if key.text != "file":
            unknown(reader, key.text, key.place, ("file",), "in from")
        elif (name := reader.text(value, "file")) is not None:
            return Listed(rule, name, reader.place(value))
        return None
    reader.fault(node, "'from' names nothing.", "Write a number, or {file: callers.csv}.")
    return None


def _attestations(reader: Reader, said: list[tuple[str, Place]]) -> tuple[Attestation, ...]:
    found = []
    for text, place in said:
        if (word := _ATTESTED.get(text.casefold())) is not None:
            found.append(Attestation(word))
        else:
            reader.fault(place, f"'{text}' is no attestation.", near(text, _ATTESTED) or "Write A, B, C or none.")
    return tuple(found)


def _short(texts: list[str]) -> str:
    return ", ".join(texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")
