"""Tests of where the engines are reached."""

from __future__ import annotations

import subprocess
import sys

import pytest

from agents import engines, where
from agents.registry import renderer
from gateway.config import from_environment

LOCAL = {"OFFHOOK_SPEECH_URL": "http://127.0.0.1:7890"}


@pytest.mark.parametrize(
    ("environment", "listen", "openai"),
    [
        ({}, "ws://127.0.0.1:7890/v1/listen", "http://127.0.0.1:7890/v1"),
        ({"DEEPGRAM_API_KEY": "k"}, "https://api.deepgram.com/v1/listen", "http://127.0.0.1:7890/v1"),
        ({"OPENAI_API_KEY": "k"}, "ws://127.0.0.1:7890/v1/listen", ""),
        ({"OPENAI_BASE_URL": "http://llm/v1"}, "ws://127.0.0.1:7890/v1/listen", "http://llm/v1"),
        ({"OPENAI_BASE_URL": "http://llm/v1", "OPENAI_API_KEY": "k"}, "ws://127.0.0.1:7890/v1/listen", "http://llm/v1"),
        ({"DEEPGRAM_BASE_URL": "wss://stt/v1/listen"}, "wss://stt/v1/listen", "http://127.0.0.1:7890/v1"),
    ],
)
def test_a_key_is_the_cloud_and_an_address_any_server(environment: dict[str, str], listen: str, openai: str) -> None:
    at = where.where(from_environment({**LOCAL, **environment}))
    assert (at.listen, at.openai) == (listen, openai)


def test_a_key_is_no_part_of_what_is_printed() -> None:
    assert "secret-key" not in repr(where.where(from_environment({"OPENAI_API_KEY": "secret-key"})))


def test_another_voice_or_server_is_another_rendering() -> None:
    voices = {
        renderer(from_environment({**LOCAL, **more})).voice
        for more in ({}, {"OFFHOOK_VOICE": "onyx"}, {"OPENAI_API_KEY": "k"}, {"OPENAI_BASE_URL": "http://x/v1"})
    }
    assert len(voices) == 4
    moved = renderer(from_environment({"OFFHOOK_SPEECH_URL": "http://127.0.0.1:1"})).voice
    assert moved == renderer(from_environment(LOCAL)).voice, "the local server speaks alike on any port"


def test_naming_the_voice_loads_no_engine_and_names_the_engines_own() -> None:
    code = (
        "import sys; from agents.registry import renderer; from gateway.config import from_environment; "
        "print(renderer(from_environment({})).voice, [name for name in sys.modules if name.startswith('livekit.plugins')])"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    assert told == f"{engines.Rendering(from_environment({})).voice} []"
