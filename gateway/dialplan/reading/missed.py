"""Who is told of what a team has missed: `escalate` and `digest` of a team. Pure."""

from __future__ import annotations

import re

from yaml.nodes import MappingNode, Node

from gateway.dialplan.people import Digest, Escalate
from gateway.dialplan.reading import addresses, values
from gateway.dialplan.reading.nodes import Reader
from gateway.dialplan.reading.words import unknown

ESCALATE_AFTER = 600.0
"""Seconds where the plan doesn't say."""
_TIME = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*([ap]m)?", re.IGNORECASE)


def notified(reader: Reader, node: Node, what: str) -> tuple[str, ...]:
    """Addresses that can be told of something."""
    found = reader.texts(node, what)
    for text, place in found:
        if not addresses.is_address(text):
            reader.fault(place, f"'{text}' is no address to notify.", addresses.remedy(text))
    return tuple(text for text, _ in found)


def escalate(reader: Reader, node: Node) -> Escalate | None:
    """`{after: 10m, to: "mailto:boss@example.com"}`."""
    after, to = ESCALATE_AFTER, tuple[str, ...]()
    for key, value in reader.mapping(node, "escalate"):
        match key.text:
            case "after":
                after = values.duration(reader, value, "after", least=60, most=7 * 86400, default=after)
            case "to":
                to = notified(reader, value, "to")
            case _:
                unknown(reader, key.text, key.place, ("after", "to"), "in escalate")
    if not to:
        reader.fault(node, "Nobody is told.", "Add to: with an address, such as mailto:boss@example.com.")
        return None
    return Escalate(after, to)


def digest(reader: Reader, node: Node) -> Digest | None:
    """`17:00`, or `{at: 17:00, to: "mailto:boss@example.com"}`."""
    if not isinstance(node, MappingNode):
        minute = _minute(reader, node)
        return None if minute is None else Digest(minute)
    minute, to = None, tuple[str, ...]()
    for key, value in reader.mapping(node, "digest"):
        match key.text:
            case "at":
                minute = _minute(reader, value)
            case "to":
                to = notified(reader, value, "to")
            case _:
                unknown(reader, key.text, key.place, ("at", "to"), "in digest")
    if minute is None and all(key.value != "at" for key, _ in node.value):
        reader.fault(node, "The digest has no time of the day.", "Add at: 17:00.")
    return None if minute is None else Digest(minute, to)


def _minute(reader: Reader, node: Node) -> int | None:
    text = reader.text(node, "digest") or ""
    found = _TIME.fullmatch(text.strip())
    hour, minute = (int(found[1]), int(found[2] or 0)) if found else (99, 0)
    if found and found[3]:
        hour = hour % 12 + (12 if found[3].lower() == "pm" else 0) if 1 <= hour <= 12 else 99
    if hour > 23 or minute > 59:
        reader.fault(node, f"'{text}' is no time of the day.", "Write it as 17:00.")
        return None
    return hour * 60 + minute
