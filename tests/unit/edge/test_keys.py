"""Keys that are pressed while LiveKit is being reached again."""

from __future__ import annotations

import asyncio

from livekit import rtc

from gateway.edge.keys import WITHIN, Sent, sent
from gateway.terms.gap import KEPT_FOR
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


def test_the_keys_of_the_last_seconds_are_kept_in_order() -> None:
    keys = Sent()
    for at, key in enumerate("12345"):
        keys.add(key, float(at))
    assert keys.since(2.0) == ["3", "4", "5"]
    assert keys.since(9.0) == []
    keys.add("6", KEPT_FOR + 3.5)
    assert keys.since(0.0) == ["5", "6"], "no longer than they may be asked for"
