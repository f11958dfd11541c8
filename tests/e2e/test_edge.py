"""Calls through the edge: SIPp calls, a real livekit-server decides, and a peer in the room stands for the agent."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, suppress
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from livekit import api, rtc

from gateway.app import edge as app
from gateway.bus.callstate import Status
from gateway.config import Settings
from gateway.net.media import Media
from gateway.rtp.session import Timeouts
from gateway.sip.transaction import Timers
from gateway.terms.ending import Party
from tests.e2e.edge_lab import (
    DIALED,
    GUARDED,
    QUICK,
    UNKNOWN,
    Lab,
    lab,
    make_trunks,
    open_sockets,
    rtp_ports,
)
from tests.e2e.room_peer import silent_peer
from tests.e2e.rtp_probe import power, rtp_probe
from tests.e2e.servers import LiveKit, free_port, livekit_server, redis_server, until

pytestmark = pytest.mark.e2e
Servers = tuple[str, LiveKit]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    directory = tmp_path_factory.mktemp("servers")
    with redis_server(directory) as redis_url, livekit_server(directory, redis_url) as livekit:
        asyncio.run(_make_trunks(livekit))
        yield redis_url, livekit


async def _make_trunks(livekit: LiveKit) -> None:
    lk = livekit.api()
    try:
        await make_trunks(lk)
    finally:
        await lk.aclose()


@pytest.fixture
async def edge(servers: Servers, tmp_path: Path) -> AsyncIterator[Lab]:
    """The edge; afterwards nothing may be left of any call."""
    async with lab(tmp_path, *servers) as made:
        yield made
        await made.nothing_left()
        assert rtp_ports() == set()


async def test_a_call_is_heard_both_ways_and_digits_pass_both_ways(edge: Lab) -> None:
    async with rtp_probe() as phone, edge.caller("call", rtp=phone.port, pause=3) as caller:
        phone.tone = 440
        async with edge.agent() as agent:
            await phone.hears(600)
            await agent.hears(440)
            phone.press(5)
            phone.press(11)
            await agent.press("7")
            await until(lambda: agent.keys == ["5", "#"] and phone.keys == [7])
            assert agent.caller is not None
            seen = dict(agent.caller.attributes)
            await caller.ended()
            await until(lambda: agent.left)
            assert agent.statuses == ["ringing", "active", "hangup"]
            assert agent.keys == ["5", "#"]
    assert seen["sip.callID"].startswith("SCL_")
    assert seen["sip.trunkPhoneNumber"] == DIALED
    assert seen["sip.phoneNumber"] == "+15105550123"
    assert seen["sip.h.x-account"] == "acct-42"
    assert {"sip.trunkID", "sip.ruleID", "sip.hostname", "sip.callIDFull", "sip.callTag"} <= seen.keys()
    ended = await edge.end()
    assert (ended.by, ended.sip_status, ended.codec) == (Party.CALLER, 200, "PCMU/8000")
    assert [state.status for state in edge.calls()[0]] == [
        Status.INCOMING,
        Status.INCOMING,
        Status.ACTIVE,
        Status.DISCONNECTED,
    ]


async def test_the_audio_is_sent_without_gaps(edge: Lab) -> None:
    async with rtp_probe() as phone, edge.caller("call", rtp=phone.port, pause=3) as caller, edge.agent():
        await caller.ended()
    sequences = [sequence for _, sequence, _ in phone.arrivals]
    times = [timestamp for _, _, timestamp in phone.arrivals]
    assert len(sequences) > 140
    assert {(b - a) & 0xFFFF for a, b in pairwise(sequences)} == {1}
    assert {(b - a) & 0xFFFFFFFF for a, b in pairwise(times)} == {160}


async def test_several_voices_are_mixed(edge: Lab) -> None:
    async with rtp_probe() as phone, edge.caller("call", rtp=phone.port, pause=4) as caller:
        async with edge.agent(tone=600), edge.agent(name="background", tone=1500):
            await until(lambda: power(phone.last(0.5), 600) > 0.3 and power(phone.last(0.5), 1500) > 0.3)
        await caller.ended()


@pytest.mark.parametrize(("formats", "codec"), [("0 8 101", "PCMU/8000"), ("8 0 101", "PCMA/8000")])
async def test_the_callers_first_codec_is_taken(edge: Lab, formats: str, codec: str) -> None:
    async with rtp_probe() as phone, edge.caller("call", rtp=phone.port, pause=1.5, formats=formats) as caller:
        async with edge.agent():
            await phone.hears(600)
        await caller.ended()
    assert (await edge.end()).codec == codec


async def test_a_caller_who_leaves_the_offer_to_us(edge: Lab) -> None:
    async with rtp_probe() as phone, edge.caller("late_offer", rtp=phone.port, pause=2) as caller:
        phone.tone = 440
        async with edge.agent() as agent:
            await phone.hears(600)
            await agent.hears(440)
        await caller.ended()


@pytest.mark.parametrize(
    ("dialed", "status", "formats"),
    [
        (UNKNOWN, "404", "0 8 101"),
        (DIALED, "488", "18 101"),
    ],
)
async def test_who_is_not_let_in(edge: Lab, dialed: str, status: str, formats: str) -> None:
    async with edge.caller("refused_at_once", dialed, rtp=9, status=status, formats=formats) as caller:
        await caller.ended(within=2)
    ended = await edge.end()
    assert (ended.by, ended.sip_status) == (Party.GATEWAY, int(status))
    assert ended.to_user.reveal() == dialed


async def test_a_caller_signs_in(edge: Lab) -> None:
    async with (
        rtp_probe() as phone,
        edge.caller("signs_in", GUARDED, rtp=phone.port, pause=3, password="password", status="200") as caller,
        edge.agent(),
    ):
        await phone.hears(600)
        await caller.ended()
    assert [state.status for state in edge.told][:1] == [Status.INCOMING], "nothing is told of who hasn't signed in"
    assert len(edge.calls()) == 1


async def test_a_caller_with_a_wrong_password(edge: Lab) -> None:
    async with edge.caller("signs_in_refused", GUARDED, rtp=9, password="guess", status="403") as caller:
        await caller.ended(within=3)
    assert (await edge.end()).sip_text == "wrong password"


@pytest.mark.parametrize(("wish", "status"), [("603", "603"), ("404", "404"), ("", "486"), ("199", "486")])
async def test_a_ringing_participant_that_is_removed(edge: Lab, wish: str, status: str) -> None:
    async with edge.caller("refused", rtp=9, status=status) as caller:
        room = await edge.room()
        who = await _sip_identity(edge, room)
        if wish:
            await edge.lk.room.update_participant(
                api.UpdateParticipantRequest(room=room, identity=who, attributes={"offhook.reject": wish})
            )
        await edge.lk.room.remove_participant(api.RoomParticipantIdentity(room=room, identity=who))
        await caller.ended()
    ended = await edge.end()
    assert (ended.by, ended.sip_status) == (Party.GATEWAY, int(status))


async def test_a_room_deleted_while_it_rings(edge: Lab) -> None:
    async with edge.caller("refused", rtp=9, status="486") as caller:
        room = await edge.room()
        await _sip_identity(edge, room)
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room=room))
        await caller.ended()


@pytest.mark.parametrize("how", ["room deleted", "participant removed"])
async def test_the_agents_side_hangs_up(edge: Lab, how: str) -> None:
    async with rtp_probe() as phone, edge.caller("hung_up_on", rtp=phone.port) as caller, edge.agent() as agent:
        await phone.hears(600)
        room = await edge.room()
        if how == "room deleted":
            await edge.lk.room.delete_room(api.DeleteRoomRequest(room=room))
        else:
            assert agent.caller is not None
            who = api.RoomParticipantIdentity(room=room, identity=agent.caller.identity)
            await edge.lk.room.remove_participant(who)
        await caller.ended()
    ended = await edge.end()
    assert (ended.by, ended.sip_status) == (Party.AGENT, 200)


@pytest.mark.parametrize("pause", [0.0, 0.02, 0.05, 0.1, 0.2, 1.2])
async def test_the_caller_gives_up_while_it_rings(edge: Lab, pause: float) -> None:
    async with edge.caller("cancelled", rtp=9, pause=pause) as caller:
        await caller.ended()
    ended = await edge.end()
    assert (ended.by, ended.sip_status) == (Party.CALLER, 487)


async def test_the_caller_gives_up_at_once(edge: Lab) -> None:
    async with edge.caller("cancelled_at_once", rtp=9) as caller:
        await caller.ended()
    assert (await edge.end()).by is Party.CALLER


async def test_the_caller_hangs_up_as_soon_as_it_is_answered(edge: Lab) -> None:
    async with edge.caller("call", rtp=9, pause=0) as caller, edge.agent():
        await caller.ended()
    assert (await edge.end()).by is Party.CALLER


async def test_an_agent_ends_the_call_by_rpc_and_reads_the_callers_headers(edge: Lab) -> None:
    async with rtp_probe() as phone, edge.caller("hung_up_on", rtp=phone.port) as caller, edge.agent() as agent:
        await phone.hears(600)
        assert agent.caller is not None
        ask = partial(agent.room.local_participant.perform_rpc, destination_identity=agent.caller.identity)
        told = json.loads(await ask(method="lk.sip.GetRemoteHeaders", payload=""))["headers"]
        assert told["X-Account"] == "acct-42"
        assert not {"Via", "CSeq", "Content-Type"} & told.keys()
        one = json.loads(await ask(method="lk.sip.GetRemoteHeaders", payload='{"include": ["x-account"]}'))
        assert one == {"headers": {"X-Account": "acct-42"}}
        with pytest.raises(rtc.RpcError):
            await ask(method="lk.sip.EndCall", payload="[]")
        reason = {"headers": {"Reason": "Q.850;cause=16", "Via": "none"}}
        await ask(method="lk.sip.EndCall", payload=json.dumps(reason))
        await caller.ended()
        assert "Reason: Q.850;cause=16" in caller.report()
    assert (await edge.end()).by is Party.AGENT


async def test_a_ringing_call_is_refused_by_rpc(edge: Lab) -> None:
    async with edge.caller("refused", rtp=9, status="486") as caller:
        room = await edge.room()
        who = await _sip_identity(edge, room)
        async with silent_peer(edge.livekit, room) as peer:
            reason = json.dumps({"headers": {"Reason": "Q.850;cause=21"}})
            await peer.local_participant.perform_rpc(destination_identity=who, method="lk.sip.EndCall", payload=reason)
            await caller.ended()
        assert "Reason: Q.850;cause=21" in caller.report()


async def test_nobody_answers(edge: Lab) -> None:
    async with edge.caller("refused", QUICK, rtp=9, status="486") as caller:
        await caller.ended(within=5)
    ended = await edge.end()
    assert (ended.by, ended.sip_text) == (Party.GATEWAY, "ringing-timeout")


async def test_a_call_that_is_too_long(edge: Lab) -> None:
    async with rtp_probe() as phone, edge.caller("hung_up_on", QUICK, rtp=phone.port) as caller, edge.agent():
        await caller.ended(within=8)
    ended = await edge.end()
    assert (ended.by, ended.sip_text) == (Party.GATEWAY, "max-call-duration")


async def test_hold_is_answered_by_its_direction(edge: Lab) -> None:
    async with rtp_probe() as phone, edge.caller("held", rtp=phone.port, pause=1) as caller, edge.agent():
        await phone.hears(600)
        await caller.ended()
    arrivals = [at for at, _, _ in phone.arrivals]
    longest = max(b - a for a, b in pairwise(arrivals))
    assert 1.5 < longest < 3.0, "nothing is sent on hold, and all is well afterwards"


@pytest.mark.parametrize(
    ("method", "status", "tag", "headers"),
    [
        ("OPTIONS", "200", "", "Allow: INVITE"),
        ("REGISTER", "405", "", "Allow: INVITE"),
        ("MESSAGE", "405", "", "Allow: INVITE"),
        ("BYE", "481", ";tag=nobody", "."),
        ("INVITE", "481", ";tag=nobody", "."),
    ],
)
async def test_other_requests(edge: Lab, method: str, status: str, tag: str, headers: str) -> None:
    async with edge.caller("request", method=method, status=status, tag=tag, headers=headers) as caller:
        await caller.ended()
    assert edge.told == []


async def test_headers_that_the_trunk_wants_in_the_answer(edge: Lab) -> None:
    async with edge.caller("call", rtp=9, pause=0.2) as caller, edge.agent():
        await caller.ended()
        assert "X-Gateway: offhook" in caller.report()


async def test_calls_beyond_the_limit(servers: Servers, tmp_path: Path) -> None:
    async with lab(tmp_path, *servers, OFFHOOK_EDGE_CALLS=1) as edge:
        async with edge.caller("cancelled", rtp=9, pause=1.5) as first:
            await edge.room()
            async with edge.caller("refused_at_once", rtp=9, status="503", headers="Retry-After: 5") as second:
                await second.ended()
            await first.ended()
        await edge.nothing_left()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    def media(settings: Settings, host: str) -> Media:
        return Media(host, settings.rtp_first, settings.rtp_last, timeouts=Timeouts(1.5, 1.0))

    monkeypatch.setattr(app, "_media", media)


@pytest.mark.parametrize("ever", [True, False])
@pytest.mark.usefixtures("impatient")
async def test_media_that_stops_coming(servers: Servers, tmp_path: Path, ever: bool) -> None:
    async with lab(tmp_path, *servers) as edge:
        async with rtp_probe() as phone, edge.caller("hung_up_on", rtp=phone.port) as caller, edge.agent() as agent:
            phone.muted = not ever
            phone.tone = 440
            if ever:
                await agent.hears(440)
                phone.muted = True
            await caller.ended()
            await until(lambda: agent.left)
            assert agent.statuses[-1] == "hangup"
        ended = await edge.end()
        assert (ended.by, ended.sip_text) == (Party.NETWORK, "media-timeout")
        await edge.nothing_left()


async def test_stopping_ends_every_call(servers: Servers, tmp_path: Path) -> None:
    async with lab(tmp_path, *servers) as edge, rtp_probe() as phone:
        async with edge.caller("hung_up_on", rtp=phone.port) as talking, edge.agent():
            await phone.hears(600)
            async with edge.caller("refused", rtp=9, status="503") as ringing:
                await edge.room(1)
                await edge.edge.edge.stop()
                await talking.ended()
                await ringing.ended()
        async with edge.caller("refused_at_once", rtp=9, status="503", headers="Retry-After: 5") as late:
            await late.ended()
        assert {(await edge.end(number)).by for number in (0, 1)} == {Party.GATEWAY}
        await edge.nothing_left()


async def test_no_bus(tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis_url:
        # Redis without a livekit-server: nobody answers for trunks and rules.
        async with lab(tmp_path, redis_url, LiveKit("ws://127.0.0.1:9", "key", "s" * 32)) as edge:
            async with edge.caller("refused_at_once", rtp=9, status="503", headers="Retry-After: 5") as caller:
                await caller.ended()
            async with edge.caller("request", method="OPTIONS", status="503") as carrier:
                await carrier.ended()


async def test_redis_is_lost_and_comes_back(tmp_path: Path) -> None:
    port = free_port()
    async with AsyncExitStack() as stack:
        redis = ExitStack()
        redis_url = redis.enter_context(redis_server(tmp_path, port))
        livekit = stack.enter_context(livekit_server(tmp_path, redis_url))
        await _make_trunks(livekit)
        edge = await stack.enter_async_context(lab(tmp_path, redis_url, livekit))
        phone = await stack.enter_async_context(rtp_probe())
        talking = await stack.enter_async_context(edge.caller("call", rtp=phone.port, pause=14))
        await stack.enter_async_context(edge.agent())
        await phone.hears(600)
        redis.close()
        began = time.monotonic()
        async with edge.caller("refused_at_once", rtp=9, status="503", headers="Retry-After: 5") as caller:
            await caller.ended(within=3)
        assert caller.times()[-1]["final"] < 1.0
        assert time.monotonic() - began < 3.0
        with redis_server(tmp_path, port):
            await _make_trunks(livekit)
            back = time.monotonic()
            await until(lambda: not edge.edge.edge._ready(), 5)
            assert time.monotonic() - back < 1.0
            await _takes_rooms(edge)  # livekit-server finds itself in an empty Redis only after a while
            async with edge.caller("cancelled", rtp=9, pause=0.3) as caller:
                await caller.ended()
            await phone.hears(600)  # the call of before goes on
            await talking.ended()


async def test_a_livekit_server_that_cant_be_joined(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fine(*_: object) -> bool:
        return True

    monkeypatch.setattr(app._LiveKitLook, "_look", fine)  # its signalling is gone, its health isn't
    redis_url, livekit = servers
    async with lab(tmp_path, redis_url, LiveKit("ws://127.0.0.1:9", livekit.key, livekit.secret)) as edge:
        async with edge.caller("refused", rtp=9, status="503") as caller:
            await caller.ended(within=15)
        assert (await edge.end()).sip_text == "the room can't be joined"


async def test_an_answer_that_is_never_acknowledged(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.sip_udp, "serve", partial(app.sip_udp.serve, timers=Timers(t1=0.03)))
    async with lab(tmp_path, *servers) as edge:
        async with rtp_probe() as phone, edge.caller("not_acknowledged", rtp=phone.port) as caller, edge.agent():
            await caller.ended()
        ended = await edge.end()
        assert (ended.by, ended.sip_text) == (Party.NETWORK, "no-ack")
        await edge.nothing_left()


async def test_ten_calls_at_once(edge: Lab) -> None:
    async with AsyncExitStack() as stack:
        phones, agents = [], []
        for number in range(10):
            phone = await stack.enter_async_context(rtp_probe())
            phones.append(phone)
            await stack.enter_async_context(edge.caller("call", rtp=phone.port, pause=20))
            agents.append(stack.enter_async_context(edge.agent(number, tone=600)))
        await asyncio.gather(*agents)
        await asyncio.gather(*(phone.hears(600, within=15) for phone in phones))
        await edge.edge.edge.stop()


async def test_many_calls_leave_no_socket_and_no_task(edge: Lab) -> None:
    async def round_of_calls() -> None:
        for pause in (0.0, 0.03, 0.06, 0.09, 0.2):
            async with edge.caller("cancelled", rtp=9, pause=pause) as caller:
                await caller.ended()
        number = len(edge.rooms())
        async with edge.caller("call", rtp=9, pause=0.2) as caller, edge.agent(number):
            await caller.ended()
        await edge.nothing_left()

    await round_of_calls()  # what the SDK and Redis open once
    gc.collect()
    before = open_sockets(), len(asyncio.all_tasks())
    await round_of_calls()
    gc.collect()
    await until(lambda: len(asyncio.all_tasks()) <= before[1] and open_sockets() <= before[0])


async def _takes_rooms(edge: Lab) -> None:
    async with asyncio.timeout(15):
        while True:
            with suppress(api.TwirpError):
                await edge.lk.room.create_room(api.CreateRoomRequest(name="probe"))
                return
            await asyncio.sleep(0.1)


async def _sip_identity(edge: Lab, room: str) -> str:
    """The identity of the room's SIP participant, once it is there."""
    async with asyncio.timeout(10):
        while True:
            request = api.ListParticipantsRequest(room=room)
            try:
                there = (await edge.lk.room.list_participants(request)).participants
            except api.TwirpError:
                there = []
            for who in there:
                if who.kind == api.ParticipantInfo.Kind.SIP and who.state == api.ParticipantInfo.State.ACTIVE:
                    return who.identity
            await asyncio.sleep(0.02)
