"""The dialogue model, as LiveKit's own OpenAI plugin sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from livekit.agents import function_tool
from livekit.agents.llm import ChatContext, FunctionCall, FunctionCallOutput, Tool
from livekit.plugins import openai

from agents.registry import definition
from agents.words.facts import save_schema
from gateway.speech.dialogue.http import MODEL, routes


@pytest.fixture
async def address() -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes(routes())
    async with TestServer(app) as server:
        yield str(server.make_url("/v1"))


async def _save(raw_arguments: dict[str, object]) -> str:
    return "saved"


async def answer(model: openai.LLM, context: ChatContext) -> tuple[str, list[FunctionCall]]:
    """The words and the tool calls of one answer, and that its usage was told."""
    tools: list[Tool] = [function_tool(_save, raw_schema=save_schema(definition("sales")))]
    text, calls, usage = "", [], 0
    async with model.chat(chat_ctx=context, tools=[*tools]) as stream:
        async for chunk in stream:
            if chunk.delta is not None:
                text += chunk.delta.content or ""
                calls += [
                    FunctionCall(call_id=one.call_id, name=one.name, arguments=one.arguments)
                    for one in chunk.delta.tool_calls
                ]
            usage += chunk.usage.total_tokens if chunk.usage else 0
    assert usage > 0
    return text, calls


async def test_the_plugin_gets_words_and_tool_calls(address: str) -> None:
    model = openai.LLM(base_url=address, api_key="local", model="gpt-4.1")
    context = ChatContext.empty()
    context.add_message(role="system", content="You sell.")
    context.add_message(role="assistant", content="How can I help?")
    context.add_message(role="user", content="we need a new phone system")
    text, (call,) = await answer(model, context)
    assert text == ""
    assert call.name == "save_lead"
    assert '"need": "a new phone system"' in call.arguments
    context.items.append(call)
    context.items.append(FunctionCallOutput(call_id=call.call_id, name=call.name, output="saved", is_error=False))
    assert await answer(model, context) == ("I see. What is your name?", [])
    await model.aclose()


async def test_whole_answers_models_and_errors_are_as_openai_gives_them(address: str) -> None:
    async with ClientSession() as session:
        body = {"model": MODEL, "messages": [{"role": "user", "content": "hello"}]}
        async with session.post(f"{address}/chat/completions", json=body) as told:
            choice = (await told.json())["choices"][0]
            assert choice["message"]["role"] == "assistant"
            assert choice["finish_reason"] == "stop"
        async with session.get(f"{address}/models") as told:
            assert [one["id"] for one in (await told.json())["data"]] == [MODEL]
        for bad in ({}, {"messages": []}, {"messages": "x"}):
            async with session.post(f"{address}/chat/completions", json=bad) as told:
                assert told.status == 400
                assert (await told.json())["error"]["type"] == "invalid_request_error"
        async with session.get(f"{address}/models/none") as told:
            assert told.status == 404
