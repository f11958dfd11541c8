"""A call with more than two parties on real servers: a caller, phones that are rung, and a job in this process.

Each party sends a tone of its own, so that every frame that any of them gets tells who was heard in it.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from livekit import api, rtc

from gateway.calls.acts.cues import LegAnswered, LegFailed, LegLeft, LegRings
from gateway.calls.acts.deeds import Dial
from gateway.calls.hearing import ATTENDED
from gateway.conduct.legs.legs import Legs
from gateway.conduct.legs.outward import Outward
from gateway.conduct.sfu.hearing import Hearing
from gateway.terms.act import Callee
from gateway.terms.call import Brief, Call, CallId, Pool
from gateway.terms.gap import proof
from gateway.terms.personal import Number
from gateway.trunks.choose import OutboundTrunk
from tests.e2e.dialer import Dialer
from tests.e2e.edge_lab import DIALED, Lab
from tests.e2e.rtp_probe import RATE, RtpProbe
from tests.e2e.servers import LiveKit, until
from tests.e2e.sipp import CALLER, Sipp
from tests.unit.guard.guards import guard

TONES = {"caller": 400.0, "job": 1000.0, "a": 1600.0, "b": 2200.0}
"""Hz; far enough apart that 20 ms tell them from each other."""
_LEAST = 400.0
"""Amplitude, of 8000 that is sent, from which a tone counts as heard."""
Told = LegRings | LegAnswered | LegFailed | LegLeft


_FRAME = 160
_WINDOW = np.hanning(_FRAME)
_BASES = np.stack(
    [np.exp(-2j * np.pi * hertz * np.arange(_FRAME) / RATE) * _WINDOW * 2 / _WINDOW.sum() for hertz in TONES.values()]
)


def heard_in(frames: Sequence[np.ndarray]) -> list[set[str]]:
    """Whose tones are in each of these frames of 20 ms."""
    if not frames:
        return []
    amplitudes = np.abs(np.stack(frames).astype(float) @ _BASES.T)
    return [{who for who, heard in zip(TONES, row, strict=True) if heard >= _LEAST} for row in amplitudes]


@dataclass
class Ear:
    """What one probe has heard, frame by frame."""

    probe: RtpProbe
    mark: int = 0

    def since(self) -> list[set[str]]:
        """Who was heard in each frame since `start`."""
        return heard_in(self.probe.heard[self.mark :])

    def ever(self) -> set[str]:
        """Everybody heard since `start`."""
        return set().union(*self.since())

    def start(self) -> None:
        """Forget what was heard."""
        self.mark = len(self.probe.heard)

    async def hears(self, *who: str, within: float = 10.0) -> None:
        """Return once exactly these were heard in half a second's frames."""
        wanted = set(who)
        await until(lambda: len(self.probe.heard) >= 25 and self._latest() == [wanted] * 25, within)

    def _latest(self) -> list[set[str]]:
        return heard_in(self.probe.heard[-25:])

    def first(self, who: str) -> float:
        """When (monotonic) a party was first heard since `start`."""
        for (at, *_), heard in zip(self.probe.arrivals[self.mark :], self.since(), strict=True):
            if who in heard:
                return at
        raise AssertionError(f"{who} was never heard")


@dataclass
class Job:
    """The job's side of a call."""

    room: rtc.Room
    hearing: Hearing
    legs: Legs
    told: list[tuple[float, Told]] = field(default_factory=list)
    notes: list[dict[str, object]] = field(default_factory=list)
    heard: dict[str, int] = field(default_factory=dict)
    """Frames that the job got, by who was heard in them."""
    connects: bool = False
    """Whether a leg is connected as soon as it has answered."""

    def dial(self, leg: str, address: str, ring_for: float = 20.0, name: str = "") -> None:
        """Ring somebody."""
        self.legs.dial(Dial(leg, Callee(name or leg, address), ring_for))

    async def is_told(self, what: type, leg: str, within: float = 10.0) -> tuple[float, Told]:
        """When (monotonic) something was told of a leg, and what."""
        await until(lambda: self._of(what, leg), within)
        return self._of(what, leg)[0]

    def happened(self, event: Told) -> None:
        """The legs' port: something happened."""
        self.told.append((time.monotonic(), event))
        if self.connects and isinstance(event, LegAnswered):
            self.legs.connect(event.leg)

    def _of(self, what: type, leg: str) -> list[tuple[float, Told]]:
        return [(at, one) for at, one in self.told if isinstance(one, what) and one.leg == leg]


NAMED = ("+15105550111", "sip:ana@one", "sip:bo@two", "sip:ana@nowhere")
"""Whom the plan names."""


@dataclass
class Party:
    """A call in the lab: the caller, answered, and its room."""

    lab: Lab
    dialer: Dialer
    caller: RtpProbe
    sipp: Sipp
    room: str
    identity: str
    trunks: list[OutboundTrunk] = field(default_factory=list)
    direct: bool = True
    """Whether jobs let phones hear each other past LiveKit, as they do where they carry LiveKit's secret."""

    async def trunk(self, name: str, port: int, **more: object) -> None:
        """An outbound trunk to a port of ours."""
        id_ = await self.dialer.trunk(port)
        address = f"127.0.0.1:{port}"
        self.trunks.append(OutboundTrunk(id_, name, address, (DIALED,), **more))

    async def known(self) -> list[OutboundTrunk]:
        """What a job reads."""
        return self.trunks

    @asynccontextmanager
    async def job(self, name: str = "job-1", epoch: int = 1) -> AsyncIterator[Job]:
        """A job that joins the room, sends its tone and attends to the caller."""
        livekit = self.lab.livekit
        grants = api.VideoGrants(room_join=True, room=self.room, can_update_own_metadata=True, agent=True)
        token = api.AccessToken(livekit.key, livekit.secret).with_identity(name).with_kind("agent").with_grants(grants)
        room = rtc.Room()
        call = Call(
            CallId("SCL_test"), self.room, self.identity, Number(DIALED), Number(CALLER), "", "main", "test",
            Pool.HOUSE, Brief("house"), time.time(), epoch=epoch,
        )  # fmt: skip
        async with AsyncExitStack() as stack:
            hearing = await stack.enter_async_context(
                Hearing(
                    room,
                    self.lab.lk.room,
                    self.identity,
                    prove=partial(proof, livekit.secret) if self.direct else None,
                    follows=epoch > 1,
                )
            )
            made: Job
            outward = Outward(self.lab.lk.sip, call, self.known, await guard(call.plan, *NAMED))
            legs = Legs(
                room, self.lab.lk, call, outward, lambda event: made.happened(event),
                hearing=hearing, note=lambda data: made.notes.append(dict(data)),
            )  # fmt: skip
            made = Job(room, hearing, legs)
            tasks: list[asyncio.Task[None]] = []
            room.on("track_subscribed", lambda track, *_: tasks.append(asyncio.create_task(listens(track, made))))
            await room.connect(livekit.url, token.to_jwt())
            try:
                await stack.enter_async_context(legs)
                source = rtc.AudioSource(RATE, 1, queue_size_ms=120)
                track = rtc.LocalAudioTrack.create_audio_track("voice", source)
                await room.local_participant.publish_track(track)
                tasks.append(asyncio.create_task(_tone(source)))
                yield made
            finally:
                await stack.aclose()
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
                await room.disconnect()
                await source.aclose()

    async def end(self) -> None:
        """Delete the room: whoever is in it is hung up."""
        with suppress(api.TwirpError):  # it is gone already
            await self.lab.lk.room.delete_room(api.DeleteRoomRequest(room=self.room))

    async def dialed_legs(self) -> list[str]:
        """Identities of the legs that are in the room."""
        listed = await self.lab.lk.room.list_participants(api.ListParticipantsRequest(room=self.room))
        return sorted(who.identity for who in listed.participants if who.identity.startswith("leg-"))


async def _tone(source: rtc.AudioSource) -> None:
    phase, size = 0, RATE // 50
    while True:
        times = (np.arange(size) + phase) / RATE
        phase += size
        samples = (8000 * np.sin(2 * np.pi * TONES["job"] * times)).astype(np.int16)
        await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, size))


class Hears(Protocol):
    """Whoever counts the frames that it gets."""

    heard: dict[str, int]


async def listens(track: rtc.Track, job: Hears) -> None:
    """Count what comes of a track, until it ends."""
    stream = rtc.AudioStream.from_track(track=track, sample_rate=RATE, num_channels=1, frame_size_ms=20)
    try:
        async for event in stream:
            for who in heard_in([np.frombuffer(event.frame.data, np.int16)])[0]:
                job.heard[who] = job.heard.get(who, 0) + 1
    finally:
        await stream.aclose()


@asynccontextmanager
async def party(lab: Lab, directory: Path, scenario: str = "hung_up_on") -> AsyncIterator[Party]:
    """A caller who rings; a job that joins answers. The room is deleted afterwards."""
    dialer = Dialer(lab, directory)
    async with lab.phone() as probe, lab.caller(scenario, rtp=probe.port) as sipp:
        probe.tone = TONES["caller"]
        room = await lab.room()
        identity = next(state.identity for state in lab.told if state.identity)
        made = Party(lab, dialer, probe, sipp, room, identity)
        try:
            yield made
        finally:
            await made.end()


def received(sipp: Sipp, method: str) -> float:
    """When (seconds since the epoch) a SIPp received a request first, by its own trace."""
    return _traced(sipp, rf"message received \[\d+\] bytes :\s+{method} ")


def sent(sipp: Sipp, what: str) -> float:
    """When it sent a message that begins so."""
    return _traced(sipp, rf"message sent \(\d+ bytes\):\s+{what}")


def _traced(sipp: Sipp, pattern: str) -> float:
    text = "".join(file.read_text(errors="replace") for file in sipp.directory.glob("*messages*"))
    for entry in re.split(r"-{20,} ", text)[1:]:
        if re.search(pattern, entry):
            return datetime.fromisoformat(entry.split("\n", 1)[0].strip().replace("\t", " ")[:26]).timestamp()
    raise AssertionError(f"SIPp's trace has nothing like {pattern}")


async def attended(job: Job, caller: RtpProbe) -> Ear:
    """The caller hears the job, and nobody else."""
    job.hearing.set(ATTENDED)
    ear = Ear(caller)
    await ear.hears("job")
    return ear


__all__ = ["Ear", "Job", "LiveKit", "Party", "attended", "heard_in", "party", "received", "sent"]
