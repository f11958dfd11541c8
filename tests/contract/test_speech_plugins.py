"""The speech server, as LiveKit's own Deepgram and OpenAI plugins see it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator

import aiohttp
import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit import rtc
from livekit.agents import stt
from livekit.plugins import deepgram, openai

from gateway.phone.ears import find_like
from gateway.phone.voice import Voice
from gateway.rtp import RATE, Samples, g711
from gateway.rtp.g711 import Codec
from gateway.rtp.resample import resampled
from gateway.speech.deepgram import Deepgram
from gateway.speech.deepgram_file import DeepgramFile
from gateway.speech.flite import Flite
from gateway.speech.openai_speech import OpenAiSpeech
from gateway.speech.pool import Pool


class Speech:
    """A speech server, and a session to reach it by."""

    def __init__(self, server: TestServer, session: aiohttp.ClientSession, pool: Pool) -> None:
        self.url, self.session, self.pool = str(server.make_url("")).rstrip("/"), session, pool

    def stt(self, **more: object) -> deepgram.STT:
        address = self.url.replace("http", "ws", 1) + "/v1/listen"
        return deepgram.STT(base_url=address, api_key="local", http_session=self.session, sample_rate=RATE, **more)


@pytest.fixture
async def speech() -> AsyncIterator[Speech]:
    async with Pool(1) as pool:
        app = web.Application()
        app.add_routes([*Deepgram(pool).routes(), *DeepgramFile(pool).routes(), *OpenAiSpeech(Flite()).routes()])
        async with asyncio.timeout(20), TestServer(app) as server, aiohttp.ClientSession() as session:
            while pool.why_not_ready:
                await asyncio.sleep(0.02)
            yield Speech(server, session, pool)


def on_the_line(sound: Samples) -> Samples:
    """Speech as a telephone carries it, with a little silence around."""
    silence = np.zeros(RATE // 2, np.int16)
    padded = np.concatenate([silence, sound, np.zeros(RATE, np.int16)])
    return g711.decode(g711.encode(padded, Codec.PCMU), Codec.PCMU)


async def heard(recognizer: deepgram.STT, sound: Samples, pace: float = 0.0) -> list[stt.SpeechEvent]:
    """Everything that a stream tells of the sound."""
    events = []
    async with recognizer.stream() as stream:
        for first in range(0, len(sound), 400):
            frame = sound[first : first + 400]
            stream.push_frame(rtc.AudioFrame(frame.tobytes(), RATE, 1, len(frame)))
            await asyncio.sleep(pace)
        stream.end_input()
        async for event in stream:
            events.append(event)
    return events


def finals(events: list[stt.SpeechEvent]) -> str:
    return " ".join(
        event.alternatives[0].text for event in events if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT
    )


@pytest.mark.speech
async def test_the_deepgram_plugin_gets_interim_and_final_words(speech: Speech) -> None:
    sound = on_the_line(await Voice("rms").speak("My name is John Smith."))
    events = await heard(speech.stt(), sound, pace=0.01)
    kinds = [event.type for event in events]
    assert kinds[0] is stt.SpeechEventType.START_OF_SPEECH
    assert stt.SpeechEventType.INTERIM_TRANSCRIPT in kinds
    assert finals(events) == "my name is john smith"
    final = next(event for event in events if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT).alternatives[0]
    assert 0.4 < final.start_time < 0.8
    assert 0 < final.confidence <= 1
    assert [word for word in final.words or ()][-1].end_time > 1.5


@pytest.mark.speech
async def test_digits_are_heard_one_by_one(speech: Speech) -> None:
    sound = on_the_line(await Voice("rms").speak("four one seven two"))
    assert finals(await heard(speech.stt(), sound)) == "four one seven two"


@pytest.mark.speech
async def test_silence_and_noise_are_no_words(speech: Speech) -> None:
    noise = np.random.default_rng(7).normal(0, 60, 3 * RATE).astype(np.int16)
    assert finals(await heard(speech.stt(), noise)) == ""


async def test_another_language_is_refused_with_a_reason(speech: Speech) -> None:
    async with speech.session.get(f"{speech.url}/v1/listen?language=fr") as answer:
        assert answer.status == 400
        assert "hears English" in (await answer.json())["err_msg"]


@pytest.mark.parametrize("query", ["encoding=opus", "sample_rate=11025", "sample_rate=x", "channels=2"])
async def test_a_parameter_that_cannot_be_is_refused(speech: Speech, query: str) -> None:
    async with speech.session.get(f"{speech.url}/v1/listen?{query}") as answer:
        assert answer.status == 400
        assert (await answer.json())["err_code"] == "INVALID_QUERY_PARAMETER"


@pytest.mark.speech
async def test_a_recognizer_that_dies_is_started_again(speech: Speech) -> None:
    (pid,) = speech.pool.pids
    async with speech.session.ws_connect(f"{speech.url}/v1/listen") as socket:
        os.kill(pid, signal.SIGKILL)
        message = await socket.receive(timeout=5)
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data == 1011
    async with asyncio.timeout(10):
        while speech.pool.why_not_ready or speech.pool.pids == [pid]:
            await asyncio.sleep(0.02)
    sound = on_the_line(await Voice("rms").speak("Yes, please."))
    assert "please" in finals(await heard(speech.stt(), sound))


async def test_the_openai_plugin_gets_speech_soon(speech: Speech) -> None:
    text = "Thanks for calling Acme. How can I help you today?"
    tts = openai.TTS(base_url=f"{speech.url}/v1", api_key="local", voice="nova", response_format="pcm")
    started, first, sound = time.monotonic(), 0.0, b""
    async with tts.synthesize(text) as stream:
        async for event in stream:
            first = first or time.monotonic() - started
            sound += bytes(event.frame.data)
    assert 0 < first < 5
    assert tts.sample_rate == 24000
    narrow = resampled(np.frombuffer(sound, "<i2").astype(np.float64), 24000, RATE).astype(np.int16)
    assert np.flatnonzero(np.abs(narrow) > 300)[0] < 0.06 * RATE, "it begins at once"
    reference = await Voice("slt").speak("Thanks for calling Acme.")
    assert find_like(narrow, reference).score > 0.8
    await tts.aclose()


async def test_speech_that_cannot_be_is_refused_as_openai_does(speech: Speech) -> None:
    for body in ({"input": ""}, {"input": "x", "voice": "nobody"}, {"input": "x", "response_format": "mp3"}):
        async with speech.session.post(f"{speech.url}/v1/audio/speech", json=body) as answer:
            assert answer.status == 400
            assert (await answer.json())["error"]["type"] == "invalid_request_error"


async def test_a_wav_is_a_wav(speech: Speech) -> None:
    body = {"input": "Hello.", "response_format": "wav", "speed": 1.5}
    async with speech.session.post(f"{speech.url}/v1/audio/speech", json=body) as answer:
        sound = await answer.read()
    assert sound[:4] == b"RIFF"
    assert len(sound) > 10000


@pytest.mark.parametrize("body", [b"", b"RIFF", b"x" * 100])
async def test_a_recording_that_is_none_is_refused(speech: Speech, body: bytes) -> None:
    async with speech.session.post(f"{speech.url}/v1/listen", data=body) as answer:
        assert answer.status == 400
        assert "WAV" in (await answer.json())["err_msg"]
