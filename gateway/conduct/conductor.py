"""Conducts one call: feeds the script with what happens, and does what it says. Every wait in it is bounded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog
from livekit import rtc

from gateway.conduct import play, tones
from gateway.conduct.lease import Lease
from gateway.conduct.port import AgentRunner
from gateway.conduct.prompts import PromptBook
from gateway.conduct.room import CallRoom
from gateway.conduct.script import (
    Apologise,
    Apologised,
    Converse,
    Effect,
    Failed,
    Finished,
    HangUp,
    Input,
    LeaseLost,
    Leave,
    Out,
    Script,
    State,
    Stopping,
    TellAnswered,
    TellHangup,
    TellSwitched,
)
from gateway.conduct.stage import CallStage, Parts
from gateway.conduct.tell import Teller
from gateway.errors import OffhookError, OurFault, Unavailable
from gateway.metrics import EDGE_ERRORS
from gateway.terms.call import Call
from gateway.terms.catalogue import Cue, Lines
from gateway.terms.event import Kind

log = structlog.get_logger(__name__)

PLAY_OUT_WITHIN = 30.0
"""Seconds that the last words may take to be played."""
FLIGHT = 0.35
"""Seconds from our queue to the caller's ear that nobody tells the end of: the room, the SIP service's buffer, the
network and the phone's. Hanging up earlier cuts the last word off."""
LEAVE_WITHIN = 1.0
"""Seconds that leaving the room may take; LiveKit finds out by itself in the end."""
CLOSE_WITHIN = 3.0
"""Seconds an agent gets to free what it holds."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a conductor works with."""

    room: rtc.Room
    connect: Callable[[], Awaitable[None]]
    """Connects the room."""
    leave: Callable[[], Awaitable[None]]
    """Disconnects it."""
    end_call: Callable[[], Awaitable[None]]
    """Deletes the room, which ends the phone call. Raises Unavailable."""
    runner: Callable[[str], AgentRunner]
    """A new runner of an agent; LookupError when there is none."""
    lines: Lines
    """What the agents say word for word."""
    prompts: PromptBook
    rendered_in: str
    """The voice the prompts are rendered in."""
    rate: int
    """Samples a second of the voice."""


class Conductor:
    """One call in one job. `run` returns when the job has nothing more to do in the call's room; `stop` ends it."""

    def __init__(self, call: Call, job: str, lease: Lease, teller: Teller, means: Means) -> None:
        self._call, self._job, self._lease, self._teller, self._means = call, job, lease, teller, means
        self._inputs: asyncio.Queue[Input] = asyncio.Queue()
        self._script = Script.start(call.brief.agent, time.monotonic())
        self._room = CallRoom(means.room, call.sip_identity, self._inputs.put_nowait, self._pressed)
        self._cast: tuple[AgentRunner, asyncio.Task[None]] | None = None
        """The agent, and its getting ready."""
        self._talk: asyncio.Task[None] | None = None
        self._give_back = False

    def stop(self) -> None:
        """The process ends: leave, so that another job takes the call over."""
        self._inputs.put_nowait(Stopping())

    async def run(self) -> None:
        """Conduct the call to its end. The lease must have been taken."""
        source = play.source(self._means.rate)
        async with self._teller, play.Track(source, self._means.rate) as voice:
            means = self._means
            parts = Parts(self._call, voice, self._room, self._teller, means.prompts, means.rendered_in)
            stage = CallStage(parts, self._call.brief)
            self._teller.note(Kind.TAKEN, {"epoch": self._call.epoch, "job": self._job}, time.time())
            keep = asyncio.create_task(self._lease.keep(lambda: self._inputs.put_nowait(LeaseLost())), name="lease")
            join = asyncio.create_task(self._join(source), name="join")
            try:
                with suppress(LookupError):  # no such agent: the caller is told once there is a caller
                    self._ready(stage)
                await self._follow(stage)
            except asyncio.CancelledError:
                self._give_back = True
                raise
            finally:
                await _cancelled(join, self._talk)
                await self._leave()
                await self._close()
                await _cancelled(keep)
                if self._give_back:
                    await self._lease.release()

    async def _follow(self, stage: CallStage) -> None:
        while self._script.state is not State.OVER:
            given = await self._next()
            try:
                now = time.monotonic()
                self._script, effects = self._script.due(now) if given is None else self._script.on(given, now)
            except OurFault as fault:
                EDGE_ERRORS.labels("conductor").inc()
                log.exception("the call's script was broken", why=str(fault))
                continue
            for effect in effects:
                await self._do(effect, stage)

    async def _next(self) -> Input | None:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(_loop_time(self._script.deadline)):
                return await self._inputs.get()
        return None

    async def _do(self, effect: Effect, stage: CallStage) -> None:
        match effect:
            case Converse():
                self._talk = asyncio.create_task(self._converse(stage), name="converse")
            case Apologise(reason):
                log.error("the agent can't go on", agent=self._script.agent, why=reason)
                self._talk = asyncio.create_task(self._apologise(stage), name="apologise")
            case TellAnswered():
                self._teller.note(Kind.ANSWERED, {}, time.time())
            case TellSwitched(agent, reason):
                self._teller.note(Kind.SWITCHED, {"agent": agent, "reason": reason}, time.time())
            case TellHangup(by, reason):
                self._teller.note(Kind.HANGUP, {"by": by.value, "reason": reason}, time.time())
            case HangUp():
                await self._hang_up(stage)
            case Leave(reason, give_back):
                log.info("leaving the room", why=reason)
                self._give_back = give_back

    async def _join(self, source: rtc.AudioSource) -> None:
        try:
            await self._room.join(self._means.connect, source)
        except Unavailable as bad:
            self._inputs.put_nowait(Out(str(bad)))

    def _ready(self, stage: CallStage) -> tuple[AgentRunner, asyncio.Task[None]]:
        """Choose the agent and let it get ready."""
        runner = self._means.runner(stage.brief.agent)
        self._cast = runner, asyncio.create_task(runner.prepare(stage), name="prepare")
        return self._cast

    async def _converse(self, stage: CallStage) -> None:
        try:
            runner, prepared = self._cast or self._ready(stage)
            await prepared
            reason = await runner.converse()
            if switch := stage.switched():
                reason = stage.switch_reason
                await self._close()
            self._inputs.put_nowait(Finished(reason, switch))
        except OffhookError as bad:
            self._inputs.put_nowait(Failed(str(bad)))
        except Exception as bug:  # an agent's code ends here: the caller mustn't suffer its faults
            EDGE_ERRORS.labels("agent").inc()
            log.exception("the agent failed", agent=self._script.agent)
            self._inputs.put_nowait(Failed(type(bug).__name__))

    async def _apologise(self, stage: CallStage) -> None:
        try:
            await self._close()
            stage.voice.clear()
            cue = Cue.SORRY_CALLBACK if await stage.call_back("the agent failed") else Cue.SORRY
            found = [line for line in self._means.lines(self._call.brief) if line.cue is cue]
            audio = await stage.prompt(found[0]) if found else None
            stage.voice.send((audio or tones.reorder(stage.voice.rate)).data)
        except Unavailable as bad:
            log.warning("the caller couldn't be told", why=str(bad))
        self._inputs.put_nowait(Apologised())

    async def _hang_up(self, stage: CallStage) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PLAY_OUT_WITHIN):
                await stage.voice.finish()
                await asyncio.sleep(FLIGHT)
        try:
            await self._means.end_call()
        except Unavailable as bad:
            log.warning("the call couldn't be ended; the caller is left in its room", why=str(bad))

    async def _leave(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_WITHIN):
                await self._means.leave()

    def _pressed(self, key: str) -> None:
        if self._cast is not None:
            self._cast[0].digit(key)

    async def _close(self) -> None:
        """Let go of the agent."""
        cast, self._cast = self._cast, None
        if cast is None:
            return
        runner, prepared = cast
        await _cancelled(prepared)
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                await runner.close()
        except TimeoutError:
            log.warning("the agent didn't close in time", agent=self._script.agent)


async def _cancelled(*tasks: asyncio.Task[None] | None) -> None:
    """Cancel tasks and wait for their end, which is all that is wanted of them."""
    there = {task for task in tasks if task is not None}
    for task in there:
        task.cancel()
    if there:
        await asyncio.wait(there)
        for task in there:
            if not task.cancelled() and (error := task.exception()) is not None:
                log.warning("a task of the call ended badly", task=task.get_name(), why=type(error).__name__)


def _loop_time(deadline: float) -> float | None:
    loop = asyncio.get_running_loop()
    return None if deadline == float("inf") else loop.time() + deadline - time.monotonic()
