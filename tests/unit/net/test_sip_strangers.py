"""Connections of strangers: many, slow, and such as never agree on TLS, beside those of who is known."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network
from pathlib import Path

import pytest

from gateway.net import sip_stream
from gateway.net.door import OF_ONE
from gateway.net.sip_driver import Incoming
from gateway.net.warden import Warden
from gateway.sip.gate import Gate
from tests.e2e.certificate import make_certificate

pytestmark = pytest.mark.timeout(20)
STRANGER, KNOWN = "127.0.0.66", "127.0.0.70"
ASKS = (
    b"OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=a\r\n"
    b"To: <sip:a@b>\r\nCall-ID: a\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Agent:
    """Answers everything with 200."""

    async def on_request(self, incoming: Incoming) -> None:
        incoming.respond(200)


@asynccontextmanager
async def agent(secured: ssl.SSLContext | None = None) -> AsyncIterator[sip_stream.SipStream]:
    async with sip_stream.serve("127.0.0.1", 0, Agent(), grace=0.5, secured=secured) as made:
        made.guard(Warden(Gate([ip_network(KNOWN)], sure=True)))
        yield made


async def told(end: Ends, what: bytes, each: float) -> None:
    """Say that again and again, each so many seconds, until the other side has closed it."""
    reading = asyncio.create_task(end[0].read())
    with suppress(ConnectionError):
        while not reading.done():
            end[1].write(what)
            await asyncio.wait([reading], timeout=each)
    await asyncio.gather(reading, return_exceptions=True)


async def connected(to: sip_stream.SipStream, source: str) -> Ends:
    return await asyncio.open_connection(*to.address, local_addr=(source, 0))


async def closed(end: Ends) -> bool:
    """Whether the other side has closed it, or does so soon."""
    with suppress(ConnectionError):
        try:
            async with asyncio.timeout(0.3):
                return await end[0].read() == b""
        except TimeoutError:
            return False
    return True


async def answered(end: Ends) -> bool:
    end[1].write(ASKS.replace(b"z9hG4bKa", f"z9hG4bK{id(end)}".encode()).replace(b"ID: a", f"ID: {id(end)}".encode()))
    return (await end[0].readuntil(b"\r\n\r\n")).startswith(b"SIP/2.0 200")


async def test_a_stranger_holds_so_many_and_who_is_known_is_served_beside_them() -> None:
    async with agent() as there:
        held = [await connected(there, STRANGER) for _ in range(OF_ONE)]
        beyond = [await connected(there, STRANGER) for _ in range(5)]
        assert await asyncio.gather(*map(closed, beyond)) == [True] * 5
        assert await asyncio.gather(*map(closed, held)) == [False] * OF_ONE
        known = [await connected(there, KNOWN) for _ in range(2 * OF_ONE)]
        assert await asyncio.gather(*map(answered, known)) == [True] * 2 * OF_ONE
        held[0][1].close()
        await held[0][1].wait_closed()
        async with asyncio.timeout(5):
            while await closed(again := await connected(there, STRANGER)):
                again[1].close()
        for _, writer in (*held, *beyond, *known, again):
            writer.close()


async def test_who_never_agrees_on_tls_holds_places_like_any_other_and_loses_them_soon(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sip_stream, "CONNECTING", 4.0)
    secured = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    secured.load_cert_chain(await asyncio.to_thread(make_certificate, tmp_path))
    async with agent(secured) as there:
        half = [await connected(there, STRANGER) for _ in range(OF_ONE + 3)]
        ended = await asyncio.gather(*map(closed, half))
        assert sum(ended) == 3
        client = ssl.create_default_context(cafile=tmp_path / "edge.crt")
        known = await asyncio.open_connection(
            *there.address, local_addr=(KNOWN, 0), ssl=client, server_hostname="localhost"
        )
        assert await answered(known)
        async with asyncio.timeout(10):
            assert [await end[0].read() for end in half[:OF_ONE]] == [b""] * OF_ONE
        for _, writer in (*half, known):
            writer.close()


async def test_a_stranger_must_soon_say_something_and_not_a_byte_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip_stream, "SPEAKS_WITHIN", 0.3)
    monkeypatch.setattr(sip_stream, "WHOLE_WITHIN", 0.6)
    async with agent() as there:
        silent, known, slow = (
            await connected(there, STRANGER),
            await connected(there, KNOWN),
            await connected(there, STRANGER),
        )
        slow[1].write(b"O")
        async with asyncio.timeout(5):
            assert await silent[0].read() == b""
            assert await slow[0].read() == b""
        assert await answered(known)
        for _, writer in (silent, known, slow):
            writer.close()


async def test_a_stranger_s_keep_alives_are_no_message_and_whose_first_message_is_late_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sip_stream, "SPEAKS_WITHIN", 0.6)
    async with agent() as there:
        keeping, begun, known = [await connected(there, source) for source in (STRANGER, STRANGER, KNOWN)]
        async with asyncio.timeout(5):
            await told(keeping, b"\r\n", 0.1)
            await told(begun, b"\r\nO", 10.0)
        known[1].write(b"\r\n\r\n")
        async with asyncio.timeout(5):
            assert await known[0].readexactly(2) == b"\r\n"
        assert await answered(known)
        for _, writer in (keeping, begun, known):
            writer.close()


async def test_keep_alives_keep_no_stranger_s_connection_that_has_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip_stream, "IDLE", 0.6)
    async with agent() as there:
        stranger, known = await connected(there, STRANGER), await connected(there, KNOWN)
        assert await answered(stranger)
        assert await answered(known)
        async with asyncio.timeout(5):
            await told(stranger, b"\r\n", 0.1)
        assert await answered(known)
        for _, writer in (stranger, known):
            writer.close()


async def test_who_floods_with_keep_alives_is_shut_out_and_all_its_connections_are_closed() -> None:
    async with agent() as there:
        flooding, beside, known = [await connected(there, source) for source in (STRANGER, STRANGER, KNOWN)]
        assert await answered(beside)
        async with asyncio.timeout(15):
            await told(flooding, b"\r\n\r\n", 0.0)
            with suppress(ConnectionError):
                assert await beside[0].read() == b""
        again = await connected(there, STRANGER)
        assert await closed(again)
        assert await answered(known)
        for _, writer in (flooding, beside, known, again):
            writer.close()


async def test_tls_is_agreed_on_with_so_many_strangers_and_with_all_who_are_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sip_stream, "HANDSHAKES", 0.0)
    monkeypatch.setattr(sip_stream, "BURST_OF_HANDSHAKES", 5.0)
    secured = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    secured.load_cert_chain(await asyncio.to_thread(make_certificate, tmp_path))
    client = ssl.create_default_context(cafile=tmp_path / "edge.crt")
    got, opened = [], list[asyncio.StreamWriter]()
    async with agent(secured) as there:
        for source in (*[f"127.0.0.{number}" for number in range(80, 88)], *[KNOWN] * 8):
            try:
                _, writer = await asyncio.open_connection(
                    *there.address, local_addr=(source, 0), ssl=client, server_hostname="localhost"
                )
            except (OSError, ConnectionError):
                got.append(False)
            else:
                got.append(True)
                opened.append(writer)
        for writer in opened:
            writer.close()
    assert got == [True] * 5 + [False] * 3 + [True] * 8


async def test_who_only_connects_is_shut_out() -> None:
    async with agent() as there:
        for _ in range(21):
            (await connected(there, STRANGER))[1].close()
        async with asyncio.timeout(5):
            while not await closed(again := await connected(there, STRANGER)):
                again[1].close()
        known = await connected(there, KNOWN)
        assert await answered(known)
        for _, writer in (again, known):
            writer.close()
