"""The tool by which a model saves what the caller has told: kept at once, so that another job knows it too."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from livekit.agents import function_tool
from livekit.agents.llm import Tool, Toolset

from agents.definition import Definition
from agents.words.facts import Facts, save_schema
from gateway.conduct.talk.port import Stage
from gateway.errors import Unavailable

log = structlog.get_logger(__name__)


def tools(definition: Definition, facts: Facts, stage: Stage, question: Callable[[], str]) -> list[Tool | Toolset]:
    """The tool, which fills `facts`. `question`: what the model is to ask next, of what must be read back; "" for nothing."""

    async def save(raw_arguments: dict[str, object]) -> str:
        wrong = facts.add(raw_arguments)
        try:
            if facts.known:  # what is right is kept, whatever else is wrong
                await stage.learned(definition.kind, facts.told, complete=facts.complete)
        except Unavailable as bad:
            log.error("facts couldn't be kept", why=str(bad))
            return "error: it couldn't be saved; offer a person."
        if wrong:
            return f"error: {wrong}. Ask again."
        return f"say: {say}" if (say := question()) else "saved"

    return [function_tool(save, raw_schema=save_schema(definition, sealed=stage.brief.sealed))]
