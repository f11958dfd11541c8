"""Calls that the edge makes, as only its own process and settings show; tests/contract/sip has the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from livekit import api

from gateway.net.sip_exchange import Sending
from tests.e2e.dialer import Dialer
from tests.e2e.dns_server import dns_server
from tests.e2e.edge_lab import Lab, lab, rtp_ports
from tests.e2e.rtp_probe import rtp_probe
from tests.e2e.servers import LiveKit, until
from tests.e2e.sipp import callee

pytestmark = pytest.mark.e2e


@pytest.fixture
async def dialer(servers: tuple[str, LiveKit], tmp_path: Path) -> AsyncIterator[Dialer]:
    """The edge; afterwards nothing may be left of any call."""
    async with lab(tmp_path, *servers) as edge:
        yield Dialer(edge, tmp_path)
        await edge.nothing_left()
        assert rtp_ports() == set()


async def test_stopping_cancels_what_is_dialed(dialer: Dialer) -> None:
    async with dialer.callee("callee_rings") as (sipp, port), dialer.room() as agent:
        dialing = asyncio.create_task(dialer.dial(await dialer.trunk(port)))
        await until(lambda: "ringing" in agent.statuses)
        assert isinstance(dialer.edge, Lab)
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
            trunk = await edge.trunk("carrier.test")
            async with dialer.room():
                await dialer.dial(trunk)
                await phone.hears(600)
                await edge.lk.room.delete_room(api.DeleteRoomRequest(room=dialer.name))
                await sipp.ended()
                await refusing.ended()
            await edge.nothing_left()
