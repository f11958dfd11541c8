"""The suite, run against a SIP service by its address alone: our edge in a process of its own stands for any."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest
from livekit import api

from tests.contract.sip import target
from tests.e2e.edge_process import edge_process
from tests.e2e.servers import LiveKit, free_port, livekit_server, redis_server

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[3]
SIP = Path(__file__).parent


async def _suite(environment: dict[str, str], *tests: str) -> str:
    """What pytest says of some tests."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SIP_CONTRACT_")}
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(f"{SIP}/{test}" for test in tests))
    child = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=clean | environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(90):
            said, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return said.decode()


def _environment(port: int, redis_url: str, livekit: LiveKit) -> dict[str, str]:
    return {
        target.TARGET: f"127.0.0.1:{port}",
        target.REDIS: redis_url,
        target.LIVEKIT_URL: livekit.url,
        target.LIVEKIT_KEY: livekit.key,
        target.LIVEKIT_SECRET: livekit.secret,
    }


async def _left(livekit: LiveKit) -> list[str]:
    """Names of all trunks, rules and rooms."""
    lk = livekit.api()
    try:
        inbound = await lk.sip.list_inbound_trunk(api.ListSIPInboundTrunkRequest())
        outbound = await lk.sip.list_outbound_trunk(api.ListSIPOutboundTrunkRequest())
        rules = await lk.sip.list_dispatch_rule(api.ListSIPDispatchRuleRequest())
        rooms = await lk.room.list_rooms(api.ListRoomsRequest())
    finally:
        await lk.aclose()
    return [each.name for each in (*inbound.items, *outbound.items, *rules.items, *rooms.rooms)]


async def _theirs(livekit: LiveKit) -> None:
    """What somebody else has there."""
    lk = livekit.api()
    try:
        trunk = api.SIPInboundTrunkInfo(name="theirs", numbers=["+15105550100"])
        await lk.sip.create_inbound_trunk(api.CreateSIPInboundTrunkRequest(trunk=trunk))
        await lk.room.create_room(api.CreateRoomRequest(name="call-theirs"))
    finally:
        await lk.aclose()


@pytest.mark.long
async def test_a_service_by_address(tmp_path: Path) -> None:
    """Nothing of ours is left there, even after a failure, and what was there stays."""
    with redis_server(tmp_path) as redis_url, livekit_server(tmp_path, redis_url) as livekit:
        await _theirs(livekit)
        tcp = free_port()
        async with edge_process(redis_url, livekit, OFFHOOK_SIP_TCP_PORT=str(tcp)) as edge:
            environment = _environment(edge.address[1], redis_url, livekit)
            said = await _suite(
                {**environment, target.SERVICE: "offhook", target.TCP: str(tcp)},
                "test_inbound.py::test_who_is_not_let_in",
                "test_inbound.py::test_the_caller_hangs_up_as_soon_as_it_is_answered",
                "test_outbound.py::test_the_callee_hangs_up",
                "test_streams.py::test_a_call_over_tcp_that_is_cancelled",
                "test_streams.py::test_a_keep_alive_over_tls",
            )
            assert re.search(r"^5 passed, 1 skipped", said, re.MULTILINE), said
            said = await _suite(environment, "test_inbound.py::test_who_is_not_let_in")
            assert re.search(r"^2 xpassed", said, re.MULTILINE), said
            nowhere = {**environment, target.SERVICE: "offhook", target.TCP: str(free_port())}
            said = await _suite(nowhere, "test_streams.py::test_a_connection_that_breaks_gives_a_ringing_call_up")
            assert re.search(r"^1 failed", said, re.MULTILINE), said
        assert sorted(await _left(livekit)) == ["call-theirs", "theirs"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({target.REDIS: ""}, f"{target.TARGET} is set, {target.REDIS} not"),
        ({target.TARGET: "127.0.0.1"}, "host:port"),
        ({target.SERVICE: "asterisk"}, "livekit-sip or offhook"),
    ],
)
def test_what_the_environment_lacks_is_told(wrong: dict[str, str], says: str) -> None:
    environment = {**_environment(5060, "redis://127.0.0.1", LiveKit("ws://127.0.0.1", "key", "secret")), **wrong}
    with pytest.raises(target.TargetError, match=says):
        target.read(environment)


def test_without_a_target_the_suite_brings_its_own() -> None:
    assert target.read({target.REDIS: "redis://127.0.0.1"}) is None
