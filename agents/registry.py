"""Finds the agents: the one module of `agents` that the gateway loads, by name."""

from __future__ import annotations

import importlib
from functools import cache

from agents.definition import Definition
from agents.engines.links import chain
from agents.engines.rendering import Rendering
from gateway.conduct.talk.port import AgentRunner, Overhearer, Renderer, Transcriber
from gateway.config import Settings
from gateway.terms.call import Pool
from gateway.terms.catalogue import Catalogue
from gateway.terms.engine import Engine

NAMES = ("sales", "support", "echo")
"""The agents' modules; a new agent is a new file and its name here."""


def definition(name: str) -> Definition:
    """The agent of that name. Raises LookupError when there is none."""
    if name not in NAMES:
        raise LookupError(f"There is no agent '{name}'; there are {', '.join(NAMES)}.")
    found = importlib.import_module(f"agents.{name}").AGENT
    if not isinstance(found, Definition) or found.name != name:
        raise TypeError(f"agents/{name}.py must declare AGENT, a Definition named '{name}'")
    return found


@cache
def catalogue() -> Catalogue:
    """Every agent's card, by name. Loads no AI engine. Made once: it takes a megabyte of memory to describe settings."""
    return {name: definition(name).card for name in NAMES}


def warm(settings: Settings, pool: Pool) -> object:
    """Load what jobs of the pool need, once a process (see gateway.conduct.talk.port.Agents)."""
    importlib.import_module("agents.engines.overhearing")  # what it compiles would hold up a call's beginning
    if pool is Pool.HOUSE:
        return None
    catalogue()
    warmed: object = importlib.import_module("agents.engines.chains").warm(settings)
    importlib.import_module("agents.engines.rehearsal").rehearse(warmed)
    return warmed


def runner(name: str, settings: Settings, warm: object) -> AgentRunner:
    """A new runner of the agent. Raises LookupError when there is none of that name."""
    found = definition(name)
    module, _, kind = found.runner.partition(":")
    build = getattr(importlib.import_module(module), kind)
    made: AgentRunner = build(found, settings, warm)
    return made


def renderer(settings: Settings) -> Renderer:
    """Renders in the voice of the agents. Cheap: it loads an engine only to render.

    Raises SetupFault when the settings of a chain of engines can't be read.
    """
    for engine in Engine:
        chain(engine, settings)
    return Rendering(settings)


def transcriber(settings: Settings) -> Transcriber:
    """Writes recordings down by what the agents hear with."""
    made: Transcriber = importlib.import_module("agents.engines.transcribing").Transcribing(settings)
    return made


def overhearer(settings: Settings) -> Overhearer:
    """Understands phrases, such as who asks for a person. Cheap: it loads no engine."""
    made: Overhearer = importlib.import_module("agents.engines.overhearing").Overhearing(settings)
    return made
