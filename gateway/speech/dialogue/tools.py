"""The tools that a model is offered, read by the convention in the package's docstring. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kind of answer that a property wants."""

    CHOICE = "choice"
    YES_NO = "yes-no"
    NUMBER = "number"
    EMAIL = "email"
    DIGITS = "digits"
    MONEY = "money"
    NAME = "name"
    COMPANY = "company"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Property:
    """One parameter of a form."""

    name: str
    kind: Kind
    noun: str
    """What is wanted, to a caller: "your name"."""
    question: str = ""
    """How its author asks for it; "" to make a question of the noun."""
    again: str = ""
    choices: tuple[str, ...] = ()
    length: int | None = None
    """Digits that are wanted."""
    number: bool = False
    """Its value is a JSON number."""
    items: bool = False
    """Its value is an array."""
    asked: bool = True
    """False: only taken when offered."""
    outcome: bool = False
    """Whether the steps helped."""
    needed: bool = False
    """It can't be absent."""


@dataclass(frozen=True, slots=True)
class Form:
    """A tool with properties."""

    tool: str
    properties: tuple[Property, ...]

    @property
    def closed(self) -> bool:
        """Whether it is called once, when all that is needed is known."""
        return any(one.needed for one in self.properties)


@dataclass(frozen=True, slots=True)
class Tools:
    """What is offered."""

    form: Form | None = None
    person: str = ""
    hand_over: str = ""
    """Gives the caller to a human, once the form is done."""
    message: str = ""
    """Lets them leave a message."""
    person_reason: str = ""
    """The property of the person tool that takes the reason; "" for none."""
    end: str = ""
    transfer: str = ""
    transfer_to: str = ""
    """The property of the transfer tool that takes the name."""
    names: tuple[str, ...] = ()
    """Whom callers may be put through to."""


_PERSON = re.compile(r"person|human|operator|representative|colleague|hand.?over|transfer|escalat", re.IGNORECASE)
_TRANSFER = re.compile(r"transfer|put_through|connect", re.IGNORECASE)
_END = re.compile(r"(?:^|_)(?:end|hang_?up|goodbye|finish|close)(?:_|$)", re.IGNORECASE)
_MESSAGE = re.compile(r"(?:leave|take|record)_?(?:a_)?message", re.IGNORECASE)
_OPTIONAL = re.compile(r"\b(?:optional|if given|if mentioned|if known|only if)\b", re.IGNORECASE)
_REASONS = re.compile(r"reason|topic|why", re.IGNORECASE)
_DIGIT_NAME = re.compile(r"phone|pin|code|number|digits", re.IGNORECASE)
_MONEY_NAME = re.compile(r"budget|price|amount|cost", re.IGNORECASE)
_DIGIT_PATTERN = re.compile(r"^\^?(?:\[0-9\]|\\d)(?:\{(\d+)\}|\+|\*)\$?$")
_CALLER = re.compile(r"\bthe (?:caller|customer|user)(?:'s|’s)\b|\btheir\b", re.IGNORECASE)


def read(offered: Sequence[Mapping[str, object]]) -> Tools:
    """Read the `tools` of a request; what isn't a function is passed over."""
    form: Form | None = None
    person = reason = end = hand_over = message = ""
    through: tuple[str, Property] | None = None
    for tool in offered:
        function = tool.get("function")
        if not isinstance(function, Mapping):
            continue
        name, about = str(function.get("name", "")), str(function.get("description", ""))
        properties = _properties(function.get("parameters"))
        reasons_only = all(_REASONS.search(one.name) for one in properties)
        if _END.search(name):
            end = end or name
        elif reasons_only and name.startswith("hand_over"):
            hand_over = hand_over or name
        elif _MESSAGE.search(name) and not properties:
            message = message or name
        elif reasons_only and (_PERSON.search(name) or _PERSON.search(about)):
            person, reason = person or name, properties[0].name if properties and not person else reason
        elif _TRANSFER.search(name) and len(properties) == 1:
            through = through or (name, properties[0])
        elif properties and form is None:
            form = Form(name, properties)
    if through is None:
        return Tools(form, person, hand_over, message, reason, end)
    return Tools(form, person, hand_over, message, reason, end, through[0], through[1].name, through[1].choices)


def _properties(schema: object) -> tuple[Property, ...]:
    found = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(schema, Mapping) or not isinstance(found, Mapping):
        return ()
    required = schema.get("required")
    needed = set(required) if isinstance(required, Sequence) else set()
    return tuple(_property(str(name), one, needed) for name, one in found.items() if isinstance(one, Mapping))


def _property(name: str, schema: Mapping[str, object], required: set[object]) -> Property:
    variants = schema.get("anyOf") or schema.get("oneOf")
    options = [one for one in variants if isinstance(one, Mapping)] if isinstance(variants, Sequence) else [schema]
    types = {kind for one in options for kind in _types(one)}
    merged = {key: value for one in options for key, value in one.items()} | dict(schema)
    noun, question, again = _noun(name, str(merged.get("description", "")))
    kind, length = _kind(name, merged, types)
    outcome = kind is Kind.YES_NO and bool(re.search(r"solved|resolved|fixed|helped", f"{name} {noun}"))
    asked = not (outcome or "object" in types or _OPTIONAL.search(noun) or re.search(r"tried|steps", name))
    choices = merged.get("enum")
    return Property(
        name,
        kind,
        noun,
        question,
        again,
        choices=tuple(str(one) for one in choices if one is not None) if isinstance(choices, Sequence) else (),
        length=length,
        number=bool(types & {"integer", "number"}),
        items="array" in types,
        asked=asked,
        outcome=outcome,
        needed=name in required and "null" not in types,
    )


def _types(schema: Mapping[str, object]) -> list[str]:
    told = schema.get("type")
    return [str(one) for one in told] if isinstance(told, list) else [str(told)] if told else []


def _noun(name: str, description: str) -> tuple[str, str, str]:
    """The noun phrase, and the questions that a description may hold."""
    sentences = [part.strip() for part in re.findall(r"[^.?!]+[.?!]?", description) if part.strip()]
    questions = [part for part in sentences if part.endswith("?")]
    nouns = [part.rstrip(".! ") for part in sentences if not part.endswith("?")]
    noun = _CALLER.sub("your", nouns[0]) if nouns else f"your {name.replace('_', ' ')}"
    return noun[:1].lower() + noun[1:], *(questions + ["", ""])[:2]


def _kind(name: str, schema: Mapping[str, object], types: set[str]) -> tuple[Kind, int | None]:
    form, pattern = str(schema.get("format", "")), str(schema.get("pattern", ""))
    if schema.get("enum"):
        return Kind.CHOICE, None
    if "boolean" in types:
        return Kind.YES_NO, None
    if types & {"integer", "number"}:
        return Kind.NUMBER, None
    if form == "email" or "email" in name:
        return Kind.EMAIL, None
    if form == "digits" or (matched := _DIGIT_PATTERN.match(pattern)):
        return Kind.DIGITS, int(matched[1]) if form != "digits" and matched and matched[1] else None
    if _DIGIT_NAME.search(name):
        return Kind.DIGITS, None
    if _MONEY_NAME.search(name):
        return Kind.MONEY, None
    if "company" in name:
        return Kind.COMPANY, None
    return (Kind.NAME, None) if re.search(r"(?:^|_)name$", name) else (Kind.WORDS, None)
