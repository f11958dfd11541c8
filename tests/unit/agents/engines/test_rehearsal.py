"""A process that has rehearsed opens its connections in the call's own loop."""

from __future__ import annotations

from typing import Any

import pytest

from agents.engines import chains as engines
from agents.engines import rehearsal
from gateway.config import from_environment


def test_no_connection_is_opened_in_the_rehearsals_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    warm = engines.warm(from_environment({}))
    opened: list[str] = []
    monkeypatch.setattr(type(warm.llm), "_prewarm_impl", lambda _: opened.append("llm"))
    for voice in warm.tts._voices.values():
        monkeypatch.setattr(voice, "prewarm", lambda: opened.append("tts"))
    seen: list[Any] = []
    monkeypatch.setattr(rehearsal, "StageOutput", lambda voice: seen.append(voice) or rehearsal_output(voice))
    rehearsal.rehearse(warm)
    assert seen, "it was rehearsed"
    assert opened == []
    assert warm.llm.prewarms
    assert warm.tts.prewarms


def rehearsal_output(voice: Any) -> Any:
    from agents.line.media import StageOutput

    return StageOutput(voice)
