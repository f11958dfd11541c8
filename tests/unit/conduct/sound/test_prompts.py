"""Prompts on a real Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from gateway.conduct.sound.prompts import KEPT, PromptBook
from gateway.conduct.talk.port import Pcm
from gateway.terms.catalogue import Line
from tests.e2e.servers import redis_server


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
async def book(redis_url: str) -> AsyncIterator[PromptBook]:
    redis = Redis.from_url(redis_url)
    await redis.flushall()
    yield PromptBook(redis)
    await redis.aclose()


HELLO, BYE = Line("Hello – hi.", "Hello, hi.", "en-US"), Line("Bye.", "Bye.", "en-US")


async def test_what_is_wanted_is_missing_until_it_is_rendered_in_that_voice(book: PromptBook) -> None:
    await book.want([HELLO], 1000.0)
    await book.want([BYE], 1001.0)
    assert [line.spoken for line in await book.missing("slt")] == [BYE.spoken, HELLO.spoken]
    audio = Pcm(24000, b"\x01\x02" * 5)
    await book.put("slt", HELLO, audio)
    assert await book.get("slt", HELLO) == audio
    assert await book.get("rms", HELLO) is None
    assert [line.spoken for line in await book.missing("slt")] == [BYE.spoken]


async def test_the_language_is_part_of_a_prompt(book: PromptBook) -> None:
    await book.put("slt", HELLO, Pcm(8000, b"\x01\x02"))
    assert await book.get("slt", Line(HELLO.text, HELLO.spoken, "de-DE")) is None


async def test_what_nobody_wants_for_long_is_forgotten(book: PromptBook) -> None:
    await book.want([HELLO], 1000.0)
    await book.want([BYE], 1001.0 + KEPT)
    assert [line.spoken for line in await book.missing("slt")] == [BYE.spoken]
