"""What goes by a stream because it is too large for a datagram, and connections on which nothing is said for long."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
import sipmessage
from sipmessage import URI, Address, Parameters

from gateway.net import door, sip_stream, sip_udp
from gateway.net.sip_driver import Incoming, SipDriver
from gateway.sip import message
from gateway.sip.dialog import Dialog
from gateway.sip.layer import LARGEST_DATAGRAM
from gateway.sip.message import encode, parse
from gateway.sip.transaction import Timers

pytestmark = pytest.mark.timeout(20)
FAST = Timers(t1=0.05, t2=0.2, t4=0.2)
HOSTS = ["127.0.0.1", "::1"]


class Agent:
    """Answers everything with 200, and keeps what came."""

    def __init__(self) -> None:
        self.arrived: list[Incoming] = []
        self.acknowledged = asyncio.Event()

    async def on_request(self, incoming: Incoming) -> None:
        self.arrived.append(incoming)
        incoming.respond(200)
        if incoming.request.method == "INVITE":
            await incoming.acknowledged()
            self.acknowledged.set()

    @property
    def ways(self) -> list[str]:
        """What each request came by, as the driver and as its own Via say."""
        return [f"{one.request.method} {one.driver.transport} {one.request.via[0].transport}" for one in self.arrived]


@asynccontextmanager
async def agent(host: str = "127.0.0.1", *, tcp: bool = True) -> AsyncIterator[tuple[Agent, sip_udp.SipUdp]]:
    """An agent on UDP, and on TCP at the same port if it is to take large requests."""
    made, port = Agent(), free_port(host) if tcp else 0
    async with AsyncExitStack() as stack:
        udp = await stack.enter_async_context(sip_udp.serve(host, port, made, timers=FAST, grace=0.5))
        if tcp:
            await stack.enter_async_context(sip_stream.serve(host, port, made, timers=FAST, grace=0.5))
        yield made, udp


def free_port(host: str) -> int:
    """A port that is free for UDP and TCP: one that is for UDP may be in use by a connection."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        with socket.socket(family, socket.SOCK_STREAM) as tcp, socket.socket(family, socket.SOCK_DGRAM) as udp:
            tcp.bind((host, 0))
            with suppress(OSError):
                udp.bind(tcp.getsockname())
                return int(tcp.getsockname()[1])


@asynccontextmanager
async def caller(host: str = "127.0.0.1", keep_alive: float = 30.0) -> AsyncIterator[sip_udp.SipUdp]:
    async with (
        sip_udp.serve(host, 0, Agent(), timers=FAST, grace=0.5) as udp,
        sip_stream.serve(host, 0, Agent(), timers=FAST, grace=0.5, keep_alive=keep_alive) as tcp,
    ):
        udp.larger = tcp
        yield udp


def request(method: str, by: SipDriver, to: SipDriver, size: int = 0, call_id: str = "c") -> sipmessage.Request:
    """A request that has `size` bytes with its Via, if that is more than it needs."""
    uri = URI.parse(to.contact())
    sender = Address(URI.parse(by.contact("a")), parameters=Parameters(tag="t"))
    made = message.request(
        method, uri, sender=sender, to=Address(uri), call_id=call_id, cseq=1, contact=by.contact("a")
    )
    if size:
        via = f"Via: SIP/2.0/UDP {by.here};rport;branch=z9hG4bK{'-' * 20}\r\n"
        made.headers.add("X-Long", "")
        made.headers.set("X-Long", "x" * (size - len(encode(made)) - len(via)))
    return made


@pytest.mark.parametrize("host", HOSTS)
async def test_a_request_that_is_too_large_goes_by_tcp_and_the_rest_of_its_dialog_does_not(host: str) -> None:
    async with agent(host) as (callee, there), caller(host) as ours:
        invite = request("INVITE", ours, there, 2 * LARGEST_DATAGRAM)
        async with ours.send(invite, there.address) as sending:
            final = [response async for response in sending][-1]
            dialog = Dialog.uac(invite, final)
            await sending.acknowledge(dialog.ack(), dialog.destination)
        await callee.acknowledged.wait()
        assert final.via[0].transport == "TCP"
        assert (await ours.request(dialog.request("BYE"), dialog.destination)).code == 200
        assert callee.ways == ["INVITE TCP TCP", "BYE UDP UDP"]


@pytest.mark.parametrize(("size", "way"), [(LARGEST_DATAGRAM, "UDP UDP"), (LARGEST_DATAGRAM + 1, "TCP TCP")])
async def test_the_limit_is_on_the_whole_request(size: int, way: str) -> None:
    async with agent() as (callee, there), caller() as ours:
        assert (await ours.request(request("OPTIONS", ours, there, size), there.address)).code == 200
        assert callee.ways == [f"OPTIONS {way}"]


async def test_it_goes_by_udp_after_all_where_no_connection_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    async with agent(tcp=False) as (callee, there), caller() as ours:
        tried = 0
        connect = asyncio.open_connection

        async def counted(*where: object, **more: object) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            nonlocal tried
            tried += 1
            return await connect(*where, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(asyncio, "open_connection", counted)
        for call_id in ("c1", "c2"):
            asked = request("OPTIONS", ours, there, 2000, call_id)
            assert (await ours.request(asked, there.address)).code == 200
        assert callee.ways == ["OPTIONS UDP UDP"] * 2
        assert tried == 1, "who takes no connection isn't asked again soon"


async def test_it_goes_by_udp_where_we_have_no_tcp() -> None:
    async with agent() as (callee, there), caller() as ours:
        ours.larger = None
        assert (await ours.request(request("OPTIONS", ours, there, 2000), there.address)).code == 200
        assert callee.ways == ["OPTIONS UDP UDP"]


async def test_the_ack_goes_by_udp_where_its_place_takes_no_connection() -> None:
    elsewhere = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    elsewhere.bind(("127.0.0.1", 0))
    elsewhere.setblocking(False)
    async with agent() as (callee, there), caller() as ours:
        invite = request("INVITE", ours, there, 2000)
        async with ours.send(invite, there.address) as sending:
            final = [response async for response in sending][-1]
            await sending.acknowledge(Dialog.uac(invite, final).ack(), elsewhere.getsockname())
            ack = parse(await asyncio.get_running_loop().sock_recv(elsewhere, 65536))
        elsewhere.close()
        assert isinstance(ack, sipmessage.Request)
        assert (ack.method, ack.via[0].transport) == ("ACK", "UDP")
        assert callee.ways == ["INVITE TCP TCP"]


async def test_our_connections_are_kept_alive_and_answers_are_not_answered() -> None:
    came = bytearray()
    enough = asyncio.Event()

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            came.extend(data)
            writer.write(b"\r\n")
            if came.endswith(b"\r\n\r\n" * 4):
                enough.set()
        writer.close()

    server = await asyncio.start_server(answers, "127.0.0.1", 0)
    async with server, caller(keep_alive=0.05) as ours:
        assert ours.larger is not None
        assert await ours.larger.connects(server.sockets[0].getsockname())
        await enough.wait()
    assert bytes(came) == b"\r\n\r\n" * (len(came) // 4)


@pytest.mark.parametrize("host", HOSTS)
async def test_who_asks_over_tcp_whether_we_are_there_is_told(host: str) -> None:
    async with agent(host) as (_, there):
        reader, writer = await asyncio.open_connection(*there.address)
        for _ in range(2):
            writer.write(b"\r\n\r\n")
            assert await reader.readexactly(2) == b"\r\n"
        writer.close()


async def test_keep_alives_over_udp_get_no_answer() -> None:
    async with agent() as (_, there), caller() as ours:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.setblocking(False)
            for data in (b"\r\n\r\n", b"\r\n", b"\0"):
                phone.sendto(data, there.address)
            phone.sendto(encode_options(phone.getsockname()[1], there), there.address)
            answer = await asyncio.get_running_loop().sock_recv(phone, 65536)
            assert answer.startswith(b"SIP/2.0 200"), "the first that comes"
        assert ours.layer.waiting == 0


async def test_only_a_connection_that_says_nothing_is_closed_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip_stream, "IDLE", 0.2)
    async with agent() as (_, there):
        used, speaking = await asyncio.open_connection(*there.address)
        speaking.write(encode_options(5060, there))
        assert (await used.readuntil(b"\r\n\r\n")).startswith(b"SIP/2.0 200")
        silent, saying = await asyncio.open_connection(*there.address)
        assert await silent.read() == b""
        speaking.write(b"\r\n\r\n")
        assert await used.readexactly(2) == b"\r\n"
        for writer in (saying, speaking):
            writer.close()


async def test_the_system_watches_over_connections() -> None:
    async with agent() as (_, there), caller() as ours:
        assert isinstance(ours.larger, sip_stream.SipStream)
        assert await ours.larger.connects(there.address)
        [connection] = ours.larger._connections.values()
        sock = connection.writer.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30


def encode_options(port: int, to: SipDriver) -> bytes:
    uri = URI.parse(to.contact())
    sender = Address(URI.parse("sip:a@127.0.0.1"), parameters=Parameters(tag="t"))
    made = message.request("OPTIONS", uri, sender=sender, to=Address(uri), call_id="c", cseq=1)
    made.headers.set("Via", f"SIP/2.0/UDP 127.0.0.1:{port};rport;branch=z9hG4bKa")
    return encode(made)


async def test_so_many_connections_are_taken_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "AT_ONCE", 2)
    async with agent() as (_, there):
        taken = [await asyncio.open_connection(*there.address) for _ in range(2)]
        for reader, writer in taken:
            writer.write(b"\r\n\r\n")
            assert await reader.readexactly(2) == b"\r\n"
        refused, beyond = await asyncio.open_connection(*there.address)
        with suppress(ConnectionError):
            assert await refused.read() == b""
        for writer in (beyond, *(writer for _, writer in taken)):
            writer.close()
