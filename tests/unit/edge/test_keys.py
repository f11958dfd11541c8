"""Keys that are pressed while LiveKit is being reached again."""

from __future__ import annotations

import asyncio

from livekit import rtc

from gateway.edge.keys import WITHIN, sent
from tests.unit.conduct import virtual


def test_a_key_waits_for_a_connection_that_is_resumed() -> None:
    async def publish() -> None:
        await asyncio.sleep(4.0)

    assert virtual.run(sent(publish)) == ""


def test_what_has_failed_is_tried_again_and_sent_once() -> None:
    tries, published = list[float](), list[float]()

    async def publish() -> None:
        now = asyncio.get_running_loop().time()
        tries.append(now)
        if now < 2.0:
            raise rtc.participant.PublishDTMFError("The connection is closed.")
        published.append(now)

    assert virtual.run(sent(publish)) == ""
    assert len(published) == 1 and published[0] < 2.5 and len(tries) < 12


def test_a_key_is_given_up_in_the_end() -> None:
    async def publish() -> None:
        await asyncio.sleep(2 * WITHIN)

    assert virtual.run(sent(publish)) != ""
