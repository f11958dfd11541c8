"""`outbound` of a plan, and `transfer` of a route: whom the gateway may call."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import phonenumbers
from yaml.nodes import MappingNode, Node

from gateway.dialplan.actions import Dial, Transfer
from gateway.dialplan.model import Ref
from gateway.dialplan.reading import values
from gateway.dialplan.reading.context import Context
from gateway.dialplan.reading.nodes import Key, Reader
from gateway.dialplan.reading.words import unknown
from gateway.terms.outbound import Caps, Outbound, Spend

_OUTBOUND = ("countries", "prefixes", "costly", "caps", "spend")
_CAPS = ("call", "caller", "route")
_SPEND = ("a_day", "minute", "minutes")
_TRANSFER = ("to", "numbers", "by", "ring")
_PREFIX = re.compile(r"\+[1-9]\d{0,14}", re.ASCII)
_MONEY = re.compile(r"\d{1,9}(\.\d{1,6})?", re.ASCII)
_SIP = re.compile(r"sips?:[^@\s]+@[^@\s]+")
OTHERWISE = "otherwise"
WAYS = ("refer", "dial")


def outbound(reader: Reader, node: Node) -> Outbound:
    """The plan's `outbound`."""
    said: dict[str, Any] = {}
    for key, value in reader.mapping(node, "outbound", hint="Write outbound: {countries: [US]}."):
        match key.text:
            case "countries":
                said["countries"] = frozenset(_countries(reader, value))
            case "prefixes" | "costly":
                said[key.text] = tuple(_prefixes(reader, value, key.text))
            case "caps":
                said["caps"] = _caps(reader, value)
            case "spend":
                said["spend"] = _spend(reader, value)
            case _:
                unknown(reader, key.text, key.place, _OUTBOUND, "in outbound")
    return Outbound(**said)


def _countries(reader: Reader, node: Node) -> list[str]:
    found = []
    for text, place in reader.texts(node, "countries"):
        if text.upper() in phonenumbers.SUPPORTED_REGIONS:
            found.append(text.upper())
        else:
            reader.fault(place, f"'{text}' is no country's code.", "Write two letters, such as US or GB.")
    return found


def _prefixes(reader: Reader, node: Node, what: str) -> list[str]:
    return [
        prefix for text, place in reader.texts(node, what) if (prefix := _prefix(reader, Key(text, place))) is not None
    ]


def _prefix(reader: Reader, key: Key) -> str | None:
    """How numbers begin; None, with a finding, for anything else."""
    compact = re.sub(r"[\s().\-]|\*$", "", key.text)
    if _PREFIX.fullmatch(compact):
        return compact
    reader.fault(
        key.place, f"'{key.text}' is no beginning of numbers.", "Write it with + and the country's code: +44 20."
    )
    return None


def _caps(reader: Reader, node: Node) -> Caps:
    said = {}
    for key, value in reader.mapping(node, "caps"):
        if key.text in _CAPS:
            default = getattr(Caps(), key.text)
            said[key.text] = values.count(reader, value, key.text, least=0, most=100_000, default=default)
        else:
            unknown(reader, key.text, key.place, _CAPS, "in caps")
    return Caps(**said)


def _spend(reader: Reader, node: Node) -> Spend:
    said: dict[str, Any] = {}
    for key, value in reader.mapping(node, "spend", hint="Write spend: {a_day: 20, minute: {+1: 0.02, otherwise: 1}}."):
        match key.text:
            case "a_day":
                said["a_day"] = _money(reader, value, "a_day")
            case "minutes":
                said["minutes"] = float(values.count(reader, value, "minutes", least=1, most=1440, default=5))
            case "minute":
                said.update(_prices(reader, value))
            case _:
                unknown(reader, key.text, key.place, _SPEND, "in spend")
    return Spend(**said)


def _prices(reader: Reader, node: Node) -> dict[str, Any]:
    prices, rest = {}, {}
    for key, value in reader.mapping(node, "minute"):
        if key.text == OTHERWISE:
            rest["otherwise"] = _money(reader, value, OTHERWISE)
        elif (prefix := _prefix(reader, key)) is not None:
            prices[prefix] = _money(reader, value, key.text)
    return {"prices": prices, **rest}


def _money(reader: Reader, node: Node, what: str) -> float:
    text = reader.text(node, what)
    if text is not None and _MONEY.fullmatch(text):
        return float(text)
    if text is not None:
        reader.fault(
            node, f"'{text}' is no amount for {what}.", "Write a number such as 20 or 0.05, without a currency."
        )
    return 0.0


def transfer(reader: Reader, node: Node, context: Context) -> Transfer:
    """A route's `transfer`: people by their names, or `{to: {NAME: PERSON or number}, numbers: yes, by: dial, ring: 25s}`."""
    if not isinstance(node, MappingNode):
        return Transfer({ref.name: Dial(ref) for ref in _refs(reader, node)})
    to: dict[str, Dial] = {}
    numbers, by, ring = False, "", 25.0
    for key, value in reader.mapping(node, "transfer"):
        match key.text:
            case "to":
                to = _targets(reader, value, context)
            case "numbers":
                numbers = values.yes(reader, value, "numbers", default=False)
            case "by":
                by = values.one_of(reader, value, "way to transfer", WAYS, "")
            case "ring":
                ring = values.duration(reader, value, "ring", least=3, most=300, default=25)
            case _:
                unknown(reader, key.text, key.place, _TRANSFER, "in transfer")
    if not to and not numbers and not reader.findings:
        reader.fault(node, "The transfer leads to nobody.", "Name people: transfer: [ana], or {to: {billing: ana}}.")
    return Transfer({name: Dial(one.who, one.number, ring) for name, one in to.items()}, numbers, by, ring)


def _refs(reader: Reader, node: Node) -> Sequence[Ref]:
    return [Ref(text, place) for text, place in reader.texts(node, "transfer")]


def _targets(reader: Reader, node: Node, context: Context) -> dict[str, Dial]:
    if not isinstance(node, MappingNode):
        return {ref.name: Dial(ref) for ref in _refs(reader, node)}
    found = {}
    for key, value in reader.mapping(node, "to"):
        if values.is_name(reader, key) and (one := _target(reader, value, key.text, context)) is not None:
            found[key.text] = one
    return found


def _target(reader: Reader, node: Node, name: str, context: Context) -> Dial | None:
    ref = reader.ref(node, name)
    if ref is None or not context.dialable(reader, node, ref.name):
        return None
    if _SIP.fullmatch(ref.name):
        return Dial(None, ref.name)
    if re.match(r"[+(\d]", ref.name):
        number = context.e164(ref.name)
        if not number:
            reader.fault(node, f"'{ref.name}' can't be a telephone number.", "Write it as +1 510 555 0100.")
        return Dial(None, number) if number else None
    return Dial(ref)
