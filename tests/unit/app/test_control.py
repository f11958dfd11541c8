"""That control begins to serve once what lasts is left out of Python's collections."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.app import control
from gateway.config import Settings

PLAN = "offhook: 1\ntimezone: UTC\nhuman: callback\nnumbers: {otherwise: line}\nroutes: {line: {agent: echo}}\n"


async def test_what_lasts_is_left_out_before_it_serves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done: list[str] = []

    async def serve() -> None:
        done.append("serves")

    plans = tmp_path / "plans"
    plans.mkdir()
    (plans / "main.yaml").write_text(PLAN)
    settings = {
        "LIVEKIT_API_KEY": "key",
        "LIVEKIT_API_SECRET": "a-secret-of-at-least-32-characters",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "OFFHOOK_STATE": tmp_path / "state",
        "OFFHOOK_DIALPLANS": plans,
    }
    monkeypatch.setattr(control.logs, "configure", lambda *_, **__: None)
    monkeypatch.setattr(control.Writer, "drain", lambda _: serve())
    monkeypatch.setattr(control, "Control", lambda *_: SimpleNamespace(run=serve))
    monkeypatch.setattr(control, "settle", lambda: done.append("settles"))
    await control.run(Settings.model_validate(settings))
    assert done[:2] == ["settles", "serves"]
