"""What one agent is: a value that its file declares. Nothing here loads an AI engine."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydantic import BaseModel

from agents.lines import notice
from agents.settings import NoSettings, TalkSettings, schema, settle
from gateway.terms.call import Brief, Pool
from gateway.terms.catalogue import AgentCard, Line, SettingFault


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
    pronounce = brief.settings.get("pronounce", {})
    words = pronounce if isinstance(pronounce, Mapping) else {}
    return (line(opening(definition, brief), words, brief.language),)


def opening(definition: Definition, brief: Brief) -> str:
    """The agent's first words: the notice that it is automated, then the route's greeting or its own."""
    return f"{notice(brief.language)} {brief.greeting or definition.greeting}".strip()


def line(text: str, pronounce: Mapping[str, str], language: str) -> Line:
    """`text` as it is written and as a voice is given it."""
    return Line(text=text, spoken=pronounced(text, pronounce), language=language)


def pronounced(text: str, pronounce: Mapping[str, str]) -> str:
    """Put the sounds of `pronounce` in place of its words: whole words, in any case, the longest first."""
    if not pronounce:
        return text
    sounds = {word.casefold(): sound for word, sound in pronounce.items()}
    words = "|".join(re.escape(word) for word in sorted(pronounce, key=len, reverse=True))
    return re.sub(rf"(?<!\w)(?:{words})(?!\w)", lambda hit: sounds[hit.group().casefold()], text, flags=re.IGNORECASE)
