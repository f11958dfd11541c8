"""The contracts of what is counted and of what may be called, on memory and on a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from redis.asyncio import Redis

from gateway.errors import OurFault, Unavailable
from gateway.guard.book import MemoryRuleBook, RuleBook
from gateway.guard.meter import Cap, MemoryMeter, Meter
from gateway.guard.redis_book import RedisRuleBook
from gateway.guard.redis_meter import RedisMeter
from gateway.redis_client import PROTOCOL
from gateway.terms.outbound import Caps, Outbound, Rules, Spend

STORES = ["memory", "redis", "redis-resp3-text"]
RULES = Rules(
    Outbound(frozenset({"US"}), ("+4420",), ("+44870",), Caps(1, 2, 3), Spend(20, {"+1": 0.02}, 1.5, 4)),
    frozenset({"+15105550111", "sip:ben@pbx"}),
    "US",
    "America/New_York",
)


@dataclass
class Clock:
    now: float = 1764000000.25

    def __call__(self) -> float:
        return self.now


@dataclass
class Lab:
    """Two replicas' meters on one store."""

    one: Meter
    other: Meter
    clock: Clock


async def _redis(request: pytest.FixtureRequest) -> Redis:
    options = {"protocol": 3, "decode_responses": True} if "resp3" in request.param else {"protocol": PROTOCOL}
    client = Redis.from_url(request.getfixturevalue("redis_url"), socket_timeout=None, **options)
    await client.flushall()
    return client


@pytest.fixture(params=STORES)
async def lab(request: pytest.FixtureRequest) -> AsyncIterator[Lab]:
    clock = Clock()
    if request.param == "memory":
        meter = MemoryMeter(clock)
        yield Lab(meter, meter, clock)
        return
    client = await _redis(request)
    yield Lab(RedisMeter(client, clock), RedisMeter(client, clock), clock)
    await client.aclose()


@pytest.fixture(params=STORES)
async def book(request: pytest.FixtureRequest) -> AsyncIterator[RuleBook]:
    if request.param == "memory":
        yield MemoryRuleBook()
        return
    client = await _redis(request)
    yield RedisRuleBook(client)
    await client.aclose()


CALLER, ROUTE = Cap("caller:x", 3600.0, 2.0), Cap("route:sales", 3600.0, 3.0)


def spent(amount: float) -> Cap:
    return Cap("spent:2026-11-28", 86400.0, 10.0, amount)


async def test_all_or_nothing_is_counted(lab: Lab) -> None:
    for name in "ab":
        assert await lab.one.take(name, [ROUTE, CALLER]) == ""
    assert await lab.other.take("c", [ROUTE, CALLER]) == "caller:x"
    assert await lab.other.take("d", [ROUTE]) == "", "what was refused counted for nothing"
    assert await lab.other.take("e", [ROUTE]) == "route:sales"
    assert await lab.one.take("f", []) == ""


async def test_many_at_once_get_no_more_than_there_is(lab: Lab) -> None:
    asked = [
        meter.take(f"{n} {place}", [CALLER]) for place, meter in enumerate((lab.one, lab.other)) for n in range(20)
    ]
    assert (await asyncio.gather(*asked)).count("") == 2


async def test_the_same_counts_once(lab: Lab) -> None:
    for _ in range(5):
        assert await lab.one.take("a", [CALLER]) == ""
    assert await lab.other.take("b", [CALLER]) == ""


async def test_room_comes_back_as_the_window_moves(lab: Lab) -> None:
    assert await lab.one.take("a", [CALLER]) == ""
    lab.clock.now += 1800
    assert await lab.one.take("b", [CALLER]) == ""
    lab.clock.now += 1799
    assert await lab.one.take("c", [CALLER]) == "caller:x"
    lab.clock.now += 2
    assert await lab.one.take("c", [CALLER]) == ""
    assert await lab.one.take("d", [CALLER]) == "caller:x", "half an hour hasn't passed since the second"


async def test_money_is_counted_by_amount_and_settled_to_what_it_took(lab: Lab) -> None:
    assert await lab.one.take("a", [spent(6.0)]) == ""
    assert await lab.one.take("b", [spent(4.5)]) == "spent:2026-11-28"
    await lab.other.settle("a", [spent(1.25)])
    assert await lab.one.take("b", [spent(8.75)]) == ""
    await lab.one.settle("b", [spent(0.0)])
    await lab.one.settle("nobody", [spent(9.0)])
    assert await lab.one.take("c", [spent(8.75)]) == ""


async def test_a_cap_of_nothing_lets_nothing_out(lab: Lab) -> None:
    assert await lab.one.take("a", [replace(CALLER, most=0.0)]) == "caller:x"


async def test_nothing_is_known_until_rules_are_published(book: RuleBook) -> None:
    assert await book.of("v1") is None
    assert await book.put("v1", RULES)
    assert not await book.put("v1", RULES)
    assert await book.of("v1") == RULES


async def test_a_call_goes_on_by_whom_its_plan_named_and_by_what_is_allowed_now(book: RuleBook) -> None:
    await book.put("v1", RULES)
    now = Rules(Outbound(frozenset({"GB"})), frozenset({"+15105550199"}), "US")
    assert await book.put("v2", now)
    assert await book.of("v2") == now
    assert await book.of("v1") == replace(now, named=RULES.named | now.named)
    assert await book.of("never") == now, "a plan that nobody knows any more names nobody"
    assert await book.put("v1", RULES), "it is in force again"
    assert await book.of("v1") == RULES


async def test_what_redis_lost_is_written_again(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        book = RedisRuleBook(client)
        for lost in ("offhook:outbound", "offhook:outbound:v1"):
            await client.flushall()
            await book.put("v1", RULES)
            await client.delete(lost)
            assert await book.of("v1") is None
            assert await book.put("v1", RULES)
            assert await book.of("v1") == RULES


async def test_who_cant_read_or_reach_it_lets_nobody_out(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        await client.set("offhook:outbound", "v1")
        await client.set("offhook:outbound:v1", '{"named": 3}')
        with pytest.raises(OurFault):
            await RedisRuleBook(client).of("v1")
    async with Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.2) as nowhere:
        with pytest.raises(Unavailable):
            await RedisRuleBook(nowhere).of("v1")
        with pytest.raises(Unavailable):
            await RedisMeter(nowhere, Clock()).take("a", [CALLER])
