"""`offhook dnc`: into the database and, at once, where jobs look."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.dnc import command
from gateway.donotcall.redis_list import RedisDoNotCall
from gateway.redis_client import open_client
from gateway.terms.personal import Number
from tests.e2e.servers import redis_server


def run(*arguments: str) -> str:
    done = CliRunner().invoke(command, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_number_is_entered_listed_and_taken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with redis_server(tmp_path) as url:
        for name, value in {"OFFHOOK_STATE": str(tmp_path / "state"), "REDIS_URL": url, "COLUMNS": "100"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("DATABASE_URL", raising=False)
        assert "Nobody has asked" in run("list")
        assert "is never called again" in run("add", "+1 510-555-0142", "--why", "a letter")
        assert "was on the list already" in run("add", "+15105550142")
        assert asyncio.run(there(url))
        assert "+1 510-555-0142" in run("list")
        assert [one["why"] for one in json.loads(run("list", "--json"))] == ["a letter"]
        assert "may be called again" in run("remove", "+15105550142")
        assert not asyncio.run(there(url))
        assert json.loads(run("list", "--json")) == []


async def there(url: str) -> bool:
    redis = open_client(url)
    try:
        return bool([one for one in await RedisDoNotCall(redis).listed() if one.number == Number("+15105550142")])
    finally:
        await redis.aclose()
