"""What a caller gets before anything proves that it is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sipmessage import URI, Address

from gateway.bus.ioinfo import MediaWish
from gateway.edge.line import Line
from gateway.net.listener import Listener
from gateway.net.media import Media
from gateway.rtp.session import SPARED
from gateway.sip import message, sdp
from tests.unit.net.test_media import Far, Heard

pytestmark = pytest.mark.timeout(20)
HERE = "127.0.0.1"


@pytest.fixture
async def media() -> AsyncIterator[Media]:
    async with Media(HERE) as made:
        yield made


def opened(media: Media, far: Far, heard: Heard) -> Line:
    uri = URI.parse(f"sip:a@{HERE}")
    offer = bytes(sdp.offer(HERE, far.address[1], session_id=1))
    invite = message.request("INVITE", uri, sender=Address(uri), to=Address(uri), call_id="c", cseq=1, contact=str(uri))
    invite.body = offer
    line = Line(media, [Listener(HERE, HERE)], HERE)
    line.open(invite, MediaWish(), heard)
    return line


async def test_a_stranger_gets_a_second_s_worth_until_it_acknowledges(media: Media) -> None:
    far, heard = Far(), Heard()
    line = opened(media, far, heard)
    line.sparing = True
    line.start()
    await heard.until(lambda: len(heard.frames) >= 2 * SPARED)
    assert len(far.read()) == SPARED
    line.confide()
    async with asyncio.timeout(10):
        await heard.until(lambda: len(far.read()) >= 2 * SPARED)


async def test_who_is_known_gets_all_at_once(media: Media) -> None:
    far, heard = Far(), Heard()
    opened(media, far, heard).start()
    await heard.until(lambda: len(far.read()) > SPARED)
