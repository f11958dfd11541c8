"""RFC 4475's and RFC 5118's messages at a running edge: each gets its answer, and none harms the calls beside it. They dial numbers that nobody has;
so those about a body dial one that is answered, too."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.edge_lab import DIALED, Lab, lab
from tests.e2e.servers import LiveKit, until
from tests.unit.sip import torture_ipv6
from tests.unit.sip.torture import TORTURES

pytestmark = pytest.mark.e2e
ATTACKER = "127.0.0.45"
"""Answers go to the Via's port at the address that the request came from, mostly 5060: nobody else has that here."""
PORTS = (5060, 5050, 5070, 6050, 19823)


@pytest.fixture
async def edge(servers: tuple[str, LiveKit], tmp_path: Path) -> AsyncIterator[Lab]:
    async with lab(tmp_path, *servers) as made:
        yield made
        await made.nothing_left()


class Far(asyncio.DatagramProtocol):
    """Where answers come."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def datagram_received(self, data: bytes, addr: object) -> None:
        del addr
        self.heard.append(data)

    def finals(self, mark: bytes) -> set[int]:
        """The final statuses that came for a message."""
        found = (re.match(rb"SIP/2.0 ([2-6][0-9]{2}) ", data) for data in self.heard if mark in data)
        return {int(each[1]) for each in found if each}


@asynccontextmanager
async def listening(far: Far) -> AsyncIterator[asyncio.DatagramTransport]:
    loop, ends = asyncio.get_running_loop(), []
    for port in PORTS:
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.bind((ATTACKER, port))
        ends.append((await loop.create_datagram_endpoint(lambda: far, sock=bound))[0])
    try:
        yield ends[0]
    finally:
        for end in ends:
            end.close()


async def test_each_torture_has_its_answer_while_a_call_goes_on(edge: Lab) -> None:
    far, wrong = Far(), {}
    async with (
        listening(far) as attacker,
        edge.phone() as phone,
        edge.caller("call", rtp=phone.port, pause=100) as caller,
        edge.agent() as agent,
    ):
        phone.tone = 440
        await agent.hears(440)
        for name, torture in {**TORTURES, **torture_ipv6.TORTURES}.items():
            mark = _mark(name, torture.data)
            # Several of the RFC's messages have one branch: here they are no repetitions of each other.
            data = torture.data.replace(b"branch=z9hG4bKkdjuw", b"branch=z9hG4bKkdjuw" + name.encode())
            attacker.sendto(data, edge.at("UDP"))
            # Something that is answered in any case follows what isn't, so that nothing has to be waited for.
            follower = TORTURES["lwsdisp"].data.replace(b"lwsdisp", b"after-" + name.encode())
            follower = follower.replace(b"z9hG4bKkdjuw", b"z9hG4bKafter" + name.encode())
            if torture.answer:
                with suppress(TimeoutError):
                    await until(lambda mark=mark: bool(far.finals(mark)), 5)
            else:
                attacker.sendto(follower, edge.at("UDP"))
                await until(lambda name=name: bool(far.finals(b"after-" + name.encode() + b".")))
            if far.finals(mark) != ({torture.answer} if torture.answer else set()):
                wrong[name] = (torture.answer, far.finals(mark))
        await phone.hears(600)
        await agent.hears(440)
        caller.go_on()
        await caller.ended()
    assert not wrong, "the RFC's name: (expected, got)"


@pytest.mark.parametrize(
    ("name", "change", "status", "headers"),
    [
        ("invut", {}, 415, [b"Accept: application/sdp"]),
        ("sdp01", {}, 406, []),
        ("sdp01", {b"Accept: text/nobodyKnowsThis": b"Content-Encoding: gzip"}, 415, [b"Accept-Encoding: identity"]),
        (
            "sdp01",
            {b"Accept: text/nobodyKnowsThis": b"Accept: text/*, application/sdp;q=0.1", b"AVP 0 12": b"AVP 12"},
            488,
            [],
        ),
    ],
)
async def test_a_body_is_looked_at_where_the_number_is_somebody_s(
    edge: Lab, name: str, change: dict[bytes, bytes], status: int, headers: list[bytes]
) -> None:
    far, data = Far(), TORTURES[name].data
    for old in (b"sip:j.user@", b"sip:j_user@"):
        data = data.replace(b"To: " + old, b"To: sip:" + DIALED.encode() + b"@")
    for before, after in change.items():
        assert before in data
        data = data.replace(before, after)
    length = len(data.partition(b"\r\n\r\n")[2])
    data = re.sub(rb"Content-Length: [0-9]+", b"Content-Length: %d" % length, data)
    async with listening(far) as attacker:
        attacker.sendto(data, edge.at("UDP"))
        await until(lambda: bool(far.finals(b"SIP/2.0")), 10)
    final = next(each for each in far.heard if not each.startswith(b"SIP/2.0 1"))
    assert far.finals(b"SIP/2.0") == {status}
    assert all(each in final for each in headers)


def _mark(name: str, data: bytes) -> bytes:
    """What an answer to the message surely holds."""
    found = re.search(rb"(?:call-id|i)[ \t]*:[ \t]*(\S+)", data, re.IGNORECASE)
    return found[1] if found else name.encode()
