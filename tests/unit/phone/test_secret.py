"""What keys the phone encrypts media with, between two of them on loopback."""

from __future__ import annotations

import asyncio

from gateway.net.sip_exchange import Incoming
from gateway.phone.call import Call
from gateway.phone.phone import Phone
from gateway.sip import sdp


class Callee(Phone):
    """Remembers what it was offered."""

    def __init__(self) -> None:
        super().__init__("127.0.0.1:5060", srtp="require")
        self.offered: list[bytes] = []

    async def on_request(self, incoming: Incoming) -> None:
        if incoming.request.method == "INVITE":
            self.offered.append(incoming.request.body)
        await super().on_request(incoming)


def keys(described: bytes) -> dict[str, str]:
    """The key of each suite."""
    lines = [line for line in described.decode().splitlines() if line.startswith("a=crypto:")]
    return {line.split()[1]: line.split()[2] for line in lines}


async def connected(caller: Phone, callee: Callee) -> tuple[Call, Call]:
    call, ringing = await caller.dial("+15105550100"), await callee.rung()
    there = await ringing.answer()
    await call.answered()
    return call, there


async def test_each_call_and_each_description_has_keys_of_its_own_but_for_the_one_in_use() -> None:
    async with Callee() as callee, Phone("{}:{}".format(*callee.address), srtp="require") as caller:
        call, there = await connected(caller, callee)
        await connected(caller, callee)
        await caller.hold(call, sdp.Direction.SENDONLY)
        first, second, again = map(keys, callee.offered)
        assert len(set(first.values()) | set(second.values())) == 2 * len(sdp.Suite), "two calls"
        kept = {suite for suite in first if again[suite] == first[suite]}
        assert kept == {sdp.Suite.AES_128_SHA1_80}, "the one that both encrypt with"
        heard = there.port.statistics().received
        async with asyncio.timeout(20):
            while there.port.statistics().received < heard + 10:
                await asyncio.sleep(0.02)
        assert not there.port.statistics().forged
