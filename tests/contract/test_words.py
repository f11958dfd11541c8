"""Words of calls on a real Redis: rendered ahead, asked for, spoken by the house; WAVs of a plan laid ready."""

from __future__ import annotations

import asyncio
import io
import shutil
import time
import wave
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from redis.asyncio import Redis

from gateway.conduct.sound import rendering
from gateway.conduct.sound.ahead import make_ready
from gateway.conduct.sound.house_voice import HouseVoice
from gateway.conduct.sound.prompts import PromptBook
from gateway.conduct.sound.rendering import render_ahead
from gateway.conduct.sound.words import ASK_WITHIN, READ_WITHIN, Audio, Wording
from gateway.conduct.talk.port import Pcm
from gateway.dialplan.state import State
from gateway.errors import Unavailable
from gateway.phone.ears import find_like
from gateway.redis_client import open_client
from gateway.rtp.level import TARGET, active_level
from gateway.terms.catalogue import Line
from tests.unit.dialplan.plans import plan

NOW = datetime(2026, 11, 23, 17, tzinfo=UTC).timestamp()
HELLO = Line("Hello.", "Hello.", "en-US")
TONE = Pcm(8000, (6000 * np.sin(np.arange(8000) * 0.7)).astype("<i2").tobytes())


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def book(redis: Redis) -> PromptBook:
    return PromptBook(redis)


@dataclass
class Voice:
    """A renderer that takes its time."""

    voice: str
    takes: float = 0.0
    down: bool = False
    rendered: list[str] = field(default_factory=list)

    async def render(self, line: Line) -> Pcm:
        await asyncio.sleep(self.takes)
        if self.down:
            raise Unavailable("down")
        self.rendered.append(line.spoken)
        return TONE


def wording(book: PromptBook, house: Voice, **more: object) -> Wording:
    return Wording(book, house, **{"rendered_in": "ai", "language": "en-US", "rate": 8000, **more})  # type: ignore[arg-type]


async def heard(audio: Audio) -> np.ndarray:
    return np.frombuffer(b"".join([piece async for piece in audio.pieces()]), "<i2")


async def test_what_is_ready_is_there_at_once_and_as_loud_as_callers(book: PromptBook) -> None:
    faint = Pcm(24000, (600 * np.sin(np.arange(24000) * 0.2)).astype("<i2").tobytes())
    await book.put("ai", HELLO, faint)
    house = Voice("house")
    samples = await heard(await wording(book, house).get("Hello."))
    assert abs(len(samples) - 8000) < 200
    level = active_level(samples / 32768)
    assert level is not None
    assert abs(level - TARGET) < 1
    assert house.rendered == []


async def test_what_is_asked_for_is_rendered_at_once_while_much_else_is_wanted(book: PromptBook) -> None:
    await book.want([Line(str(number), str(number), "en-US") for number in range(50)], NOW)
    worker, house = Voice("ai", takes=0.1), Voice("house")
    task = asyncio.create_task(render_ahead(book, worker))
    try:
        async with asyncio.timeout(5):
            while not worker.rendered:
                await asyncio.sleep(0.01)
        started = time.monotonic()
        many = [wording(book, house).get("Hello.") for _ in range(3)]
        found = await asyncio.gather(*many)
        assert time.monotonic() - started < 3.0, "fifty others take five seconds"
        assert all([len(await heard(one)) for one in found])
        assert house.rendered == []
    finally:
        task.cancel()
        await asyncio.wait({task})
    assert task.cancelled()


@pytest.mark.parametrize("bad", [ValueError("too long"), RuntimeError("a bug")])
async def test_a_line_that_cannot_be_rendered_holds_up_no_other_and_costs_once(
    book: PromptBook, bad: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "LOOK", 0.01)

    class Choking(Voice):
        tried = 0

        async def render(self, line: Line) -> Pcm:
            if line.spoken == "long":
                self.tried += 1
                raise bad
            return await super().render(line)

    worker = Choking("ai")
    await book.want([HELLO], NOW)
    await book.want([Line("long", "long", "en-US")], NOW + 1)  # what was asked for last comes first
    task = asyncio.create_task(render_ahead(book, worker))
    try:
        async with asyncio.timeout(5):
            while not worker.rendered:
                await asyncio.sleep(0.01)
            later = Line("Later.", "Later.", "en-US")
            await book.want([later], NOW)
            while "Later." not in worker.rendered:
                await asyncio.sleep(0.01)
        assert worker.tried == 1
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_rendering_goes_on_whatever_it_meets(book: PromptBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "LOOK", 0.01)
    monkeypatch.setattr(rendering, "AFTER_FAILURE", 0.01)
    bugs, missing = [RuntimeError("a bug"), RuntimeError("another")], book.missing

    async def fails_twice(voice: str) -> Sequence[Line]:
        if bugs:
            raise bugs.pop()
        return await missing(voice)

    monkeypatch.setattr(book, "missing", fails_twice)
    await book.want([HELLO], NOW)
    worker = Voice("ai")
    task = asyncio.create_task(render_ahead(book, worker))
    try:
        async with asyncio.timeout(5):
            while not worker.rendered:
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_the_house_speaks_when_nobody_renders_and_at_once_the_next_time_but_for_the_asking(
    book: PromptBook,
) -> None:
    house = Voice("house", takes=0.2)
    started = time.monotonic()
    assert len(await heard(await wording(book, house).get("Hello.")))
    assert ASK_WITHIN <= time.monotonic() - started < ASK_WITHIN + 3.0
    assert house.rendered == ["Hello."]
    await wording(book, house).get("Hello.")
    assert house.rendered == ["Hello."], "it is kept"


async def test_the_house_speaks_without_redis(tmp_path: Path) -> None:
    client = Redis.from_url("redis://127.0.0.1:1/0")
    house = Voice("house")
    assert len(await heard(await wording(PromptBook(client), house).get("Hello.")))
    await client.aclose()


async def test_the_house_speaks_soon_while_redis_hangs() -> None:
    async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(hangs, "127.0.0.1", 0)
    client = open_client(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    words = wording(PromptBook(client), Voice("house"))
    started = time.monotonic()
    assert len(await heard(await words.get("Hello.")))
    assert await words.sound(f"wav:{'0' * 64}") is None
    assert time.monotonic() - started < 4 * READ_WITHIN
    await client.aclose()
    server.close()


async def test_nothing_is_heard_when_nobody_can_speak_and_nothing_is_raised(book: PromptBook) -> None:
    assert len(await heard(await wording(book, Voice("house", down=True), rendered_in="").get("Hello."))) == 0


async def test_whoever_stops_waiting_leaves_nothing_behind(book: PromptBook, redis: Redis) -> None:
    task = asyncio.create_task(wording(book, Voice("house", takes=9.0)).get("Hello."))
    async with asyncio.timeout(5):
        while not await redis.llen("offhook:prompts:asked"):
            await asyncio.sleep(0.01)
    before = asyncio.all_tasks()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert asyncio.all_tasks() <= before
    assert await redis.ping()


async def test_the_route_says_how_a_word_sounds(book: PromptBook) -> None:
    house = Voice("house")
    await wording(book, house, rendered_in="", pronounce={"Acme": "ack-mee"}).get("Acme here.")
    assert house.rendered == ["ack-mee here."]


@pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")
async def test_the_houses_own_voice_is_flite() -> None:
    voice = HouseVoice("nova")
    line = Line("Please hold the line.", "Please hold the line.", "en-US")
    made = await voice.render(line)
    assert voice.voice == "house slt"
    assert 0.8 < made.seconds < 3
    narrow = np.frombuffer(made.data, "<i2")[::3]
    again = np.frombuffer((await HouseVoice("slt").render(line)).data, "<i2")[::3]
    assert find_like(narrow, again).score > 0.9


def recording(seconds: float) -> bytes:
    tone = (3000 * np.sin(2 * np.pi * 500 * np.arange(round(seconds * 16000)) / 16000)).astype("<i2")
    with wave.open(held := io.BytesIO(), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(tone.tobytes())
    return held.getvalue()


PLAN = """
offhook: 1
country: US
numbers: {(510) 555-0100: front}
human: callback
routes:
  front: {menu: {say: "Press 1.", 1: other}}
  other: {message: {otherwise: hello.wav, notify: "mailto:a@b.example"}}
"""


async def test_a_plan_is_made_ready(book: PromptBook, redis: Redis, tmp_path: Path) -> None:
    found = plan(tmp_path, PLAN, hello__wav=recording(12.5))
    await make_ready(book, found, State(), NOW)
    assert [line.spoken for line in await book.missing("ai")] == ["Press 1."]
    address = found.sounds["hello.wav"].address
    samples = await heard(await wording(book, Voice("house")).get(address))
    assert len(samples) == 100_000
    level = active_level(samples / 32768)
    assert level is not None
    assert abs(level - TARGET) < 0.5
    wide = await heard(await wording(book, Voice("house"), rate=24000).get(address))
    assert abs(len(wide) - 300_000) < 1000
    await redis.expire(f"offhook:prompt:{address}", 5)
    await make_ready(book, found, State(), NOW + 60)
    assert await redis.ttl(f"offhook:prompt:{address}") > 1000, "what a plan in force needs isn't forgotten"


async def test_a_sound_that_isnt_there_is_nothing(book: PromptBook) -> None:
    assert len(await heard(await wording(book, Voice("house")).get(f"wav:{'0' * 64}"))) == 0
