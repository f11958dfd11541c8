"""Sessions that are kept up (RFC 4028), changed (RFC 3311, RFC 3264), and rung for reliably (RFC 3262), by SIPp."""

from __future__ import annotations

from pathlib import Path

import pytest
from livekit import api

from gateway.terms.ending import Party
from tests.contract.sip.differences import differs
from tests.e2e import sipp_steps as steps
from tests.e2e.dialer import Dialer
from tests.e2e.servers import until
from tests.e2e.sip_lab import SipLab
from tests.e2e.sipp import callee

pytestmark = pytest.mark.e2e
TIMER = "Supported: timer"
UP = (steps.expect(180), steps.expect(200), steps.ack())
USELESS = (
    ("m=image [rtp] udptl t38", "a=T38FaxVersion:0"),
    ("m=video [rtp] RTP/AVP 96", "a=rtpmap:96 H264/90000"),
    ("m=audio [rtp] RTP/AVP 18", "a=rtpmap:18 G729/8000"),
    ("m=audio 0 RTP/AVP 0", "a=rtpmap:0 PCMU/8000"),
    ("m=audio [rtp] RTP/SAVP 0", "a=rtpmap:0 PCMU/8000"),
)
"""Media that we can't talk by."""
BYE = (steps.request("BYE"), steps.expect(200))


async def _calls(edge: SipLab, *made: steps.Step, within: float = 20.0) -> str:
    """Run a caller through, with an agent in its room; what it has to report."""
    async with edge.phone() as phone, edge.caller(steps.scenario(*made), rtp=phone.port) as caller, edge.agent():
        await caller.ended(within)
        return caller.report()


@differs("session timers (RFC 4028)")
async def test_a_session_that_the_caller_refreshes(edge: SipLab) -> None:
    ours = ("Session-Expires: 600;refresher=uac", "Require: timer", "Supported: .*timer")
    await _calls(
        edge,
        steps.invite(TIMER, "Session-Expires: 600"),
        steps.expect(180),
        steps.expect(200, *ours),
        steps.ack(),
        steps.request("UPDATE", TIMER, "Session-Expires: 600;refresher=uac"),
        steps.expect(200, *ours[:2]),
        steps.request("INVITE", TIMER, "Session-Expires: 900;refresher=uac", body=steps.sdp(version=2)),
        steps.expect(200, "Session-Expires: 900;refresher=uac", "m=audio"),
        steps.ack(),
        *BYE,
    )
    assert (await edge.end()).by is Party.CALLER


@differs("session timers (RFC 4028)")
async def test_a_session_that_is_too_short(edge: SipLab) -> None:
    made = steps.scenario(steps.invite(TIMER, "Session-Expires: 60"), steps.refused(422, "Min-SE: 90"))
    async with edge.caller(made, rtp=9) as caller:
        await caller.ended()


@differs("100rel (RFC 3262)")
async def test_a_caller_who_wants_to_acknowledge_the_ringing(edge: SipLab) -> None:
    made = steps.scenario(
        steps.invite("Require: 100rel"),
        steps.expect(180, "Require: 100rel", dialog=True, keep="RSeq"),
        steps.request("PRACK", "RAck: 4294967295 1 INVITE"),
        steps.expect(481),
        steps.pause(1.0),
        steps.request("PRACK", "RAck:[$RSeq] 1 INVITE"),
        steps.expect(200),
        steps.expect(200),
        steps.ack(),
        *BYE,
    )
    async with edge.phone() as phone, edge.caller(made, rtp=phone.port) as caller:
        await until(lambda: "CSeq: 3 PRACK" in caller.report())
        assert caller.report().count("SIP/2.0 180") >= 2, "repeated until it was acknowledged"
        async with edge.agent():
            await caller.ended()
    assert (await edge.end()).by is Party.CALLER


@differs("an option tag nobody knows in Require")
async def test_options_that_nobody_knows(edge: SipLab) -> None:
    made = steps.scenario(steps.invite("Require: timer, precondition"), steps.refused(420, "Unsupported: precondition"))
    async with edge.caller(made, rtp=9) as caller:
        await caller.ended()


@pytest.mark.parametrize("method", ["INVITE", pytest.param("UPDATE", marks=differs("UPDATE (RFC 3311)"))])
@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("sendrecv", "sendrecv"),
        pytest.param("sendonly", "recvonly", marks=differs("hold")),
        pytest.param("recvonly", "sendonly", marks=differs("hold")),
        pytest.param("inactive", "inactive", marks=differs("hold")),
    ],
)
async def test_the_matrix_of_directions(edge: SipLab, method: str, theirs: str, ours: str) -> None:
    changed = steps.request(method, body=steps.sdp(direction=theirs, version=2))
    confirmed = (steps.ack(),) if method == "INVITE" else ()
    await _calls(edge, steps.invite(), *UP, changed, steps.expect(200, f"a={ours}"), *confirmed, *BYE)


@pytest.mark.parametrize(
    "media",
    [
        *(pytest.param(media, marks=differs("no codec in common")) for media in USELESS[:-1]),
        pytest.param(USELESS[-1], marks=differs("SRTP offered without keys")),
    ],
)
async def test_what_we_cannot_talk_by_is_refused(edge: SipLab, media: tuple[str, ...]) -> None:
    made = steps.scenario(steps.invite(body=steps.sdp(media=media)), steps.expect(180), steps.refused(488))
    async with edge.caller(made, rtp=9) as caller:
        await caller.ended(3)


@differs("a re-INVITE that changes codecs, or leaves the offer to us")
async def test_a_change_to_what_we_cannot_talk_by_is_refused_and_the_call_goes_on(edge: SipLab) -> None:
    changes = [
        step
        for version, media in enumerate(USELESS, 2)
        for step in (steps.request("INVITE", body=steps.sdp(media=media, version=version)), steps.refused(488))
    ]
    async with edge.phone() as phone:
        made = (steps.invite(), *UP, *changes, steps.until_told(), *BYE)
        async with edge.caller(steps.scenario(*made), rtp=phone.port) as caller, edge.agent():
            await until(lambda: f"CSeq: {1 + len(USELESS)} ACK" in caller.report())
            phone.heard.clear()
            await phone.hears(600)
            caller.go_on()
            await caller.ended()


@differs("a re-INVITE that changes codecs, or leaves the offer to us")
async def test_a_change_that_leaves_the_offer_to_us(edge: SipLab) -> None:
    changed = steps.request("INVITE")
    answer = steps.ack(body=steps.sdp(formats="8", version=2))
    async with edge.phone() as phone:
        made = (
            steps.invite(),
            *UP,
            changed,
            steps.expect(200, "m=audio .* 0 8 9 101"),
            answer,
            steps.until_told(),
            *BYE,
        )
        async with edge.caller(steps.scenario(*made), rtp=phone.port) as caller, edge.agent():
            await until(lambda: phone.payload == 8, 5)  # from then on in the codec that was chosen anew
            caller.go_on()
            await caller.ended()
    assert (await edge.end()).codec == "PCMA/8000"


@differs("Contact in 180")
async def test_a_change_before_the_answer_has_to_wait(edge: SipLab) -> None:
    await _calls(
        edge,
        steps.invite(),
        steps.expect(180, dialog=True),
        steps.request("UPDATE", body=steps.sdp(version=2)),
        steps.expect(500, "Retry-After: "),
        steps.expect(200),
        steps.ack(),
        *BYE,
    )


@differs("100rel (RFC 3262)")
async def test_a_callee_whose_ringing_we_acknowledge(edge: SipLab, dialer: Dialer, tmp_path: Path) -> None:
    """By a PRACK in the early dialog, whose numbers the BYE goes on with."""
    progress = ("Require: 100rel", "RSeq: 7")
    made = steps.scenario(
        steps.called("Supported: .*100rel"),
        steps.respond(183, *progress, body=steps.sdp(formats="0 101"), invite=True),
        steps.serve("PRACK", patterns=("RAck: 7 1 INVITE", "CSeq: 2 PRACK")),
        steps.pause(2.0),
        steps.respond(200, "Session-Expires: 600;refresher=uac", body=steps.sdp(formats="0 101"), invite=True),
        steps.receive("ACK"),
        steps.serve("BYE", patterns=("CSeq: 3 BYE",)),
    )
    async with (
        edge.phone() as phone,
        callee(tmp_path / "callee", made, rtp=phone.port, local=edge.local) as (sipp, port),
        dialer.room() as agent,
    ):
        await dialer.dial(await dialer.trunk(port), wait=False)
        phone.tone = 440
        await until(lambda: "active" in agent.statuses, 10)
        await phone.hears(600)
        await edge.lk.room.remove_participant(api.RoomParticipantIdentity(room=dialer.name, identity="callee"))
        await sipp.ended()


@differs("session timers (RFC 4028)")
async def test_a_callee_who_wants_longer_sessions(edge: SipLab, dialer: Dialer, tmp_path: Path) -> None:
    made = steps.scenario(
        steps.called("Session-Expires: 1800"),
        steps.respond(422, "Min-SE: 3600", invite=True),
        steps.receive("ACK"),
        steps.called("Session-Expires: 3600", "Min-SE: 3600", "CSeq: 2 INVITE"),
        steps.respond(603),
        steps.receive("ACK"),
    )
    async with callee(tmp_path / "callee", made, local=edge.local) as (sipp, port):
        trunk = await dialer.trunk(port)
        with pytest.raises(api.SipCallError) as refused:
            await dialer.dial(trunk)
        assert refused.value.sip_status_code == 603
        await sipp.ended()
