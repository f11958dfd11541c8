"""A message left on a real call: the phone, the edge, LiveKit, the recorder; judged on the file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from livekit import api, rtc

from gateway.calls.acts.cues import Begun, Event, Heard, Kept, Key
from gateway.calls.acts.deeds import DropRecording, Finish, KeepRecording, Say, Sound, StartRecording, StopRecording
from gateway.calls.acts.message import LEFT, Leaving, State
from gateway.conduct.events import CallerLeft, Input
from gateway.conduct.messages.record import Recorder
from gateway.conduct.messages.tapes import Tape, Tapes
from gateway.conduct.sfu.mouth import Mouth
from gateway.conduct.sfu.room import CallRoom
from gateway.conduct.sound import opus
from gateway.phone.ears import LIKE, find_like
from gateway.phone.phone import Phone
from gateway.rtp import RATE
from gateway.terms.act import Over, Record
from gateway.terms.call import CallId
from tests.e2e.edge_lab import DIALED, Lab, lab
from tests.e2e.servers import LiveKit, until

pytestmark = pytest.mark.e2e
Servers = tuple[str, LiveKit]
WORDS = "Please call me back about the invoice of last week."


class Desk:
    """Performs the act in the call's room; what it says is not heard, and over at once."""

    def __init__(self, room: CallRoom, directory: Path) -> None:
        self.machine, self.outcome = Leaving(Record("Please speak.", at_most=20.0), "en"), None
        self.kept: list[Tape] = []
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.left = asyncio.Event()
        self.tapes = Tapes(directory)
        self.recorder = Recorder(CallId("SCL_e2e"), self.tapes, room.hear, self._keep, self.events.put_nowait)

    async def _keep(self, tape: Tape) -> None:
        self.kept.append(tape)

    def sees(self, happened: Input) -> None:
        """What happens in the room."""
        if isinstance(happened, CallerLeft):
            self.left.set()

    async def perform(self) -> None:
        self.events.put_nowait(Begun())
        while self.outcome is None:
            await self.take(*self.machine.on(await self.events.get(), time.time()))

    async def take(self, machine: Leaving, effects: object) -> None:
        self.machine = machine
        for effect in effects:
            match effect:
                case Say() | Sound():
                    self.events.put_nowait(Heard())
                case StartRecording(name):
                    self.recorder.start(name)
                case StopRecording():
                    self.recorder.stop()
                case DropRecording(name):
                    self.recorder.drop(name)
                case KeepRecording(name):
                    await self.recorder.keep(name, "closed")
                    self.events.put_nowait(Kept(True))
                case Finish(outcome):
                    self.outcome = outcome


@asynccontextmanager
async def desk(edge: Lab, directory: Path) -> AsyncIterator[tuple[Desk, asyncio.Task[None]]]:
    """A desk in the room of the call that comes."""
    name, livekit, room = await edge.room(0), edge.livekit, rtc.Room()
    grants = api.VideoGrants(room_join=True, room=name)
    token = api.AccessToken(livekit.key, livekit.secret).with_identity("house").with_grants(grants).to_jwt()
    await until(lambda: any(state.identity for state in edge.told))
    caller = next(state.identity for state in edge.told if state.identity)
    made: list[Desk] = []
    ours = CallRoom(
        room, caller, lambda happened: made[0].sees(happened), lambda key: made[0].events.put_nowait(Key(key))
    )
    made.append(Desk(ours, directory))
    try:
        await ours.join(lambda: room.connect(livekit.url, token), Mouth(room, RATE).open)
        async with made[0].recorder:
            performing = asyncio.create_task(made[0].perform())
            try:
                yield made[0], performing
            finally:
                performing.cancel()
                await asyncio.wait({performing})
    finally:
        await room.disconnect()


def holds(desk: Desk, words: np.ndarray) -> bool:
    (tape,) = desk.kept
    return find_like(opus.read(desk.tapes.directory / tape.file), words).score >= LIKE


async def test_a_caller_leaves_a_message_and_ends_it_by_a_key(servers: Servers, tmp_path: Path) -> None:
    async with lab(tmp_path, *servers) as edge, Phone(":".join(map(str, edge.edge.address))) as phone:
        call = await phone.dial(DIALED)
        async with desk(edge, tmp_path / "messages") as (it, performing):
            await call.answered()
            words = await phone.rendering(WORDS)
            await until(lambda: it.machine.state is State.RECORDING)
            await call.say(words, WORDS)
            await call.press("#")
            await until(lambda: it.machine.state is State.OFFER)
            await call.press("#")
            async with asyncio.timeout(10):
                await performing
            assert it.outcome == Over(LEFT)
            assert holds(it, words)
        await call.hang_up()


async def test_a_caller_who_hangs_up_has_left_a_message(servers: Servers, tmp_path: Path) -> None:
    async with lab(tmp_path, *servers) as edge, Phone(":".join(map(str, edge.edge.address))) as phone:
        call = await phone.dial(DIALED)
        async with desk(edge, tmp_path / "messages") as (it, _):
            await call.answered()
            words = await phone.rendering(WORDS)
            await until(lambda: it.machine.state is State.RECORDING)
            await call.say(words, WORDS)
            await call.hang_up()
            async with asyncio.timeout(10):
                await it.left.wait()  # what was said last is on its way until then
            await it.take(*it.machine.gone(time.time()))
            assert it.outcome == Over(LEFT)
            assert holds(it, words)
