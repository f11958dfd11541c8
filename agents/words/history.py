"""What was said in the call before this agent came, as a model is told it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal

from livekit.agents import ChatContext
from livekit.agents.llm import FunctionCall, FunctionCallOutput

from agents.definition import Definition
from agents.talk.resuming import conversation
from gateway.terms.lead import CONFIRMED
from gateway.terms.sealed import HIDDEN, is_sealed
from gateway.terms.turn import Speaker, Turn

KEYED = "[keypad]"
"""Begins the message that tells a model what was keyed in."""
KEYED_SEALED = "[keypad:"
"""Begins the message that tells a model that something was, where the route seals it."""


def history(turns: Sequence[Turn], facts: Mapping[str, object], definition: Definition, language: str) -> ChatContext:
    """The conversation so far. `facts`: what another job of the same agent has saved, told as what it was: a tool's
    call. Sealed ones are told of, not told."""
    context = ChatContext.empty()
    open_facts = {name: value for name, value in facts.items() if not is_sealed(value) and name != CONFIRMED}
    if open_facts:
        tool = f"save_{definition.kind}"
        context.insert(FunctionCall(call_id="kept", name=tool, arguments=json.dumps(open_facts)))
        context.insert(FunctionCallOutput(call_id="kept", name=tool, output="saved", is_error=False))
    for one in (one for one in definition.digit_fields if is_sealed(facts.get(one.name))):
        context.add_message(role="user", content=f"{KEYED_SEALED} {one.noun} entered]")
    for turn in conversation(turns, language):
        role: Literal["assistant", "user"] = "assistant" if turn.speaker is Speaker.AGENT else "user"
        text = turn.text.reveal()
        if turn.speaker is Speaker.KEYPAD:
            text = f"{KEYED_SEALED} digits entered]" if text == HIDDEN else f"{KEYED} {text}"
        context.add_message(role=role, content=text)
    return context
