"""Jobs on real servers: the edge in this process, a worker in its own, and a dispatcher that sends jobs and notes ends."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from livekit import api

from gateway.bus.callstate import CallState, Status
from gateway.calls.store.redis_store import RedisStore
from gateway.phone.call import Call as PhoneCall
from gateway.phone.call import Unmet
from gateway.phone.phone import Phone
from gateway.redis_client import open_client
from gateway.rtp import dtmf
from gateway.terms.call import Brief, Call, CallId, Pool
from gateway.terms.event import Event, Kind
from tests.e2e.edge_lab import DIALED, Lab, lab
from tests.e2e.servers import LiveKit, free_port, until

Servers = tuple[str, LiveKit]
"""Redis' URL, and LiveKit."""
STARTING = 60.0
"""Seconds a worker may take to register and warm its processes, on a busy machine."""


class Worker:
    """`offhook worker --pool house`, in its own process."""

    def __init__(self, process: subprocess.Popen[bytes], http: int, livekit: LiveKit, log: Path) -> None:
        self.process, self._http, self.log = process, http, log
        self._livekit = int(livekit.url.rpartition(":")[2])

    def ready(self) -> bool:
        """Whether it takes calls."""
        return self._get("readyz") is not None

    def calls(self) -> int:
        """Calls it says it conducts."""
        found = re.search(r"^\S*worker_calls (\S+)$", self._get("metrics") or "", re.MULTILINE)
        assert found, "no metric of the worker's calls"
        return int(float(found[1]))

    def family(self) -> list[psutil.Process]:
        """Its children, and theirs."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def jobs(self) -> list[psutil.Process]:
        """The processes that are in a room: they alone are connected to LiveKit."""
        return [child for child in self.family() if self._connected(child)]

    def disowned(self, call: Call) -> bool:
        """Whether a job has left because the call isn't its own any more."""
        return any(
            "another job owns the call" in line and call.id in line for line in self.log.read_text().splitlines()
        )

    def _connected(self, process: psutil.Process) -> bool:
        try:
            there = process.net_connections("tcp")
        except psutil.Error:
            return False
        return any(each.raddr and each.raddr.port == self._livekit for each in there)

    def _get(self, path: str) -> str | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._http}/{path}", timeout=2) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, OSError):
            return None


@contextmanager
def telling_what_was_heard(phone: PhoneCall) -> Iterator[None]:
    """A failure in it tells what the phone has heard from its beginning on, and when."""
    began = time.monotonic()
    try:
        yield
    except (AssertionError, Unmet) as failed:
        failed.add_note(_heard(phone, began))
        raise


def _heard(phone: PhoneCall, began: float) -> str:
    tape, pacing = phone.tape, phone.timeline().pacing
    tones = dtmf.find(tape.between(tape.heard, began, tape.now))
    sounds = [(one.start - began, (one.end or tape.now) - began) for one in tape.speech_heard.stretches]
    told = {
        "answered at": f"{(phone.signalling.answered or 0.0) - began:.2f}",
        "key tones": [f"{one.key} {one.start:.2f}-{one.end:.2f}" for one in tones],
        "keys as events": [f"{one.key} {one.at - began:.2f}" for one in phone.keys],
        "sound": [f"{start:.2f}-{end:.2f}" for start, end in sounds if end > 0],
        "packets": f"{pacing.packets}, {pacing.lost} lost, apart {pacing.p99 / 1000:.3f} at 99 %, {pacing.longest / 1000:.3f} at most",
        "until": f"{tape.now - began:.2f}",
        "the call": f"{phone.signalling.ended_by or 'up'}",
    }
    return "heard, in seconds: " + "; ".join(f"{name} {what}" for name, what in told.items())


def _start(environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    offhook = str(Path(sys.executable).with_name("offhook"))
    command = ["setpriv", "--pdeathsig", "KILL", offhook, "worker", "--pool", "house"]
    with log.open("ab") as output:
        return subprocess.Popen(command, env=environment, stdout=output, stderr=output)


@asynccontextmanager
async def worker(directory: Path, redis_url: str, livekit: LiveKit, **more: str) -> AsyncIterator[Worker]:
    """A worker of the house pool that is ready."""
    http, log = free_port(), directory / f"worker-{time.monotonic_ns()}.log"
    environment = {
        **os.environ,
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.key,
        "LIVEKIT_API_SECRET": livekit.secret,
        "REDIS_URL": redis_url,
        "OFFHOOK_HTTP_PORT": str(http),
        "OFFHOOK_IDLE_JOBS": "2",
        **more,
    }
    process = _start(environment, log)
    made = Worker(process, http, livekit, log)
    try:
        await until(lambda: made.ready() or process.poll() is not None, STARTING)
        assert process.poll() is None, log.read_text()
        yield made
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()


@dataclass
class Desk:
    """Sends a job to each call as it comes, at epoch 1, notes calls' ends, and reads what jobs tell."""

    lab: Lab
    lk: api.LiveKitAPI
    store: RedisStore
    phone: Phone
    events: list[Event] = field(default_factory=list)
    at_epoch: int = 1
    """What dispatches name."""
    sends: bool = True
    sent: int = 0
    """Calls that jobs were sent to as they came."""
    calls: dict[str, Call] = field(default_factory=dict)

    async def dial(self) -> PhoneCall:
        """A call that rings; its job is on its way if the desk sends any."""
        return await self.phone.dial(DIALED)

    async def call(self, number: int = 0) -> Call:
        """The call that came first, second …"""
        await until(lambda: len(self.calls) > number)
        return list(self.calls.values())[number]

    async def dispatch(self, call: Call, epoch: int) -> str:
        """Send a job."""
        metadata = f'{{"call": "{call.id}", "epoch": {epoch}}}'
        asked = api.CreateAgentDispatchRequest(agent_name=Pool.HOUSE.agent_name, room=call.room, metadata=metadata)
        made = await self.lk.agent_dispatch.create_dispatch(asked)
        await self.store.dispatched(call.id, epoch, made.id, time.time())
        return made.id

    async def again(self, call: Call, seen: int) -> Call:
        """What control does for a call whose job is gone: another epoch, nobody else in the room, another job."""
        raised = await self.store.raise_epoch(call.id, seen, time.time())
        assert raised is not None
        for who in await self.agents(call.room):
            await self.lk.room.remove_participant(api.RoomParticipantIdentity(room=call.room, identity=who))
        await self.dispatch(raised, raised.epoch)
        return raised

    async def agents(self, room: str) -> list[str]:
        """Identities of the agents in a room."""
        listed = await self.lk.room.list_participants(api.ListParticipantsRequest(room=room))
        return [who.identity for who in listed.participants if who.kind == api.ParticipantInfo.Kind.AGENT]

    async def no_agent(self, room: str, within: float = 5.0) -> None:
        """Return once no agent is in the room."""
        async with asyncio.timeout(within):
            while await self.agents(room):
                await asyncio.sleep(0.05)

    def kinds(self, call: Call) -> list[str]:
        """What jobs told of a call, in order."""
        return [event.kind.value for event in self.events if event.call == call.id and event.kind is not Kind.ENDED]

    async def told(self, call: Call, kind: Kind, within: float = 10.0) -> Event:
        """The first event of a kind that is told of a call."""
        await until(lambda: kind.value in self.kinds(call), within)
        return next(event for event in self.events if event.call == call.id and event.kind is kind)

    async def send_jobs(self) -> None:
        """Send a job to each call told of, and note its end, for ever."""
        seen: list[CallState] = []
        while True:
            await until(lambda: len(self.lab.told) > len(seen), 3600)
            state = self.lab.told[len(seen)]
            seen.append(state)
            if state.status is Status.INCOMING and state.room and state.identity:
                call = _call(state)
                self.calls[state.call_id] = call
                if await self.store.open(call) and self.sends:
                    await self.dispatch(call, self.at_epoch)
                    self.sent += 1
            elif state.status is Status.DISCONNECTED and state.call_id in self.calls:
                ended = Event(CallId(state.call_id), Kind.ENDED, time.time(), {})
                await self.store.end(CallId(state.call_id), ended)

    async def read_events(self) -> None:
        """Read what is told, for ever."""
        while True:
            found = await self.store.read("test", count=100, wait=1.0)
            self.events.extend(found)
            await self.store.ack(found)


def _call(state: CallState) -> Call:
    return Call(
        id=CallId(state.call_id),
        room=state.room,
        sip_identity=state.identity,
        dialed=state.to_user,
        caller=state.from_user,
        trunk=state.trunk,
        route="line check",
        plan="test",
        pool=Pool.HOUSE,
        brief=Brief("echo"),
        started=time.time(),
    )


@asynccontextmanager
async def desk(directory: Path, redis_url: str, livekit: LiveKit) -> AsyncIterator[Desk]:
    """The edge, a phone and the dispatcher. Nothing may be left of any call in the end."""
    redis, lk = open_client(redis_url), livekit.api()
    await redis.delete("offhook:events", "offhook:lost")
    async with lab(directory, redis_url, livekit) as edge:
        address = f"{edge.edge.address[0]}:{edge.edge.address[1]}"
        async with Phone(address) as phone:
            made = Desk(edge, lk, RedisStore(redis), phone)
            tasks = [asyncio.create_task(made.send_jobs()), asyncio.create_task(made.read_events())]
            try:
                yield made
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
        await edge.nothing_left()
    await lk.aclose()
    await redis.aclose()


@pytest.fixture
async def line(servers: Servers, tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk of the test's own."""
    async with desk(tmp_path, *servers) as made:
        yield made
