"""Client and server together, on the memory bus."""

from __future__ import annotations

import asyncio

import pytest

from gateway.bus import channels
from gateway.bus.client import Client
from gateway.bus.envelope import Claim, Envelope, Grant, Request, Response
from gateway.bus.errors import BusDown, NoAnswer, NoServer, RemoteError
from gateway.bus.memory import Hub, MemoryBus
from gateway.bus.server import Server
from gateway.errors import OurFault, Unavailable
from gateway.metrics import EDGE_ERRORS


async def echo(payload: bytes) -> bytes:
    return payload + b"!"


async def test_the_messages_of_a_call_in_order() -> None:
    hub = Hub()
    async with Client(MemoryBus(hub), "S") as client, Server(MemoryBus(hub), "S") as server:
        await server.register("M", echo)
        assert await client.call("M", b"hi") == b"hi!"
    (_, asked), (_, bid), (where, granted), (_, answered) = hub.published
    assert isinstance(asked, Request)
    assert isinstance(answered, Response)
    assert (bid, granted) == (Claim(asked.id, server.id), Grant(asked.id, server.id))
    assert where == "S|M|RCLAIM"
    assert asked.expiry - asked.sent_at == 3_000_000_000


class Frozen(MemoryBus):
    """Takes no message, and doesn't say so."""

    async def publish(self, channel: str, envelope: Envelope) -> None:
        await asyncio.Event().wait()


async def test_a_redis_that_stands_still_is_waited_for_no_longer_than_a_bid() -> None:
    async with Client(Frozen(Hub()), "S") as client:
        async with asyncio.timeout(5):
            with pytest.raises(BusDown):
                await client.call("M", b"hi", answer=60.0, selection=0.01)


async def test_one_of_many_servers_handles_it() -> None:
    hub, handled = Hub(), []

    async def handle(_: bytes) -> bytes:
        handled.append(1)
        return b""

    async with (
        Client(MemoryBus(hub), "S") as client,
        Server(MemoryBus(hub), "S") as one,
        Server(MemoryBus(hub), "S") as two,
    ):
        await one.register("M", handle)
        await two.register("M", handle)
        for _ in range(20):
            await client.call("M", b"")
    assert len(handled) == 20


async def test_a_server_that_lost_the_bidding_stays_out() -> None:
    hub = Hub()
    bus, handled = MemoryBus(hub), []

    async def handle(_: bytes) -> bytes:
        handled.append(1)
        return b""

    def grant_to_another(envelope: object, _: bytes) -> None:
        assert isinstance(envelope, Claim)
        granted.set_result(envelope.id)

    granted: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    await bus.subscribe(channels.claim("S", "CLI_x"), grant_to_another)
    async with Server(MemoryBus(hub), "S") as server:
        await server.register("M", handle)
        await bus.publish(channels.request("S", "M"), Request("REQ_1", "CLI_x", 0, 2**62, b""))
        async with asyncio.timeout(2):
            await bus.publish("S|M|RCLAIM", Grant(await granted, "SRV_other"))
        for _ in range(5):
            await asyncio.sleep(0)
    assert handled == []


async def test_nobody_serves() -> None:
    async with Client(MemoryBus(Hub()), "S") as client:
        with pytest.raises(NoServer, match="Nobody on the bus serves M"):
            await client.call("M", b"", selection=0.01)


async def test_the_winner_never_answers() -> None:
    hub = Hub()

    async def hang(_: bytes) -> bytes:
        await asyncio.Event().wait()
        return b""

    async with Client(MemoryBus(hub), "S") as client, Server(MemoryBus(hub), "S") as server:
        await server.register("M", hang)
        with pytest.raises(NoAnswer):
            await client.call("M", b"", answer=0.05)


async def test_an_expired_request_is_dropped() -> None:
    hub = Hub()
    bus = MemoryBus(hub)
    async with Server(MemoryBus(hub), "S") as server:
        await server.register("M", echo)
        await bus.publish(channels.request("S", "M"), Request("REQ_1", "CLI_x", 0, 1, b""))
        for _ in range(5):
            await asyncio.sleep(0)
    assert not any(isinstance(message, Claim) for _, message in hub.published)


async def test_errors_travel() -> None:
    hub = Hub()

    async def busy(_: bytes) -> bytes:
        raise RemoteError("failed_precondition", "INVITE failed", sip=(486, "Busy Here"))

    async def away(_: bytes) -> bytes:
        raise Unavailable("LiveKit is away.")

    async def wrong(_: bytes) -> bytes:
        raise OurFault("cannot be")

    async with Client(MemoryBus(hub), "S") as client, Server(MemoryBus(hub), "S") as server:
        await server.register("Busy", busy)
        await server.register("Away", away)
        await server.register("Wrong", wrong)
        with pytest.raises(RemoteError) as told:
            await client.call("Busy", b"")
        assert (told.value.code, told.value.sip) == ("failed_precondition", (486, "Busy Here"))
        with pytest.raises(RemoteError) as told:
            await client.call("Away", b"")
        assert (told.value.code, told.value.what) == ("unavailable", "LiveKit is away.")
        with pytest.raises(RemoteError) as told:
            await client.call("Wrong", b"")
        assert told.value.code == "internal"


async def test_a_bug_in_a_handler_is_counted_and_told_without_its_words() -> None:
    hub = Hub()

    async def bug(_: bytes) -> bytes:
        raise KeyError("+15105550100")

    before = EDGE_ERRORS.labels("bus server")._value.get()
    async with Client(MemoryBus(hub), "S") as client, Server(MemoryBus(hub), "S") as server:
        await server.register("M", bug)
        with pytest.raises(RemoteError) as told:
            await client.call("M", b"")
    assert "5550100" not in str(told.value)
    assert EDGE_ERRORS.labels("bus server")._value.get() == before + 1


async def test_topics_are_kept_apart() -> None:
    hub = Hub()
    async with Client(MemoryBus(hub), "S") as client, Server(MemoryBus(hub), "S") as server:
        await server.register("M", echo, topic="SCL_1")
        assert await client.call("M", b"x", topic="SCL_1") == b"x!"
        with pytest.raises(NoServer):
            await client.call("M", b"x", topic="SCL_2", selection=0.01)
        await server.deregister("M", "SCL_1")
        with pytest.raises(NoServer):
            await client.call("M", b"x", topic="SCL_1", selection=0.01)


async def test_telling_keeps_the_order_and_doesnt_wait() -> None:
    hub = Hub()
    handled: list[bytes] = []
    done = asyncio.Event()

    async def take(payload: bytes) -> bytes:
        handled.append(payload)
        if len(handled) == 3:
            done.set()
        return b""

    async with Client(MemoryBus(hub), "S") as client, Server(MemoryBus(hub), "S") as server:
        await server.register("M", take)
        for word in (b"1", b"2", b"3"):
            await client.tell("M", word)
        asked = [message.payload for _, message in hub.published if isinstance(message, Request)]
        assert asked == [b"1", b"2", b"3"]
        async with asyncio.timeout(2):
            await done.wait()
    assert sorted(handled) == [b"1", b"2", b"3"]


async def test_a_bus_that_is_down() -> None:
    hub = Hub()
    async with Client(MemoryBus(hub), "S") as client:
        hub.up = False
        with pytest.raises(BusDown):
            await client.call("M", b"")
        with pytest.raises(BusDown):
            await client.tell("M", b"")
        assert not client._pending
