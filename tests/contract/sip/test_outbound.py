"""Calls that are made: LiveKit's API asks for them, SIPp is called, and a peer in the room stands for the agent."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Mapping

import numpy as np
import pytest
from google.protobuf.duration_pb2 import Duration
from livekit import api, rtc
from livekit.protocol.sip import SIPCodec, SIPMediaConfig

from gateway.bus.callstate import Status
from gateway.phone.phone import Phone
from gateway.phone.timeline import Kind
from gateway.rtp import RATE
from gateway.terms.ending import Party
from tests.contract.sip.differences import differs
from tests.e2e.dialer import THEIRS, Dialer
from tests.e2e.room_peer import RoomPeer
from tests.e2e.rtp_probe import power
from tests.e2e.servers import until
from tests.e2e.sipp import hostport

pytestmark = pytest.mark.e2e

BUSY = differs("a callee who is busy or unavailable (486, 480), to the API's user")
CHECKS = '<verifyauth assign_to="1" username="user" password="{}"/>'
READS = (
    '<ereg regexp="Digest username=.user., realm=.carrier.example., .*response=.[0-9a-f]{64}.*qop=auth" search_in="hdr"'
    ' header="Proxy-Authorization:" assign_to="1"/>'
)


def seen_of(agent: RoomPeer) -> list[str]:
    """The call's statuses as the room sees them. A callee on loopback may ring before the room knows of the dialing."""
    return [status for status in agent.statuses if status != "dialing"]


async def test_a_callee_who_wants_g722_is_called_in_it(dialer: Dialer) -> None:
    async with (
        Phone(hostport(dialer.edge.at("UDP")), host=dialer.edge.local, codec="g722") as phone,
        dialer.room() as agent,
    ):
        trunk = await dialer.trunk(phone.address[1])
        async with asyncio.TaskGroup() as group:
            group.create_task(dialer.dial(trunk, media=SIPMediaConfig(codecs=[SIPCodec(name="G722", rate=8000)])))
            call = await (await phone.rung()).answer()
        await call.tone([600], 20.0)
        await call.say((8000 * np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE)).astype(np.int16), kind=Kind.PLAY)
        await agent.hears(440)
        assert call.signalling.codec.startswith("G722")
        await call.hang_up()


@pytest.mark.parametrize("wait", [True, False])
async def test_a_call_is_heard_both_ways_and_digits_pass_both_ways(dialer: Dialer, wait: bool) -> None:
    async with dialer.edge.phone() as phone, dialer.callee("callee_hung_up_on", rtp=phone.port) as (sipp, port):
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
    assert f'From: "{dialer.edge.numbers.open}" <sip:{dialer.edge.numbers.open}@' in sent
    assert f"INVITE sip:{THEIRS}@{hostport((dialer.edge.local, port))} SIP/2.0" in sent
    assert "X-Gateway: offhook" in sent
    assert {"sip.callID": info.sip_call_id, "sip.trunkID": trunk, "sip.phoneNumber": THEIRS, "sip.trunkPhoneNumber": dialer.edge.numbers.open,
            "desk": "seven", "sip.h.x-account": "acct-42", "sip.callStatus": "active"}.items() <= seen.items()  # fmt: skip
    ended = await dialer.edge.end()
    assert (ended.by, ended.codec, ended.outbound) == (Party.AGENT, "PCMU/8000", True)
    told = [state.status for state in dialer.edge.calls()[0]]
    assert (set(told[:-1]), told[-1]) == ({Status.JOINED, Status.ACTIVE}, Status.DISCONNECTED), "some tell it twice"


async def test_the_callee_hangs_up(dialer: Dialer) -> None:
    async with (
        dialer.edge.phone() as phone,
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
        pytest.param("486", "Busy Here", "failed_precondition", rtc.DisconnectReason.USER_REJECTED, marks=BUSY),
        ("603", "Decline", "permission_denied", rtc.DisconnectReason.USER_REJECTED),
        ("404", "Not Found", "not_found", rtc.DisconnectReason.USER_UNAVAILABLE),
        pytest.param(
            "480", "Temporarily Unavailable", "failed_precondition", rtc.DisconnectReason.USER_UNAVAILABLE, marks=BUSY
        ),
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


@differs("an INVITE that isn't answered at all")
async def test_nobody_answers(dialer: Dialer) -> None:
    async with dialer.callee("callee_rings") as (sipp, port), dialer.room():
        started = time.monotonic()
        with pytest.raises(api.TwirpError) as refused:
            await dialer.dial(await dialer.trunk(port), ringing=1.5)
        assert 1.4 < time.monotonic() - started < 10.0
        await sipp.ended()
    assert refused.value.code == "canceled"
    assert refused.value.metadata["sip_status_code"] == "408"
    assert (await dialer.edge.end()).sip_text == "ringing-timeout"


@differs("an INVITE that isn't answered at all")
async def test_a_black_hole_fails_when_its_time_is_over(dialer: Dialer) -> None:
    with socket.socket(_family(dialer), socket.SOCK_DGRAM) as hole:
        hole.bind((dialer.edge.local, 0))
        trunk = await dialer.trunk(hole.getsockname()[1])
        async with dialer.room():
            dialing = asyncio.create_task(dialer.dial(trunk, ringing=2))
            hole.setblocking(False)
            await asyncio.get_running_loop().sock_recv(hole, 65535)
            started = time.monotonic()
            with pytest.raises(api.TwirpError) as refused:
                await dialing
            took = time.monotonic() - started
    assert 1.0 <= took < 12.0, "not at timer B, 32 s"
    assert refused.value.metadata["sip_status_code"] == "408"


@differs("a SIP address where nobody listens")
async def test_where_nobody_listens(dialer: Dialer) -> None:
    with socket.socket(_family(dialer), socket.SOCK_DGRAM) as taken:
        taken.bind((dialer.edge.local, 0))
        port = taken.getsockname()[1]
    async with dialer.room():
        started = time.monotonic()
        with pytest.raises(api.TwirpError) as refused:
            await dialer.dial(await dialer.trunk(port))
    assert time.monotonic() - started < 12.0, "not at timer B, 32 s"
    assert refused.value.metadata["sip_status_code"] == "503"


@pytest.mark.parametrize("how", ["room deleted", "participant removed"])
async def test_a_call_that_nobody_wants_any_more_is_cancelled(dialer: Dialer, how: str) -> None:
    async with dialer.callee("callee_rings") as (sipp, port), dialer.room() as agent:
        trunk = await dialer.trunk(port)
        dialing = asyncio.create_task(dialer.dial(trunk))
        await until(lambda: "ringing" in agent.statuses)
        if how == "room deleted":
            await dialer.edge.lk.room.delete_room(api.DeleteRoomRequest(room=dialer.name))
        else:
            who = api.RoomParticipantIdentity(room=dialer.name, identity="callee")
            await dialer.edge.lk.room.remove_participant(who)
        with pytest.raises(api.TwirpError):
            await dialing
        await sipp.ended()


@pytest.mark.parametrize(
    ("header", "status", "digest", "check"),
    [
        ("WWW-Authenticate", "401", "algorithm=MD5", CHECKS.format("secret")),
        # SIPp 3.6 reads no other header, no qop and no SHA-256; tests/unit/sip/test_digest.py has the RFCs' examples.
        pytest.param(
            *("Proxy-Authenticate", "407", 'algorithm=SHA-256, qop="auth"', READS), marks=differs("outbound digest")
        ),
    ],
)
async def test_a_password_is_proven(dialer: Dialer, header: str, status: str, digest: str, check: str) -> None:
    fill = {"header": header, "status": status, "digest": digest, "check": check}
    async with dialer.edge.phone() as phone, dialer.callee("callee_challenges", rtp=phone.port, **fill) as (sipp, port):
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


@differs("keys from the room")
@differs("a participant with the attribute `offhook.leg`")
async def test_a_leg_hears_nobody_until_the_api_says_so(dialer: Dialer) -> None:
    async with dialer.edge.phone() as phone, dialer.callee("callee_hung_up_on", rtp=phone.port) as (sipp, port):
        phone.tone = 440
        async with dialer.room() as agent:
            await dialer.dial(await dialer.trunk(port), participant_attributes={"offhook.leg": "1"})
            await agent.hears(440)
            await agent.press("7")
            await until(lambda: len(phone.heard) > 50)
            assert all(not frame.any() for frame in phone.heard)
            await _subscribe(dialer, agent, subscribe=True)
            await phone.hears(600)
            await agent.press("8")
            await until(lambda: phone.keys)
            assert phone.keys == [8]
            await dialer.edge.lk.room.delete_room(api.DeleteRoomRequest(room=dialer.name))
            await sipp.ended()


async def _subscribe(dialer: Dialer, agent: RoomPeer, *, subscribe: bool) -> None:
    """Let the callee hear the agent, or no longer."""
    tracks = list(agent.room.local_participant.track_publications)
    await dialer.edge.lk.room.update_subscriptions(
        api.UpdateSubscriptionsRequest(room=dialer.name, identity="callee", track_sids=tracks, subscribe=subscribe)
    )


async def test_keys_are_pressed_after_the_answer(dialer: Dialer) -> None:
    async with (
        dialer.edge.phone() as phone,
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
        dialer.edge.phone() as phone,
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
    async with dialer.callee("callee_hung_up_on") as (sipp, port), dialer.room():
        await dialer.dial(await dialer.trunk(port), max_call_duration=Duration(seconds=2))
        await sipp.ended(within=6)


@differs("who ended a call that nobody answered, or that a limit ended")
async def test_that_a_call_was_too_long_is_told(dialer: Dialer) -> None:
    async with dialer.callee("callee_hung_up_on") as (sipp, port), dialer.room():
        await dialer.dial(await dialer.trunk(port), max_call_duration=Duration(seconds=1))
        await sipp.ended(within=6)
    ended = await dialer.edge.end()
    assert (ended.sip_status, ended.sip_text) == (200, "max-call-duration")


async def test_several_legs_in_one_room(dialer: Dialer) -> None:
    async with (
        dialer.edge.phone() as one,
        dialer.edge.phone() as two,
        dialer.room() as agent,
        dialer.callee("callee_hung_up_on", rtp=one.port) as (first, port),
        dialer.callee("callee_hung_up_on", rtp=two.port, ring="10") as (second, other),
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
        pytest.param({"dtmf": "12x"}, "dtmf may hold", marks=differs("`dtmf` that can't be keyed")),
    ],
)
async def test_what_cannot_be_dialed_is_told(dialer: Dialer, wrong: Mapping[str, str], says: str) -> None:
    request = api.CreateSIPParticipantRequest(
        sip_trunk_id=await dialer.trunk(5060), room_name=dialer.name, **{"sip_call_to": THEIRS, **wrong}
    )
    with pytest.raises(api.TwirpError) as refused:
        await dialer.edge.lk.sip.create_sip_participant(request)
    assert refused.value.code == "invalid_argument"
    assert says in refused.value.message or "sip_call_to" in refused.value.message


def _family(dialer: Dialer) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in dialer.edge.local else socket.AF_INET
