"""Who asks for a person is understood by the local speech server; where no recognizer answers, that is told soon."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from agents.engines import overhearing as timing
from agents.engines.overhearing import WITHIN, Overhearing
from gateway.conduct.talk.port import Pcm, Wants
from gateway.config import Settings
from gateway.errors import Unavailable
from gateway.phone.voice import Voice
from gateway.rtp import RATE
from tests.contract.test_speech_plugins import Speech, on_the_line, speech

__all__ = ["speech"]

SLACK = 3.0
"""Seconds by which a busy machine may be late."""
PHRASE = Pcm(RATE, bytes(RATE))


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is understood is tested, not how soon: the machine may have other things to do for a second."""
    monkeypatch.setattr(timing, "CONNECT_WITHIN", 10.0)
    monkeypatch.setattr(timing, "WITHIN", 20.0)


def overhearing(*links: str, local: str = "http://127.0.0.1:9") -> Overhearing:
    return Overhearing(
        Settings.model_validate({"OFFHOOK_SPEECH_URL": local, "OFFHOOK_STT_CHAIN": ", ".join(links) or "local"})
    )


@pytest.mark.speech
@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    ("words", "wants"),
    [
        ("A person, please.", True),
        ("Operator.", True),
        ("I want to talk to a human.", True),
        ("Can I speak to a representative?", True),
        ("Person.", True),
        ("Sales, please.", False),
        ("One.", False),
        ("I need help with my ticket.", False),
        ("Please never call me again.", Wants.NO_CALLS),
        ("Stop calling me.", Wants.NO_CALLS),
    ],
)
async def test_the_local_server_understands_who_asks_for_a_person(
    speech: Speech, words: str, wants: bool | Wants
) -> None:
    sound = on_the_line(await Voice("rms").speak(words))
    heard = Pcm(RATE, sound.tobytes())
    assert await overhearing(local=speech.url).wants(heard, "en-US") is (
        wants if isinstance(wants, Wants) else Wants.PERSON if wants else None
    )


class Provider:
    """One that answers as it is told; whom it was asked by."""

    def __init__(self) -> None:
        self.asked: list[web.Request] = []
        self.answer: web.Response | None = None
        self.url = ""

    async def listen(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        if self.answer is None:
            await asyncio.sleep(60)
        assert self.answer is not None
        told, self.answer = self.answer, _saying("a person please")
        return told


def _saying(words: str) -> web.Response:
    return web.json_response({"results": {"channels": [{"alternatives": [{"transcript": words}]}]}})


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    made = Provider()
    app = web.Application()
    app.add_routes([web.post("/v1/listen", made.listen)])
    async with TestServer(app) as server:
        made.url = str(server.make_url("/v1/listen"))
        yield made


@pytest.mark.usefixtures("patient")
async def test_deepgrams_protocol_is_spoken(provider: Provider) -> None:
    provider.answer = _saying("I'd like a real person.")
    named = provider.url.replace("http://", "ws://:secret@") + "?tier=best#nova-2-phonecall"
    assert await overhearing(named).wants(PHRASE, "en-GB")
    (asked,) = provider.asked
    assert asked.headers["Authorization"] == "Token secret"
    assert asked.query == {"tier": "best", "model": "nova-2-phonecall", "language": "en-GB"}
    assert asked.content_type == "audio/wav"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        web.Response(status=500),
        web.Response(status=401, text="no"),
        web.Response(text="<html>"),
        web.json_response({}),
        web.json_response({"results": {"channels": [{"alternatives": []}]}}),
        web.json_response([1]),
    ],
    ids=["nothing", "500", "401", "no JSON", "empty", "no words", "a list"],
)
async def test_whoever_fails_is_told_of_soon_and_the_next_understands(
    provider: Provider, answer: web.Response | None
) -> None:
    provider.answer = answer
    started = time.monotonic()
    with pytest.raises(Unavailable):
        await overhearing(f"bad={provider.url}", "local").wants(PHRASE, "en")
    assert time.monotonic() - started < 2 * WITHIN + SLACK


async def test_who_has_failed_is_asked_last(provider: Provider) -> None:
    provider.answer = _saying("operator")
    ears = overhearing("local", f"good={provider.url}")
    for expected in (1, 2):
        started = time.monotonic()
        assert await ears.wants(PHRASE, "en")
        assert len(provider.asked) == expected
        assert time.monotonic() - started < WITHIN + SLACK


@pytest.mark.usefixtures("patient")
async def test_silence_is_nobody(provider: Provider) -> None:
    provider.answer = _saying("")
    assert not await overhearing(f"good={provider.url}").wants(PHRASE, "en")


@pytest.mark.usefixtures("patient")
async def test_who_wants_no_more_calls_is_told_apart_from_who_wants_a_person(provider: Provider) -> None:
    provider.answer = _saying("Please stop calling me.")
    assert await overhearing(f"good={provider.url}").wants(PHRASE, "en") is Wants.NO_CALLS


@pytest.mark.usefixtures("patient")
async def test_what_people_say_who_are_rung_is_written_down(provider: Provider) -> None:
    provider.answer = _saying("I'll take it.")
    assert await overhearing(f"good={provider.url}").transcribe(PHRASE, "en") == "I'll take it."
