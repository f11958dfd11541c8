"""What a caller gets before anything proves that it is there, and by which keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import sipmessage
from sipmessage import URI, Address

from gateway.bus.ioinfo import MediaWish
from gateway.edge.line import Line
from gateway.net.listener import Listener
from gateway.net.media import Media
from gateway.rtp.session import SPARED
from gateway.sip import message, sdp
from gateway.sip.sdp import crypto
from gateway.terms.encryption import Encryption
from tests.unit.net.test_media import Far, Heard

pytestmark = pytest.mark.timeout(20)
HERE = "127.0.0.1"


@pytest.fixture
async def media() -> AsyncIterator[Media]:
    async with Media(HERE) as made:
        yield made


def invite(offer: bytes) -> sipmessage.Request:
    uri = URI.parse(f"sip:a@{HERE}")
    made = message.request("INVITE", uri, sender=Address(uri), to=Address(uri), call_id="c", cseq=1, contact=str(uri))
    made.body = offer
    return made


def opened(media: Media, far: Far, heard: Heard) -> Line:
    line = Line(media, [Listener(HERE, HERE)], HERE)
    line.open(invite(bytes(sdp.offer(HERE, far.address[1], session_id=1))), MediaWish(), heard)
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


def offered(*suites: sdp.Suite) -> bytes:
    """SDP of a caller who wants one of these."""
    keys = [each for each in crypto.offered(b"t" * sdp.MATERIAL) if each.suite in suites]
    lines = "".join(f"a=crypto:{each.attribute().value}\r\n" for each in keys)
    plain = bytes(sdp.offer(HERE, 4000, session_id=1)).decode()
    return (plain + lines).encode()


def key_of(described: bytes) -> tuple[sdp.Suite, bytes] | None:
    """Ours, in a description of ours."""
    found = crypto.read(sdp.parse(described).media[0].attributes)
    return (found[0].suite, found[0].key) if found else None


CM, GCM = sdp.Suite.AES_128_SHA1_80, sdp.Suite.AES_256_GCM
ALLOWED = MediaWish(encryption=Encryption.ALLOW)


@pytest.mark.parametrize("between", [(), (GCM,)])
async def test_a_key_that_was_given_up_does_not_come_back(media: Media, between: tuple[sdp.Suite, ...]) -> None:
    line = Line(media, [Listener(HERE, HERE)], HERE)
    first = key_of(line.open(invite(offered(CM)), ALLOWED, Heard()))
    line.start()
    refreshed = key_of(line.renegotiate(invite(offered(CM))))
    other = key_of(line.renegotiate(invite(offered(*between))))
    again = key_of(line.renegotiate(invite(offered(CM))))
    assert first is not None
    assert again is not None
    assert (first[0], refreshed, again[0]) == (CM, first, CM), "a refresh changes nothing"
    assert (other is not None) == bool(between)
    assert again[1] != first[1]


async def test_our_own_offers_hold_the_key_in_use_and_new_ones(media: Media) -> None:
    line = Line(media, [Listener(HERE, HERE)], HERE)
    used = key_of(line.open(invite(offered(CM)), ALLOWED, Heard()))
    line.start()
    offers = []
    for _ in range(2):
        offers.append({each.suite: each.key for each in crypto.read(sdp.parse(line.offer()).media[0].attributes)})
        line.withdraw()
    assert used is not None
    assert [each[CM] for each in offers] == [used[1]] * 2
    assert offers[0][GCM] != offers[1][GCM]


async def test_each_place_that_is_called_gets_keys_of_its_own(media: Media) -> None:
    line, here = Line(media, [Listener(HERE, HERE)], HERE), Listener(HERE, HERE)
    first = key_of(line.open(None, ALLOWED, Heard()))
    line.aim(here, HERE)
    assert key_of(line.open(None, ALLOWED, Heard())) != first
