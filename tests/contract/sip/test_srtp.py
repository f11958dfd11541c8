"""Encrypted media: SRTP with its keys in the SDP (RFC 4568)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from livekit.protocol.sip import SIPMediaEncryption

from gateway.phone.phone import Phone
from gateway.phone.timeline import Kind
from gateway.rtp import RATE, Samples
from gateway.terms.ending import Party
from tests.contract.sip.differences import differs
from tests.e2e.dialer import Dialer
from tests.e2e.servers import until
from tests.e2e.sip_lab import SipLab
from tests.e2e.sipp import hostport

pytestmark = pytest.mark.e2e


@pytest.mark.usefixtures("tls")
async def test_baresip_is_heard_encrypted(edge: SipLab, certificate: Path, authority: Path) -> None:
    async with edge.baresip(certificate, authority, edge.numbers.secret, srtp=True) as phone, edge.agent() as agent:
        await agent.hears(440)
        await until(lambda: "SRTP is Enabled" in phone.said() or "SRTP: Enabled" in phone.said())
        await phone.hang_up()
        await until(lambda: agent.left)
    assert (await edge.end()).by is Party.CALLER


@differs("no codec in common")
async def test_plain_media_is_refused_where_it_must_be_encrypted(edge: SipLab) -> None:
    async with edge.caller("refused_at_once", edge.numbers.secret, status="488") as caller:
        await caller.ended(within=3)


async def test_encrypted_media_is_refused_where_it_may_not_be(edge: SipLab) -> None:
    async with Phone(hostport(edge.at("UDP")), host=edge.local, srtp="require") as phone:
        call = await phone.dial(edge.numbers.open)
        await until(lambda: call.signalling.status == 488)


@pytest.mark.parametrize(
    "theirs", ["require", pytest.param("disable", marks=differs("calls out whose media may be encrypted"))]
)
async def test_we_offer_encrypted_media_and_take_what_comes(dialer: Dialer, theirs: str) -> None:
    edge = dialer.edge
    async with Phone(hostport(edge.at("UDP")), host=edge.local, srtp=theirs) as phone, dialer.room() as agent:
        trunk = await dialer.trunk(phone.address[1], media_encryption=SIPMediaEncryption.SIP_MEDIA_ENCRYPT_ALLOW)
        async with asyncio.TaskGroup() as group:
            group.create_task(dialer.dial(trunk))
            call = await (await phone.rung()).answer()
        await call.tone([600], 20.0)
        await call.say(_tone(440), kind=Kind.PLAY)
        await agent.hears(440)
        assert ("AES" in call.signalling.codec) == (theirs == "require")
        await call.hang_up()


def _tone(frequency: float, seconds: float = 3.0) -> Samples:
    return (8000 * np.sin(2 * np.pi * frequency * np.arange(int(RATE * seconds)) / RATE)).astype(np.int16)
