"""What the gateway knows of the agents: their names and what a dial plan may set. `agents.registry` fills it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.terms.call import Pool


@dataclass(frozen=True, slots=True)
class AgentCard:
    """One agent as a dial plan sees it."""

    name: str
    summary: str
    """One line for an operator."""
    pool: Pool
    """HOUSE for an agent that needs no AI engine."""
    settings_schema: Mapping[str, object]
    """JSON Schema (object) of the route's `settings`."""
    record_schema: Mapping[str, object]
    """JSON Schema (object) of the lead or ticket it writes; {} for none."""


Catalogue = Mapping[str, AgentCard]
