"""The other party of a call that is up; where it is asked for something, by a driver on loopback."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

import pytest
from sipmessage import URI

from gateway.edge.line import Line
from gateway.edge.peer import Peer
from gateway.net import sip_udp
from gateway.net.sip_driver import Incoming, SipDriver
from gateway.sip import HostPort
from gateway.sip.dialog import Dialog, DialogId
from gateway.sip.digest import NOBODY, Challenge, Credentials, parameters, response

BEFORE, AFTER = ("192.0.2.1", 61000), ("203.0.113.9", 5060)
USER, PASSWORD, REALM = "trunk", "secret", "carrier.example"
TRUNK = Credentials(USER, PASSWORD, REALM)


@pytest.mark.parametrize(("near", "expected"), [(BEFORE, AFTER[0]), (None, BEFORE[0])])
def test_media_is_learned_from_where_a_phone_that_moved_signals_and_not_from_a_proxy(
    near: HostPort | None, expected: str
) -> None:
    sip, line = SimpleNamespace(), SimpleNamespace(source=BEFORE[0])
    peer = Peer(cast("SipDriver", sip), cast("Line", line), cast("Dialog", SimpleNamespace()), near=near)
    peer.heard_from(cast("Incoming", SimpleNamespace(driver=sip, source=AFTER)))
    assert line.source == expected


class Carrier:
    """Asks for a password with each request, and for a new nonce as often as it is told to."""

    def __init__(self, realm: str, stale: int) -> None:
        self.realm, self.stale = realm, stale
        self.proofs: list[str] = []
        self.answers: list[int] = []

    async def on_request(self, incoming: Incoming) -> None:
        code = self._judged(incoming)
        again = ", stale=true" if self.proofs else ""
        asks = [("Proxy-Authenticate", f'Digest realm="{self.realm}", nonce="n{len(self.answers)}", qop="auth"{again}')]
        self.answers.append(code)
        incoming.respond(code, headers=asks if code == 407 else [])
        if incoming.request.method == "INVITE" and code == 200:
            await incoming.acknowledged()

    def _judged(self, incoming: Incoming) -> int:
        said = parameters(incoming.request.headers.get("Proxy-Authorization") or "")
        if not said:
            return 407
        self.proofs.append(said["nonce"])
        challenge, method = Challenge(self.realm, said["nonce"]), incoming.request.method
        right = response(challenge, method, said["uri"], USER, PASSWORD, said["cnonce"], said["nc"], said["qop"])
        assert (said["uri"], said["response"]) == (str(incoming.request.uri), right)
        return 407 if len(self.proofs) <= self.stale else 200


async def asked(carrier: Carrier, method: str, credentials: Credentials) -> int:
    """What comes of a request to it."""
    line = SimpleNamespace(offer=lambda: b"v=0", withdraw=lambda: None, settle=lambda _: None)
    async with sip_udp.serve("127.0.0.1", 0, carrier) as far, sip_udp.serve("127.0.0.1", 0, carrier) as sip:
        dialog = Dialog(
            DialogId("c", "us", "them"),
            local="<sip:us@127.0.0.1>;tag=us",
            remote="<sip:them@127.0.0.1>;tag=them",
            target=URI.parse(f"sip:them@127.0.0.1:{far.address[1]}"),
            routes=(),
            local_seq=1,
            remote_seq=None,
            contact=f"<sip:127.0.0.1:{sip.address[1]}>",
        )
        peer = Peer(sip, cast("Line", line), dialog, credentials=credentials)
        if method in ("INVITE", "UPDATE"):
            peer.updates = method == "UPDATE"
            await peer.refresh(1800)
            return carrier.answers[-1]
        return (await peer.ask(method)).code


@pytest.mark.parametrize(("stale", "answers"), [(0, [407, 200]), (1, [407, 407, 200])])
@pytest.mark.parametrize("method", ["BYE", "REFER", "UPDATE", "INVITE"])
async def test_a_carrier_that_asks_within_the_dialog_gets_the_password_s_proof(
    method: str, stale: int, answers: Sequence[int]
) -> None:
    carrier = Carrier(REALM, stale)
    assert await asked(carrier, method, TRUNK) == 200
    assert carrier.answers == answers


@pytest.mark.parametrize("method", ["BYE", "INVITE"])
@pytest.mark.parametrize(("realm", "credentials"), [("elsewhere", TRUNK), (REALM, NOBODY)])
async def test_nobody_else_gets_one(method: str, realm: str, credentials: Credentials) -> None:
    carrier = Carrier(realm, 0)
    assert await asked(carrier, method, credentials) == 407
    assert (carrier.answers, carrier.proofs) == ([407], [])


async def test_a_carrier_that_is_never_content_is_asked_no_more() -> None:
    carrier = Carrier(REALM, 99)
    assert await asked(carrier, "BYE", TRUNK) == 407
    assert len(carrier.answers) == 4


def test_the_realm_of_a_proof_alone_is_answered_from_then_on() -> None:
    proof = "Proxy-Authorization", Challenge(REALM, "n").answer("INVITE", "sip:a@b", USER, PASSWORD, "c")
    assert Credentials(USER, PASSWORD).proven(proof) == TRUNK
    assert PASSWORD not in repr(TRUNK)
    nameless = "Proxy-Authorization", Challenge("", "n").answer("INVITE", "sip:a@b", USER, PASSWORD, "c")
    assert Credentials(USER, PASSWORD).proven(nameless) == NOBODY
