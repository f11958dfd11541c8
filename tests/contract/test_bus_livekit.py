"""The bus against an unmodified livekit-server: trunks and rules made through LiveKit's own API decide."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from livekit import api

from gateway.bus.callstate import Status
from gateway.bus.client import Client
from gateway.bus.errors import RemoteError
from gateway.bus.ioinfo import CallInfo, IoInfo, Leg, Uri, Verdict
from gateway.bus.server import Server
from gateway.bus.transport import RedisBus, connect
from gateway.terms.personal import Number
from tests.e2e.servers import LiveKit, livekit_server, redis_server, until

DIALED = "+15105550100"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, LiveKit]]:
    directory = tmp_path_factory.mktemp("servers")
    with redis_server(directory) as redis_url, livekit_server(directory, redis_url) as livekit:
        yield redis_url, livekit


@pytest.fixture
async def bus(servers: tuple[str, LiveKit]) -> AsyncIterator[RedisBus]:
    async with connect(servers[0]) as bus:
        yield bus


@pytest.fixture
async def lk(servers: tuple[str, LiveKit]) -> AsyncIterator[api.LiveKitAPI]:
    lk = servers[1].api()
    made: list[str] = []
    try:
        trunk = api.SIPInboundTrunkInfo(
            name="inbound", numbers=[DIALED], include_headers=api.SIPHeaderOptions.SIP_X_HEADERS
        )
        trunk.ringing_timeout.FromSeconds(60)
        created = await lk.sip.create_inbound_trunk(api.CreateSIPInboundTrunkRequest(trunk=trunk))
        made.append(created.sip_trunk_id)
        guarded = api.SIPInboundTrunkInfo(
            name="guarded", numbers=["+15105550200"], auth_username="u", auth_password="p"
        )
        created = await lk.sip.create_inbound_trunk(api.CreateSIPInboundTrunkRequest(trunk=guarded))
        made.append(created.sip_trunk_id)
        rule = api.SIPDispatchRuleInfo(name="rule", trunk_ids=made[:1], attributes={"mark": "ours"})
        rule.rule.dispatch_rule_callee.room_prefix = "call-"
        rule.rule.dispatch_rule_callee.randomize = True
        ruled = await lk.sip.create_dispatch_rule(api.CreateSIPDispatchRuleRequest(dispatch_rule=rule))
        yield lk
        await lk.sip.delete_dispatch_rule(
            api.DeleteSIPDispatchRuleRequest(sip_dispatch_rule_id=ruled.sip_dispatch_rule_id)
        )
    finally:
        for trunk_id in made:
            await lk.sip.delete_trunk(api.DeleteSIPTrunkRequest(sip_trunk_id=trunk_id))
        await lk.aclose()


def leg(dialed: str) -> Leg:
    caller = Uri(Number("+15105550123"), "192.0.2.9")
    return Leg(
        "SCL_test",
        "abc@192.0.2.9",
        "192.0.2.9",
        Uri(Number(dialed), "127.0.0.1"),
        caller,
        Uri(Number(dialed), "127.0.0.1"),
    )


async def test_a_call_that_matches(bus: RedisBus, lk: api.LiveKitAPI) -> None:
    async with Client(bus, "IOInfo") as client:
        io = IoInfo(client)
        trunk = await io.authentication(leg(DIALED))
        assert trunk.trunk.startswith("ST_")
        assert not trunk.guarded
        assert not trunk.drop
        rule = await io.evaluate(leg(DIALED), trunk.trunk)
        again = await io.evaluate(leg(DIALED), trunk.trunk)
    assert rule.verdict is Verdict.ACCEPT
    assert rule.room.startswith("call-_" + DIALED + "_")
    assert rule.room != again.room
    assert rule.attributes["mark"] == "ours"
    assert rule.attributes["sip.trunkPhoneNumber"] == DIALED
    assert rule.attributes["sip.phoneNumber"] == "+15105550123"
    assert rule.attributes["sip.callID"] == "SCL_test"
    assert (rule.ringing_timeout, rule.include_headers, rule.token) == (60, 1, "")


async def test_a_number_without_a_trunk(bus: RedisBus, lk: api.LiveKitAPI) -> None:
    async with Client(bus, "IOInfo") as client:
        io = IoInfo(client)
        trunk = await io.authentication(leg("+15105559999"))
        assert trunk.trunk == ""
        assert (await io.evaluate(leg("+15105559999"), "")).verdict in (Verdict.DROP, Verdict.REJECT)


async def test_a_trunk_that_demands_a_sign_in(bus: RedisBus, lk: api.LiveKitAPI) -> None:
    async with Client(bus, "IOInfo") as client:
        assert (await IoInfo(client).authentication(leg("+15105550200"))).guarded


async def test_telling_a_state_is_answered(bus: RedisBus, lk: api.LiveKitAPI) -> None:
    async with Client(bus, "IOInfo") as client:
        await IoInfo(client).tell(CallInfo(leg(DIALED), status=Status.INCOMING))
        await until(lambda: not client._pending)


async def test_livekit_server_calls_us_and_hands_our_sip_status_on(bus: RedisBus, lk: api.LiveKitAPI) -> None:
    asked: list[bytes] = []

    async def busy(payload: bytes) -> bytes:
        asked.append(payload)
        raise RemoteError("failed_precondition", "INVITE failed", sip=(486, "Busy Here"))

    outbound = api.SIPOutboundTrunkInfo(name="out", address="127.0.0.1:9", numbers=["+15105550101"])
    trunk = await lk.sip.create_outbound_trunk(api.CreateSIPOutboundTrunkRequest(trunk=outbound))
    async with Server(bus, "SIPInternal") as server:
        await server.register("CreateSIPParticipant", busy)
        request = api.CreateSIPParticipantRequest(
            sip_trunk_id=trunk.sip_trunk_id, sip_call_to="+15105550177", room_name="outgoing", wait_until_answered=True
        )
        with pytest.raises(api.TwirpError) as told:
            await lk.sip.create_sip_participant(request)
    await lk.sip.delete_trunk(api.DeleteSIPTrunkRequest(sip_trunk_id=trunk.sip_trunk_id))
    assert len(asked) == 1
    assert told.value.metadata.get("sip_status_code") == "486"
