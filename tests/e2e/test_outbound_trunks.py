"""The trunk file on a real LiveKit: what it says is made, changed and deleted there, and nothing else is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from livekit import api

from gateway.trunks import livekit as trunks
from gateway.trunks.choose import CallerId
from gateway.trunks.model import LiveKitPart, parse
from gateway.trunks.outbound import reader
from tests.e2e.servers import livekit_server, redis_server

pytestmark = pytest.mark.e2e
FILE = """
livekit:
  inbound_trunk: {allowed_addresses: [127.0.0.0/8]}
  dispatch_rule: {}
  outbound_trunks:
    - {name: carrier, address: sip.carrier.example, numbers: ["+15105550100"], caller_id: passthrough, default: true}
    - {name: pbx, address: "10.0.0.2:5061", numbers: ["+15105550100"], auth_username: ada, auth_password: hush}
"""


def part(text: str = FILE) -> LiveKitPart:
    return parse(text, "trunk.yaml").livekit


async def test_livekits_outbound_trunks_agree_with_the_file(tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis_url, livekit_server(tmp_path, redis_url) as livekit:
        lk = livekit.api()
        read = reader(lk.sip)
        theirs = api.SIPOutboundTrunkInfo(name="theirs", address="sip.theirs.example", numbers=["+15105550999"])
        await lk.sip.create_outbound_trunk(api.CreateSIPOutboundTrunkRequest(trunk=theirs))
        try:
            made = await trunks.apply(lk, part())
            assert made[2:] == ["made the outbound trunk carrier", "made the outbound trunk pbx"]
            assert await trunks.apply(lk, part()) == []
            found = {trunk.name: trunk for trunk in await read()}
            assert found.keys() == {"carrier", "pbx", "theirs"}
            assert (found["carrier"].caller_id, found["carrier"].default) == (CallerId.PASSTHROUGH, True)

            faster = FILE.replace("default: true", "calls_per_second: 2, default: true")
            assert await trunks.apply(lk, part(faster)) == ["changed the outbound trunk carrier"]
            changed = {trunk.name: trunk for trunk in await read()}
            assert changed["carrier"].calls_per_second == 2
            assert changed["carrier"].id == found["carrier"].id

            assert await trunks.apply(lk, part(FILE.partition("    - {name: pbx")[0])) == [
                "deleted the outbound trunk pbx",
                "changed the outbound trunk carrier",
            ]
            assert {trunk.name for trunk in await read()} == {"carrier", "theirs"}
        finally:
            await lk.aclose()
