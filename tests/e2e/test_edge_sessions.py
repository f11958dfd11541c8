"""Sessions that are kept up (RFC 4028), changed (RFC 3311, RFC 3264), and rung for reliably (RFC 3262), by SIPp."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.edge.inbound import ringing
from gateway.sip import session_timer
from gateway.terms.ending import Party
from tests.e2e import sipp_steps as steps
from tests.e2e.edge_lab import Lab, lab, rtp_ports
from tests.e2e.rtp_probe import rtp_probe
from tests.e2e.servers import LiveKit

pytestmark = pytest.mark.e2e
TIMER = "Supported: timer"
UP = (steps.expect(180), steps.expect(200), steps.ack())
BYE = (steps.request("BYE"), steps.expect(200))


@pytest.fixture
async def edge(servers: tuple[str, LiveKit], tmp_path: Path) -> AsyncIterator[Lab]:
    async with lab(tmp_path, *servers) as made:
        yield made
        await made.nothing_left()
        assert rtp_ports() == set()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions may last for two seconds here; RFC 4028 allows no less than 90."""
    monkeypatch.setattr(session_timer, "LEAST", 2)


async def _calls(edge: Lab, *made: steps.Step, within: float = 20.0) -> str:
    """Run a caller through, with an agent in its room; what it has to report."""
    async with rtp_probe() as phone, edge.caller(steps.scenario(*made), rtp=phone.port) as caller, edge.agent():
        await caller.ended(within)
        return caller.report()


@pytest.mark.parametrize("allow", ["INVITE, ACK, BYE, UPDATE", "INVITE, ACK, BYE"])
async def test_a_session_that_we_refresh(edge: Lab, short: None, allow: str) -> None:
    """By UPDATE where the caller knows it, else by a re-INVITE; twice, two seconds apart."""
    if "UPDATE" in allow:
        refreshed = [steps.serve("UPDATE", "Session-Expires: 4;refresher=uac")] * 2
    else:
        answer = steps.respond(200, "Session-Expires: 4;refresher=uac", body=steps.sdp(version=2))
        refreshed = [steps.receive("INVITE"), answer, steps.receive("ACK")] * 2
    async with rtp_probe() as phone:
        made = (
            steps.invite(TIMER, "Session-Expires: 4;refresher=uas", f"Allow: {allow}"),
            *UP,
            *refreshed,
            *BYE,
        )
        async with edge.caller(steps.scenario(*made), rtp=phone.port) as caller, edge.agent():
            await phone.hears(600)
            await caller.ended()
            await phone.hears(600)
    assert (await edge.end()).by is Party.CALLER


async def test_a_refresh_that_crosses_the_callers_own_change(edge: Lab, short: None) -> None:
    """RFC 3261 section 14.1: 491, and again a moment later."""
    agreed = "Session-Expires: 30;refresher=uac"
    await _calls(
        edge,
        steps.invite(TIMER, "Session-Expires: 2;refresher=uas", "Allow: INVITE"),
        *UP,
        steps.receive("INVITE"),
        steps.respond(491),
        steps.receive("ACK"),
        steps.receive("INVITE"),
        steps.respond(200, agreed, body=steps.sdp(version=2)),
        steps.receive("ACK"),
        *BYE,
    )
    assert (await edge.end()).by is Party.CALLER


async def test_a_caller_who_no_longer_refreshes_is_hung_up(edge: Lab, short: None) -> None:
    await _calls(
        edge,
        steps.invite(TIMER, "Session-Expires: 3;refresher=uac"),
        *UP,
        steps.serve("BYE"),
    )
    ended = await edge.end()
    assert (ended.by, ended.sip_text) == (Party.NETWORK, "the session wasn't refreshed")


async def test_a_caller_who_forgot_the_call_is_found_out(edge: Lab, short: None) -> None:
    await _calls(
        edge,
        steps.invite(TIMER, "Session-Expires: 3;refresher=uas", "Allow: INVITE, UPDATE"),
        *UP,
        steps.serve("UPDATE", code=481),
        steps.serve("BYE"),
    )
    assert (await edge.end()).by is Party.NETWORK


async def test_ringing_that_is_never_acknowledged(edge: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ringing, "T1", 0.02)
    made = steps.scenario(steps.invite("Require: 100rel"), steps.expect(180), steps.refused(504))
    async with edge.caller(made, rtp=9) as caller:
        await caller.ended()
    assert (await edge.end()).sip_status == 504
