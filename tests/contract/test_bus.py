"""One suite for every bus: the one in memory and the one on a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path

import pytest

from gateway.bus.callstate import Status, states
from gateway.bus.client import Client
from gateway.bus.envelope import Grant
from gateway.bus.errors import BusDown, NoServer, RemoteError
from gateway.bus.ioinfo import CallInfo, IoInfo, Leg, Uri
from gateway.bus.memory import Hub, MemoryBus
from gateway.bus.port import Bus
from gateway.bus.server import Server
from gateway.bus.transport import connect
from gateway.terms.personal import Number
from tests.e2e.servers import free_port, redis_server, until

Make = Callable[[], AbstractAsyncContextManager[Bus]]


@pytest.fixture(params=["memory", "redis"])
def make(request: pytest.FixtureRequest) -> Make:
    """Makes buses that hear each other, each as another process would have its own."""
    if request.param == "redis":
        url: str = request.getfixturevalue("redis_url")
        return lambda: connect(url)
    hub = Hub()

    @asynccontextmanager
    async def memory() -> AsyncIterator[Bus]:
        yield MemoryBus(hub)

    return memory


async def test_what_is_published_is_heard_in_order_by_every_subscriber(make: Make) -> None:
    async with make() as one, make() as two:
        heard: list[tuple[str, object]] = []
        done = asyncio.Event()

        def receiver(who: str) -> Callable[[object, bytes], None]:
            def take(envelope: object, _: bytes) -> None:
                heard.append((who, envelope))
                if len(heard) == 6:
                    done.set()

            return take

        await one.subscribe("channel", receiver("one"))
        await two.subscribe("channel", receiver("two"))
        for number in "123":
            await one.publish("channel", Grant(number, "SRV"))
        async with asyncio.timeout(5):
            await done.wait()
        for who in ("one", "two"):
            assert [each for name, each in heard if name == who] == [Grant(number, "SRV") for number in "123"]


async def test_who_unsubscribed_hears_no_more(make: Make) -> None:
    async with make() as bus:
        heard: asyncio.Queue[str] = asyncio.Queue()
        await bus.subscribe("a", lambda *_: heard.put_nowait("a"))
        await bus.subscribe("b", lambda *_: heard.put_nowait("b"))
        await bus.unsubscribe("a")
        await bus.publish("a", Grant("1", "SRV"))
        await bus.publish("b", Grant("1", "SRV"))
        async with asyncio.timeout(5):
            assert await heard.get() == "b"


async def test_one_process_is_first(make: Make) -> None:
    async with make() as one, make() as two:
        assert sorted([await one.first(b"request"), await two.first(b"request")]) == [False, True]
        assert await two.first(b"another")


async def test_a_hundred_calls_at_once_each_handled_once(make: Make) -> None:
    handled: list[bytes] = []

    async def handle(payload: bytes) -> bytes:
        handled.append(payload)
        return payload[::-1]

    async with AsyncExitStack() as stack:

        async def open_bus() -> Bus:
            return await stack.enter_async_context(make())

        for _ in range(3):
            server = await stack.enter_async_context(Server(await open_bus(), "Contract"))
            await server.register("M", handle)
        client = await stack.enter_async_context(Client(await open_bus(), "Contract"))
        words = [f"word {number}".encode() for number in range(100)]
        # The time is for a busy machine: what counts is that each is answered, once.
        answers = await asyncio.gather(*(client.call("M", word, selection=10, answer=20) for word in words))
    assert answers == [word[::-1] for word in words]
    assert sorted(handled) == sorted(words)


async def test_errors_and_absence(make: Make) -> None:
    async def refuse(_: bytes) -> bytes:
        raise RemoteError("not_found", "no such thing", sip=(404, "Not Found"))

    async with make() as one, make() as two, Client(one, "Contract") as client, Server(two, "Contract") as server:
        await server.register("Refusing", refuse)
        with pytest.raises(RemoteError) as told:
            await client.call("Refusing", b"")
        assert (told.value.code, told.value.sip) == ("not_found", (404, "Not Found"))
        with pytest.raises(NoServer):
            await client.call("Absent", b"", selection=0.05)


async def test_redis_that_isnt_there() -> None:
    with pytest.raises(BusDown):
        async with connect(f"redis://127.0.0.1:{free_port()}/0"):
            pass


async def test_a_restart_of_redis_is_survived(tmp_path: Path) -> None:
    async def echo(payload: bytes) -> bytes:
        return payload

    port = free_port()
    async with AsyncExitStack() as stack:
        with redis_server(tmp_path, port) as url:
            one, two = [await stack.enter_async_context(connect(url)) for _ in range(2)]
            server = await stack.enter_async_context(Server(one, "Contract"))
            client = await stack.enter_async_context(Client(two, "Contract"))
            await server.register("M", echo)
            assert await client.call("M", b"before") == b"before"
        await until(lambda: not one.connected and not two.connected)
        with pytest.raises(BusDown):
            await client.call("M", b"meanwhile")
        with redis_server(tmp_path, port):
            await until(lambda: one.connected and two.connected)
            assert await client.call("M", b"after") == b"after"


async def test_who_asks_for_another_channel_is_connected_meanwhile(redis_url: str) -> None:
    async with connect(redis_url) as bus:
        for number in range(20):
            asking = asyncio.create_task(bus.subscribe(f"channel-{number}", lambda *_: None))
            while not asking.done():
                assert bus.connected
                await asyncio.sleep(0)
            await asking
        assert bus.connected


async def test_states_are_heard_passively_and_after_a_restart(tmp_path: Path) -> None:
    port = free_port()
    leg = Leg("SCL_1", "id", "192.0.2.1", *[Uri(Number("x"), "host")] * 3)

    async def until_heard(url: str, listening: AsyncIterator[object]) -> object:
        # When a listener has subscribed only shows by what it hears: tell until it does.
        async with connect(url) as bus, Client(bus, "IOInfo") as client:
            hearing = asyncio.ensure_future(anext(listening))
            async with asyncio.timeout(15):
                while not hearing.done():
                    await IoInfo(client).tell(CallInfo(leg, status=Status.ACTIVE, room="call-x"))
                    await asyncio.wait([hearing], timeout=0.05)
            return hearing.result()

    async with aclosing(states(f"redis://127.0.0.1:{port}/0")) as listening:
        for _ in range(2):
            with redis_server(tmp_path, port) as url:
                state = await until_heard(url, listening)
                assert getattr(state, "room", "") == "call-x"
