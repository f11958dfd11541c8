"""OpenAI's /v1/chat/completions and /v1/models on the dialogue model: whole answers and streams.

Source: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from gateway.metrics import counter
from gateway.speech.dialogue.reply import Reply, reply
from gateway.speech.gone import may_go

MODEL = "offhook-form-1"
REPLIES = counter("dialogue_replies", "Answers of the dialogue model", "kind")
_WORDS = re.compile(r"\S+\s*")


class ChatRequest(BaseModel):
    """The request; what it doesn't name is passed over, as OpenAI does."""

    messages: list[dict[str, object]] = Field(min_length=1)
    model: str = MODEL
    tools: list[dict[str, object]] = []
    tool_choice: object = None
    stream: bool = False
    stream_options: dict[str, object] | None = None


def routes() -> list[web.RouteDef]:
    """For the server."""
    return [
        web.post("/v1/chat/completions", may_go(_chat)),
        web.get("/v1/models", _models),
        web.get("/v1/models/{name}", _model),
    ]


async def _chat(request: web.Request) -> web.StreamResponse:
    try:
        asked = ChatRequest.model_validate_json(await request.read())
    except ValidationError as bad:
        told = bad.errors()[0]
        return _refused(f"{'.'.join(map(str, told['loc'])) or 'body'}: {told['msg']}")
    answer = reply(asked.messages, [] if asked.tool_choice == "none" else asked.tools)
    REPLIES.labels("tools" if answer.calls else "words").inc()
    frame = {"id": f"chatcmpl-{_id(asked.messages)}", "created": int(time.time()), "model": asked.model}
    if not asked.stream:
        return web.json_response(_whole(frame, answer, asked.messages))
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)
    usage = bool(asked.stream_options and asked.stream_options.get("include_usage"))
    for chunk in chunks(frame, answer, asked.messages, usage=usage):
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


def chunks(
    frame: Mapping[str, object], answer: Reply, messages: Sequence[Mapping[str, object]], *, usage: bool
) -> Iterator[dict[str, object]]:
    """The stream's chunks: the text word by word, then the tool calls, then why it ends. Pure."""
    base = {**frame, "object": "chat.completion.chunk"}

    def chunk(delta: Mapping[str, object], finish: str | None = None) -> dict[str, object]:
        return {**base, "choices": [{"index": 0, "delta": dict(delta), "finish_reason": finish}]}

    yield chunk({"role": "assistant", "content": "" if answer.text else None})
    for words in _WORDS.findall(answer.text):
        yield chunk({"content": words})
    for place, call in enumerate(_calls(answer, str(frame["id"]))):
        yield chunk({"tool_calls": [{"index": place, **call}]})
    yield chunk({}, _finish(answer))
    if usage:
        yield {**base, "choices": [], "usage": _usage(answer, messages)}


def _whole(frame: Mapping[str, object], answer: Reply, messages: Sequence[Mapping[str, object]]) -> dict[str, object]:
    message: dict[str, object] = {"role": "assistant", "content": answer.text or None}
    if answer.calls:
        message["tool_calls"] = _calls(answer, str(frame["id"]))
    choice = {"index": 0, "message": message, "finish_reason": _finish(answer)}
    return {**frame, "object": "chat.completion", "choices": [choice], "usage": _usage(answer, messages)}


def _calls(answer: Reply, identity: str) -> list[dict[str, object]]:
    return [
        {
            "id": f"call_{identity[-16:]}_{place}",
            "type": "function",
            "function": {"name": call.tool, "arguments": json.dumps(dict(call.arguments))},
        }
        for place, call in enumerate(answer.calls)
    ]


def _finish(answer: Reply) -> str:
    return "tool_calls" if answer.calls else "stop"


def _usage(answer: Reply, messages: Sequence[Mapping[str, object]]) -> dict[str, int]:
    """Words, since this model has no tokens."""
    given = sum(len(str(message.get("content") or "").split()) for message in messages)
    made = len(answer.text.split()) + 10 * len(answer.calls)
    return {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}


def _id(messages: Sequence[Mapping[str, object]]) -> str:
    return hashlib.sha256(json.dumps(messages, sort_keys=True, default=str).encode()).hexdigest()[:24]


def _described() -> dict[str, object]:
    return {"id": MODEL, "object": "model", "created": 0, "owned_by": "offhook"}


async def _models(_: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [_described()]})


async def _model(request: web.Request) -> web.Response:
    if request.match_info["name"] == MODEL:
        return web.json_response(_described())
    return _refused(f"There is no model '{request.match_info['name']}' here.", status=404)


def _refused(message: str, *, status: int = 400) -> web.Response:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return web.json_response({"error": error}, status=status)
