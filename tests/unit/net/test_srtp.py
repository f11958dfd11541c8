"""Encrypted media: two ports that talk, and what a third can put between them."""

from __future__ import annotations

import pylibsrtp
import pytest

from gateway.net.srtp import Srtp
from gateway.rtp.packet import RtpPacket, parse, write
from gateway.rtp.shield import NotGenuine
from gateway.sip.sdp import Keys, Suite

EVERY = pytest.mark.parametrize("suite", Suite)


def pair(suite: Suite, ours: int = 1, theirs: int = 2) -> tuple[Srtp, Srtp]:
    mine, other = bytes([ours]) * suite.length, bytes([theirs]) * suite.length
    return Srtp(Keys(suite, mine, other)), Srtp(Keys(suite, other, mine))


def packet(number: int) -> bytes:
    return write(RtpPacket(0, number, number * 160, 7, b"\x11" * 160))


@EVERY
def test_what_one_seals_the_other_opens(suite: Suite) -> None:
    us, them = pair(suite)
    for number in (1, 3, 2, 65535, 0):
        sealed = us.seal(packet(number))
        assert b"\x11" * 8 not in sealed
        assert parse(them.open(sealed)).payload == b"\x11" * 160


@EVERY
def test_forged_changed_and_repeated_packets_are_told(suite: Suite) -> None:
    us, them = pair(suite)
    sealed = us.seal(packet(1))
    stranger, _ = pair(suite, ours=9)
    for forged in (
        sealed[:-1] + bytes([sealed[-1] ^ 1]),
        stranger.seal(packet(1)),
        packet(1),
        b"",
        sealed[:13],
        b"\x80" * 2000,
    ):
        with pytest.raises(NotGenuine):
            them.open(forged)
    assert them.open(sealed) == packet(1)
    with pytest.raises(NotGenuine):
        them.open(sealed)


def test_a_side_whose_key_stays_goes_on_counting() -> None:
    us, them = pair(Suite.AES_128_SHA1_80)
    sealed = us.seal(packet(1))
    them.open(sealed)
    same = Keys(Suite.AES_128_SHA1_80, bytes([2]) * 30, bytes([1]) * 30)
    assert them.rekeyed(same) is them
    again = them.rekeyed(Keys(Suite.AES_128_SHA1_80, bytes([3]) * 30, bytes([1]) * 30))
    with pytest.raises(NotGenuine):
        again.open(sealed)


def test_what_is_under_way_as_a_key_changes_is_heard_and_nothing_of_it_later() -> None:
    us, them = pair(Suite.AES_128_SHA1_80)
    heard = us.seal(packet(1))
    them.open(heard)
    keys = Keys(Suite.AES_128_SHA1_80, bytes([2]) * 30, bytes([4]) * 30)
    fresh = them.rekeyed(keys)
    assert parse(fresh.open(us.seal(packet(2)))).sequence == 2
    with pytest.raises(NotGenuine):
        fresh.open(heard)
    refreshed = fresh.rekeyed(Keys(Suite.AES_128_SHA1_80, bytes([5]) * 30, keys.theirs))
    assert parse(refreshed.open(us.seal(packet(3)))).sequence == 3
    peer = Srtp(Keys(Suite.AES_128_SHA1_80, keys.theirs, keys.ours))
    assert parse(refreshed.open(peer.seal(packet(4)))).sequence == 4
    with pytest.raises(NotGenuine):
        refreshed.open(us.seal(packet(5)))


def test_no_key_of_ours_seals_one_number_twice() -> None:
    """As when two branches of a call choose from one offer by turns."""
    first, second = Keys(Suite.AES_128_SHA1_80, b"a" * 30, b"b" * 30), Keys(Suite.AES_128_GCM, b"c" * 28, b"d" * 28)
    one = Srtp(first)
    one.seal(packet(1))
    other = one.rekeyed(second)
    other.seal(packet(1))
    again = other.rekeyed(first)
    again.seal(packet(2))
    with pytest.raises(pylibsrtp.Error):
        again.seal(packet(1))
