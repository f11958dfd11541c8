"""What livekit-server, configured as `up` does it, tells clients to ask for their own addresses."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import yaml
from livekit import api
from livekit.protocol.rtc import SignalResponse

from gateway.up.servers import NO_STUN, livekit_config
from tests.e2e.servers import LiveKit, livekit_server, redis_server


async def told(livekit: LiveKit) -> list[str]:
    """The addresses in a join's response."""
    grants = api.VideoGrants(room_join=True, room="any")
    token = api.AccessToken(livekit.key, livekit.secret).with_identity("one").with_grants(grants).to_jwt()
    timeout = aiohttp.ClientTimeout(total=10)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.ws_connect(f"{livekit.url}/rtc?access_token={token}") as ws,
    ):
        join = SignalResponse.FromString(await ws.receive_bytes(timeout=10)).join
        return [url for server in join.ice_servers for url in server.urls]


async def test_nobody_is_told_of_servers_elsewhere(tmp_path: Path) -> None:
    ports = {"livekit": 1, "livekit-tcp": 2, "livekit-udp": 3}
    about = {"host": "127.0.0.1", "key": "key", "secret": "secret", "redis": "redis://127.0.0.1", "webhook": "http://x"}
    stun = yaml.safe_load(livekit_config(ports=ports, **about))["rtc"]["stun_servers"]  # type: ignore[arg-type]
    with redis_server(tmp_path) as redis_url, livekit_server(tmp_path, redis_url, stun=stun[0]) as livekit:
        assert await told(livekit) == [f"stun:{NO_STUN}"]
