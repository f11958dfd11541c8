"""The chaos runs' proxy passes on what it gets, cuts and holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.chaos import between as stands
from tests.chaos import draw
from tests.chaos.judge import Deed, Target
from tests.chaos.proxy import Proxy, proxy
from tests.e2e.servers import free_port, until


@pytest.fixture
async def between() -> AsyncIterator[tuple[Proxy, int]]:
    """A proxy before a server that echoes, and its port."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    upstream, port = free_port(), free_port()
    async with await asyncio.start_server(echo, "127.0.0.1", upstream), proxy(port, upstream) as made:
        yield made, port


async def test_what_is_sent_comes_back_whole(between: tuple[Proxy, int]) -> None:
    made, port = between
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    much = bytes(range(256)) * 4096
    writer.write(much)
    assert await asyncio.wait_for(reader.readexactly(len(much)), 5) == much
    assert len(made) == 1
    writer.close()
    await until(lambda: not len(made))


async def test_a_cut_closes_what_is_up_and_lets_new_ones_through(between: tuple[Proxy, int]) -> None:
    made, port = between
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"before")
    assert await asyncio.wait_for(reader.readexactly(6), 5) == b"before"
    made.cut()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readexactly(1), 5)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"again")
    assert await asyncio.wait_for(reader.readexactly(5), 5) == b"again"
    writer.close()


async def test_what_is_held_comes_later(between: tuple[Proxy, int]) -> None:
    made, port = between
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"before")
    await asyncio.wait_for(reader.readexactly(6), 5)
    made.hold()
    late, later = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"held")
    later.write(b"new")
    for one in (reader, late):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(one.readexactly(1), 0.1)
    made.go_on()
    assert await asyncio.wait_for(reader.readexactly(4), 5) == b"held"
    assert await asyncio.wait_for(late.readexactly(3), 5) == b"new"
    writer.close()
    later.close()


async def test_without_a_server_nobody_is_let_in() -> None:
    port = free_port()
    async with proxy(port, free_port()):
        reader, _ = await asyncio.open_connection("127.0.0.1", port)
        assert await asyncio.wait_for(_gone(reader), 5)


async def _gone(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read(1) == b""
    except ConnectionError:
        return True


async def test_what_stands_between_does_as_it_is_told() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    ports = {target: [(free_port(), free_port())] for target in (Target.REDIS, Target.LIVEKIT, Target.SPEECH)}
    ports[Target.EDGE] = [
        (free_port(), server) for target in (Target.REDIS, Target.LIVEKIT) for _, server in ports[target]
    ]
    async with (
        await asyncio.start_server(echo, "127.0.0.1", ports[Target.REDIS][0][1]),
        stands.between(ports, free_port()) as there,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", ports[Target.REDIS][0][0])
        edge, edges = await asyncio.open_connection("127.0.0.1", ports[Target.EDGE][0][0])
        await there.begin(Deed.HOLD, Target.REDIS)
        writer.write(b"held")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(1), 0.2)
        await there.end(Target.REDIS)
        assert await asyncio.wait_for(reader.readexactly(4), 5) == b"held"
        await there.begin(Deed.CUT, Target.REDIS)
        assert await asyncio.wait_for(_gone(reader), 5)
        edges.write(b"on")
        assert await asyncio.wait_for(edge.readexactly(2), 5) == b"on", "each has proxies of its own"
        await there.begin(Deed.CUT, Target.EDGE)
        assert await asyncio.wait_for(_gone(edge), 5)
        edges.close()
        for deed in draw.WRONGS:
            await there.begin(deed, Target.LLM)
            await there.end(Target.LLM)
        writer.close()
