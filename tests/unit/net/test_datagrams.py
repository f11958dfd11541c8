from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from gateway.errors import SetupFault
from gateway.net.datagrams import Datagrams, bind


@pytest.fixture
def other() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.setblocking(False)
        yield made


class Ears:
    def __init__(self) -> None:
        self.got: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()
        self.bounced: asyncio.Queue[tuple[str, int]] = asyncio.Queue()


async def listening(host: str = "127.0.0.1") -> tuple[Datagrams, Ears]:
    ears = Ears()
    bound = await bind(host, 0, what="TEST", remedy="None.")
    return Datagrams(bound, lambda data, source: ears.got.put_nowait((data, source)), ears.bounced.put_nowait), ears


async def test_datagrams_come_and_go(other: socket.socket) -> None:
    datagrams, ears = await listening()
    for number in range(200):
        other.sendto(b"%d" % number, datagrams.address)
    async with asyncio.timeout(5):
        got = [await ears.got.get() for _ in range(200)]
    assert [data for data, _ in got] == [b"%d" % number for number in range(200)]
    assert got[0][1] == other.getsockname()
    assert datagrams.send(b"back", other.getsockname())
    assert other.recv(100) == b"back"
    datagrams.close()
    datagrams.close()


async def test_a_port_that_nobody_listens_at_is_told_and_others_work_on(other: socket.socket) -> None:
    datagrams, ears = await listening()
    dead = other.getsockname()
    other.close()
    live, heard = await listening()
    assert datagrams.send(b"x", dead)
    async with asyncio.timeout(5):
        assert await ears.bounced.get() == dead
    for _ in range(3):
        datagrams.send(b"x", dead)
        assert datagrams.send(b"y", live.address)
    async with asyncio.timeout(5):
        assert [(await heard.got.get())[0] for _ in range(3)] == [b"y"] * 3
    datagrams.close()
    live.close()


@pytest.mark.parametrize("destination", [("127.0.0.1", 0), ("127.0.0.1", 70000), ("::1", 5060)])
async def test_what_cannot_be_sent_is_said(destination: tuple[str, int]) -> None:
    datagrams, _ = await listening()
    assert not datagrams.send(b"x", destination)
    assert not datagrams.send(b"x" * 70000, ("127.0.0.1", 9))
    datagrams.close()
    assert not datagrams.send(b"x", ("127.0.0.1", 9))


async def test_ipv6(other: socket.socket) -> None:
    try:
        datagrams, ears = await listening("::1")
    except SetupFault:
        pytest.skip("this machine has no IPv6")
    assert datagrams.send(b"self", datagrams.address)
    async with asyncio.timeout(5):
        assert await ears.got.get() == (b"self", datagrams.address)
    datagrams.close()


async def test_a_port_in_use_and_a_name_that_is_none() -> None:
    datagrams, _ = await listening()
    with pytest.raises(SetupFault, match=rf"TEST port {datagrams.address[1]}/udp .* in use\. Fix it\."):
        await bind("127.0.0.1", datagrams.address[1], what="TEST", remedy="Fix it.")
    datagrams.close()
    with pytest.raises(SetupFault, match="TEST can't be served"):
        await bind("no such name", 0, what="TEST", remedy="")
