"""`hours`: when a route or a person takes calls."""

from __future__ import annotations

import re

from yaml.nodes import MappingNode, Node, ScalarNode

from gateway.dialplan.hours import Hours, build
from gateway.dialplan.model import Place, Ref
from gateway.dialplan.reading import values
from gateway.dialplan.reading.context import Context
from gateway.dialplan.reading.nodes import Key, Reader, is_empty
from gateway.dialplan.reading.words import near, unknown
from gateway.dialplan.when import zones

_FROM_TO = re.compile(r"\d[\d:]*-\d[\d:]*$")
_HOURS = ("open", "holidays", "works_on", "closed_on", "timezone")


def hours(reader: Reader, node: Node, context: Context) -> list[tuple[Key, Hours]]:
    """The sets of hours of a file, those that can be read."""
    found = []
    for key, value in reader.mapping(node, "hours"):
        if values.is_name(reader, key) and (made := _hours(reader, key, value, context)) is not None:
            found.append((key, made))
    return found


def named_or_own(reader: Reader, owner: str, node: Node, context: Context) -> Ref | None:
    """The hours of a route, a person or a team: the name of a set of hours, or hours of their own, written there."""
    text = str(node.value).strip() if isinstance(node, ScalarNode) else ""
    if text and not is_empty(node) and values.NAME.match(text) and not _FROM_TO.match(text):
        return reader.ref(node, "hours")
    key = Key(f"hours of {owner}", reader.place(node))
    made = _hours(reader, key, node, context)
    if made is None:
        return None
    context.hours.append((key, made))
    return Ref(key.text, key.place)


def _hours(reader: Reader, name: Key, node: Node, context: Context) -> Hours | None:
    places: dict[tuple[str, int], Place] = {}
    texts: dict[str, str] = {"open": "", "holidays": "", "timezone": context.timezone}
    lists: dict[str, list[str]] = {"works_on": [], "closed_on": []}
    if isinstance(node, MappingNode):
        for key, value in reader.mapping(node, name.text):
            if key.text in texts:
                texts[key.text] = reader.text(value, key.text) or ""
                places[key.text, 0] = reader.place(value)
            elif key.text in lists:
                for item, (text, place) in enumerate(reader.texts(value, key.text)):
                    lists[key.text].append(text)
                    places[key.text, item] = place
            else:
                unknown(reader, key.text, key.place, _HOURS, "in hours")
    else:
        texts["open"] = reader.text(node, name.text) or ""
        places["open", 0] = reader.place(node)
    if not texts["open"]:
        if isinstance(node, MappingNode):
            reader.fault(name.place, f"'{name.text}' doesn't say when it is open.", 'Add open: "Mo-Fr 09:00-18:00".')
        return None
    if texts["timezone"] not in zones():
        told = near(texts["timezone"], zones()) or "Write one such as America/New_York."
        reader.fault(places.get(("timezone", 0), name.place), f"There is no time zone '{texts['timezone']}'.", told)
        return None
    made, faults = build(name.text, **texts, works_on=lists["works_on"], closed_on=lists["closed_on"])
    for fault in faults:
        reader.fault(places.get((fault.field, fault.item), name.place), fault.what, fault.remedy)
    return made
