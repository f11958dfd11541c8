"""The speaker in a real room, heard by a phone: how soon it is silent, whether words follow without a gap, how loud."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from livekit import api, rtc

from gateway.calls.acts.cues import Heard
from gateway.conduct.sound import play
from gateway.conduct.sound.house_voice import HouseVoice
from gateway.conduct.sound.music import LEVEL
from gateway.conduct.sound.prompts import PromptBook
from gateway.conduct.sound.ringback import AMERICA
from gateway.conduct.sound.speak import Speaker
from gateway.conduct.sound.words import ASK_WITHIN, Wording
from gateway.conduct.talk.port import Pcm
from gateway.phone.call import Call as PhoneCall
from gateway.phone.phone import Phone
from gateway.redis_client import open_client
from gateway.rtp import FRAME, RATE, Arrival
from gateway.rtp.resample import resampled
from gateway.terms.catalogue import Line
from tests.e2e.edge_lab import DIALED, lab
from tests.e2e.rtp_probe import power
from tests.e2e.servers import LiveKit, until

pytestmark = pytest.mark.e2e
Servers = tuple[str, LiveKit]
LOUD = 100.0
"""Root mean square of a packet that isn't silent (−50 dBFS)."""
SILENT_WITHIN = 0.5
"""Seconds from a hush to the last packet that the phone gets of what was heard: 0.12 where a machine has nothing else to
do, several seconds if what was to be said is said to its end."""
LOST = 0.1
"""Share of the sound that a busy machine may lose on the way."""


@dataclass
class House:
    """A call that has been answered by a speaker."""

    phone: PhoneCall
    speaker: Speaker
    book: PromptBook
    told: list[float] = field(default_factory=list)
    """When Heard was told."""
    packets: list[Arrival] = field(default_factory=list)

    def loud(self, since: float) -> list[float]:
        """When packets came that aren't silent."""
        return [one.at for one in self.packets if one.at > since and _level(one) > LOUD]

    def samples(self, start: float, end: float) -> np.ndarray:
        """What came in between, as it was sent."""
        found = sorted((one for one in self.packets if start <= one.at < end), key=lambda one: one.timestamp)
        return np.concatenate([one.samples for one in found]) if found else np.zeros(0, np.int16)

    async def quiet(self, seconds: float = 0.3) -> None:
        """Return once nothing but silence has come for so long."""
        start = time.monotonic()
        await until(lambda: time.monotonic() > max([start, *self.loud(start)]) + seconds)


def _level(arrival: Arrival) -> float:
    return float(np.sqrt(np.mean(arrival.samples.astype(float) ** 2)))


@pytest.fixture
async def house(servers: Servers, tmp_path: Path) -> AsyncIterator[House]:
    redis_url, livekit = servers
    redis = open_client(redis_url)
    book = PromptBook(redis)
    async with lab(tmp_path, redis_url, livekit) as edge:
        address = f"{edge.edge.address[0]}:{edge.edge.address[1]}"
        async with Phone(address) as phone:
            call = await phone.dial(DIALED)
            async with speaking(livekit, await edge.room(0), book, call) as made:
                await call.answered()
                yield made
        await edge.nothing_left()
    await redis.aclose()


@asynccontextmanager
async def speaking(livekit: LiveKit, room: str, book: PromptBook, call: PhoneCall) -> AsyncIterator[House]:
    grants = api.VideoGrants(room_join=True, room=room)
    token = api.AccessToken(livekit.key, livekit.secret).with_identity("house").with_grants(grants).to_jwt()
    joined, source, told = rtc.Room(), play.source(RATE), list[float]()
    await joined.connect(livekit.url, token)
    track = rtc.LocalAudioTrack.create_audio_track("voice", source)
    wording = Wording(book, HouseVoice("nova"), "ai", "en-US", RATE)

    def happened(_: Heard) -> None:
        told.append(time.monotonic())

    try:
        async with (
            play.Track(source, RATE) as voice,
            Speaker(voice, wording, happened, ringing=AMERICA) as speaker,
        ):
            await joined.local_participant.publish_track(track)
            made = House(call, speaker, book, told)
            taken = call.tape.arrival

            def arrival(one: Arrival) -> None:
                made.packets.append(one)
                taken(one)

            call.tape.arrival = arrival  # type: ignore[method-assign]
            yield made
    finally:
        await joined.disconnect()


async def test_a_hush_is_silence_at_the_phone_at_once(house: House) -> None:
    took = []
    for _ in range(5):
        started = time.monotonic()
        house.speaker.sound("music:default")
        await until(lambda started=started: len(house.loud(started)) > 25)
        hushed = time.monotonic()
        house.speaker.hush()
        await house.quiet()
        took.append(max([hushed, *house.loud(hushed)]) - hushed)
    print("hush to silence, ms:", sorted(round(1000 * one) for one in took))
    assert float(np.median(took)) <= SILENT_WITHIN
    assert house.told == []


async def test_words_follow_each_other_without_a_gap_and_their_end_is_told(house: House) -> None:
    tone = (6000 * np.sin(2 * np.pi * 600 * np.arange(RATE) / RATE)).astype("<i2").tobytes()
    for text in ("One.", "Two.", "Three."):
        await house.book.put("ai", Line(text, text, "en-US"), Pcm(RATE, tone))
    started = time.monotonic()
    house.speaker.say("One.\nTwo.")
    house.speaker.say("Three.")
    await until(lambda: house.told)
    await house.quiet()
    heard = house.samples(started, time.monotonic())
    blocks = np.sqrt(np.mean(heard[: len(heard) // 80 * 80].reshape(-1, 80).astype(float) ** 2, axis=1))
    loud = np.flatnonzero(blocks > LOUD)
    print(
        "loud",
        (loud[-1] - loud[0] + 1) / 100,
        "s; silent blocks of 10 ms inside:",
        int(loud[-1] - loud[0] + 1 - len(loud)),
    )
    assert 2.7 <= (loud[-1] - loud[0] + 1) / 100 <= 3.3
    assert len(loud) >= (1 - LOST) * (loud[-1] - loud[0] + 1), "there is a gap"
    assert power(heard[loud[0] * 80 : (loud[-1] + 1) * 80], 600) > 0.9
    assert -0.5 < house.told[0] - house.loud(started)[-1] < 0.5
    assert len(house.told) == 1


async def test_music_is_as_loud_as_it_is_meant_and_never_stops(house: House) -> None:
    house.speaker.sound("music:default")
    started = time.monotonic()
    await until(lambda: len(house.loud(started)) > 50)
    begun = time.monotonic()
    await until(lambda: time.monotonic() > begun + 5)
    heard = house.samples(begun, begun + 5).astype(float) / 32768
    level = 10 * np.log10(np.mean(heard**2))
    print("music at the phone, dBFS:", round(level, 1), "seconds:", len(heard) / RATE)
    assert abs(level - LEVEL) < 3
    assert abs(len(heard) / RATE - 5) < 5 * LOST
    blocks = np.sqrt(np.mean(heard[: len(heard) // FRAME * FRAME].reshape(-1, FRAME) ** 2, axis=1))
    assert np.mean(blocks > LOUD / 32768) > 1 - LOST


async def test_a_wav_of_the_plan_the_ringing_and_the_beep_are_heard(house: House) -> None:
    address = f"wav:{'c' * 64}"
    tone = (3000 * np.sin(2 * np.pi * 700 * np.arange(RATE // 2) / RATE)).astype("<i2").tobytes()
    await house.book.put_sound(address, tone)
    house.speaker.sound(f"music:{address}")
    await house.phone.tone([700], 25, seconds=0.8)
    house.speaker.sound("ringback")
    await house.phone.tone(AMERICA.frequencies, 25, seconds=0.8)
    house.speaker.hush()
    house.speaker.sound("beep")
    await house.phone.tone([1000], 25, seconds=0.25)
    await until(lambda: house.told)


@pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")
async def test_the_house_speaks_by_itself_when_nobody_renders(house: House) -> None:
    text = "All our lines are busy. Please hold, and somebody will be with you soon."
    started = time.monotonic()
    house.speaker.say(text)
    rendered = await HouseVoice("nova").render(Line(text, text, "en-US"))
    narrow = resampled(np.frombuffer(rendered.data, "<i2").astype(float), rendered.rate, RATE)
    await house.phone.line(np.rint(narrow).astype(np.int16), within=25)
    first = next(at for at in house.loud(started))
    print("words after", round(first - started, 2), "s")
    assert ASK_WITHIN <= first - started < ASK_WITHIN + 5
