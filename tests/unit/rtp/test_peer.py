from __future__ import annotations

from collections.abc import Callable

from gateway.rtp.peer import ANY_PORT, ANYWHERE, MOVES_AFTER, YIELDS_FOR, HostPort, Peer

NEGOTIATED, BEHIND_NAT, OTHER = ("10.0.0.7", 4000), ("192.0.2.1", 61000), ("203.0.113.9", 4000)
ANOTHER_CALLS = (NEGOTIATED[0], 4002)


def admits(peer: Peer, at: float = 0.0) -> Callable[[HostPort], bool]:
    return lambda source: peer.admits(source, at)


def test_only_the_negotiated_peer_is_admitted() -> None:
    peer = Peer(NEGOTIATED)
    assert peer.admits(NEGOTIATED, 0.0)
    assert not any(map(admits(peer), [BEHIND_NAT, OTHER, ANOTHER_CALLS]))
    assert peer.only(0.0) is None
    peer.heard(NEGOTIATED, 0.0)
    assert peer.only(0.0) == NEGOTIATED


def test_the_first_sender_at_the_signalling_address_is_learned_and_nobody_after_it() -> None:
    peer = Peer(NEGOTIATED, learn_from=BEHIND_NAT[0])
    assert all(map(admits(peer), [BEHIND_NAT, NEGOTIATED]))
    assert not peer.admits(OTHER, 0.0)
    assert peer.address == NEGOTIATED, "asking changes nothing"
    peer.heard(BEHIND_NAT, 1.0)
    assert peer.address == BEHIND_NAT
    assert not any(map(admits(peer, 1.5), [OTHER, (BEHIND_NAT[0], 5000)]))
    later = 1.0 + YIELDS_FOR
    peer.heard(BEHIND_NAT, later)
    assert peer.only(later) == BEHIND_NAT
    assert not any(map(admits(peer, later), [NEGOTIATED, OTHER, (BEHIND_NAT[0], 5000)]))


def test_the_negotiated_peer_takes_its_place_back_from_another_calls_stream() -> None:
    peer = Peer(NEGOTIATED, learn_from=NEGOTIATED[0])
    peer.heard(ANOTHER_CALLS, 1.0)
    peer.heard(ANOTHER_CALLS, 1.1)
    assert peer.only(1.2) is None, "the kernel must let the other in yet"
    assert peer.replaced(NEGOTIATED, 1.2)
    assert peer.admits(NEGOTIATED, 1.2)
    peer.heard(NEGOTIATED, 1.2)
    assert (peer.address, peer.only(1.2)) == (NEGOTIATED, NEGOTIATED)
    assert not any(map(admits(peer, 1.3), [ANOTHER_CALLS, OTHER]))


def test_once_the_negotiated_peer_was_heard_nothing_is_learned() -> None:
    peer = Peer(NEGOTIATED, learn_from=BEHIND_NAT[0])
    peer.heard(NEGOTIATED, 0.0)
    assert peer.admits(NEGOTIATED, 0.0)
    assert not peer.admits(BEHIND_NAT, 0.0)


def test_where_nothing_else_is_known_the_first_sender_counts_and_nobody_after_it() -> None:
    peer = Peer(NEGOTIATED, learn_from=ANYWHERE)
    assert all(map(admits(peer), [NEGOTIATED, BEHIND_NAT, OTHER]))
    peer.heard(BEHIND_NAT, 0.0)
    assert peer.address == BEHIND_NAT
    assert not any(map(admits(peer, YIELDS_FOR), [NEGOTIATED, OTHER]))


def test_a_peer_that_is_silent_may_go_on_at_another_port_and_nowhere_else() -> None:
    peer, moved = Peer(NEGOTIATED), (NEGOTIATED[0], 4004)
    assert not peer.may_have_moved(moved, 100.0), "nobody was heard yet"
    peer.heard(NEGOTIATED, 1.0)
    soon, later = 1.0 + MOVES_AFTER / 2, 1.0 + MOVES_AFTER
    assert peer.only(soon) == NEGOTIATED
    assert not peer.may_have_moved(moved, soon)
    assert peer.only(later) == (NEGOTIATED[0], ANY_PORT)
    assert peer.may_have_moved(moved, later)
    assert not peer.may_have_moved(OTHER, later)
    assert not peer.admits(moved, later), "it has to prove that it is the same"
    peer.heard(moved, later)
    assert (peer.address, peer.may_have_moved(NEGOTIATED, later)) == (moved, False)


def test_who_settles_anew_while_silent_is_learned_anew() -> None:
    peer, elsewhere = Peer(NEGOTIATED, learn_from=BEHIND_NAT[0]), "198.51.100.7"
    peer.heard(BEHIND_NAT, 1.0)
    peer.reopen(elsewhere, 10.0)
    assert peer.address == BEHIND_NAT, "until it is heard from elsewhere"
    assert peer.only(10.0) is None
    assert all(map(admits(peer, 20.0), [BEHIND_NAT, (elsewhere, 5)]))
    assert not peer.admits(OTHER, 20.0)
    peer.heard((elsewhere, 5), 20.0)
    assert peer.address == (elsewhere, 5)
    assert not any(map(admits(peer, 20.0 + YIELDS_FOR), [BEHIND_NAT, (elsewhere, 6)]))


def test_who_settles_anew_while_heard_is_learned_anew_only_in_a_silence_that_follows_soon() -> None:
    peer, elsewhere = Peer(BEHIND_NAT, learn_from=BEHIND_NAT[0]), ("198.51.100.7", 5)
    peer.heard(BEHIND_NAT, 1.0)
    peer.reopen(elsewhere[0], 1.1)
    assert peer.only(1.1) == BEHIND_NAT
    assert not peer.admits(elsewhere, 1.1)
    assert peer.only(1.0 + MOVES_AFTER) is None
    assert peer.admits(elsewhere, 1.0 + MOVES_AFTER)
    assert not peer.admits(elsewhere, 1.1 + YIELDS_FOR)
