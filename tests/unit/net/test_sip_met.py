"""When the other side of a call is no stranger any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import sipmessage

from gateway.net import sip_udp
from gateway.net.sip_driver import Incoming, NotAcknowledged
from gateway.net.warden import Warden
from gateway.sip.dialog import Dialog
from gateway.sip.gate import Gate
from gateway.sip.message import respond, tag_of
from tests.unit.net.test_sip_udp import FAST, Wire, invite

pytestmark = pytest.mark.timeout(20)


@dataclass
class Answers:
    """Answers a call, and hangs up when that is never acknowledged, as a call does."""

    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def on_request(self, incoming: Incoming) -> None:
        ok = incoming.respond(200)
        try:
            await incoming.acknowledged()
        except NotAcknowledged:
            bye = Dialog.uas(incoming.request, ok).request("BYE")
            await incoming.driver.request(bye, incoming.source)
        self.over.set()


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[sip_udp.SipUdp, Answers, Gate]]:
    made = Answers()
    async with sip_udp.serve("127.0.0.1", 0, made, timers=FAST, grace=0.5) as sip:
        gate = Gate()
        sip.warden = Warden(gate)
        yield sip, made, gate


async def test_a_caller_is_known_once_it_has_acknowledged_the_answer() -> None:
    wire = Wire()
    async with serving() as (sip, call, gate):
        wire.put(invite(wire), sip.address)
        ok = await wire.expect(200)
        assert not gate.knows("127.0.0.1", sip.now())
        wire.put(invite(wire, "z9hG4bKother", "ACK", "guessed"), sip.address)
        await wire.expect(200)  # once more, as nobody has acknowledged it
        assert not gate.knows("127.0.0.1", sip.now()), "an ACK of somebody who hasn't seen the answer"
        wire.put(invite(wire, "z9hG4bKack", "ACK", tag_of(ok.to_address)), sip.address)
        await call.over.wait()
        assert gate.knows("127.0.0.1", sip.now())


async def test_the_ack_of_an_answered_call_comes_through_a_flood() -> None:
    wire = Wire()
    async with serving() as (sip, call, gate):
        wire.put(invite(wire), sip.address)
        ok = await wire.expect(200)
        while not gate.refuses(b"garbage", "127.0.0.9", sip.now()):
            pass  # the strangers' ration is used up
        gate._of_all.rate = 0.0
        wire.put(invite(wire, "z9hG4bKack", "ACK", tag_of(ok.to_address)), sip.address)
        async with asyncio.timeout(5):
            await call.over.wait()
        assert gate.knows("127.0.0.1", sip.now())


async def test_one_that_never_acknowledges_stays_a_stranger_though_it_is_hung_up_on() -> None:
    wire = Wire()
    async with serving() as (sip, call, gate):
        wire.put(invite(wire), sip.address)
        bye = await wire.expect("BYE")
        assert not gate.knows("127.0.0.1", sip.now())
        assert isinstance(bye, sipmessage.Request)
        wire.put(respond(bye, 200), sip.address)
        await call.over.wait()
        assert not gate.knows("127.0.0.1", sip.now())
