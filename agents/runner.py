"""A talking agent in a call: gateway.conduct.talk.port.AgentRunner on livekit-agents' AgentSession, without its room."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from livekit.agents import AgentSession, RunContext, function_tool
from livekit.agents.llm import Tool, Toolset
from livekit.agents.voice import CloseEvent, ConversationItemAddedEvent, SpeechHandle

from agents.appointing import Appointing
from agents.definition import Definition, DigitField, greeting, opening, pronounced_as
from agents.engines import chains as engines
from agents.engines.transcribing import Transcribing
from agents.keys.keying import Keying
from agents.keys.keying_on import as_kept, begun_before, so_far
from agents.keys.keypad import NUMBER, Keyed, Keypad, asked_for
from agents.keys.opening import Opening, silences
from agents.keys.sealed_keys import SealedKeys
from agents.keys.sealing import SealingAgent
from agents.line import telephony, watching
from agents.line.media import StageInput, StageOutput
from agents.line.patience import Patience
from agents.talk import checking, saving, to_person, transferring
from agents.talk.answering import led_by_words, words_before
from agents.talk.checking import CheckedAgent, Checking
from agents.talk.endangered import Endangered
from agents.talk.going_on import go_on, opened, returned, unheard, wanted_number
from agents.talk.remembering import Remembering
from agents.talk.to_person import ToPerson
from agents.talk.turns import Added, added
from agents.talk.unwanted import Unwanted
from agents.talk.voice import PLAY_WITHIN, Voice, line_in
from agents.words.facts import Facts
from agents.words.history import KEYED, history
from agents.words.lines import WHOLE, Say, line_of
from agents.words.prompting import asked, instructions
from agents.words.tools import END
from gateway.calls.sealed import Seal
from gateway.conduct.talk.port import Pcm, Stage
from gateway.config import Settings
from gateway.errors import OurFault, Unavailable
from gateway.health.board import Board
from gateway.terms.catalogue import Line
from gateway.terms.keys import PERSON
from gateway.terms.personal import Digits
from gateway.terms.sealed import HIDDEN
from gateway.terms.turn import Speaker

log = structlog.get_logger(__name__)

PASSED_OVER = (Say.KEY_AGAIN, Say.STILL_THERE, Say.STILL_THERE_AGAIN, Say.PERSON_THERE, Say.TIME_NEARLY_UP)
"""Lines that ask for nothing new: what was asked for before still is."""
PRESSED_ZERO = "the caller pressed 0"
_CLOSE_WITHIN = 2.0


class TalkingRunner:
    """One agent in one call."""

    def __init__(self, definition: Definition, settings: Settings, warm: object) -> None:
        if not isinstance(warm, engines.Warm):
            raise OurFault("A talking agent's process wasn't warmed.")
        self._definition, self._settings, self._warm = definition, settings, warm
        self._over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._deserted = False
        """The session was closed, and not by us."""
        self._keying = Keying(self._keyed, self._keying_on)
        self._first_words = Opening(definition.digit_fields, self._press, self._passed_over)
        self._seal: Seal | None = None
        self._remembering: Remembering | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._watch: watching.Watch | None = None
        self._patience: Patience | None = None
        self._board: Board | None = None
        self._checking: Checking | None = None
        self._greeting: Pcm | None = None
        self._early: list[tuple[str, int]] | None = []
        """Keys that came before we were ready, with their numbers; None once we are."""
        self._last_key = 0
        """The number of the key that came last."""
        self._entered = False
        """Something was keyed in to its end."""

    async def prepare(self, stage: Stage) -> None:
        """Connect the engines while the phone rings."""
        brief = stage.brief
        self._stage = stage
        self._seal = Seal(self._settings.sealing_secret) if brief.sealed else None
        self._facts = Facts(self._definition, asked(self._definition, brief))
        self._facts.restore(stage.kept.facts, partial(opened, stage, self._seal))
        self._answers = led_by_words(stage)
        self._opening = line_in(stage, opening(self._definition, brief, greeted=not self._answers))
        self._greeting = await stage.prompt(self._opening)
        for say in WHOLE:
            if say is not Say.NOTICE:
                await stage.prompt(self._line_of(say))
        session = self._session = self._connected(stage)
        self._patience = Patience(session, self._output, stage, self._line_of, self._start, self._settings.hold)
        self._voice = Voice(session, stage, self._patience)
        await self._patience.fetch()
        self._remembering = Remembering(session, stage, partial(as_kept, stage, self._seal))
        appointing = Appointing(session, stage, self._start, self._speak)
        means = to_person.Means(self._speak, self._waits, self._finish, self._after_playing)
        self._to_person = ToPerson(session, stage, appointing, means)
        if (entry := begun_before(stage, self._seal, self._definition)) is not None:
            self._keying.take_up(entry)
            self._to_person.number_wanted = entry.asked is NUMBER
        self._unwanted = Unwanted(session, stage, self._start, lambda say: self._speak(line_of(say, brief.language)))
        self._agent = self._agent_for(session, stage)
        await session.start(self._agent)

    def _connected(self, stage: Stage) -> AgentSession[None]:
        """The session, with its engines, between the caller's sound and the voice."""
        self._output = StageOutput(stage.voice)
        self._board = Board(stage.health, stage.call.id, time.time)
        self._warm.guide.follow(self._board, stage.engine_switched, stage.brief.settings)
        hearing = engines.hearing(self._settings, stage.brief.language, guide=self._warm.guide, ears=self._warm.ears)
        session = telephony.session(self._warm, hearing, pronounced_as(stage.brief))
        self._watch = watching.Watch(session, stage, self._watching())
        session.input.audio = StageInput(stage, engines.TELEPHONE, self._watch.hear)
        session.output.audio = self._output
        session.on("conversation_item_added", self._added)
        session.on("close", self._closed)
        return session

    def _agent_for(self, session: AgentSession[None], stage: Stage) -> CheckedAgent:
        """Who talks in it: the definition's words and tools, what was said before, and what listens beside the model."""
        brief = stage.brief
        tools: list[Tool | Toolset] = [
            *saving.tools(self._definition, self._facts, stage, self._next_question),
            *self._to_person.tools(),
            function_tool(self._end_tool, raw_schema=END),
            *self._unwanted.tools(),
            *transferring.tools(stage, self._after_playing),
        ]
        said = history(stage.turns, stage.kept.facts, self._definition, brief.language)
        kind = SealingAgent if brief.sealed else CheckedAgent
        agent = kind(instructions=instructions(self._definition, brief), tools=tools, chat_ctx=said)
        checks = checking.Means(self._start, partial(self._speak, ahead=False), self._to_person.get)
        agent.endangered = Endangered(session, stage, self._start, partial(self._speak, cut=False))
        agent.checking = self._checking = Checking(self._definition, self._facts, stage, session, checks)
        return agent

    async def converse(self) -> str:
        """Greet, go on, or answer what was said before, and talk until it is over. Raises Unavailable when an engine
        fails."""
        if self._keying.begun:
            self._listen()
        back = returned(self._stage)
        if back and not self._stage.opened:
            line = line_in(self._stage, back)
            self._voice.say(line, await self._stage.prompt(line))
        elif not back and (not self._stage.resumed or (self._answers and unheard(self._stage))):
            self._first_words.begins(self._voice.say(self._opening, self._greeting), self._opening.text)
        if self._answers:
            self._start(self._answer())
        elif self._keying.begun:
            self._start(self._key_on())
        elif self._stage.resumed and not self._entered:
            self._go_on()
        if self._watch is not None:
            self._watch.begin()
        self._listen()
        return await asyncio.shield(self._over)

    def digit(self, key: str, number: int = 0) -> None:
        """A key of the caller's (see `gateway.conduct.talk.port.AgentRunner.digit`)."""
        if self._early is not None:
            self._early.append((key, number))
            return
        if self._watch is not None:
            self._watch.pressed()
        if self._keying.begun or not self._first_words.takes(key, number):
            self._press(key, number)

    async def close(self) -> None:
        """Free everything."""
        if self._remembering is not None:
            self._remembering.stop()
        self._keying.close()
        self._first_words.close()
        for watcher in (self._watch, self._patience):
            if watcher is not None:
                watcher.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if not self._over.done():
            self._over.cancel()
        elif not self._over.cancelled():
            self._over.exception()  # told already, or nobody is there to be told
        session = getattr(self, "_session", None)
        if session is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_WITHIN):
                    await session.aclose()
            await self._output.aclose()
        if self._board is not None:
            await self._warm.guide.leave(self._board)

    def _watching(self) -> watching.Means:
        return watching.Means(
            self._start,
            lambda say: self._voice.ask(say),
            self._idle,
            lambda reason: self._to_person.get(reason),
            self._finish,
        )

    async def _answer(self) -> None:
        """Answer what the caller has said on the way here, and to a job that died over it; else greet them, or go on."""
        words = await words_before(self._stage, Transcribing(self._settings))
        if said := f"{words} {self._stage.kept.unanswered}".strip():
            self._session.generate_reply(user_input=said)
        elif self._stage.resumed:
            self._go_on()
        elif not any(turn.speaker is Speaker.CALLER for turn in self._stage.turns):
            self._say_first(greeting(self._definition, self._stage.brief))

    def _go_on(self) -> None:
        self._to_person.number_wanted = wanted_number(self._stage)
        say = self._say_first if unheard(self._stage) else self._say_again
        go_on(self._stage, self._definition, self._session, say, self._get_person)

    # What the model does, beside what others make tools of.

    def _next_question(self) -> str:
        return self._checking.question() if self._checking is not None else ""

    async def _end_tool(self, context: RunContext[None], raw_arguments: dict[str, object]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PLAY_WITHIN):
                await context.wait_for_playout()
        self._finish("the conversation was over")

    # What the caller does.

    def _asked_for(self) -> DigitField | None:
        """Which digits the last thing that was said asks for."""
        if self._to_person.number_wanted:
            return NUMBER
        if self._checking is not None and (asked := self._checking.field) is not None:
            return asked
        said = [turn.text.reveal() for turn in reversed(self._stage.turns) if turn.speaker is Speaker.AGENT]
        house = frozenset(line_of(say, self._stage.brief.language) for say in PASSED_OVER)
        return asked_for(said, self._definition.digit_fields, house)

    def _keyed(self, keyed: Keyed) -> None:
        self._waits()
        self._entered = True
        if self._remembering is not None:
            self._remembering.whole(self._last_key)
        if keyed.person:
            self._start(self._pressed_zero())
        elif keyed.asked is NUMBER:
            self._start(self._book(keyed.digits))
        elif self._checking is not None and self._checking.keyed(keyed.digits):
            self._noted(keyed.digits)
        elif self._seal is not None:
            parts = (self._definition, self._facts, self._stage, self._seal, self._session)
            self._start(SealedKeys(*parts, self._key_again).take(keyed))
        elif keyed.fault:
            self._start(self._key_again(keyed.digits))
        else:
            self._session.interrupt(force=True)
            self._session.generate_reply(user_input=f"{KEYED} {keyed.digits.reveal()}")

    def _keying_on(self, entry: Keypad) -> None:
        if self._remembering is not None:
            self._remembering.keying(entry, self._last_key)

    def _press(self, key: str, number: int) -> None:
        self._last_key = number or self._last_key
        asked, fields, sealed = self._asked_for(), self._definition.digit_fields, self._seal is not None
        hush = silences(asked, self._agent.saying, fields, sealed=sealed)
        if self._keying.press(key, asked, sure=number > 0, silences=hush):
            self._session.interrupt(force=True)

    def _passed_over(self, number: int) -> None:
        """The key counts as acted on: no job is told it again."""
        self._last_key = number or self._last_key
        self._keying_on(self._keying.entry)

    def _listen(self) -> None:
        """Keys count as they come, those that have come early first."""
        early, self._early = self._early or [], None
        for key, number in early:
            self.digit(key, number)

    async def _key_on(self) -> None:
        """Tell the caller how far another job has heard what they were keying in; the next keys go on with it."""
        self._session.on("agent_state_changed", lambda told: self._keying.listen(told.new_state == "speaking"))
        told = None
        while self._keying.untouched and told != self._keying.entry:  # it may grow until it is heard
            told = self._keying.entry
            await self._speak(so_far(told, self._stage.brief), ahead=False)
        self._keying.wait()

    async def _key_again(self, digits: Digits) -> None:
        self._noted(digits)
        self._session.interrupt(force=True)
        await self._speak(line_of(Say.KEY_AGAIN, self._stage.brief.language))

    def _noted(self, digits: Digits) -> None:
        self._turned(Added(Speaker.KEYPAD, HIDDEN if self._seal is not None else digits.reveal(), time.time(), {}))

    async def _pressed_zero(self) -> None:
        self._turned(Added(Speaker.KEYPAD, PERSON, time.time(), {}))
        await self._to_person.get(PRESSED_ZERO)

    def _get_person(self) -> None:
        self._start(self._to_person.get(PRESSED_ZERO))

    async def _book(self, digits: Digits) -> None:
        self._session.interrupt(force=True)
        # Booking twice books one, so that it may come first: whoever goes on is told the number's last key again.
        await self._to_person.book(digits, partial(self._noted, digits))

    # What the session tells.

    def _added(self, event: ConversationItemAddedEvent) -> None:
        if (turn := added(event.item)) is not None:
            self._turned(turn)

    def _turned(self, turn: Added) -> None:
        remembering, last_key = self._remembering, 0
        if turn.speaker is Speaker.KEYPAD and remembering is not None:
            last_key = remembering.keyed()
        self._stage.said(
            turn.speaker, turn.text, at=turn.at, interrupted=turn.interrupted, latencies=turn.latencies,
            last_key=last_key,
        )  # fmt: skip
        if turn.speaker is Speaker.CALLER:
            self._keying.spoke()
        if turn.speaker is not Speaker.AGENT and remembering is not None:
            remembering.turned()

    def _say_again(self, text: str) -> SpeechHandle:
        return self._voice.say(self._voice.line(text), None)

    def _say_first(self, text: str) -> None:
        """A part of the opening that comes by itself."""
        self._first_words.begins(self._say_again(text), text)

    def _closed(self, event: CloseEvent) -> None:
        if event.error is None:
            # livekit-agents closes the session of a job whose process must end before it says so (1.8.9, `_shutdown_job`):
            # the conversation isn't over, another job takes it up, and whoever conducts the call is told in a moment.
            self._deserted = True
        elif not self._over.done():
            log.error("an engine failed", kind=getattr(event.error, "type", ""))
            self._over.set_exception(Unavailable("An engine of the agent's doesn't answer."))

    # Speaking.

    async def _speak(self, text: str, *, cut: bool = True, ahead: bool = True) -> None:
        await self._voice.speak(text, cut=cut, ahead=ahead)

    def _waits(self) -> None:
        if self._patience is not None:
            self._patience.waits()

    def _line_of(self, say: Say) -> Line:
        return line_in(self._stage, line_of(say, self._stage.brief.language))

    def _after_playing(self, reason: str) -> None:
        """End once what is being said was played."""

        async def end() -> None:
            await self._idle(PLAY_WITHIN)
            self._finish(reason)

        self._start(end())

    async def _idle(self, within: float) -> None:
        """Return once neither side talks, or after `within` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._session.wait_for_idle()

    def _finish(self, reason: str) -> None:
        if not self._over.done():
            self._over.set_result(reason)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (bug := task.exception()) is None:
            return
        if not self._over.done() and not self._deserted:  # nothing can be said any more
            self._over.set_exception(bug)
