"""A talking agent's runner without a telephone: a session, a room and a store that tests look into."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from livekit.agents.llm import ChatMessage
from livekit.agents.voice import ConversationItemAddedEvent

from agents.definition import Definition
from agents.engines import chains as engines
from agents.line import telephony
from agents.registry import definition
from agents.runner import TalkingRunner
from gateway.calls.shared.spoken import MemorySpoken, Spoken
from gateway.calls.store.memory import MemoryStore
from gateway.conduct.ledger import Ledger
from gateway.conduct.talk.stage import CallStage, Parts
from gateway.conduct.tell import Teller
from gateway.config import Settings
from gateway.errors import Unavailable
from gateway.terms.call import Brief, Call, CallId, Pool
from gateway.terms.event import Event, Kind
from gateway.terms.kept import Kept
from gateway.terms.personal import Number
from gateway.terms.turn import Speaker

SECRET = "a secret of the test's"
BRIEF = Brief("support", sealed=True)
CALL = Call(CallId("SCL_1"), "call-1", "sip_1", Number("+15105550200"), None, "ST_1", "support", "p", Pool.AGENTS,
            BRIEF, 1.0)  # fmt: skip


class Handle:
    async def wait_for_playout(self) -> None:
        pass

    def add_done_callback(self, callback: Callable[[Handle], None]) -> None:
        callback(self)


class Held(Handle):
    def __init__(self, session: Session) -> None:
        self._session, self._cut = session, session.cut

    async def wait_for_playout(self) -> None:
        await self._cut.wait()

    def add_done_callback(self, callback: Callable[[Handle], None]) -> None:
        self._session.when_cut.append(lambda: callback(self))


class Session:
    """What the runner asks of a session, and all that a model would be told."""

    def __init__(self) -> None:
        self.input = self.output = cast(Any, type("Ends", (), {})())
        self.heard: list[str] = []
        self.agent: Any = None
        self.interrupted = 0
        self.replied = asyncio.Event()
        self.cut = asyncio.Event()
        self.when_cut: list[Callable[[], None]] = []
        self._held: list[str] | None = None
        self._on: dict[str, list[Callable[..., None]]] = {}

    def on(self, event: str, handler: Callable[..., None]) -> None:
        self._on.setdefault(event, []).append(handler)

    async def start(self, agent: object) -> None:
        self.agent = agent

    def interrupt(self, *, force: bool) -> None:
        assert force, "what no voice cuts off, a key does"
        self.interrupted += 1
        self.end()

    def end(self) -> None:
        """What is said was played, or is cut off."""
        self.cut.set()
        self.cut, done, self.when_cut = asyncio.Event(), self.when_cut, []
        for told in done:
            told()

    def generate_reply(self, *, user_input: str = "") -> None:
        self.heard.append(user_input)
        self.replied.set()
        if user_input:
            self.added("user", user_input)

    def say(self, text: str, **_: object) -> Handle:
        if self._held is not None:
            self._held.append(text)
            return Held(self)
        self.added("assistant", text)
        return Handle()

    def hold(self) -> list[str]:
        """What is said from now on, none of which is played to its end: it is interrupted."""
        self._held = []
        return self._held

    def added(self, role: Any, text: str) -> None:
        self.emit("conversation_item_added", ConversationItemAddedEvent(item=ChatMessage(role=role, content=[text])))

    def emit(self, event: str, told: object) -> None:
        for handler in self._on[event]:
            cast(Any, handler)(told)

    async def aclose(self) -> None:
        pass


class Prompts:
    async def get(self, *_: object) -> None:
        return None

    async def want(self, *_: object) -> None:
        pass


class Voice:
    rate = 24000


class Room:
    def hear(self, rate: int, frame_ms: int) -> AsyncIterator[bytes]:
        return cast(AsyncIterator[bytes], iter(()))


class Store(MemoryStore):
    fails = False

    def __init__(self) -> None:
        super().__init__(time.monotonic)
        self.told: list[Event] = []

    async def tell(self, event: Event) -> None:
        if self.fails and event.kind is Kind.FACTS:
            raise Unavailable("down")
        self.told.append(event)


class Scene:
    def __init__(self, runner: TalkingRunner, session: Session, store: Store, teller: Teller) -> None:
        self.runner, self.session, self.store, self._teller = runner, session, store, teller

    async def told(self, kind: Kind) -> list[dict[str, Any]]:
        """What was told of it by now."""
        await self.settled()
        if self._teller._waiting:
            await asyncio.wait({self._teller._waiting[-1][1]}, timeout=5)
        return [dict(event.data) for event in self.store.told if event.kind is kind]

    async def press(self, keys: str, number: int = 0) -> None:
        """`number`: of the first, where they have numbers."""
        for place, key in enumerate(keys):
            self.runner.digit(key, number + place if number else 0)
        await self.settled()

    async def heard(self) -> list[Event]:
        """What was told of what goes on beside the turns."""
        await self.told(Kind.HEARD)
        return [event for event in self.store.told if event.kind is Kind.HEARD]

    async def keyed(self) -> list[Event]:
        """The turns that were keyed in."""
        await self.told(Kind.TURN)
        return [event for event in self.store.told if event.data.get("speaker") == Speaker.KEYPAD.value]

    async def settled(self) -> None:
        """Return once nothing goes on beside the conversation."""
        while tasks := self.runner._tasks:
            await asyncio.wait(tasks)


@asynccontextmanager
async def scene(
    monkeypatch: pytest.MonkeyPatch, brief: Brief = BRIEF, agent: Definition | None = None, kept: Kept | None = None,
    *, call: Call = CALL, spoken: Spoken | None = None,
) -> AsyncIterator[Scene]:  # fmt: skip
    """`kept`: what another job has left. `spoken`: what was said on the way here; with it the job talks as any that begins."""
    session, store = Session(), Store()
    monkeypatch.setattr(telephony, "session", lambda *_: session)
    settings = Settings.model_validate({"LIVEKIT_API_SECRET": SECRET, "LIVEKIT_API_KEY": "key"})
    warm = engines.Warm(*cast(Any, (None, None, None, None)))
    runner = TalkingRunner(agent or definition("support"), settings, warm)
    async with Teller(store, CALL.id) as teller:
        ledger = Ledger(store, teller, call, lambda: None)
        parts = Parts(
            call,
            cast(Any, Voice()),
            cast(Any, Room()),
            teller,
            ledger,
            cast(Any, Prompts()),
            "voice",
            spoken or MemorySpoken(time.monotonic),
        )
        stage = CallStage(parts, brief)
        if kept is not None:
            stage.resume(kept, brief.agent)
        await runner.prepare(stage)
        if kept is None and spoken is None:
            runner._early = None
            session.added("assistant", "What is your ticket number?")
        try:
            yield Scene(runner, session, store, teller)
        finally:
            await runner.close()
