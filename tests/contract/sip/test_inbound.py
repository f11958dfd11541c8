"""Calls that come in: SIPp calls, a real livekit-server decides, and a peer in the room stands for the agent."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, suppress
from functools import partial
from itertools import pairwise

import pytest
from livekit import api, rtc

from gateway.bus.callstate import Status
from gateway.terms.ending import Party
from gateway.terms.gap import HEARD, KEYS, NEXT, PROOF, TOLD, proof
from tests.contract.sip.differences import differs
from tests.e2e.room_peer import silent_peer
from tests.e2e.rtp_probe import power
from tests.e2e.servers import until
from tests.e2e.sip_lab import SipLab

pytestmark = pytest.mark.e2e


async def test_a_call_is_heard_both_ways_and_digits_pass_both_ways(edge: SipLab) -> None:
    async with edge.phone() as phone, edge.caller("call", rtp=phone.port, pause=9) as caller:
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
            caller.go_on()
            await caller.ended()
            await until(lambda: agent.left)
            # An agent that is there first may hear of a caller who is answered already.
            assert [status for status in agent.statuses if status != "ringing"] == ["active", "hangup"]
            assert agent.keys == ["5", "#"]
    assert seen["sip.callID"].startswith("SCL_")
    assert seen["sip.trunkPhoneNumber"] == edge.numbers.open
    assert seen["sip.phoneNumber"] == "+15105550123"
    assert seen["sip.h.x-account"] == "acct-42"
    assert {"sip.trunkID", "sip.ruleID", "sip.hostname", "sip.callIDFull", "sip.callTag"} <= seen.keys()
    ended = await edge.end()
    assert (ended.by, ended.codec) == (Party.CALLER, "PCMU/8000")
    assert [state.status for state in edge.calls()[0]] == [
        Status.INCOMING,
        Status.INCOMING,
        Status.ACTIVE,
        Status.DISCONNECTED,
    ]


@differs("INFO with a key (`application/dtmf-relay`, `application/dtmf`)")
async def test_a_key_that_is_told_by_info_is_heard_once_also_where_it_was_an_event_before(edge: SipLab) -> None:
    async with (
        edge.phone() as phone,
        edge.caller("keys_by_info", rtp=phone.port, pause=9) as caller,
        edge.agent() as agent,
    ):
        await phone.hears(600)
        phone.press(5)
        await until(lambda: agent.keys == ["5"])
        caller.go_on()
        await caller.ended()
        await until(lambda: agent.left)
        assert agent.keys == ["5", "#"]


async def test_the_audio_is_sent_without_gaps(edge: SipLab) -> None:
    async with edge.phone() as phone, edge.caller("call", rtp=phone.port, pause=3) as caller, edge.agent():
        await caller.ended()
    sequences = [sequence for _, sequence, _ in phone.arrivals]
    times = [timestamp for _, _, timestamp in phone.arrivals]
    assert len(sequences) > 140
    assert {(b - a) & 0xFFFF for a, b in pairwise(sequences)} == {1}
    assert {(b - a) & 0xFFFFFFFF for a, b in pairwise(times)} == {160}


async def test_several_voices_are_mixed(edge: SipLab) -> None:
    async with edge.phone() as phone, edge.caller("call", rtp=phone.port, pause=9) as caller:
        async with edge.agent(tone=600), edge.agent(name="background", tone=1500):
            await until(lambda: power(phone.last(0.5), 600) > 0.3 and power(phone.last(0.5), 1500) > 0.3)
        caller.go_on()
        await caller.ended()


@pytest.mark.parametrize(
    ("formats", "codec"),
    [
        ("0 8 101", "PCMU/8000"),
        pytest.param("8 0 101", "PCMA/8000", marks=differs("several codecs in common")),
    ],
)
async def test_the_callers_first_codec_is_taken(edge: SipLab, formats: str, codec: str) -> None:
    async with edge.phone() as phone, edge.caller("call", rtp=phone.port, pause=9, formats=formats) as caller:
        async with edge.agent():
            await phone.hears(600)
        caller.go_on()
        await caller.ended()
    assert (await edge.end()).codec == codec


@differs("an INVITE without SDP, inbound")
async def test_a_caller_who_leaves_the_offer_to_us(edge: SipLab) -> None:
    async with edge.phone() as phone, edge.caller("late_offer", rtp=phone.port, pause=9) as caller:
        phone.tone = 440
        async with edge.agent() as agent:
            await phone.hears(600)
            await agent.hears(440)
        caller.go_on()
        await caller.ended()


@pytest.mark.parametrize(
    ("whom", "status", "formats"),
    [
        pytest.param("unknown", "404", "0 8 101", marks=differs("no trunk or rule matches")),
        pytest.param("open", "488", "18 101", marks=differs("no codec in common")),
    ],
)
async def test_who_is_not_let_in(edge: SipLab, whom: str, status: str, formats: str) -> None:
    dialed = getattr(edge.numbers, whom)
    async with edge.caller("refused_at_once", dialed, rtp=9, status=status, formats=formats) as caller:
        await caller.ended()
    ended = await edge.end()
    assert (ended.by, ended.sip_status) == (Party.GATEWAY, int(status))
    assert ended.to_user.reveal() == dialed


async def test_a_caller_signs_in(edge: SipLab) -> None:
    async with (
        edge.phone() as phone,
        edge.caller(
            "signs_in", edge.numbers.guarded, rtp=phone.port, pause=9, password="password", status="200"
        ) as caller,
        edge.agent(),
    ):
        await phone.hears(600)
        caller.go_on()
        await caller.ended()
    assert [state.status for state in edge.told][:1] == [Status.INCOMING], "nothing is told of who hasn't signed in"
    assert len(edge.calls()) == 1


@differs("a wrong password, inbound")
async def test_a_caller_with_a_wrong_password(edge: SipLab) -> None:
    async with edge.caller("signs_in_refused", edge.numbers.guarded, rtp=9, password="guess", status="403") as caller:
        await caller.ended()
    assert (await edge.end()).sip_text == "wrong password"


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        pytest.param("603", "603", marks=differs("a ringing participant that is removed")),
        pytest.param("404", "404", marks=differs("a ringing participant that is removed")),
        ("", "486"),
        ("199", "486"),
    ],
)
async def test_a_ringing_participant_that_is_removed(edge: SipLab, wish: str, status: str) -> None:
    async with edge.caller("refused", rtp=9, status=status) as caller:
        room = await edge.room()
        who = await _sip_identity(edge, room)
        if wish:
            await edge.lk.room.update_participant(
                api.UpdateParticipantRequest(room=room, identity=who, attributes={"offhook.reject": wish})
            )
        await edge.lk.room.remove_participant(api.RoomParticipantIdentity(room=room, identity=who))
        await caller.ended()


async def test_a_room_deleted_while_it_rings(edge: SipLab) -> None:
    async with edge.caller("refused", rtp=9, status="486") as caller:
        room = await edge.room()
        await _sip_identity(edge, room)
        await edge.lk.room.delete_room(api.DeleteRoomRequest(room=room))
        await caller.ended()


@pytest.mark.parametrize("how", ["room deleted", "participant removed"])
async def test_the_agents_side_hangs_up(edge: SipLab, how: str) -> None:
    async with edge.phone() as phone, edge.caller("hung_up_on", rtp=phone.port) as caller, edge.agent() as agent:
        await phone.hears(600)
        room = await edge.room()
        if how == "room deleted":
            await edge.lk.room.delete_room(api.DeleteRoomRequest(room=room))
        else:
            assert agent.caller is not None
            who = api.RoomParticipantIdentity(room=room, identity=agent.caller.identity)
            await edge.lk.room.remove_participant(who)
        await caller.ended()
    assert (await edge.end()).by is Party.AGENT


@pytest.mark.parametrize("pause", [0.0, 0.02, 0.05, 0.1, 0.2, 1.2])
async def test_the_caller_gives_up_while_it_rings(edge: SipLab, pause: float) -> None:
    async with edge.caller("cancelled", rtp=9, pause=pause) as caller:
        await caller.ended()
    assert (await edge.end()).by is Party.CALLER


async def test_the_caller_gives_up_at_once(edge: SipLab) -> None:
    async with edge.caller("cancelled_at_once", rtp=9) as caller:
        await caller.ended()
    assert (await edge.end()).by is Party.CALLER


async def test_the_caller_hangs_up_as_soon_as_it_is_answered(edge: SipLab) -> None:
    async with edge.caller("call", rtp=9, pause=0) as caller, edge.agent():
        await caller.ended()
    assert (await edge.end()).by is Party.CALLER


async def test_an_agent_ends_the_call_by_rpc_and_reads_the_callers_headers(edge: SipLab) -> None:
    async with edge.phone() as phone, edge.caller("hung_up_on", rtp=phone.port) as caller, edge.agent() as agent:
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


@differs("keys that no job has acted on")
async def test_a_job_that_comes_later_is_told_the_keys_that_nobody_has_heard_and_nobody_else_is(edge: SipLab) -> None:
    async with edge.phone() as phone, edge.caller("call", rtp=phone.port, pause=9), edge.agent() as agent:
        await phone.hears(600)
        for key in (4, 7):
            phone.press(key)
        await until(lambda: agent.keys == ["4", "7"], 10.0)
        assert agent.caller is not None
        who, room = agent.caller.identity, agent.room.name
        for kind in ("standard", "agent"):
            told: list[str] = []
            async with silent_peer(edge.livekit, room, f"later-{kind}", kind) as later:
                later.on("data_received", lambda packet, told=told: told.append(packet.data.decode()))
                later.on("sip_dtmf_received", lambda key, told=told: told.append(key.digit))

                async def call(asked: dict[str, object], us: rtc.LocalParticipant = later.local_participant) -> None:
                    await us.perform_rpc(destination_identity=who, method=KEYS, payload=json.dumps(asked))

                if kind == "standard":
                    with pytest.raises(rtc.RpcError):
                        await call({PROOF: proof("another secret", room, "later-standard")})
                    phone.press(9)
                    await until(lambda told=told: told, 10.0)
                    assert told == ["9"], "no key that came before"
                else:
                    # At once, though LiveKit tells the service late of somebody who publishes nothing.
                    ours = {PROOF: proof(edge.livekit.secret, room, "later-agent")}
                    await call(ours)
                    phone.press(11)
                    await until(lambda told=told: len(told) == 2, 10.0)
                    assert [json.loads(told[0]), told[1]] == [{TOLD: ["4", "7", "9"], NEXT: 4}, "#"], "in their places"
                    await call({**ours, HEARD: 3})
                    await call(ours)
                    await until(lambda told=told: len(told) == 3, 10.0)
                    assert json.loads(told[2]) == {TOLD: ["#"], NEXT: 5}


@differs("`lk.sip.EndCall`")
async def test_who_ended_a_call_by_rpc_can_be_told(edge: SipLab) -> None:
    async with edge.phone() as phone, edge.caller("hung_up_on", rtp=phone.port) as caller, edge.agent() as agent:
        await phone.hears(600)
        assert agent.caller is not None
        who = agent.caller.identity
        await agent.room.local_participant.perform_rpc(destination_identity=who, method="lk.sip.EndCall", payload="{}")
        await caller.ended()
    assert (await edge.end()).by is Party.AGENT


async def test_a_ringing_call_is_refused_by_rpc(edge: SipLab) -> None:
    async with edge.caller("refused", rtp=9, status="486") as caller:
        room = await edge.room()
        who = await _sip_identity(edge, room)
        async with silent_peer(edge.livekit, room) as peer:
            ask = partial(peer.local_participant.perform_rpc, destination_identity=who, method="lk.sip.EndCall")
            with suppress(rtc.RpcError):  # who leaves at once may take its answer along
                await ask(payload=json.dumps({"headers": {"Reason": "Q.850;cause=21"}}))
            await caller.ended()
        assert "Reason: Q.850;cause=21" in caller.report()


@differs("a call that rings for longer than its trunk allows")
async def test_nobody_answers(edge: SipLab) -> None:
    async with edge.caller("refused", edge.numbers.quick, rtp=9, status="503") as caller:
        await caller.ended()


async def test_a_call_that_is_too_long(edge: SipLab) -> None:
    async with edge.caller("hung_up_on", edge.numbers.quick, rtp=9) as caller, edge.agent():
        await caller.ended()


@differs("the final status, told of a call's end")
@pytest.mark.parametrize(("scenario", "status"), [("call", 200), ("cancelled", 487)])
async def test_the_final_status_is_told(edge: SipLab, scenario: str, status: int) -> None:
    async with edge.caller(scenario, rtp=9, pause=0.2) as caller:
        if scenario == "call":
            async with edge.agent():
                await caller.ended()
        else:
            await caller.ended()
    assert (await edge.end()).sip_status == status


@differs("who ended a call that nobody answered, or that a limit ended")
@pytest.mark.parametrize(
    ("how", "says"),
    [("removed", "Busy Here"), ("unanswered", "ringing-timeout"), ("too long", "max-call-duration")],
)
async def test_what_ended_a_call_is_told(edge: SipLab, how: str, says: str) -> None:
    async with AsyncExitStack() as stack:
        dialed = edge.numbers.open if how == "removed" else edge.numbers.quick
        scenario, status = "hung_up_on" if how == "too long" else "refused", "486" if how == "removed" else "503"
        caller = await stack.enter_async_context(edge.caller(scenario, dialed, rtp=9, status=status))
        if how == "removed":
            room = await edge.room()
            who = api.RoomParticipantIdentity(room=room, identity=await _sip_identity(edge, room))
            await edge.lk.room.remove_participant(who)
        elif how == "too long":
            await stack.enter_async_context(edge.agent())
        await caller.ended()
    ended = await edge.end()
    assert (ended.by, ended.sip_text) == (Party.GATEWAY, says)


@differs("hold")
async def test_hold_is_answered_by_its_direction(edge: SipLab) -> None:
    async with edge.phone() as phone, edge.caller("held", rtp=phone.port, pause=1) as caller, edge.agent():
        await phone.hears(600)
        await caller.ended()
    arrivals = [at for at, _, _ in phone.arrivals]
    longest = max(b - a for a, b in pairwise(arrivals))
    assert 1.5 < longest < 3.0, "nothing is sent on hold, and all is well afterwards"


@pytest.mark.parametrize(
    ("method", "status", "tag", "headers"),
    [
        ("OPTIONS", "200", "", "."),
        ("REGISTER", "405", "", "."),
        ("MESSAGE", "405", "", "."),
        pytest.param("OPTIONS", "200", "", "Allow: INVITE", marks=differs("Allow, in answers to OPTIONS and 405")),
        pytest.param("REGISTER", "405", "", "Allow: INVITE", marks=differs("Allow, in answers to OPTIONS and 405")),
        ("BYE", "481", ";tag=nobody", "."),
        pytest.param("INVITE", "481", ";tag=nobody", ".", marks=differs("an INVITE within a call that isn't known")),
    ],
)
async def test_other_requests(edge: SipLab, method: str, status: str, tag: str, headers: str) -> None:
    async with edge.caller("request", method=method, status=status, tag=tag, headers=headers) as caller:
        await caller.ended()
    assert edge.told == []


async def test_headers_that_the_trunk_wants_in_the_answer(edge: SipLab) -> None:
    async with edge.caller("call", rtp=9, pause=0.2) as caller, edge.agent():
        await caller.ended()
        assert "X-Gateway: offhook" in caller.report()


@pytest.mark.timeout(300)
async def test_ten_calls_at_once(edge: SipLab) -> None:
    async with AsyncExitStack() as stack:
        phones, callers, agents = [], [], []
        for number in range(10):
            phone = await stack.enter_async_context(edge.phone())
            phones.append(phone)
            callers.append(await stack.enter_async_context(edge.caller("hung_up_on", rtp=phone.port)))
            agents.append(stack.enter_async_context(edge.agent(number, tone=600, deaf=True)))
        await asyncio.gather(*agents)
        await asyncio.gather(*(phone.hears(600, within=60) for phone in phones))
        for room in edge.rooms():
            await edge.lk.room.delete_room(api.DeleteRoomRequest(room=room))
        await asyncio.gather(*(caller.ended() for caller in callers))


async def _sip_identity(edge: SipLab, room: str) -> str:
    """The identity of the room's SIP participant, once it is there."""
    async with asyncio.timeout(20):
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
