"""Scalars of the language: durations, counts, yes and no, names, languages, addresses. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

from yaml.nodes import MappingNode, Node

from gateway.dialplan.model import Callback, Ref
from gateway.dialplan.reading.nodes import Key, Reader
from gateway.dialplan.reading.words import near, unknown

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_WORDS = {"sec": "s", "second": "s", "min": "m", "minute": "m", "hour": "h", "hr": "h", "day": "d", "week": "w"}
_PART = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*([a-z]+)\s*")
NAME = re.compile(r"^[^\W_][\w-]*$")
_TAG = re.compile(r"^[a-z]{2,3}(-[a-z0-9]{2,8})*$", re.IGNORECASE)
_YES = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
LONGEST_NAME = 64
CALLBACK_WITHIN = 3600.0
"""Seconds in which a caller is called back when nothing else is said."""


def seconds_of(text: str) -> float | None:
    """Seconds that `25s`, `1h 30m`, `2 minutes` or `1w` mean; None for anything else."""
    total, at, low = 0.0, 0, text.strip().casefold()
    for part in _PART.finditer(low):
        unit = part[2] if part[2] in _UNITS else _WORDS.get(part[2].removesuffix("s"), _WORDS.get(part[2], ""))
        if part.start() != at or not unit:
            return None
        total, at = total + float(part[1]) * _UNITS[unit], part.end()
    return total if low and at == len(low) else None


def duration(reader: Reader, node: Node, what: str, *, least: float, most: float, default: float) -> float:
    """Seconds between `least` and `most`; `default`, with a finding, for anything else."""
    text = reader.text(node, what)
    if text is None:
        return default
    found = seconds_of(text)
    if found is None:
        seconds = text.isdigit() and least <= int(text[:9]) <= most
        example = f"{text}s" if seconds else shown(default or least)
        reader.fault(
            node, f"'{text}' is no length of time for '{what}'.", f"Write a number and s, m, h, d or w: {example}."
        )
        return default
    if not least <= found <= most:
        reader.fault(node, f"'{what}' can't be {text}.", f"Write between {shown(least)} and {shown(most)}.")
        return default
    return found


def shown(seconds: float) -> str:
    """A length of time as an operator writes it."""
    unit = next((unit for unit in ("w", "d", "h", "m") if seconds >= _UNITS[unit] and seconds % _UNITS[unit] == 0), "s")
    return f"{seconds / _UNITS[unit]:g}{unit}"


def count(reader: Reader, node: Node, what: str, *, least: int, most: int, default: int) -> int:
    """A whole number between `least` and `most`; `default`, with a finding, for anything else."""
    text = reader.text(node, what)
    if text is None:
        return default
    if re.fullmatch(r"\d{1,9}", text, re.ASCII) and least <= int(text) <= most:
        return int(text)
    reader.fault(node, f"'{text}' is no number for '{what}'.", f"Write a whole number between {least} and {most}.")
    return default


def yes(reader: Reader, node: Node, what: str, *, default: bool) -> bool:
    """Yes or no; `default`, with a finding, for anything else."""
    text = reader.text(node, what)
    if text is not None and text.casefold() not in _YES:
        reader.fault(node, f"'{text}' is neither yes nor no for {what}.", "Write yes or no.")
    return _YES.get((text or "").casefold(), default)


def lasts(reader: Reader, node: Node, what: str, *, least: float, most: float, default: float) -> float:
    """Seconds between `least` and `most`, or 0 for `no`; `default` for `yes`, and, with a finding, for anything else."""
    text = reader.text(node, what)
    if text is not None and (told := _YES.get(text.casefold())) is not None:
        return default if told else 0.0
    return duration(reader, node, what, least=least, most=most, default=default)


def one_of(reader: Reader, node: Node, what: str, known: Collection[str], default: str) -> str:
    """A word of `known`; `default`, with a finding, for anything else."""
    text = reader.text(node, what)
    if text is None or text in known:
        return text or default
    reader.fault(node, f"'{text}' is no {what}.", near(text, known) or f"There are: {', '.join(known)}.")
    return default


def language(reader: Reader, node: Node) -> str | None:
    """A BCP 47 tag."""
    text = reader.text(node, "language")
    if text is not None and not _TAG.match(text):
        reader.fault(node, f"'{text}' is no language.", "Write its tag, such as en-US or es.")
        return None
    return text


def is_name(reader: Reader, key: Key) -> bool:
    """Whether a key may name something of the plan; notes it when it may not."""
    if NAME.match(key.text) and len(key.text) <= LONGEST_NAME:
        return True
    reader.fault(key.place, f"'{key.text[:80]}' is no name.", "Use letters, digits, '-' and '_'; begin with no '-'.")
    return False


def onward(reader: Reader, node: Node, what: str, *, callback: bool) -> Ref | Callback | None:
    """A route's name, or, where `callback`, `{callback: {within: 1h}}`."""
    if not isinstance(node, MappingNode):
        ref = reader.ref(node, what)
        if ref is not None and ref.name == "callback" and callback:
            return Callback(CALLBACK_WITHIN)
        return ref
    found: Callback | None = None
    for key, value in reader.mapping(node, what):
        if key.text == "callback" and callback:
            found = _callback(reader, value)
        else:
            remedy = "Name a route, or write {callback: {within: 1h}}." if callback else "Name a route."
            reader.fault(key.place, f"'{what}' can't be '{key.text}: …'.", remedy)
    return found


def _callback(reader: Reader, node: Node) -> Callback:
    found = Callback(CALLBACK_WITHIN)
    within, team, tries, every = found.within, found.team, found.tries, found.every
    for key, value in reader.mapping(node, "callback"):
        match key.text:
            case "within":
                within = duration(reader, value, "within", least=60, most=30 * 86400, default=within)
            case "team":
                team = reader.ref(value, "team")
            case "tries":
                tries = count(reader, value, "tries", least=1, most=10, default=tries)
            case "every":
                every = duration(reader, value, "every", least=60, most=86400, default=every)
            case _:
                unknown(reader, key.text, key.place, ("within", "team", "tries", "every"), "in a callback")
    return Callback(within, team, tries, every)
