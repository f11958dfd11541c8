"""`tests`: calls with the route that each must reach."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from yaml.nodes import Node, SequenceNode

from gateway.dialplan.plan import Trial
from gateway.dialplan.reading import values
from gateway.dialplan.reading.context import Context
from gateway.dialplan.reading.nodes import Reader, is_empty
from gateway.dialplan.reading.words import unknown
from gateway.dialplan.when import FORMS, moment
from gateway.terms.number import normalise

_TRIAL = ("to", "from", "at", "expect", "why", "digits", "headers", "calls")
_SIGNS = re.compile(r"[\s().\-/]")
_MANY = re.compile(r"\+?(?=\d*[xX*])[\dxX]*\*?")
"""Digits with an x, or with a * behind them: a pattern, as it may stand in `numbers`."""


def trials(reader: Reader, node: Node, context: Context) -> list[Trial]:
    """The tests of a file."""
    if is_empty(node):
        return []
    if not isinstance(node, SequenceNode):
        reader.fault(node, "tests must be a list.", "Begin each with '- {to: …, expect: …}'.")
        return []
    found = (_trial(reader, item, context) for item in node.value)
    return [trial for trial in found if trial is not None]


def _trial(reader: Reader, node: Node, context: Context) -> Trial | None:
    texts: dict[str, str] = {}
    headers: Mapping[str, str] = {}
    calls = 0
    before = len(reader.findings)
    for key, value in reader.mapping(node, "A test", hint="Write - {to: +1 510 555 0100, expect: sales}."):
        if key.text == "headers":
            headers = {
                name.text.casefold(): reader.text(inner, name.text) or ""
                for name, inner in reader.mapping(value, "headers")
            }
        elif key.text == "calls":
            calls = values.count(reader, value, "calls", least=0, most=100_000, default=0)
        elif key.text in _TRIAL:
            texts[key.text] = reader.text(value, key.text) or ""
            if key.text in _CHECKS and texts[key.text]:
                _CHECKS[key.text](reader, value, texts[key.text], context)
        else:
            unknown(reader, key.text, key.place, _TRIAL, "in a test")
    if len(reader.findings) > before:
        return None
    for needed in ("to", "expect"):
        if needed not in texts:
            reader.fault(node, f"The test doesn't say '{needed}'.", "Write {to: +1 510 555 0100, expect: sales}.")
            return None
    return Trial(
        reader.place(node),
        dialed=texts["to"],
        expect=texts["expect"],
        caller=texts.get("from", ""),
        at=texts.get("at", ""),
        digits=texts.get("digits", ""),
        headers=headers,
        calls=calls,
        why=texts.get("why", ""),
    )


def _check_number(reader: Reader, node: Node, text: str, context: Context) -> None:
    _check_caller(reader, node, text, context)
    number = normalise(text, context.country)
    if number is None or (" " in number.reveal() and not _MANY.fullmatch(_SIGNS.sub("", text))):
        reader.fault(node, f"'{text}' is nothing that can be dialed.", "Write a number, or a SIP user.")


def _check_caller(reader: Reader, node: Node, text: str, _: Context) -> None:
    if _MANY.fullmatch(_SIGNS.sub("", text)):
        reader.fault(node, f"'{text}' means more than one number.", "Write one of them.")


def _check_digits(reader: Reader, node: Node, text: str, _: Context) -> None:
    if not re.fullmatch(r"[0-9*#A-D]+", text):
        reader.fault(node, f"'{text}' are no keys of a telephone.", "Write digits, * and #, such as 1 or 12#.")


def _check_time(reader: Reader, node: Node, text: str, context: Context) -> None:
    try:
        moment(text, context.timezone, None)
    except ValueError as bad:
        reader.fault(node, str(bad), FORMS)


_CHECKS: Mapping[str, Callable[[Reader, Node, str, Context], None]] = {
    "to": _check_number,
    "from": _check_caller,
    "at": _check_time,
    "digits": _check_digits,
}
