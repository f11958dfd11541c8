"""The agents' voice has one name, whoever asks."""

from __future__ import annotations

import subprocess
import sys

from agents.engines import chains as engines
from agents.registry import renderer
from gateway.config import from_environment

LOCAL = {"OFFHOOK_SPEECH_URL": "http://127.0.0.1:7890"}


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
