"""What trunks say of calls that come in: who may call, and what a room is told of who calls."""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from livekit import api

from gateway.rtp import FRAME, dtmf
from gateway.terms.ending import Party
from gateway.terms.tones import ON, TONES
from tests.e2e import sipp_steps as steps
from tests.e2e.edge_lab import Lab, lab
from tests.e2e.servers import LiveKit, livekit_server, redis_server, until
from tests.e2e.sipp import CALLER

pytestmark = pytest.mark.e2e
NEAR, FAR, HIDDEN, GUARDED = "+15105550500", "+15105550501", "+15105550502", "+15105550503"
TONED = "+15105550504"
UP = (steps.invite(), steps.expect(180), steps.expect(200), steps.ack())
STAYS = steps.scenario(*UP, steps.pause(), steps.request("BYE"), steps.expect(200))


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, LiveKit]]:
    directory = tmp_path_factory.mktemp("servers")
    with redis_server(directory) as redis_url, livekit_server(directory, redis_url) as livekit:
        asyncio.run(_trunks(livekit))
        yield redis_url, livekit


async def _trunks(livekit: LiveKit) -> None:
    lk = livekit.api()
    allowed = {
        NEAR: ["192.0.2.0/24", "127.0.0.0/8"],
        FAR: ["192.0.2.0/24", "198.51.100.7"],
        HIDDEN: [],
        GUARDED: [],
        TONED: [],
    }
    try:
        for number, addresses in allowed.items():
            trunk = api.SIPInboundTrunkInfo(name=number, numbers=[number], allowed_addresses=addresses)
            if number == GUARDED:
                trunk.auth_username, trunk.auth_password = "user", "password"
            made = await lk.sip.create_inbound_trunk(api.CreateSIPInboundTrunkRequest(trunk=trunk))
            rule = api.SIPDispatchRuleInfo(name=number, trunk_ids=[made.sip_trunk_id])
            rule.rule.dispatch_rule_callee.room_prefix = "call-"
            rule.rule.dispatch_rule_callee.randomize = True
            rule.hide_phone_number = number == HIDDEN
            rule.attributes.update({TONES: ON} if number == TONED else {})
            await lk.sip.create_dispatch_rule(api.CreateSIPDispatchRuleRequest(dispatch_rule=rule))
    finally:
        await lk.aclose()


@pytest.fixture
async def edge(servers: tuple[str, LiveKit], tmp_path: Path) -> AsyncIterator[Lab]:
    async with lab(tmp_path, *servers) as made:
        yield made
        await made.nothing_left()


async def test_a_caller_from_an_address_that_is_allowed(edge: Lab) -> None:
    async with edge.caller(STAYS, NEAR, pause=0.2) as caller, edge.agent():
        await caller.ended()


async def test_a_caller_from_elsewhere(edge: Lab) -> None:
    made = steps.scenario(steps.invite(), steps.expect(180), steps.refused(404))
    async with edge.caller(made, FAR) as caller:
        await caller.ended()
    assert (await edge.end()).by is Party.GATEWAY


async def test_a_room_that_isnt_told_who_calls(edge: Lab) -> None:
    async with edge.caller(STAYS, HIDDEN, pause=1.0) as caller, edge.agent() as agent:
        await until(lambda: agent.caller is not None)
        assert agent.caller is not None
        told = [agent.caller.identity, agent.caller.name, *agent.caller.attributes.values()]
        assert not any(CALLER.lstrip("+") in each for each in told)
        await caller.ended()


@pytest.mark.parametrize(("dialed", "heard"), [(TONED, "5#"), pytest.param(NEAR, "", marks=pytest.mark.long)])
async def test_tones_are_keys_where_the_trunk_says_so(edge: Lab, dialed: str, heard: str) -> None:
    async with (
        edge.phone() as phone,
        edge.caller("call", dialed, rtp=phone.port, pause=15, formats="0") as caller,
        edge.agent() as agent,
    ):
        phone.tone = 440
        await agent.hears(440)
        phone.tone = 0
        phone.says = list(dtmf.tones("5#").reshape(-1, FRAME))
        await until(lambda: not phone.says)
        phone.tone = 500
        await agent.hears(500)
        await until(lambda: "".join(agent.keys) == heard)
        caller.go_on()
        await caller.ended()
        assert "".join(agent.keys) == heard


async def test_a_peer_who_isnt_trusted_has_no_calls_made(edge: Lab) -> None:
    """OFFHOOK_SIP_REFER_FROM names nobody by default; tests/contract/sip has what a trusted one may do."""
    refused = (steps.request("REFER", "Refer-To: <sip:+19005550100@127.0.0.1>"), steps.expect(403))
    made = steps.scenario(*UP, *refused, steps.request("BYE"), steps.expect(200))
    async with edge.caller(made, NEAR) as caller, edge.agent():
        await caller.ended()


@pytest.mark.parametrize(("algorithm", "digest"), [("SHA-256", hashlib.sha256), ("MD5", hashlib.md5)])
async def test_a_caller_signs_in_by_each_algorithm(edge: Lab, algorithm: str, digest: Callable[..., Any]) -> None:
    """SIPp knows MD5 only. What proves one call proves no other (RFC 7616 section 3.3: the nonce is stale there)."""
    with _caller() as caller:
        asked = await _invited(edge, caller, "first", 1)
        challenge = next(line for line in asked.splitlines() if f"algorithm={algorithm}" in line)
        nonce, realm = (re.findall(rf'{name}="([^"]+)"', challenge)[0] for name in ("nonce", "realm"))

        def proof(password: str) -> str:
            def hashed(*parts: str) -> str:
                return str(digest(":".join(parts).encode()).hexdigest())

            told = hashed(
                *(hashed("user", realm, password), nonce, "00000001", "abc", "auth"),
                hashed("INVITE", f"sip:{GUARDED}@edge.test"),
            )
            return (
                f'Proxy-Authorization: Digest username="user", realm="{realm}", nonce="{nonce}", '
                f'uri="sip:{GUARDED}@edge.test", response="{told}", algorithm={algorithm}, qop=auth, nc=00000001, '
                'cnonce="abc"\r\n'
            )

        assert (await _invited(edge, caller, "second", 1, proof("password"))).startswith("SIP/2.0 407")
        assert "stale=true" in await _invited(edge, caller, "third", 1, proof("password"))
        assert (await _invited(edge, caller, "first", 2, proof("guess"))).startswith("SIP/2.0 403")
        assert (await _invited(edge, caller, "first", 3, proof("password"))).startswith("SIP/2.0 180")
        _send(edge, caller, "CANCEL", "first", 3)
        assert await _status(caller, "CSeq: 3 INVITE", final=True) == "487"


async def test_a_request_that_comes_by_two_ways(edge: Lab) -> None:
    """RFC 3261 section 8.2.2.2: a proxy has forked it, and it meets here again; one of the two is refused."""
    host, port = edge.edge.address
    made = (
        "INVITE sip:{number}@{host}:{port} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{branch}\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:a@{own}>;tag=merged\r\nTo: <sip:{number}@{host}>\r\nCall-ID: merged-1\r\n"
        "CSeq: 1 INVITE\r\nContact: <sip:a@{own}>\r\nContent-Length: 0\r\n\r\n"
    )
    with socket.socket(type=socket.SOCK_DGRAM) as proxy:
        proxy.bind(("127.0.0.1", 0))
        proxy.setblocking(False)
        own = f"127.0.0.1:{proxy.getsockname()[1]}"
        for branch in ("one", "two"):
            text = made.format(number=NEAR, host=host, port=port, own=own, branch=branch)
            await asyncio.get_running_loop().sock_sendto(proxy, text.encode(), (host, port))
        second = await _status(proxy, "branch=z9hG4bKtwo")
        assert second == "482"
        cancel = made.format(number=NEAR, host=host, port=port, own=own, branch="one").replace("INVITE", "CANCEL", 1)
        cancel = cancel.replace("1 INVITE", "1 CANCEL")
        await asyncio.get_running_loop().sock_sendto(proxy, cancel.encode(), (host, port))
        assert await _status(proxy, "CSeq: 1 INVITE", "branch=z9hG4bKone", final=True) == "487"


async def _status(proxy: socket.socket, *holds: str, final: bool = False) -> str:
    """The status of the first response that holds all this; the final one, where asked for."""
    async with asyncio.timeout(5):
        while True:
            text = (await asyncio.get_running_loop().sock_recv(proxy, 65535)).decode()
            status = text.split(" ")[1]
            if all(each in text for each in holds) and not (final and status.startswith("1")):
                return status


@contextmanager
def _caller() -> Iterator[socket.socket]:
    with socket.socket(type=socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.setblocking(False)
        yield made


def _send(edge: Lab, caller: socket.socket, method: str, call_id: str, sequence: int, header: str = "") -> None:
    own = f"127.0.0.1:{caller.getsockname()[1]}"
    text = (
        f"{method} sip:{GUARDED}@edge.test SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{call_id}{sequence}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:a@{own}>;tag=a\r\nTo: <sip:{GUARDED}@edge.test>\r\nCall-ID: {call_id}\r\n"
        f"CSeq: {sequence} {method}\r\nContact: <sip:a@{own}>\r\n{header}Content-Length: 0\r\n\r\n"
    )
    caller.sendto(text.encode(), edge.edge.address)


async def _invited(edge: Lab, caller: socket.socket, call_id: str, sequence: int, header: str = "") -> str:
    """The first response but 100 to an INVITE; one that refuses it is acknowledged."""
    _send(edge, caller, "INVITE", call_id, sequence, header)
    async with asyncio.timeout(5):
        while True:
            text = (await asyncio.get_running_loop().sock_recv(caller, 65535)).decode()
            if f"Call-ID: {call_id}\r\n" in text and f"CSeq: {sequence} INVITE" in text and " 100 " not in text[:12]:
                break
    if not text.startswith("SIP/2.0 1"):
        _send(edge, caller, "ACK", call_id, sequence)
    return text
