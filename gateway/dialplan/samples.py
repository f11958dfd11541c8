"""Calls that stand for many: a number for each line of two plans, a call for each rule of callers. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.dialplan.headers import headers_of
from gateway.dialplan.numbers import Pattern
from gateway.dialplan.plan import Attestation, CallerRule, Plan
from gateway.dialplan.route import ANYBODY
from gateway.terms.number import normalise
from gateway.terms.personal import Number

_TRIES = 500
"""Numbers of a line that are looked at for one that no more specific line takes."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Calls that rules may treat alike."""

    who: str
    """As one says it; "" for calls that no rule means."""
    caller: Number | None = ANYBODY
    headers: Mapping[str, str] = field(default_factory=dict)


def numbers(before: Plan, after: Plan) -> Iterator[tuple[str, str]]:
    """Every line of either plan as it is written, and a number that it is for; lines of tables only where the two
    aren't the same."""
    seen: set[tuple[str, Pattern]] = set()
    for plan in (before, after):
        for entry in plan.numbers.entries:
            if (entry.written, entry.pattern) in seen:
                continue
            seen.add((entry.written, entry.pattern))
            key = _own(plan, entry.pattern)
            if key is not None:
                yield entry.written or entry.pattern.text, key
    old = {number: route for table in before.tables for number, route in table.items()}
    for table in after.tables:
        for number, route in table.items():
            if old.pop(number, None) != route:
                yield number, number
    for number in old:
        yield number, number


def _own(plan: Plan, pattern: Pattern) -> str | None:
    """A number for which the plan's line with the pattern is the most specific; None when there seems to be none."""
    for key in _fitting(pattern):
        entry = plan.numbers.find(key)
        in_table = pattern.rank > 1 and any(table.find(key) is not None for table in plan.tables)
        if entry is not None and entry.pattern == pattern and not in_table:
            return key
    return None


def _fitting(pattern: Pattern) -> Iterator[str]:
    """Numbers that the pattern is for, the same each time: its ends first, then any."""
    chance = random.Random(pattern.text)
    if pattern.low:
        low, high, width = int(pattern.low), int(pattern.high), len(pattern.low)
        some = (chance.randint(low, high) for _ in range(_TRIES))
        yield from (f"{pattern.text}{number:0{width}}" for number in (low, high, *some))
    elif pattern.prefix:
        # What nobody writes a line for comes first.
        head = pattern.text or "+9990"
        yield head + "7319428"[: max(1, 12 - len(head))]
        for _ in range(_TRIES):
            yield pattern.text + _digits(chance, max(1, 12 - len(pattern.text)))
    elif pattern.rank > 1:
        for digit in "0123456789":
            yield pattern.text.replace("x", digit)
        for _ in range(_TRIES):
            yield "".join(chance.choice("0123456789") if sign == "x" else sign for sign in pattern.text)
    else:
        yield pattern.text


def _digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choice("0123456789") for _ in range(count))


def kinds(rules: Sequence[CallerRule]) -> list[Kind]:
    """Calls that the rules may tell apart, the one that no rule means first."""
    usual = _usual(rules)
    found = {"": usual}
    for rule in rules:
        for who, caller in _from(rule):
            for how, headers in _with(rule, usual.headers):
                kind = Kind(" ".join(filter(None, (who or "calls", how))) if who or how else "", caller, headers)
                found.setdefault(kind.who, kind)
    return list(found.values())


def _usual(rules: Sequence[CallerRule]) -> Kind:
    """A call with the attestation that the fewest rules speak of."""
    asked = [one for rule in rules for one in rule.attestations]
    if not asked:
        return Kind("")
    least = min(Attestation, key=asked.count)
    return Kind("", headers=headers_of("", "" if least is Attestation.NONE else least.value))


def _from(rule: CallerRule) -> Iterator[tuple[str, Number | None]]:
    if rule.anonymous:
        yield "callers without a number", None
    for pattern in rule.callers:
        yield f"callers from {_written(pattern)}", normalise(next(_fitting(pattern)))
    if rule.listed is not None and len(rule.listed):
        yield f"callers of {rule.listed.file}", Number(next(iter(rule.listed.items()))[0])
    if not (rule.anonymous or rule.callers or rule.listed is not None):
        yield "", ANYBODY


def _with(rule: CallerRule, usual: Mapping[str, str]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """What headers the rule asks for, in words and as headers."""
    diverted = [(f"diverted from {_written(one)}", next(_fitting(one))) for one in rule.diverted_from]
    if rule.diverted:
        diverted.append(("that were diverted", "+99907319428"))
    vouched: list[tuple[str, Attestation | None]] = [
        (f"with attestation {one.value}", one) for one in rule.attestations
    ]
    for how, number in diverted or [("", "")]:
        for much, level in vouched or [("", None)]:
            letter = "" if level in (None, Attestation.NONE) else str(level)
            headers = usual if level is None else headers_of("", letter)
            yield " ".join(filter(None, (how, much))), {**headers, **headers_of(number, "")}


def _written(pattern: Pattern) -> str:
    last = f"{pattern.low}-{pattern.high}" if pattern.low else ""
    return f"{pattern.text}{last}{'*' if pattern.prefix else ''}"
