"""A conversation as a request carries it, and where it stands. Pure.

The stage follows from the last thing that was said to the caller, since every question has a fixed text; the facts
follow from the tool calls.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.speech.dialogue import prompt, spoken, tools
from gateway.speech.dialogue.phrases import Means, means, plain
from gateway.speech.dialogue.prompt import Prompt
from gateway.speech.dialogue.tools import Kind, Property, Tools
from gateway.speech.dialogue.values import Value

_ENTERED = re.compile(r"\[keypad: (.+) entered\]$", re.IGNORECASE)


class Stage(StrEnum):
    """What the caller was last asked."""

    OPEN = "open"
    """Nothing that this model knows."""
    ASK = "ask"
    STEP = "step"
    CONFIRM = "confirm"
    CHANGE = "change"
    MORE = "more"


@dataclass(frozen=True, slots=True)
class Said:
    """One message. `results`: what the tools called before it have answered."""

    role: str
    """user, assistant or tool."""
    text: str
    calls: tuple[tuple[str, Mapping[str, object]], ...] = ()
    """Name and arguments."""


@dataclass(frozen=True, slots=True)
class Talk:
    """What is known, all derived from one request."""

    prompt: Prompt
    tools: Tools
    said: tuple[Said, ...]
    facts: Mapping[str, Value] = field(default_factory=dict)
    latest: tuple[str, ...] = ()
    """The properties that the last tool call told."""
    skipped: frozenset[str] = frozenset()
    stage: Stage = Stage.OPEN
    asked: Property | None = None
    tries: int = 0
    """How often the question in hand was put."""
    confirmed: bool = False
    read: bool = False
    """Everything was read back once."""
    stepped: int = 0
    """Steps that were offered."""

    @property
    def properties(self) -> tuple[Property, ...]:
        """Of the form, in the order they are asked for."""
        found = self.tools.form.properties if self.tools.form else ()
        if self.prompt.ask is None:
            return found
        by_name = {one.name: one for one in found}
        first = [by_name[name] for name in self.prompt.ask if name in by_name]
        return (*first, *(one for one in found if one not in first))

    @property
    def wanted(self) -> tuple[Property, ...]:
        """Of those, the ones that are asked for."""
        closed = self.tools.form is not None and self.tools.form.closed
        ask = self.prompt.ask
        return tuple(
            one for one in self.properties
            if (one.asked if ask is None else one.name in ask) and (one.needed or not closed)
        )  # fmt: skip

    @property
    def missing(self) -> Property | None:
        """What is asked for next."""
        open_ones = (one for one in self.wanted if one.name not in self.facts and one.name not in self.skipped)
        return next(open_ones, None)

    def entered(self, said: Said) -> Property | None:
        """The property that the message tells was keyed in, out of this model's sight."""
        found = _ENTERED.match(said.text) if said.role == "user" else None
        return next(
            (one for one in self.properties if found and one.noun.lower().removeprefix("your ") == found[1].lower()),
            None,
        )

    @property
    def called(self) -> bool:
        """Whether the form was called."""
        return self.tools.form is not None and any(
            name == self.tools.form.tool for one in self.said for name, _ in one.calls
        )

    @property
    def words(self) -> str:
        """What the caller said last, plainly."""
        return plain(self.said[-1].text) if self.said and self.said[-1].role == "user" else ""

    @property
    def last(self) -> str:
        """What was said to the caller last."""
        return next((one.text for one in reversed(self.said) if one.role == "assistant" and one.text), "")

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps that fit what the caller said."""
        everything = {word for one in self.said if one.role == "user" for word in plain(one.text).split()}
        return tuple(step for topics, step in self.prompt.steps if not topics or topics & everything)


def read(
    messages: Sequence[Mapping[str, object]],
    offered: Sequence[Mapping[str, object]],
    unsaved: Mapping[str, Value] | None = None,
) -> Talk:
    """Read a request's messages and tools. `unsaved`: facts that no tool call carries yet."""
    system = "\n".join(_text(one) for one in messages if one.get("role") in ("system", "developer"))
    said = tuple(one for message in messages if (one := _said(message)) is not None)
    blank = Talk(prompt.read(system), tools.read(offered), said)
    facts, latest = _facts(blank)
    known = Talk(blank.prompt, blank.tools, said, {**(unsaved or {}), **facts}, latest)
    return _placed(known)


def _placed(talk: Talk) -> Talk:
    """With what follows from walking through the conversation."""
    skipped: set[str] = set()
    stage, asked, tries = Stage.OPEN, None, 0
    confirmed = was_read = False
    stepped: set[int] = set()
    for one in talk.said:
        if one.role == "assistant" and one.text:
            was_read = was_read or spoken.CONFIRM in one.text
            found = _stage(talk, one.text)
            tries = tries + 1 if found == (stage, asked) else 1
            stage, asked = found
            stepped |= {place for place, step in enumerate(talk.steps) if step in one.text}
        elif one.role == "user":
            text = plain(one.text)
            if stage is Stage.ASK and asked and means(text, Means.SKIP):
                skipped.add(asked.name)
            confirmed = confirmed or (stage is Stage.CONFIRM and means(text, Means.YES))
    return Talk(
        talk.prompt,
        talk.tools,
        talk.said,
        talk.facts,
        talk.latest,
        frozenset(skipped - set(talk.facts)),
        stage,
        asked,
        tries,
        confirmed,
        was_read,
        len(stepped),
    )


def _stage(talk: Talk, text: str) -> tuple[Stage, Property | None]:
    if text.endswith(spoken.MORE):
        return Stage.MORE, None
    if text.endswith((spoken.CONFIRM, spoken.CHANGED)):
        return Stage.CONFIRM, None
    if text.endswith(spoken.CHANGE):
        return Stage.CHANGE, None
    if text.endswith(spoken.HELPED):
        return Stage.STEP, None
    for one in talk.properties:
        if any(put in text for put in (spoken.question(one), spoken.again(one), spoken.again(one, 2))):
            return Stage.ASK, one
    if talk.properties and "?" in text:
        # Another model, or a greeting, asked how it can help: that is what the first free text is about.
        first = next((one for one in talk.properties if one.kind is Kind.WORDS and one.asked), None)
        return Stage.OPEN, first
    return Stage.OPEN, None


def _facts(talk: Talk) -> tuple[dict[str, Value], tuple[str, ...]]:
    facts: dict[str, Value] = {}
    latest: tuple[str, ...] = ()
    name = talk.tools.form.tool if talk.tools.form else ""
    for one in talk.said:
        if (entered := talk.entered(one)) is not None:
            facts[entered.name], latest = spoken.ENTERED, (entered.name,)
        for arguments in (arguments for tool, arguments in one.calls if tool == name):
            told = {key: value for key, value in arguments.items() if isinstance(value, str | int | float | list)}
            facts |= {key: _value(value) for key, value in told.items()}
            latest = tuple(told)
    return facts, latest


def _value(value: object) -> Value:
    if isinstance(value, list):
        return [str(one) for one in value]
    return value if isinstance(value, bool | int | str) else str(value)


def _said(message: Mapping[str, object]) -> Said | None:
    role = str(message.get("role", ""))
    if role not in ("user", "assistant", "tool"):
        return None
    return Said(role, _text(message), tuple(_calls(message.get("tool_calls"))))


def _calls(told: object) -> Iterator[tuple[str, Mapping[str, object]]]:
    for call in told if isinstance(told, list) else []:
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping):
            continue
        try:
            arguments = json.loads(str(function.get("arguments") or "{}"))
        except ValueError:
            arguments = {}
        yield str(function.get("name", "")), arguments if isinstance(arguments, Mapping) else {}


def _text(message: Mapping[str, object]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping)).strip()
    return str(content or "").strip()
