"""Whose stream is heard, when several bear the peer's address."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.rtp.continuity import ESTABLISHED, QUIET, Continuity

FRAME = 0.02
PEER, FORGER = 7, 8


def established(packets: int = ESTABLISHED, sequence: int = 65500) -> tuple[Continuity, int, float]:
    """One whose peer has been heard; the peer's next number, and when it is due."""
    one = Continuity()
    for number in range(packets):
        assert one.admits(PEER, (sequence + number) & 0xFFFF, number * FRAME)
    return one, sequence + packets, packets * FRAME


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 65535)), max_size=30),
    st.integers(0, 65535),
)
def test_a_second_stream_beside_the_peers_is_never_heard_and_the_peers_always(
    forged: list[tuple[int, int]], sequence: int
) -> None:
    one, following, now = established(sequence=sequence)
    for number, (ssrc, other) in enumerate(forged):
        continues = ssrc == PEER and -100 <= (other - following + 2**15) % 2**16 - 2**15 <= 3000
        assert one.admits(ssrc, other, now + 0.01) == continues
        assert one.admits(PEER, (following + number) & 0xFFFF, now + FRAME) or continues
        now += FRAME


def test_known_source_with_numbers_from_elsewhere_is_a_second_stream() -> None:
    one, following, now = established()
    assert not one.admits(PEER, (following + 20_000) & 0xFFFF, now)
    assert one.admits(PEER, following & 0xFFFF, now)


def test_another_source_is_heard_once_the_first_is_silent() -> None:
    one, _, now = established()
    assert not one.admits(FORGER, 5, now)
    assert one.admits(FORGER, 6, now - FRAME + QUIET + 0.001)
    assert one.admits(FORGER, 7, now - FRAME + QUIET + 0.001 + FRAME)


def test_the_peer_is_heard_again_as_soon_as_it_goes_on() -> None:
    one, following, now = established()
    for number in range(5 * ESTABLISHED):
        now += FRAME
        one.admits(FORGER, number, now)
    assert one.admits(PEER, following & 0xFFFF, now + 0.01)
    assert not one.admits(FORGER, 5 * ESTABLISHED, now + 0.02), "and the other not any more"


def test_until_a_stream_is_established_the_latest_is_heard() -> None:
    one, following, now = established(ESTABLISHED - 1)
    assert one.admits(FORGER, 5, now)
    assert one.admits(PEER, following & 0xFFFF, now)
