"""Calls that the edge makes: LiveKit's API asks for them, SIPp is called, and a peer in the room stands for the agent."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration
from livekit import api, rtc

from gateway.bus.callstate import Status
from gateway.net.sip_exchange import Sending
from gateway.terms.ending import Party
from tests.e2e.dns_server import dns_server
from tests.e2e.edge_lab import Lab, lab, rtp_ports
from tests.e2e.room_peer import RoomPeer, room_peer
from tests.e2e.rtp_probe import power, rtp_probe
from tests.e2e.servers import LiveKit, livekit_server, redis_server, until
from tests.e2e.sipp import Sipp, callee

pytestmark = pytest.mark.e2e
OURS = "+15105550100"
THEIRS = "+15105550111"
CHECKS = '<verifyauth assign_to="1" username="user" password="{}"/>'
READS = (
    '<ereg regexp="Digest username=.user., realm=.carrier.example., .*response=.[0-9a-f]{64}.*qop=auth" search_in="hdr"'
    ' header="Proxy-Authorization:" assign_to="1"/>'
)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, LiveKit]]:
    directory = tmp_path_factory.mktemp("servers")
    with redis_server(directory) as redis_url, livekit_server(directory, redis_url) as livekit:
        yield redis_url, livekit


@dataclass
class Dialer:
    """Asks for calls, as an agent would."""

    edge: Lab
    directory: Path
    rooms: int = 0

    def callee(
        self, scenario: str, *, rtp: int = 9, pause: float = 0.0, calls: int = 1, **fill: str
    ) -> AbstractAsyncContextManager[tuple[Sipp, int]]:
        """A SIPp that is called."""
        filled = {"ring": "300", "status": "486", "phrase": "Busy Here", **fill}
        return callee(
            self.directory / f"{scenario}-{self.rooms}", scenario, rtp=rtp, pause=pause, calls=calls, fill=filled
        )

    async def trunk(self, port: int, **more: object) -> str:
        """An outbound trunk to that port; its id."""
        info = api.SIPOutboundTrunkInfo(name="out", address=f"127.0.0.1:{port}", numbers=[OURS], **more)
        made = await self.edge.lk.sip.create_outbound_trunk(api.CreateSIPOutboundTrunkRequest(trunk=info))
        return made.sip_trunk_id

    @asynccontextmanager
    async def room(self) -> AsyncIterator[RoomPeer]:
        """A room of its own, with somebody in it."""
        self.rooms += 1
        async with room_peer(self.edge.livekit, self.name) as peer:
            yield peer

    @property
    def name(self) -> str:
        return f"dialed-{self.rooms}"

    async def dial(
        self, trunk: str, *, wait: bool = True, ringing: float = 0, **more: object
    ) -> api.SIPParticipantInfo:
        """CreateSIPParticipant. Raises the API's error."""
        request = api.CreateSIPParticipantRequest(
            sip_trunk_id=trunk,
            sip_call_to=THEIRS,
            room_name=self.name,
            wait_until_answered=wait,
            **{"participant_identity": "callee", **more},
        )
        if ringing:
            request.ringing_timeout.CopyFrom(Duration(seconds=int(ringing), nanos=round(ringing % 1 * 1e9)))
        return await self.edge.lk.sip.create_sip_participant(request)


@pytest.fixture
async def dialer(servers: tuple[str, LiveKit], tmp_path: Path) -> AsyncIterator[Dialer]:
    """The edge; afterwards nothing may be left of any call."""
    async with lab(tmp_path, *servers) as edge:
        yield Dialer(edge, tmp_path)
        await edge.nothing_left()
        assert rtp_ports() == set()


def seen_of(agent: RoomPeer) -> list[str]:
    """The call's statuses as the room sees them. A callee on loopback may ring before the room knows of the dialing."""
    return [status for status in agent.statuses if status != "dialing"]


@pytest.mark.parametrize("wait", [True, False])
async def test_a_call_is_heard_both_ways_and_digits_pass_both_ways(dialer: Dialer, wait: bool) -> None:
    async with rtp_probe() as phone, dialer.callee("callee_hung_up_on", rtp=phone.port) as (sipp, port):
        phone.tone = 440
        trunk = await dialer.trunk(
            port, headers={"X-Gateway": "offhook"}, headers_to_attributes={"X-Agent-Desk": "desk"}
        )
        async with dialer.room() as agent:
            info = await dialer.dial(trunk, wait=wait, include_headers=api.SIPHeaderOptions.SIP_X_HEADERS)
            assert info.sip_call_id.startswith("SCL_")
            await phone.hears(600)
            await agent.hears(440)
            phone.press(5)
            await agent.press("7")
            await until(lambda: agent.keys == ["5"] and phone.keys == [7])
            assert agent.caller is not None
            assert (agent.caller.identity, agent.caller.sid) == (info.participant_identity, info.participant_id)
            seen = dict(agent.caller.attributes)
            await dialer.edge.lk.room.remove_participant(
                api.RoomParticipantIdentity(room=dialer.name, identity="callee")
            )
            await sipp.ended()
            assert seen_of(agent) == ["ringing", "active"]
    sent = sipp.report()
    assert f'From: "{OURS}" <sip:{OURS}@' in sent
    assert f"INVITE sip:{THEIRS}@127.0.0.1:{port} SIP/2.0" in sent
    assert "X-Gateway: offhook" in sent
    assert {"sip.callID": info.sip_call_id, "sip.trunkID": trunk, "sip.phoneNumber": THEIRS, "sip.trunkPhoneNumber": OURS,
            "desk": "seven", "sip.h.x-account": "acct-42", "sip.callStatus": "active"}.items() <= seen.items()  # fmt: skip
    ended = await dialer.edge.end()
    assert (ended.by, ended.sip_status, ended.codec, ended.outbound) == (Party.AGENT, 200, "PCMU/8000", True)
    told = [state.status for state in dialer.edge.calls()[0]]
    assert told == [Status.JOINED, Status.ACTIVE, Status.DISCONNECTED]


async def test_the_callee_hangs_up(dialer: Dialer) -> None:
    async with (
        rtp_probe() as phone,
        dialer.callee("callee_hangs_up", rtp=phone.port, pause=0.5) as (sipp, port),
        dialer.room() as agent,
    ):
        await dialer.dial(await dialer.trunk(port))
        await sipp.ended()
        await until(lambda: agent.left == ["callee"])
        assert agent.statuses[-1] == "hangup"
    assert (await dialer.edge.end()).by is Party.CALLER


@pytest.mark.parametrize(
    ("status", "phrase", "code", "reason"),
    [
        ("486", "Busy Here", "resource_exhausted", rtc.DisconnectReason.USER_REJECTED),
        ("603", "Decline", "permission_denied", rtc.DisconnectReason.USER_REJECTED),
        ("404", "Not Found", "not_found", rtc.DisconnectReason.USER_UNAVAILABLE),
        ("480", "Temporarily Unavailable", "resource_exhausted", rtc.DisconnectReason.USER_UNAVAILABLE),
        # A server tells a room no other reasons of a participant who leaves than these and CLIENT_INITIATED.
        ("503", "No Trunks", "failed_precondition", rtc.DisconnectReason.CLIENT_INITIATED),
    ],
)
async def test_a_refusal_is_the_apis_error(
    dialer: Dialer, status: str, phrase: str, code: str, reason: rtc.DisconnectReason.ValueType
) -> None:
    async with dialer.callee("callee_refuses", status=status, phrase=phrase) as (sipp, port), dialer.room() as agent:
        gone: list[rtc.RemoteParticipant] = []
        agent.room.on("participant_disconnected", gone.append)
        with pytest.raises(api.TwirpError) as refused:
            await dialer.dial(await dialer.trunk(port))
        await sipp.ended()
        await until(lambda: len(gone) == 1)
        assert gone[0].disconnect_reason == reason
        assert seen_of(agent) in ([], ["ringing"])
    assert refused.value.code == code
    assert refused.value.metadata["sip_status_code"] == status
    assert refused.value.metadata["sip_status"] == phrase


async def test_nobody_answers(dialer: Dialer) -> None:
    async with dialer.callee("callee_rings") as (sipp, port), dialer.room():
        started = time.monotonic()
        with pytest.raises(api.TwirpError) as refused:
            await dialer.dial(await dialer.trunk(port), ringing=1.5)
        assert 1.4 < time.monotonic() - started < 2.2
        await sipp.ended()
    assert refused.value.code == "canceled"
    assert refused.value.metadata["sip_status_code"] == "408"
    assert (await dialer.edge.end()).sip_text == "ringing-timeout"


async def test_a_black_hole_fails_when_its_time_is_over(dialer: Dialer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hole:
        hole.bind(("127.0.0.1", 0))
        trunk = await dialer.trunk(hole.getsockname()[1])
        async with dialer.room():
            dialing = asyncio.create_task(dialer.dial(trunk, ringing=2))
            hole.setblocking(False)
            await asyncio.get_running_loop().sock_recv(hole, 65535)
            started = time.monotonic()
            with pytest.raises(api.TwirpError) as refused:
                await dialing
            took = time.monotonic() - started
    assert 1.9 <= took < 2.1, "not at timer B, 32 s"
    assert refused.value.metadata["sip_status_code"] == "408"


async def test_where_nobody_listens(dialer: Dialer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    async with dialer.room():
        started = time.monotonic()
        with pytest.raises(api.TwirpError) as refused:
            await dialer.dial(await dialer.trunk(port))
    assert time.monotonic() - started < 2.0
    assert refused.value.metadata["sip_status_code"] == "503"


@pytest.mark.parametrize("how", ["room deleted", "participant removed", "the request gives up"])
async def test_a_call_that_nobody_wants_any_more_is_cancelled(dialer: Dialer, how: str) -> None:
    async with dialer.callee("callee_rings") as (sipp, port), dialer.room() as agent:
        trunk = await dialer.trunk(port)
        dialing = asyncio.create_task(dialer.dial(trunk))
        await until(lambda: "ringing" in agent.statuses)
        if how == "room deleted":
            await dialer.edge.lk.room.delete_room(api.DeleteRoomRequest(room=dialer.name))
        elif how == "participant removed":
            who = api.RoomParticipantIdentity(room=dialer.name, identity="callee")
            await dialer.edge.lk.room.remove_participant(who)
        else:
            await dialer.edge.edge.edge.stop()
        with pytest.raises(api.TwirpError):
            await dialing
        await sipp.ended()


async def test_an_answer_that_crosses_our_giving_up_is_hung_up(dialer: Dialer, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted = asyncio.Event()

    async def slow(*_: object) -> None:
        accepted.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Sending, "acknowledge", slow)
    async with dialer.callee("callee_hung_up_on", rtp=9) as (sipp, port), dialer.room():
        dialing = asyncio.create_task(dialer.dial(await dialer.trunk(port), ringing=1.5))
        await accepted.wait()
        with pytest.raises(api.TwirpError) as refused:
            await dialing
        await sipp.ended()
    assert refused.value.metadata["sip_status_code"] == "408"


@pytest.mark.parametrize(
    ("header", "status", "digest", "check"),
    [
        ("WWW-Authenticate", "401", "algorithm=MD5", CHECKS.format("secret")),
        # SIPp 3.6 reads no other header, no qop and no SHA-256; tests/unit/sip/test_digest.py has the RFCs' examples.
        ("Proxy-Authenticate", "407", 'algorithm=SHA-256, qop="auth"', READS),
    ],
)
async def test_a_password_is_proven(dialer: Dialer, header: str, status: str, digest: str, check: str) -> None:
    fill = {"header": header, "status": status, "digest": digest, "check": check}
    async with rtp_probe() as phone, dialer.callee("callee_challenges", rtp=phone.port, **fill) as (sipp, port):
        trunk = await dialer.trunk(port, auth_username="user", auth_password="secret")
        async with dialer.room():
            await dialer.dial(trunk)
            await dialer.edge.lk.room.delete_room(api.DeleteRoomRequest(room=dialer.name))
            await sipp.ended()


async def test_a_wrong_password_is_refused(dialer: Dialer) -> None:
    fill = {"header": "WWW-Authenticate", "status": "401", "digest": "algorithm=MD5", "check": CHECKS.format("another")}
    async with dialer.callee("callee_challenges", **fill) as (sipp, port), dialer.room():
        trunk = await dialer.trunk(port, auth_username="user", auth_password="secret")
        with pytest.raises(api.TwirpError) as refused:
            await dialer.dial(trunk)
        await sipp.ended()
    assert refused.value.metadata["sip_status_code"] == "403"


async def test_keys_are_pressed_after_the_answer(dialer: Dialer) -> None:
    async with (
        rtp_probe() as phone,
        dialer.callee("callee_hung_up_on", rtp=phone.port) as (sipp, port),
        dialer.room() as agent,
    ):
        await dialer.dial(await dialer.trunk(port), dtmf="12w#")
        await until(lambda: phone.keys == [1, 2, 11])
        await until(lambda: seen_of(agent) == ["ringing", "automation", "active"])
        await dialer.edge.lk.room.delete_room(api.DeleteRoomRequest(room=dialer.name))
        await sipp.ended()


async def test_the_room_hears_ringing_until_the_answer(dialer: Dialer) -> None:
    async with (
        rtp_probe() as phone,
        dialer.callee("callee_hung_up_on", rtp=phone.port, ring="2500") as (sipp, port),
        dialer.room() as agent,
    ):
        phone.tone = 1200
        dialing = asyncio.create_task(dialer.dial(await dialer.trunk(port), play_dialtone=True))
        await agent.hears(425)
        await dialing
        await agent.hears(1200)
        await dialer.edge.lk.room.delete_room(api.DeleteRoomRequest(room=dialer.name))
        await sipp.ended()


async def test_a_call_that_is_too_long(dialer: Dialer) -> None:
    async with (
        rtp_probe() as phone,
        dialer.callee("callee_hung_up_on", rtp=phone.port) as (sipp, port),
        dialer.room(),
    ):
        await dialer.dial(await dialer.trunk(port), max_call_duration=Duration(seconds=2))
        await sipp.ended(within=6)
    assert (await dialer.edge.end()).sip_text == "max-call-duration"


async def test_several_legs_in_one_room(dialer: Dialer) -> None:
    async with (
        rtp_probe() as one,
        rtp_probe() as two,
        dialer.room() as agent,
        dialer.callee("callee_hung_up_on", rtp=one.port) as (first, port),
        callee(dialer.directory / "two", "callee_hung_up_on", rtp=two.port, fill={"ring": "10"}) as (second, other),
    ):
        one.tone, two.tone = 440, 1500
        for where, who in ((port, "ana"), (other, "ben")):
            await dialer.dial(await dialer.trunk(where), participant_identity=who)
        await until(lambda: power(one.last(0.5), 1500) > 0.3 and power(two.last(0.5), 440) > 0.3)
        assert len(agent.room.remote_participants) == 2
        await dialer.edge.lk.room.delete_room(api.DeleteRoomRequest(room=dialer.name))
        await first.ended()
        await second.ended()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"sip_call_to": "sip:ana@pbx"}, "SIP user"),
        ({"dtmf": "12x"}, "dtmf may hold"),
    ],
)
async def test_what_cannot_be_dialed_is_told(dialer: Dialer, wrong: Mapping[str, str], says: str) -> None:
    request = api.CreateSIPParticipantRequest(
        sip_trunk_id=await dialer.trunk(5060), room_name="dialed-0", **{"sip_call_to": THEIRS, **wrong}
    )
    with pytest.raises(api.TwirpError) as refused:
        await dialer.edge.lk.sip.create_sip_participant(request)
    assert refused.value.code == "invalid_argument"
    assert says in refused.value.message or "sip_call_to" in refused.value.message


async def test_the_next_place_is_called_when_one_is_out(servers: tuple[str, LiveKit], tmp_path: Path) -> None:
    """SRV records name a place where nobody listens, one that is out of service, and one that answers."""
    out = {"status": "503", "phrase": "Out", "ring": "10"}
    async with (
        rtp_probe() as phone,
        callee(tmp_path / "out", "callee_refuses", fill=out) as (refusing, second),
        callee(tmp_path / "there", "callee_hung_up_on", rtp=phone.port, fill={"ring": "300"}) as (sipp, third),
    ):
        places = [f"{number} 1 {port} 127.0.0.1." for number, port in enumerate((9, second, third))]
        async with (
            dns_server({("_sip._udp.carrier.test", "SRV"): places}) as dns,
            lab(tmp_path, *servers, OFFHOOK_SIP_DNS=dns) as edge,
        ):
            dialer = Dialer(edge, tmp_path)
            info = api.SIPOutboundTrunkInfo(name="srv", address="carrier.test", numbers=[OURS])
            made = await edge.lk.sip.create_outbound_trunk(api.CreateSIPOutboundTrunkRequest(trunk=info))
            async with dialer.room():
                await dialer.dial(made.sip_trunk_id)
                await phone.hears(600)
                await edge.lk.room.delete_room(api.DeleteRoomRequest(room=dialer.name))
                await sipp.ended()
                await refusing.ended()
            await edge.nothing_left()
