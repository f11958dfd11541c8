"""What reaches the SDK of what livekit-server says, and the server of what the SDK says."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from livekit.protocol import models, rtc

from gateway.net import signalling
from gateway.net.signalling import Line, Relay, relaying
from gateway.net.websocket import BINARY, read_frame, server_frame
from tests.e2e.certificate import make_certificate

pytestmark = pytest.mark.timeout(20)
UPGRADE = b"Upgrade: websocket\r\nAuthorization: Bearer secret\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
SAID = server_frame(BINARY, rtc.SignalResponse(pong=7).SerializeToString())
ASKED = b"\x82\x83key!abc"
MASKED_CLOSE = b"\x88\x80key!"


def leave(reason: int = models.ROOM_DELETED, action: int = rtc.LeaveRequest.DISCONNECT) -> bytes:
    said = rtc.SignalResponse(leave=rtc.LeaveRequest(reason=reason, action=action))  # type: ignore[arg-type]
    return server_frame(BINARY, said.SerializeToString())


def empty(told: bytes) -> bool:
    """Whether the SDK is told so that nobody else is in the room."""
    said = rtc.SignalResponse.FromString(told[2:])
    return said.WhichOneof("message") == "room_moved" and not said.room_moved.other_participants


class Ends:
    """One side of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def frame(self) -> bytes:
        found = await read_frame(self.reader)
        return found.raw if found is not None else b""

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    def close(self) -> None:
        self.writer.close()


class Server:
    """A livekit-server that says what a test has it say."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[Ends] = asyncio.Queue()
        self.url = ""


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.came.put_nowait(Ends(reader, writer))

    listening = await asyncio.start_server(accept, "127.0.0.1", 0)
    made.url = f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield made
    listening.close()


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with relaying() as made:
        yield made


async def dialed(url: str, headers: bytes = UPGRADE) -> Ends:
    where, _, path = url.removeprefix("ws://").partition("/")
    host, _, port = where.partition(":")
    sdk = Ends(*await asyncio.open_connection(host, int(port)))
    sdk.say(b"GET /%s/rtc?sdk=python HTTP/1.1\r\nHost: %s\r\n%s" % (path.encode(), where.encode(), headers))
    return sdk


@asynccontextmanager
async def connected(line: Line, server: Server) -> AsyncIterator[tuple[Ends, Ends]]:
    """The SDK and the server, which talk."""
    sdk = await dialed(line.url)
    other = await server.came.get()
    await other.head()
    other.say(SWITCHED)
    assert await sdk.head() == SWITCHED
    other.say(SAID)
    assert await sdk.frame() == SAID
    try:
        yield sdk, other
    finally:
        sdk.close()
        other.close()


async def test_the_server_is_asked_as_the_sdk_would_ask_it(relay: Relay, server: Server) -> None:
    sdk = await dialed(relay.line(f"{server.url}/base/").url)
    asked = await (await server.came.get()).head()
    host = server.url.removeprefix("ws://").encode()
    assert asked == b"GET /base/rtc?sdk=python HTTP/1.1\r\nHost: " + host + b"\r\n" + UPGRADE
    sdk.close()


async def test_a_server_with_tls_has_to_prove_itself(
    relay: Relay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As LiveKit Cloud's does: it is asked by its name, and believed only where a certificate authority of ours vouches for it."""
    file, came = make_certificate(tmp_path), asyncio.Queue[Ends]()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    listening = await asyncio.start_server(lambda r, w: came.put_nowait(Ends(r, w)), "127.0.0.1", 0, ssl=context)
    url = f"wss://localhost:{listening.sockets[0].getsockname()[1]}"
    unknown = await dialed(relay.line(url).url)
    assert await unknown.reader.read() == b""
    assert came.empty()

    monkeypatch.setenv("SSL_CERT_FILE", str(file.with_suffix(".crt")))
    async with relaying() as trusting:
        sdk = await dialed(trusting.line(url).url)
        other = await came.get()
        assert b"\r\nHost: localhost:" in await other.head()
        other.say(SWITCHED + SAID)
        assert await sdk.head() == SWITCHED
        assert await sdk.frame() == SAID
        sdk.close()
        other.close()
    unknown.close()
    listening.close()


@pytest.mark.parametrize(
    ("url", "host", "port", "secured"),
    [
        ("ws://lk", "lk", 80, False),
        ("https://lk.example/a", "lk.example", 443, True),
        ("wss://[2001:db8::5]:7443", "2001:db8::5", 7443, True),
        ("http://127.0.0.1:7880/", "127.0.0.1", 7880, False),
    ],
)
def test_a_server_is_where_its_url_says(url: str, host: str, port: int, secured: bool) -> None:
    found = signalling.Server.of(url)
    assert found is not None
    assert found[:3] == (host, port, secured)


@pytest.mark.parametrize("url", ["", "lk:7880", "ws://", "ftp://lk", "ws://lk:x", "ws://[::1"])
def test_the_sdk_tells_what_is_no_url(relay: Relay, url: str) -> None:
    assert relay.line(url).url == url


async def test_both_hear_each_other(relay: Relay, server: Server) -> None:
    async with connected(relay.line(server.url), server) as (sdk, other):
        large = b"\x02\x7f" + (70_000).to_bytes(8, "big") + bytes(70_000)
        for said in (large, b"\x89\x01p", b"\x80\x03end", leave()):
            other.say(said)
            assert await sdk.frame() == said
        for asked in (ASKED, b"\x82\xfe\x03\xe8key!" + bytes(1000), MASKED_CLOSE):
            sdk.say(asked)
            assert await other.frame() == asked
        sdk.close()
        assert await other.frame() == b""


async def test_the_sdk_learns_that_the_server_is_gone(relay: Relay, server: Server) -> None:
    async with connected(relay.line(server.url), server) as (sdk, other):
        other.close()
        assert await sdk.frame() == b""


async def test_nobody_else_is_in_the_room_by_our_word_and_nothing_else_is_heard(relay: Relay, server: Server) -> None:
    line = relay.line(server.url)
    assert not line.empty(), "there is nobody to tell"
    async with connected(line, server) as (sdk, other):
        assert line.empty()
        assert empty(await sdk.frame())
        other.say(SAID + leave() + b"\x89\x00\x88\x00")
        sdk.say(ASKED + MASKED_CLOSE)
        assert [await other.frame() for _ in range(3)] == [ASKED, MASKED_CLOSE, b""], "its goodbye is heard"
        assert [await sdk.frame() for _ in range(2)] == [b"\x88\x00", b""]


async def test_a_server_that_has_heard_the_goodbye_ends_the_connection(relay: Relay, server: Server) -> None:
    line = relay.line(server.url)
    async with connected(line, server) as (sdk, other):
        assert line.empty()
        assert empty(await sdk.frame())
        sdk.say(ASKED)
        assert await other.frame() == ASKED
        other.close()
        assert await sdk.frame() == b""


async def test_what_is_half_said_is_said_first(relay: Relay, server: Server) -> None:
    line = relay.line(server.url)
    async with connected(line, server) as (sdk, other):
        other.say(b"\x02\x01a")
        assert await sdk.frame() == b"\x02\x01a"
        assert line.empty()
        other.say(b"\x89\x00" + b"\x80\x01b" + SAID)
        assert [await sdk.frame() for _ in range(2)] == [b"\x89\x00", b"\x80\x01b"]
        assert empty(await sdk.frame())


async def test_the_sdk_leaves_a_room_that_the_server_has_ended_by_itself(relay: Relay, server: Server) -> None:
    line = relay.line(server.url)
    line.catching = True
    async with connected(line, server) as (sdk, other):
        other.say(SAID + leave(models.PARTICIPANT_REMOVED) + b"\x88\x00" + SAID)
        other.close()
        assert await sdk.frame() == SAID, "what was said before is heard before"
        assert empty(await sdk.frame())
        assert line.put_out == models.PARTICIPANT_REMOVED
        line.leave(models.CLIENT_INITIATED)
        assert line.empty()
        assert empty(await sdk.frame())
        sdk.say(ASKED + MASKED_CLOSE)
        assert [await sdk.frame() for _ in range(2)] == [b"\x88\x00", b""], "the server can't answer any more"


async def test_the_server_can_be_told_that_we_leave_before_the_sdk_says_so(relay: Relay, server: Server) -> None:
    line = relay.line(server.url)
    line.leave(models.CLIENT_INITIATED)
    async with connected(line, server) as (sdk, other):
        assert line.empty()
        line.leave(models.CLIENT_INITIATED)
        told = await other.frame()
        assert told[:2] == bytes([0x82, 0x80 | len(told) - 6])
        said = rtc.SignalRequest.FromString(told[6:]).leave
        assert (said.reason, said.action) == (models.CLIENT_INITIATED, rtc.LeaveRequest.DISCONNECT)
        other.close()
        assert empty(await sdk.frame())
        sdk.say(ASKED + MASKED_CLOSE)
        assert await sdk.frame() == b"\x88\x00"


@pytest.mark.parametrize("action", [rtc.LeaveRequest.RECONNECT, rtc.LeaveRequest.RESUME])
async def test_the_sdk_is_told_to_connect_anew(relay: Relay, server: Server, action: int) -> None:
    line = relay.line(server.url)
    line.catching = True
    async with connected(line, server) as (sdk, other):
        other.say(leave(action=action))
        assert await sdk.frame() == leave(action=action)
        assert line.put_out is None


async def test_what_is_no_message_passes(relay: Relay, server: Server) -> None:
    line = relay.line(server.url)
    line.catching = True
    async with connected(line, server) as (sdk, other):
        broken = server_frame(BINARY, b"\x42\xff")
        other.say(broken)
        assert await sdk.frame() == broken
        assert line.put_out is None


async def test_the_sdk_may_connect_again_until_it_is_to_leave(relay: Relay, server: Server) -> None:
    line = relay.line(server.url)
    async with connected(line, server):
        pass
    async with connected(line, server) as (sdk, _):
        assert line.empty()
        await sdk.frame()
        assert await (await dialed(line.url)).reader.read() == b""


async def test_nobody_else_is_answered(relay: Relay, server: Server) -> None:
    line = relay.line(server.url)
    other = line.url[:-32] + "0" * 32
    assert await (await dialed(other)).reader.read() == b""
    assert await (await dialed(line.url, b"\r\n")).reader.read() == b""
    line.close()
    line.close()
    assert await (await dialed(line.url)).reader.read() == b""
    assert server.came.empty()


async def test_a_line_that_is_closed_ends_once_the_goodbye_has_had_its_time(
    relay: Relay, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signalling, "LINGERS", 0.05)
    line = relay.line(server.url)
    async with connected(line, server) as (sdk, other):
        line.close()
        sdk.say(ASKED)
        assert await other.frame() == ASKED
        assert await sdk.frame() == await other.frame() == b""


async def test_a_refusal_is_passed_on(relay: Relay, server: Server) -> None:
    sdk = await dialed(relay.line(server.url).url)
    other = await server.came.get()
    refused = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n"
    other.say(refused + b"no")
    assert await sdk.reader.read() == refused


async def test_a_server_that_never_answers_is_given_up(
    relay: Relay, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdk = await dialed(relay.line(server.url).url)
    monkeypatch.setattr(signalling, "CONNECTING", 0.05)
    assert await (await server.came.get()).head()
    assert await sdk.reader.read() == b""


async def test_a_server_that_isnt_there_ends_the_connection(relay: Relay) -> None:
    assert await (await dialed(relay.line("ws://127.0.0.1:1").url)).reader.read() == b""


@pytest.mark.parametrize(
    ("url", "name", "direct"),
    [
        ("ws://lk", "HTTP_PROXY", True),
        ("wss://lk", "http_proxy", True),
        ("wss://lk", "HTTPS_PROXY", True),
        ("ws://lk", "https_proxy", False),
    ],
)
async def test_the_sdk_connects_by_itself_where_it_asks_a_proxy(
    relay: Relay, monkeypatch: pytest.MonkeyPatch, url: str, name: str, direct: bool
) -> None:
    monkeypatch.setenv(name, "http://proxy:3128")
    line = relay.line(url)
    assert (line.url == url) is direct
    assert not line.empty()
    line.close()


async def test_nothing_is_left_once_it_ends(server: Server) -> None:
    async with relaying() as relay:
        sdk = await dialed(relay.line(server.url).url)
        await (await server.came.get()).head()
    assert await sdk.reader.read() == b""
    assert len(asyncio.all_tasks()) == 1
