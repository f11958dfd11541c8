"""The contract of what people say by the links of cards, on memory and on a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from gateway.errors import Unavailable
from gateway.handoff.answers import Answers, MemoryAnswers
from gateway.handoff.redis_answers import RedisAnswers
from gateway.terms.call import CallId

CALL, OTHER = CallId("SCL_1"), CallId("SCL_2")


@pytest.fixture(params=["memory", "redis", "redis-decoding"])
async def answers(request: pytest.FixtureRequest) -> AsyncIterator[Answers]:
    if request.param == "memory":
        yield MemoryAnswers()
        return
    client = Redis.from_url(request.getfixturevalue("redis_url"), decode_responses=request.param != "redis")
    await client.flushall()
    yield RedisAnswers(client)
    await client.aclose()


async def test_who_declines_does_so_for_one_call(answers: Answers) -> None:
    assert await answers.declined(CALL) == frozenset()
    await answers.decline(CALL, "desk-1")
    await answers.decline(CALL, "desk-1")
    await answers.decline(CALL, "desk-2")
    assert await answers.declined(CALL) == {"desk-1", "desk-2"}
    assert await answers.declined(OTHER) == frozenset()


async def test_a_link_is_good_for_one_tab_whichever_comes_first(answers: Answers) -> None:
    tabs = [f"tab-{number}" for number in range(8)]
    came = await asyncio.gather(*(answers.take(CALL, "desk-1", tab) for tab in tabs))
    assert came.count(True) == 1
    first = tabs[came.index(True)]
    assert await answers.take(CALL, "desk-1", first), "the answer may have been lost"
    assert await answers.take(CALL, "desk-2", tabs[0])
    assert await answers.take(OTHER, "desk-1", tabs[0])


async def test_keys_are_found_in_their_order(answers: Answers) -> None:
    assert list(await answers.pressed(CALL)) == []
    await answers.press(CALL, "desk-1.browser", "*2")
    await answers.press(CALL, "desk 2.browser", "1")
    await answers.press(OTHER, "desk-1.browser", "3")
    assert list(await answers.pressed(CALL)) == [("desk-1.browser", "*2"), ("desk 2.browser", "1")]
    assert list(await answers.pressed(CALL)) == [], "each is given out once, also to another job"
    await answers.press(CALL, "desk-1.browser", "*3")
    assert list(await answers.pressed(CALL)) == [("desk-1.browser", "*3")]


async def test_a_store_that_doesnt_answer_is_told() -> None:
    client = Redis.from_url("redis://127.0.0.1:9", socket_connect_timeout=0.2)
    with pytest.raises(Unavailable):
        await RedisAnswers(client).declined(CALL)
    with pytest.raises(Unavailable):
        await RedisAnswers(client).decline(CALL, "desk-1")
    with pytest.raises(Unavailable):
        await RedisAnswers(client).take(CALL, "desk-1", "tab")
    with pytest.raises(Unavailable):
        await RedisAnswers(client).press(CALL, "desk-1", "1")
    with pytest.raises(Unavailable):
        await RedisAnswers(client).pressed(CALL)
    await client.aclose()
