"""A language model that does as a test says: OpenAI's chat completions, each answered by the test's own function."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Messages = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Reply:
    """What the model answers."""

    text: str = ""
    calls: Sequence[tuple[str, Mapping[str, object]]] = ()
    """Tools, with their arguments."""


def said(messages: Messages) -> str:
    """The caller's last words; "" when the last message isn't theirs."""
    last = messages[-1]
    return str(last.get("content") or "") if last.get("role") == "user" else ""


def told(messages: Messages) -> list[str]:
    """What the tools of the last answer have said."""
    after = itertools.takewhile(lambda one: one.get("role") == "tool", reversed(messages))
    return [str(one.get("content") or "") for one in after][::-1]


@dataclass
class ScriptedModel:
    """The model; set `answers` and `seconds` at any time."""

    url: str
    """By which a chain names it."""
    answers: Callable[[Messages], Reply] = lambda _: Reply("Go on.")
    seconds: float = 0.0
    """That an answer takes: its words come one by one, as evenly as those of a model that has too much to do. Whoever waits for the
    first or the next has limits of its own, which many words keep."""
    asked: list[Messages] = field(default_factory=list)
    """Everything that it was asked, the latest last."""
    offered: list[list[str]] = field(default_factory=list)
    """The tools' names, each time."""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One completion, as a stream."""
        body = await request.json()
        self.asked.append(body["messages"])
        self.offered.append([one["function"]["name"] for one in body.get("tools", ())])
        # Whoever has called tools too often in a row is to say something.
        reply = Reply("Go on.") if body.get("tool_choice") == "none" else self.answers(body["messages"])
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        pieces = list(_deltas(reply, len(self.asked), by_word=self.seconds > 0))
        apart = self.seconds / (len(pieces) - 1)
        with suppress(ConnectionError):  # who asked ahead of the caller's last word wants it no more
            for delta, finish in pieces:
                await asyncio.sleep(0.0 if finish else apart)
                chunk = {
                    "id": f"chatcmpl-{len(self.asked)}", "object": "chat.completion.chunk", "created": 0,
                    "model": "scripted", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
                }  # fmt: skip
                await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
            await response.write(b"data: [DONE]\n\n")
        return response


def _deltas(reply: Reply, turn: int, *, by_word: bool) -> Iterator[tuple[dict[str, object], str | None]]:
    first, *more = re.findall(r"\s*\S+", reply.text) if by_word and reply.text else [reply.text]
    yield {"role": "assistant", "content": first or None}, None
    for word in more:
        yield {"content": word}, None
    for place, (name, arguments) in enumerate(reply.calls):
        call = {"id": f"call_{turn}_{place}", "type": "function", "index": place}
        yield {"tool_calls": [{**call, "function": {"name": name, "arguments": json.dumps(arguments)}}]}, None
    yield {}, "tool_calls" if reply.calls else "stop"


@contextmanager
def scripted_model(port: int) -> Iterator[ScriptedModel]:
    """Serve it at a port of this machine, in a thread of its own."""
    model, loop, ready = ScriptedModel(f"http://127.0.0.1:{port}/v1"), asyncio.new_event_loop(), threading.Event()

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", model.serve)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        return runner

    def run() -> None:
        runner = loop.run_until_complete(start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())

    thread = threading.Thread(target=run, name="scripted model", daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield model
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
