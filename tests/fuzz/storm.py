"""`python -m tests.fuzz.storm [MESSAGES]`: mutated SIP messages at a running edge, while a call goes on.

The edge may not fall, hang or grow, and the call beside it is heard on. After each two hundred an OPTIONS is sent whose
answer is waited for, so that nothing is lost in a full socket, and the edge is known to live. Its seed is printed. What it
holds is looked at three times: before the first message, after the last, and once it has forgotten all (RFC 3261's 64*T1).
What the call's two sides have heard, from the first message to the last, is judged frame by frame.
"""

from __future__ import annotations

import asyncio
import random
import re
import secrets
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np
from livekit import api

from tests.e2e.edge_lab import DIALED, make_trunks
from tests.e2e.edge_process import EdgeProcess, edge_process
from tests.e2e.room_peer import RoomPeer, room_peer
from tests.e2e.rtp_probe import RtpProbe, rtp_probe
from tests.e2e.servers import livekit_server, redis_server, until
from tests.e2e.sipp import sipp
from tests.fuzz.wire import SEEDS, mutated

ATTACKER = "127.0.0.46"
BATCH = 200
"""Messages between two that are waited for: what a socket's buffer surely holds."""
GROWTH = 10.0
"""MB that the edge may have grown by, in the storm and after it."""
FORGETS = 34.0
"""Seconds after which nobody's request is remembered: 64*T1, and a little."""
_TURN = 20
"""Messages after which other tasks get their turn."""
LOUD = 2000
"""What a sample of the call's tones reaches in each frame."""
HEARD = 0.95
"""Share of the frames in which each side must hear the other: the machine is full while this runs."""
_PROBE = (
    "OPTIONS sip:{to} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bKprobe{n};rport\r\nMax-Forwards: 70\r\n"
    "From: <sip:probe@{us}>;tag=p\r\nTo: <sip:{to}>\r\nCall-ID: probe{n}@storm\r\nCSeq: {n} OPTIONS\r\n"
    "Content-Length: 0\r\n\r\n"
)


@dataclass
class Told:
    """How it went."""

    messages: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    """Seconds until a probe was answered, at most."""
    before: float = 0.0
    """MB that the edge held before the first message, with a call under way."""
    most: float = 0.0
    """MB that it held at most, seen at each probe."""
    after: float = 0.0
    """MB that it held once it had forgotten all."""
    answers: Counter[str] = field(default_factory=Counter)
    """Responses, by their status."""
    heard: float = 1.0
    """Share of the frames in which a side of the call heard the other, that of the worse."""
    gap: float = 0.0
    """Seconds without, at most."""

    def line(self) -> str:
        """The summary."""
        told = ", ".join(f"{status}: {times}" for status, times in sorted(self.answers.items()))
        return (
            f"{self.messages} messages in {self.seconds:.0f} s; slowest probe {self.longest * 1000:.0f} ms; "
            f"memory {self.before:.1f} → {self.most:.1f} → {self.after:.1f} MB; the call was heard in {self.heard * 100:.2f} % "
            f"of its frames, longest gap {self.gap * 1000:.0f} ms; answers {told}"
        )


@dataclass
class Tape:
    """What both sides of the call have heard."""

    agent: RoomPeer
    phone: RtpProbe

    def __post_init__(self) -> None:
        self.rewind()

    def rewind(self) -> None:
        """What was heard until now doesn't count."""
        self._agent, self._phone, self._at = len(self.agent.heard), len(self.phone.heard), time.monotonic()

    def judge(self, told: Told) -> None:
        """Write down how well they were heard since."""
        for frames in (self.agent.heard[self._agent :], self.phone.heard[self._phone :]):
            loud = [bool(np.abs(frame).max() > LOUD) for frame in frames]
            wanted = max(1.0, len(loud), (time.monotonic() - self._at) * 50)
            told.heard = min(told.heard, sum(loud) / wanted)
            quiet = (sum(1 for _ in run) for is_loud, run in groupby(loud) if not is_loud)
            told.gap = max(told.gap, 0.02 * max(quiet, default=0))


class _Attacker(asyncio.DatagramProtocol):
    def __init__(self, told: Told) -> None:
        self.told = told
        self.probes: dict[bytes, asyncio.Event] = {}

    def datagram_received(self, data: bytes, addr: object) -> None:
        del addr
        if found := re.match(rb"SIP/2.0 ([1-6][0-9]{2}) ", data):
            self.told.answers[found[1].decode()] += 1
        if (probe := re.search(rb"Call-ID: (probe[0-9]+)@storm", data)) and (event := self.probes.get(probe[1])):
            event.set()


async def storm(edge: EdgeProcess, messages: int, seed: int) -> Told:
    """Send them. Raises TimeoutError when the edge doesn't answer a probe within 10 s."""
    told, draw = Told(messages), random.Random(seed)
    attacker = _Attacker(told)
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.bind((ATTACKER, 5060))
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: attacker, sock=bound)
    began, told.before = time.monotonic(), memory(edge)
    try:
        for number in range(0, messages, BATCH):
            for sent in range(BATCH):
                transport.sendto(mutated(draw.choice(SEEDS["sip"]), draw), edge.address)
                if sent % _TURN == 0:
                    await asyncio.sleep(0)  # the call's two sides are of this process, too
            asked = time.monotonic()
            await _probe(attacker, transport, edge, number)
            told.longest = max(told.longest, time.monotonic() - asked)
            told.most = max(told.most, memory(edge))
        told.seconds = time.monotonic() - began
    finally:
        transport.close()
        await asyncio.sleep(0)  # it frees its port with the loop's next turn
    return told


async def _probe(attacker: _Attacker, transport: asyncio.DatagramTransport, edge: EdgeProcess, number: int) -> None:
    event = attacker.probes[f"probe{number}".encode()] = asyncio.Event()
    to = "{}:{}".format(*edge.address)
    data = _PROBE.format(to=to, us=f"{ATTACKER}:5060", n=number).encode()
    async with asyncio.timeout(10):
        while not event.is_set():
            transport.sendto(data, edge.address)
            try:
                await asyncio.wait_for(event.wait(), 0.5)
            except TimeoutError:
                continue
    del attacker.probes[f"probe{number}".encode()]


def memory(edge: EdgeProcess) -> float:
    """MB that the process holds."""
    status = Path(f"/proc/{edge.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


@asynccontextmanager
async def stormy(directory: Path) -> AsyncIterator[tuple[EdgeProcess, Tape]]:
    """An edge with its servers, and a call whose two sides hear each other, at the beginning and at the end."""
    with redis_server(directory) as redis_url, livekit_server(directory, redis_url) as livekit:
        await make_trunks(livekit)
        async with edge_process(redis_url, livekit) as edge, rtp_probe() as phone:
            fill = {"formats": "0 8 101", "headers": ".", "tag": ""}
            async with sipp(
                directory / "sipp", "call", edge.address, DIALED, rtp=phone.port, pause=3600, fill=fill
            ) as caller:
                phone.tone = 440
                lk = livekit.api()
                try:
                    async with asyncio.timeout(20):
                        while not (rooms := (await lk.room.list_rooms(api.ListRoomsRequest())).rooms):
                            await asyncio.sleep(0.05)
                finally:
                    await lk.aclose()
                async with room_peer(livekit, rooms[0].name) as agent:
                    await agent.hears(440)
                    await phone.hears(600)
                    yield edge, Tape(agent, phone)
                    assert edge.process.returncode is None, "the edge has fallen"
                    await agent.hears(440)
                    await phone.hears(600)
                    caller.go_on()
                    await caller.ended(30)
            await until(lambda: edge.ready() == "ready")


async def _main(messages: int) -> int:
    seed = secrets.randbits(32)
    sys.stdout.write(f"storm: {messages} messages, seed {seed} …\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory() as directory:
        async with stormy(Path(directory)) as (edge, tape):
            tape.rewind()
            told = await storm(edge, messages, seed)
            tape.judge(told)
            await asyncio.sleep(FORGETS)
            told.after = memory(edge)
    grown = max(told.most, told.after) - told.before
    sys.stdout.write(told.line() + "\n")
    if grown > GROWTH:
        sys.stdout.write(f"failed: the edge has grown by {grown:.1f} MB, {GROWTH:g} are allowed.\n")
        return 1
    if told.heard < HEARD:
        sys.stdout.write(f"failed: the call was heard in {told.heard * 100:.2f} % of its frames only.\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(_main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)))
