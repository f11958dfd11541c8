"""Another SIP peer takes a peer's place: Replaces and REFER come in (RFC 3891, RFC 3515)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from livekit import api

from tests.contract.sip.differences import differs
from tests.e2e import sipp_steps as steps
from tests.e2e.dialer import Dialer
from tests.e2e.servers import until
from tests.e2e.sip_lab import LOOPBACK, SipLab
from tests.e2e.sipp import Sipp, callee, hostport, sipp

pytestmark = pytest.mark.e2e
UP = (steps.invite(), steps.expect(180), steps.expect(200), steps.ack())
REPLACED = steps.scenario(*UP, steps.serve("BYE"))
ANSWERS = (
    steps.called(),
    steps.respond(200, body=steps.sdp(formats="0 101"), invite=True),
    steps.receive("ACK"),
)


def _replaces(caller: Sipp, to_tag: str = "") -> str:
    """The header that names a caller's dialog, as the edge sees it."""
    report = caller.report()
    call_id = re.findall(r"Call-ID: (\S+)", report)[0]
    theirs = re.findall(r"From: .*;tag=(\S+)", report)[0]
    ours = to_tag or re.findall(r"To: .*;tag=(SCL_\w+)", report)[0]
    return f"Replaces: {call_id};to-tag={ours};from-tag={theirs}"


@differs("INVITE with Replaces")
async def test_an_invite_that_replaces_a_caller(edge: SipLab) -> None:
    async with (
        edge.phone() as old,
        edge.phone() as new,
        edge.caller(REPLACED, rtp=old.port) as first,
        edge.agent() as agent,
    ):
        old.tone, new.tone = 440, 1000
        await old.hears(600)
        await agent.hears(440)
        takes = steps.scenario(
            steps.invite(_replaces(first)),
            steps.expect(200),
            steps.ack(),
            steps.until_told(),
            steps.request("BYE"),
            steps.expect(200),
        )
        async with edge.caller(takes, rtp=new.port) as second:
            await first.ended(3)
            await new.hears(600)
            await agent.hears(1000)
            new.press(5)
            await until(lambda: agent.keys == ["5"])
            assert "hangup" not in agent.statuses
            second.go_on()
            await second.ended()
        await until(lambda: agent.left)
    assert len(edge.calls()) == 1, "it is the same call all the time"


@differs("INVITE with Replaces")
@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Replaces: nobody;to-tag=a;from-tag=b", 481),
        ("Replaces: nobody;to-tag=a", 400),
        ("Replaces: a;to-tag=a;from-tag=b, c;to-tag=a;from-tag=b", 400),
    ],
)
async def test_what_cant_be_replaced(edge: SipLab, header: str, status: int) -> None:
    made = steps.scenario(steps.invite(header), steps.refused(status))
    async with edge.caller(made, rtp=9) as caller:
        await caller.ended()


@differs("INVITE with Replaces")
async def test_a_guess_a_stranger_or_no_media_in_common_leaves_the_call_as_it_is(edge: SipLab, tmp_path: Path) -> None:
    stays = steps.scenario(*UP, steps.until_told(), steps.request("BYE"), steps.expect(200))
    async with edge.phone() as phone, edge.caller(stays, rtp=phone.port) as first, edge.agent():
        await phone.hears(600)
        guessed = steps.scenario(steps.invite(_replaces(first, "SCL_guessed")), steps.refused(481))
        async with edge.caller(guessed, rtp=9) as caller:
            await caller.ended()
        video = steps.sdp(media=("m=video [rtp] RTP/AVP 96", "a=rtpmap:96 H264/90000"))
        unheard = steps.scenario(steps.invite(_replaces(first), body=video), steps.refused(488))
        async with edge.caller(unheard, rtp=9) as caller:
            await caller.ended()
        early = steps.scenario(steps.invite(f"{_replaces(first)};early-only"), steps.refused(486))
        async with edge.caller(early, rtp=9) as caller:
            await caller.ended()
        if edge.local == LOOPBACK:  # it has other addresses, too
            stranger = steps.scenario(steps.invite(_replaces(first)), steps.refused(403))
            there = edge.at("UDP")
            async with sipp(tmp_path / "stranger", stranger, there, edge.numbers.open, local="127.0.0.9") as caller:
                await caller.ended()
        phone.heard.clear()
        await phone.hears(600)
        first.go_on()
        await first.ended()


async def _hang_up(dialer: Dialer) -> None:
    gone = api.RoomParticipantIdentity(room=dialer.name, identity="callee")
    await dialer.edge.lk.room.remove_participant(gone)


@differs("REFER from the peer")
async def test_a_callee_refers_us_to_somebody_else(edge: SipLab, dialer: Dialer, tmp_path: Path) -> None:
    async with edge.phone() as old, edge.phone() as new:
        old.tone, new.tone = 440, 1000
        third = steps.scenario(*ANSWERS[:2], ANSWERS[2], steps.serve("BYE"))
        async with callee(tmp_path / "third", third, rtp=new.port, local=edge.local) as (colleague, there):
            refers = steps.scenario(
                *ANSWERS,
                steps.until_told(),
                steps.request("REFER", f"Refer-To: <sip:colleague@{hostport((edge.local, there))}?X-Case=seven>"),
                steps.expect(202, dialog=False),
                steps.serve("NOTIFY", patterns=("Event: refer", "Subscription-State: active", "SIP/2.0 100")),
                steps.serve("NOTIFY", patterns=("Subscription-State: terminated", "SIP/2.0 200")),
                steps.serve("BYE"),
            )
            async with callee(tmp_path / "first", refers, rtp=old.port, local=edge.local) as (first, here):
                trunk = await dialer.trunk(here)
                async with dialer.room() as agent:
                    await dialer.dial(trunk)
                    await old.hears(600)
                    await agent.hears(440)
                    first.go_on()
                    await first.ended()
                    await new.hears(600)
                    await agent.hears(1000)
                    assert "hangup" not in agent.statuses
                    await _hang_up(dialer)
                    await colleague.ended()
        assert "X-Case: seven" in colleague.report()


@differs("REFER from the peer")
async def test_somebody_who_refuses_leaves_the_callee_where_it_is(edge: SipLab, dialer: Dialer, tmp_path: Path) -> None:
    async with edge.phone() as phone:
        busy = steps.scenario(steps.called(), steps.respond(486, invite=True), steps.receive("ACK"))
        async with callee(tmp_path / "third", busy, local=edge.local) as (colleague, there):
            refers = steps.scenario(
                *ANSWERS,
                steps.request("REFER", f"Refer-To: <sip:colleague@{hostport((edge.local, there))}>"),
                steps.expect(202, dialog=False),
                steps.serve("NOTIFY", patterns=("SIP/2.0 100",)),
                steps.serve("NOTIFY", patterns=("Subscription-State: terminated", "SIP/2.0 486")),
                steps.serve("BYE"),
            )
            async with callee(tmp_path / "first", refers, rtp=phone.port, local=edge.local) as (first, here):
                trunk = await dialer.trunk(here)
                async with dialer.room():
                    await dialer.dial(trunk)
                    await colleague.ended()
                    await phone.hears(600)
                    await _hang_up(dialer)
                    await first.ended()


@differs("REFER from the peer")
async def test_nobody_has_calls_made_at_our_cost(edge: SipLab, dialer: Dialer, tmp_path: Path) -> None:
    """Even a PBX that we trust may refer us only to its own host."""
    refused = (steps.request("REFER", "Refer-To: <sip:+19005550100@192.0.2.1>"), steps.expect(403))
    made = steps.scenario(*UP, *refused, steps.request("BYE"), steps.expect(200))
    async with edge.caller(made, rtp=9) as caller, edge.agent():
        await caller.ended()
    abroad = (
        steps.request("REFER", "Refer-To: <sip:+19005550100@192.0.2.1>"),
        steps.expect(403),
        steps.request("REFER", f"Refer-To: <sips:colleague@{edge.local}>"),  # by UDP, which keeps no such promise
        steps.expect(403),
        steps.request("REFER", "Refer-To: tel:+19005550100"),
        steps.expect(416),
        steps.request("REFER"),
        steps.expect(400),
        steps.serve("BYE"),
    )
    async with (
        edge.phone() as phone,
        callee(tmp_path / "it", steps.scenario(*ANSWERS, *abroad), rtp=phone.port, local=edge.local) as (it, port),
    ):
        trunk = await dialer.trunk(port)
        async with dialer.room():
            await dialer.dial(trunk)
            await phone.hears(600)
            await until(lambda: "SIP/2.0 400" in it.report())
            await _hang_up(dialer)
            await it.ended()
