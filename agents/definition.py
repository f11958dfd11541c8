"""What one agent is: a value that its file declares. Nothing here loads an AI engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydantic import BaseModel

from agents.lines import Say, line_of
from agents.settings import NoSettings, TalkSettings, schema, settle
from gateway.terms.call import Brief, Pool
from gateway.terms.catalogue import AgentCard, Cue, Line, SettingFault
from gateway.terms.spoken import pronounced


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """One agent. A talking one fills everything but `pool`; `runner` names the class that conducts it."""

    name: str
    summary: str
    """One line for an operator."""
    pool: Pool = Pool.AGENTS
    runner: str = "agents.runner:TalkingRunner"
    """`module:Class` of its gateway.conduct.port.AgentRunner, loaded only in a job."""
    settings: type[BaseModel] = TalkSettings
    record: type[BaseModel] | None = None
    """What it finds out, one optional field each; a field's description is a noun phrase: "your name"."""
    offered: tuple[str, ...] = ()
    """Fields of the record that it never asks for, only takes when the caller tells them."""
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
    def digit_nouns(self) -> tuple[str, ...]:
        """How the agent calls what may be keyed in, in lower case: "ticket number"."""
        found = self.record.model_fields.items() if self.record else ()
        wanted = [
            one for _, one in found if isinstance(one.json_schema_extra, dict) and "format" in one.json_schema_extra
        ]
        return tuple((one.description or "").lower().removeprefix("your ") for one in wanted)

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
        *(line(line_of(say, language), words, language, cue) for say, cue in _CUES.items()),
        *(line(line_of(say, language), words, language) for say in Say if say not in _CUES and say is not Say.NOTICE),
    )


_CUES = {Say.SORRY: Cue.SORRY, Say.SORRY_CALLBACK: Cue.SORRY_CALLBACK}


def pronounced_as(brief: Brief) -> Mapping[str, str]:
    """The route's `pronounce`: a word, and how it sounds."""
    given = brief.settings.get("pronounce", {})
    return given if isinstance(given, Mapping) else {}


def opening(definition: Definition, brief: Brief) -> str:
    """The agent's first words: the notice that it is automated, what operators want said, then the greeting."""
    words = (line_of(Say.NOTICE, brief.language), brief.notice, brief.greeting or definition.greeting)
    return " ".join(one for one in words if one)


def line(text: str, pronounce: Mapping[str, str], language: str, cue: Cue | None = None) -> Line:
    """`text` as it is written and as a voice is given it."""
    return Line(text=text, spoken=pronounced(text, pronounce), language=language, cue=cue)
