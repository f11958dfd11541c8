from __future__ import annotations

from gateway.rtp.peer import ANYWHERE, Peer

NEGOTIATED, BEHIND_NAT, OTHER = ("10.0.0.7", 4000), ("192.0.2.1", 61000), ("203.0.113.9", 4000)


def test_only_the_negotiated_peer_is_admitted() -> None:
    peer = Peer(NEGOTIATED)
    assert peer.admits(NEGOTIATED)
    assert not any(map(peer.admits, [BEHIND_NAT, OTHER, ("10.0.0.7", 4002)]))


def test_the_first_sender_at_the_signalling_address_is_learned_and_nobody_after_it() -> None:
    peer = Peer(NEGOTIATED, learn_from=BEHIND_NAT[0])
    assert peer.admits(BEHIND_NAT)
    assert peer.admits(NEGOTIATED)
    assert not peer.admits(OTHER)
    assert peer.address == NEGOTIATED, "asking changes nothing"
    peer.heard(BEHIND_NAT)
    assert peer.address == BEHIND_NAT
    assert not any(map(peer.admits, [NEGOTIATED, OTHER, (BEHIND_NAT[0], 5000)]))


def test_once_the_negotiated_peer_was_heard_nothing_is_learned() -> None:
    peer = Peer(NEGOTIATED, learn_from=BEHIND_NAT[0])
    peer.heard(NEGOTIATED)
    assert peer.admits(NEGOTIATED)
    assert not peer.admits(BEHIND_NAT)


def test_where_nothing_else_is_known_the_first_sender_counts_and_nobody_after_it() -> None:
    peer = Peer(NEGOTIATED, learn_from=ANYWHERE)
    assert all(map(peer.admits, [NEGOTIATED, BEHIND_NAT, OTHER]))
    peer.heard(BEHIND_NAT)
    assert peer.address == BEHIND_NAT
    assert not any(map(peer.admits, [NEGOTIATED, OTHER]))
