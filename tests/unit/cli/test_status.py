"""`offhook status` on the teams, with a real Redis."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.calls.people.redis_members import RedisMembers
from gateway.calls.people.redis_roster import RedisRosters
from gateway.calls.people.roster import Roster
from gateway.cli import main as front
from gateway.redis_client import open_client
from gateway.terms.act import Callee
from gateway.terms.call import CallId
from tests.e2e.servers import redis_server


@pytest.fixture
def busy(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A team with a call that talks, one that waits, and a team of nobody."""
    with redis_server(tmp_path) as url:
        asyncio.run(fill(url))
        monkeypatch.setenv("REDIS_URL", url)
        yield


async def fill(url: str) -> None:
    now, talks, waits = time.time(), CallId("SCL_1"), CallId("SCL_2")
    client = open_client(url)
    await client.sadd("offhook:live", talks, waits)
    await RedisRosters(client).put(
        {
            "desk": Roster("desk", (Callee("ana", "+15105550111"), Callee("ben", "sip:ben@pbx"))),
            "night": Roster("night"),
        }
    )
    members = RedisMembers(client)
    await members.beat(talks, 1, "desk", now - 200, ["ana"], now)
    await members.reserve(talks, 1, "desk", ["ana"], now, everyone=False, wrap_up=0.0, day="")
    await members.leave(talks, 1, "desk", now - 130)
    await members.beat(waits, 1, "desk", now - 65, ["ana"], now)
    await client.aclose()


def types(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        front.main(["status", *arguments])
    assert not ended.value.code
    return capsys.readouterr().out


@pytest.mark.usefixtures("busy")
def test_the_teams_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    said = types(capsys)
    assert re.search(r"^desk +1 for 1:\d\d +ana +talking +2:\d\d +0", said, re.MULTILINE), said
    rows = [line.split() for line in said.splitlines()]
    assert ["ben", "free", "0"] in rows
    assert ["night", "0", "nobody"] in rows


@pytest.mark.usefixtures("busy")
def test_a_script_gets_them_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    desk, night = json.loads(types(capsys, "--json"))["teams"]
    assert (desk["team"], desk["ring"], desk["waiting"], desk["longest_wait"]) == ("desk", "ringall", 1, 65)
    assert desk["members"] == [
        {"name": "ana", "state": "talking", "seconds": 130, "taken_today": 0, "missed_in_a_row": 0},
        {"name": "ben", "state": "free", "seconds": None, "taken_today": 0, "missed_in_a_row": 0},
    ]
    assert night["members"] == []


@pytest.mark.usefixtures("state")
def test_without_a_gateway_there_is_nothing_to_tell(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert json.loads(types(capsys, "--json"))["teams"] == []
    assert "TEAM" not in types(capsys)
