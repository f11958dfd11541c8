"""Controls say that they are there, by Redis' clock."""

from __future__ import annotations

from pathlib import Path

from gateway.calls.shared.controls import Controls
from gateway.redis_client import open_client
from tests.contract.clocks import beaten_ago
from tests.e2e.servers import redis_server


async def test_it_is_known_for_how_long_no_control_was_heard_of(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url:
        client = open_client(url)
        controls = Controls(client)
        assert await controls.silence() is None
        await controls.beat()
        first = await controls.silence()
        assert first is not None
        assert 0 <= first < 5
        later = await controls.silence()
        assert later is not None
        assert later > first
        await beaten_ago(client, "offhook:control", "any", 20)
        assert 19 < (await controls.silence() or 0) < 25
        await client.aclose()
