"""The tool by which an agent puts callers through to whom the route allows."""

from __future__ import annotations

from collections.abc import Callable

from livekit.agents import function_tool
from livekit.agents.llm import Tool, Toolset

from agents.words.lines import Say, line_of
from agents.words.tools import transfer
from gateway.conduct.talk.port import Stage


def tools(stage: Stage, leave: Callable[[str], None]) -> list[Tool | Toolset]:
    """The tool for it, where the route allows anybody. `leave`: ends the conversation, for a reason, once what is being said
    was played."""
    if not (stage.brief.transfers or stage.brief.transfers_numbers):
        return []

    async def put_through(raw_arguments: dict[str, object]) -> str:
        no = await stage.transfer(str(raw_arguments.get("to") or ""))
        if no:
            return f"error: {no}."
        leave("the caller is put through")
        return f"say: {line_of(Say.PUT_THROUGH, stage.brief.language)}"

    return [function_tool(put_through, raw_schema=transfer(stage.brief))]
