"""`offhook messages done`: by the stream, on a real Redis, into the records."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.app.records import open_records
from gateway.calls.store.redis_store import RedisStore
from gateway.cli.messages import command
from gateway.config import from_environment
from gateway.records.writer import Writer
from gateway.redis_client import open_client
from gateway.terms.call import CallId
from gateway.terms.event import Event, Kind
from tests.e2e.servers import redis_server


def test_done_is_told_by_the_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with redis_server(tmp_path) as url:
        for name, value in {"OFFHOOK_STATE": str(tmp_path / "state"), "REDIS_URL": url, "COLUMNS": "80"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("DATABASE_URL", raising=False)
        data = {"id": "abcd1234", "file": "abcd1234.ogg", "seconds": 3.0}
        asyncio.run(written(Event(CallId("SCL_x"), Kind.MESSAGE, time.time(), data)))
        assert "abcd1234 ●" in CliRunner().invoke(command, ["list"]).output
        assert "is done, by ben" in CliRunner().invoke(command, ["done", "abcd", "--by", "ben"]).output
        asyncio.run(written())
        assert "abcd1234 ✓" in CliRunner().invoke(command, ["list"]).output
        assert "done already, by ben" in CliRunner().invoke(command, ["done", "SCL_x"]).output


async def written(*events: Event) -> None:
    """What control does: the stream into the records."""
    settings = from_environment({"OFFHOOK_STATE": os.environ["OFFHOOK_STATE"]})
    redis = open_client(os.environ["REDIS_URL"])
    engine = await open_records(settings)
    try:
        store = RedisStore(redis)
        for event in events:
            await store.tell(event)
        await Writer(store, engine).drain()
    finally:
        await redis.aclose()
        await engine.dispose()
