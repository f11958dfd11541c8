"""Finds the agents: the one module of `agents` that the gateway loads, by name."""

from __future__ import annotations

import importlib

from agents.definition import Definition
from gateway.terms.catalogue import Catalogue

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


def catalogue() -> Catalogue:
    """Every agent's card, by name. Loads no AI engine."""
    return {name: definition(name).card for name in NAMES}
