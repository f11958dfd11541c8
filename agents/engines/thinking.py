"""A chain of language models, as one: the next is asked when one fails, or is late with its first word.

Until a word or a tool's call has come, nothing has happened: any of the chain may answer. From then on one answers. When
it breaks off among words, the next answers anew, without what was said already. When it breaks off after a tool was
called, the answer ends there: the tool is doing its work, and the model is asked again with what it did.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from livekit.agents import APIConnectionError, APIConnectOptions, APIError, llm
from livekit.agents.types import NOT_GIVEN, NotGivenOr

from agents.engines.guide import LATE, TRY, Guide
from agents.engines.links import Link
from agents.engines.taking_up import Again
from gateway.tasks import cancelled

FIRST_WITHIN = 4.0
"""Seconds for the first word; who needs longer doesn't answer."""
NEXT_WITHIN = 2.5
"""Seconds between two pieces of an answer."""
LOCAL_LATER = 1.0
"""Seconds more until the local model is asked too: it answers at once, and understands less."""
_ASK = replace(TRY, timeout=FIRST_WITHIN)
"""The plugin's time-out counts for each piece; ours are shorter where they must be."""


class ChainLLM(llm.LLM[Any]):
    """The chain. `hedge`: seconds without a word after which the next is asked too; 0 for never."""

    def __init__(self, links: Sequence[tuple[Link, llm.LLM[Any]]], guide: Guide, hedge: float) -> None:
        super().__init__()
        self.links = [link for link, _ in links]
        self.guide, self.hedge = guide, hedge
        self._models = dict(links)
        for link, engine in links:
            guide.listen(link, engine)
        self.prewarms = True
        """Whether connections are opened ahead. They belong to the loop that runs then: not in one that ends before a call."""
        self.watching: set[asyncio.Task[None]] = set()
        self.doubted: set[Link] = set()
        """Those that were overtaken, of whom it isn't known yet whether they answer at all."""

    @property
    def model(self) -> str:
        """The first one's."""
        return self._models[self.links[0]].model

    @property
    def provider(self) -> str:
        """The first one's."""
        return self._models[self.links[0]].provider

    def of(self, link: Link) -> llm.LLM[Any]:
        """The link's model."""
        return self._models[link]

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = TRY,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
    ) -> llm.LLMStream:
        """Ask; the chain's own time-outs and retries hold, not `conn_options`."""
        more = {"parallel_tool_calls": parallel_tool_calls, "tool_choice": tool_choice, "extra_kwargs": extra_kwargs}
        return _Answer(self, chat_ctx, tools or [], more)

    def prewarm(self, *, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Open the connections, unless `prewarms` says no."""
        if self.prewarms:
            super().prewarm(loop=loop)

    async def _prewarm_impl(self) -> None:
        for link in self.links:
            self._models[link].prewarm()

    async def aclose(self) -> None:
        """Close every model."""
        await cancelled(*self.watching)
        await super().aclose()
        for model in self._models.values():
            await model.aclose()


@dataclass(eq=False)
class _Asked:
    """One model that was asked."""

    link: Link
    stream: llm.LLMStream
    first: asyncio.Task[bool]
    """Whether anything came at all, once a word or a tool's call has come, or the end."""
    chunks: list[llm.ChatChunk] = field(default_factory=list)


class _Answer(llm.LLMStream):
    def __init__(self, chain: ChainLLM, chat_ctx: llm.ChatContext, tools: list[llm.Tool], more: dict[str, Any]) -> None:
        super().__init__(chain, chat_ctx=chat_ctx, tools=tools, conn_options=TRY)
        self._chain, self._more = chain, more
        self._said = ""
        self._called = False

    async def _run(self) -> None:
        guide, links = self._chain.guide, self._chain.links
        left = await guide.order(links)
        while True:
            asked, late = await self._race(left)
            guide.served(links, asked.link, LATE if late else "")
            try:
                await self._pass_on(asked)
            except (APIError, TimeoutError) as bad:
                guide.failed(asked.link, bad)
                if self._called:
                    return
                if not left:
                    guide.gave_up(links)
                    raise _as_api(bad) from bad
            else:
                return
            finally:
                await _close(asked)

    async def _race(self, left: list[Link]) -> tuple[_Asked, bool]:
        """Ask the links, which are taken from `left`, until one answers; whether it overtook one that was trusted."""
        racing = [self._ask(left.pop(0))]
        won: _Asked | None = None
        try:
            while True:
                hedge = self._hedge(racing, left)
                tasks = {one.first for one in racing}
                done, _ = await asyncio.wait(tasks, timeout=hedge, return_when=asyncio.FIRST_COMPLETED)
                for one in [one for one in racing if one.first.done()]:
                    error = _error(one)
                    if error is None:
                        won = one
                        # Who was overtaken may still be asked, should the winner break off.
                        left[:0] = [other.link for other in racing if other is not won]
                        return won, one is not racing[0] and self._chain.guide.trusted(racing[0].link)
                    racing.remove(one)
                    self._chain.guide.failed(one.link, error)
                    await _close(one)
                    if not racing and not left:
                        self._chain.guide.gave_up(self._chain.links)
                        raise _as_api(error) from error
                if left and (not done or not racing):
                    racing.append(self._ask(left.pop(0)))
        finally:
            for one in racing:
                if one is not won:
                    self._leave(one, judge=won is not None)

    def _hedge(self, racing: list[_Asked], left: list[Link]) -> float | None:
        """Seconds without a word until the next is asked too; None for never."""
        alone = not left or any(one.link == left[0] for one in racing)
        if not self._chain.hedge or alone or not self._chain.guide.may_help(left[0]):
            return None
        if racing[0].link in self._chain.doubted or not self._chain.guide.trusted(racing[0].link):
            # It has just kept this caller waiting, or is tried whether it is back: most likely it isn't, and this caller
            # mustn't find that out again.
            return 0.0
        return self._chain.hedge + (LOCAL_LATER if left[0].local else 0.0)

    def _ask(self, link: Link) -> _Asked:
        model = self._chain.of(link)
        stream = model.chat(chat_ctx=self._chat_ctx, tools=self._tools, conn_options=_ASK, **self._more)
        chunks: list[llm.ChatChunk] = []
        return _Asked(link, stream, asyncio.create_task(_first(stream, chunks), name="first word"), chunks)

    def _leave(self, one: _Asked, *, judge: bool) -> None:
        """Let go of one that was overtaken; but see whether it would have answered, so that all know it if it doesn't."""
        task = asyncio.create_task(self._judge(one) if judge else _close(one), name="overtaken")
        self._chain.watching.add(task)
        task.add_done_callback(self._chain.watching.discard)

    async def _judge(self, one: _Asked) -> None:
        self._chain.doubted.add(one.link)
        try:
            await asyncio.wait({one.first})
            if (error := _error(one)) is not None:
                self._chain.guide.failed(one.link, error)
            else:
                self._chain.guide.back(one.link)
        finally:
            self._chain.doubted.discard(one.link)
            await _close(one)

    async def _pass_on(self, asked: _Asked) -> None:
        again = Again(self._said)
        for chunk in asked.chunks:
            self._send(chunk, again)
        if asked.first.result():
            return
        while True:
            async with asyncio.timeout(NEXT_WITHIN):
                try:
                    chunk = await anext(asked.stream)
                except StopAsyncIteration:
                    return
            self._send(chunk, again)

    def _send(self, chunk: llm.ChatChunk, again: Again) -> None:
        if chunk.delta is not None:
            if chunk.delta.content:
                content = again.more(chunk.delta.content)
                self._said += content
                chunk = chunk.model_copy(update={"delta": chunk.delta.model_copy(update={"content": content})})
            self._called = self._called or bool(chunk.delta and chunk.delta.tool_calls)
        self._event_ch.send_nowait(chunk)


async def _first(stream: llm.LLMStream, chunks: list[llm.ChatChunk]) -> bool:
    """Collect until there is a word or a tool's call; whether the answer ended before. Raises APIError or TimeoutError,
    the latter also when it ended without anything."""
    async with asyncio.timeout(FIRST_WITHIN):
        async for chunk in stream:
            chunks.append(chunk)
            if chunk.has_response():
                return False
    if not chunks:
        raise APIConnectionError("the answer was empty")
    return True


def _error(one: _Asked) -> BaseException | None:
    return asyncio.CancelledError() if one.first.cancelled() else one.first.exception()


async def _close(one: _Asked) -> None:
    one.first.cancel()
    await asyncio.wait({one.first})
    await one.stream.aclose()


def _as_api(error: BaseException) -> APIError:
    return error if isinstance(error, APIError) else APIConnectionError("nobody of the chain answers")
