"""What one agent is: a value that its file declares. Nothing here loads an AI engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from pydantic import BaseModel
from pydantic.config import JsonDict

from agents.settings import NoSettings, TalkSettings, schema, settle
from agents.words.lines import WHOLE, Say, danger, line_of
from agents.words.readback import Exact
from gateway.calls.acts.digits import Rules
from gateway.terms.call import Brief, Pool
from gateway.terms.catalogue import AgentCard, Cue, Line, SettingFault
from gateway.terms.spoken import pronounced

_DIGITS, _RULES = "digits", "x-digits"


def digits(rules: Rules = Rules()) -> JsonDict:  # noqa: B008 – frozen
    """The `json_schema_extra` of a record's field that is keyed in: an entry ends at once on the last digit that
    `rules` allow, and what they don't is asked for again."""
    return {"format": _DIGITS, _RULES: asdict(rules)}


def _rules(extra: Mapping[str, object]) -> Rules:
    given = extra.get(_RULES)
    return Rules(**given) if isinstance(given, dict) else Rules()


@dataclass(frozen=True, slots=True)
class DigitField:
    """A field of a record that may be keyed in."""

    name: str
    noun: str
    """As it is asked for, in lower case: "ticket number"."""
    rules: Rules


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """One agent. A talking one fills everything but `pool`; `runner` names the class that conducts it."""

    name: str
    summary: str
    """One line for an operator."""
    pool: Pool = Pool.AGENTS
    runner: str = "agents.runner:TalkingRunner"
    """`module:Class` of its gateway.conduct.talk.port.AgentRunner, loaded only in a job."""
    settings: type[BaseModel] = TalkSettings
    record: type[BaseModel] | None = None
    """What it finds out, one optional field each; a field's description is a noun phrase: "your name"."""
    offered: tuple[str, ...] = ()
    """Fields of the record that it never asks for, only takes when the caller tells them."""
    exact: Mapping[str, Exact] = field(default_factory=dict)
    """Fields of the record that are read back to the letter, and what each is."""
    kind: str = ""
    """What the record is called: "lead" or "ticket"."""
    greeting: str = ""
    """First words after the notice when the route has none."""
    instructions: str = ""
    """For the language model: who it is and what it is to do. The frame adds the rules of the telephone."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of what it may ask for."""
        return tuple(self.record.model_fields) if self.record else ()

    @property
    def asks(self) -> tuple[str, ...]:
        """Of those, the ones it asks for when the route doesn't say; `offered` ones it only takes."""
        return tuple(name for name in self.fields if name not in self.offered)

    @property
    def digit_fields(self) -> tuple[DigitField, ...]:
        """What may be keyed in: the fields whose `json_schema_extra` was made by `digits`."""
        found = self.record.model_fields.items() if self.record else ()
        return tuple(
            DigitField(name, (one.description or name).lower().removeprefix("your "), _rules(one.json_schema_extra))
            for name, one in found
            if isinstance(one.json_schema_extra, dict) and one.json_schema_extra.get("format") == _DIGITS
        )

    @property
    def card(self) -> AgentCard:
        """The agent as a dial plan sees it."""
        return AgentCard(
            name=self.name,
            summary=self.summary,
            pool=self.pool,
            settings_schema=schema(self.settings, self.fields),
            record_schema=self.record.model_json_schema() if self.record else {},
            settle=partial(_settle, self),
            lines=partial(_lines, self),
        )


def _settle(
    definition: Definition, given: Mapping[str, object], directory: Path
) -> tuple[Mapping[str, object], Sequence[SettingFault]]:
    return settle(definition.settings, definition.fields, given, directory)


def _lines(definition: Definition, brief: Brief) -> Sequence[Line]:
    if definition.settings is NoSettings:
        return ()
    words, language = pronounced_as(brief), brief.language
    return (
        line(opening(definition, brief), words, language, Cue.OPENING),
        line(opening(definition, brief, greeted=False), words, language),
        line(danger(brief.country, language), words, language),
        *(line(line_of(say, language), words, language, cue) for say, cue in _CUES.items()),
        *(line(line_of(say, language), words, language) for say in WHOLE if say not in _CUES and say is not Say.NOTICE),
    )


_CUES = {say: Cue(say.value) for say in Say if say.value in {cue.value for cue in Cue}}
"""Those that the gateway says by itself have the name of its cue."""


def pronounced_as(brief: Brief) -> Mapping[str, str]:
    """The route's `pronounce`: a word, and how it sounds."""
    given = brief.settings.get("pronounce", {})
    return given if isinstance(given, Mapping) else {}


def opening(definition: Definition, brief: Brief, *, greeted: bool = True) -> str:
    """The agent's first words: the notices, then the greeting, unless the caller has said already what they want."""
    words = (notices(brief), greeting(definition, brief) if greeted else "")
    return " ".join(one for one in words if one)


def notices(brief: Brief) -> str:
    """That it is automated, and what operators want said."""
    return " ".join(one for one in (line_of(Say.NOTICE, brief.language), brief.notice) if one)


def greeting(definition: Definition, brief: Brief) -> str:
    """The agent's greeting."""
    return brief.greeting or definition.greeting


def line(text: str, pronounce: Mapping[str, str], language: str, cue: Cue | None = None) -> Line:
    """`text` as it is written and as a voice is given it."""
    return Line(text=text, spoken=pronounced(text, pronounce), language=language, cue=cue)
