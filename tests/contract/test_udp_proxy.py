"""Keys between two ports of ours, on sockets, with a bad network between them."""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import AsyncExitStack

import pytest

from gateway.net.media import Media
from gateway.rtp import Audio, KeyPressed, TimedOut
from gateway.rtp.session import Format
from gateway.rtp.telephone_event import KEYS
from tests.udp_proxy import udp_proxy

FORM = Format("PCMU", event_type=101)
AT_ONCE = 32
"""Keys that one port may hold, less than MAX_KEYS."""


class End:
    """A call that only notes its keys."""

    def __init__(self) -> None:
        self.keys = ""

    def on_audio(self, audio: Audio) -> None:
        pass

    def on_key(self, pressed: KeyPressed) -> None:
        self.keys += pressed.key

    def on_timeout(self, timeout: TimedOut) -> None:
        pass


@pytest.mark.parametrize(
    ("pairs", "each"), [(4, 24), pytest.param(20, 500, marks=[pytest.mark.long, pytest.mark.timeout(400)])]
)
async def test_keys_through_a_bad_network_are_heard_once_each(pairs: int, each: int) -> None:
    seed = int(os.environ.get("NETWORK_SEED", random.randrange(2**32)))
    draw = random.Random(seed)
    async with Media("127.0.0.1") as media, AsyncExitStack() as stack:
        calls, proxies = [], []
        for _ in range(pairs):
            near, far = End(), End()
            one, two = media.open(near), media.open(far)
            proxy = await stack.enter_async_context(udp_proxy(one.address, two.address, draw))
            one.start(FORM, proxy.address)
            two.start(FORM, proxy.address)
            proxies.append(proxy)
            calls.append((one, far, "".join(draw.choice(KEYS) for _ in range(each))))
        for begin in range(0, each, AT_ONCE):
            for one, _, keys in calls:
                one.press(keys[begin : begin + AT_ONCE])
            async with asyncio.timeout(60):
                await asyncio.gather(*(one.sent() for one, _, _ in calls))
        async with asyncio.timeout(20):
            while any(len(far.keys) < each for _, far, _ in calls):
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)  # what is late could still be taken for another press
        assert [far.keys for _, far, _ in calls] == [keys for _, _, keys in calls], f"NETWORK_SEED={seed}"
        carried, lost = sum(proxy.carried for proxy in proxies), sum(proxy.lost for proxy in proxies)
        assert 0.03 < lost / carried < 0.07
