"""Messages are written down: a real Redis, LiveKit's Deepgram plugin, the local speech server, files on the disk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from redis.asyncio import Redis

from agents.registry import transcriber
from gateway.app import recording
from gateway.calls.acts.cues import RecordingEnded
from gateway.calls.store.redis_store import RedisStore
from gateway.conduct.messages import salvage, transcripts
from gateway.conduct.messages.tapes import Tapes
from gateway.conduct.messages.transcripts import (
    AT_MOST,
    ELSEWHERE,
    LEASE,
    Transcripts,
    Unheard,
    telling,
    transcribe_messages,
)
from gateway.conduct.sound import opus
from gateway.conduct.talk.port import Pcm
from gateway.conduct.tell import Teller
from gateway.config import from_environment
from gateway.errors import Unavailable
from gateway.metrics import EDGE_ERRORS
from gateway.phone.voice import Voice
from gateway.rtp import RATE, Samples
from gateway.speech.deepgram_file import DeepgramFile
from gateway.speech.pool import Pool
from gateway.terms.act import Record
from gateway.terms.call import CallId
from gateway.terms.event import Event, Kind
from tests.contract.calls import a_call
from tests.contract.test_speech_plugins import on_the_line

CALL = CallId("SCL_message")


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url, socket_timeout=None)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
async def speech_url() -> AsyncIterator[str]:
    async with Pool(1) as pool:
        app = web.Application()
        app.add_routes(DeepgramFile(pool).routes())
        async with TestServer(app) as server, asyncio.timeout(60):
            while pool.why_not_ready:
                await asyncio.sleep(0.02)
            yield str(server.make_url("")).rstrip("/")


def recorded(tapes: Tapes, name: str, sound: Samples) -> None:
    writer = opus.Writer(tapes.begin(CALL, name, because="closed", team="", notify=()), RATE)
    writer.write(sound.tobytes())
    writer.finish()


async def next_event(store: RedisStore, kind: Kind) -> Event:
    async with asyncio.timeout(60):
        while True:
            for event in await store.read("test", count=10, wait=0.5):
                await store.ack([event])
                if event.kind is kind:
                    return event


@pytest.mark.speech
async def test_a_message_is_written_down(redis: Redis, speech_url: str, tmp_path: Path) -> None:
    tapes, store, wanted = Tapes(tmp_path), RedisStore(redis), Transcripts(redis)
    recorded(tapes, "1", on_the_line(await Voice("rms").speak("My name is John Smith.")))
    tape = tapes.keep(CALL, "1", time.time(), because="closed", team="", notify=())
    assert tape is not None
    async with Teller(store, CALL) as teller:
        await telling(teller, wanted, "en-US")(tape)
    assert (await next_event(store, Kind.MESSAGE)).data == tape.event
    settings = from_environment({"OFFHOOK_SPEECH_URL": speech_url})
    working = asyncio.create_task(transcribe_messages(wanted, tapes, transcriber(settings), store))
    try:
        event = await next_event(store, Kind.TRANSCRIBED)
        assert (event.call, event.data) == (CALL, {"id": tape.id, "text": "my name is john smith"})
    finally:
        working.cancel()
        await asyncio.wait({working})


@pytest.mark.speech
async def test_a_long_recording_goes_in_pieces_and_silence_has_no_words(speech_url: str) -> None:
    sentence = on_the_line(await Voice("rms").speak("My name is John Smith."))
    pause = np.zeros(50 * RATE - len(sentence) - RATE // 2, np.int16)
    settings = from_environment({"OFFHOOK_SPEECH_URL": speech_url})
    audio = np.concatenate([sentence, pause, sentence])
    said = await transcriber(settings).transcribe(Pcm(RATE, audio.tobytes()), "en-US")
    assert said == "my name is john smith my name is john smith"
    assert await transcriber(settings).transcribe(Pcm(RATE, bytes(RATE * 4)), "en-US") == ""


async def test_what_hears_may_be_down(redis: Redis) -> None:
    down = transcriber(from_environment({"OFFHOOK_SPEECH_URL": "http://127.0.0.1:9"}))
    with pytest.raises(Unavailable):
        await down.transcribe(Pcm(RATE, bytes(RATE)), "en-US")


class Ears:
    """An engine that fails as often as it is told, then hears."""

    def __init__(self, failures: int) -> None:
        self.failures, self.tries = failures, 0

    async def transcribe(self, audio: Pcm, language: str) -> str:
        self.tries += 1
        if self.tries <= self.failures:
            raise Unavailable("It is down.")
        return f"{audio.seconds:.0f} {language}"


async def test_an_engine_that_was_down_hears_it_later(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcripts, "AFTER_FAILURE", 0.05)
    monkeypatch.setattr(transcripts, "LOOK", 0.05)
    tapes, store, wanted, ears = Tapes(tmp_path), RedisStore(redis), Transcripts(redis), Ears(2)
    recorded(tapes, "1", np.random.default_rng(7).normal(0, 4000, 2 * RATE).astype(np.int16))
    tape = tapes.keep(CALL, "1", time.time(), because="", team="", notify=())
    assert tape is not None
    await wanted.want(Unheard(CALL, tape.id, tape.file, "es", tape.left))
    working = asyncio.create_task(transcribe_messages(wanted, tapes, ears, store))
    try:
        assert (await next_event(store, Kind.TRANSCRIBED)).data == {"id": tape.id, "text": "2 es"}
    finally:
        working.cancel()
        await asyncio.wait({working})
    assert ears.tries == 3
    assert await wanted.take(time.time() + 1e6) is None


async def test_one_is_lent_and_comes_back_unless_it_is_done(redis: Redis) -> None:
    wanted, now = Transcripts(redis), 1000.0
    one, two = (Unheard(CALL, name, f"{name}.ogg", "en", left) for name, left in (("1", 10.0), ("2", 20.0)))
    for message in (two, one, one):
        await wanted.want(message)
    assert await wanted.take(now) == one
    await wanted.want(one)
    assert await wanted.take(now) == two
    assert await wanted.take(now) is None
    await wanted.done(two)
    await wanted.later(two, 0.0)
    assert await wanted.take(now + LEASE + 1) == one
    assert await wanted.take(now + LEASE + 1) is None


async def test_a_file_that_is_elsewhere_is_left_to_others_and_forgotten_after_a_week(
    redis: Redis, tmp_path: Path
) -> None:
    wanted, now = Transcripts(redis), time.time()
    fresh, old = Unheard(CALL, "1", "1.ogg", "en", now), Unheard(CALL, "2", "2.ogg", "en", now - AT_MOST - 1)
    for message in (fresh, old):
        await wanted.want(message)
        assert await wanted.take(now) == message
        await transcripts._transcribe(message, wanted, Tapes(tmp_path), Ears(0), RedisStore(redis))
    assert await wanted.take(now + ELSEWHERE - 1) is None
    assert await wanted.take(now + ELSEWHERE + 5) == fresh
    assert await wanted.take(now + ELSEWHERE + 5) is None


async def test_redis_that_is_gone_is_told() -> None:
    client = Redis.from_url("redis://127.0.0.1:9/0")
    with pytest.raises(Unavailable):
        await Transcripts(client).take(0.0)
    await client.aclose()


async def test_what_a_dead_job_left_becomes_a_message_once_the_caller_is_gone(redis: Redis, tmp_path: Path) -> None:
    tapes, store, wanted = Tapes(tmp_path), RedisStore(redis), Transcripts(redis)
    recorded(tapes, "1", np.random.default_rng(7).normal(0, 4000, 2 * RATE).astype(np.int16))
    await salvage.salvage_once(tapes, store, wanted, time.time())
    assert len(tapes.left_over(4e9)) == 1, "it is too fresh"
    later = time.time() + salvage.AGE + 5
    await salvage.salvage_once(tapes, store, wanted, later)
    event = await next_event(store, Kind.MESSAGE)
    assert (event.call, event.data["because"]) == (CALL, "closed")
    assert tapes.left_over(4e9) == []
    found = await wanted.take(later + 1)
    assert found is not None
    assert found.id == event.data["id"]


async def test_what_a_dead_job_left_stays_while_the_call_lives(redis: Redis, tmp_path: Path) -> None:
    tapes, store = Tapes(tmp_path), RedisStore(redis)
    await store.open(replace(a_call(), id=CALL))
    recorded(tapes, "1", np.random.default_rng(7).normal(0, 4000, 2 * RATE).astype(np.int16))
    await salvage.salvage_once(tapes, store, Transcripts(redis), time.time() + 1000)
    assert len(tapes.left_over(4e9)) == 1


async def test_a_jobs_recorder_tells_of_its_message_and_asks_for_its_words(redis: Redis, tmp_path: Path) -> None:
    ended: asyncio.Queue[RecordingEnded] = asyncio.Queue()

    async def hear(rate: int, frame_ms: int) -> AsyncIterator[bytes]:
        yield np.random.default_rng(7).normal(0, 4000, 2 * rate).astype(np.int16).tobytes()

    settings, call, store = from_environment({"OFFHOOK_MESSAGES": str(tmp_path)}), a_call(), RedisStore(redis)
    act = Record("", because="full", team="desk", notify=("mailto:a@b.cd",))
    async with (
        Teller(store, call.id) as teller,
        recording.recorder(settings, redis, call, teller, hear, ended.put_nowait, act) as recorder,
        asyncio.timeout(20),
    ):
        recorder.start("1")
        assert (await ended.get()).reason == "caller"
        assert await recorder.keep("1", act.because, act.team, act.notify)
    event = await next_event(store, Kind.MESSAGE)
    assert (event.call, event.data["because"], event.data["notify"]) == (call.id, "full", ["mailto:a@b.cd"])
    assert (tmp_path / str(event.data["file"])).is_file()
    wanted = await Transcripts(redis).take(time.time())
    assert wanted is not None
    assert (wanted.id, wanted.file, wanted.language) == (event.data["id"], event.data["file"], call.brief.language)


async def test_a_call_of_another_version_keeps_no_other_message_from_being_salvaged(
    redis: Redis, tmp_path: Path
) -> None:
    tapes, store = Tapes(tmp_path), RedisStore(redis)
    strange = CallId("SCL_strange")
    await store.open(replace(a_call(), id=strange))
    await redis.hset(f"offhook:call:{strange}", "phase", "dreaming")
    noise = np.random.default_rng(7).normal(0, 4000, 2 * RATE).astype(np.int16)
    for call in (strange, CALL):
        writer = opus.Writer(tapes.begin(call, "1", because="closed", team="", notify=()), RATE)
        writer.write(noise.tobytes())
        writer.finish()
    await salvage.salvage_once(tapes, store, Transcripts(redis), time.time() + 1000)
    assert (await next_event(store, Kind.MESSAGE)).call == CALL
    assert [tape.call for tape in tapes.left_over(4e9)] == [strange], "it stays for whoever can read its call"


async def test_the_look_for_left_over_messages_goes_on_whatever_it_meets(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: asyncio.Queue[int] = asyncio.Queue()

    async def look(*_: object) -> None:
        looks.put_nowait(1)
        raise RuntimeError("a bug")

    monkeypatch.setattr(salvage, "LOOK", 0.01)
    monkeypatch.setattr(salvage, "salvage_once", look)
    before = EDGE_ERRORS.labels("salvage")._value.get()
    looking = asyncio.create_task(salvage.salvage_messages(Tapes(tmp_path), RedisStore(redis), Transcripts(redis)))
    try:
        async with asyncio.timeout(5):
            for _ in range(3):
                await looks.get()
    finally:
        looking.cancel()
        await asyncio.wait({looking})
    assert EDGE_ERRORS.labels("salvage")._value.get() >= before + 2


@pytest.mark.parametrize("strange", ["{", '{"call": "x", "mood": "glad"}', "[]"])
async def test_one_that_cannot_be_read_keeps_no_other_from_being_written_down(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strange: str
) -> None:
    monkeypatch.setattr(transcripts, "LOOK", 0.01)
    tapes, store, wanted = Tapes(tmp_path), RedisStore(redis), Transcripts(redis)
    await redis.zadd("offhook:messages:unheard", {strange: 1.0})
    recorded(tapes, "1", np.random.default_rng(7).normal(0, 4000, 2 * RATE).astype(np.int16))
    tape = tapes.keep(CALL, "1", time.time(), because="", team="", notify=())
    assert tape is not None
    await wanted.want(Unheard(CALL, tape.id, tape.file, "es", tape.left))
    working = asyncio.create_task(transcribe_messages(wanted, tapes, Ears(0), store))
    try:
        assert (await next_event(store, Kind.TRANSCRIBED)).data == {"id": tape.id, "text": "2 es"}
    finally:
        working.cancel()
        await asyncio.wait({working})
    assert await redis.zcard("offhook:messages:unheard") == 1, "another version's stays for that one"
