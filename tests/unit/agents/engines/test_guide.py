"""Whom the chains ask, and what they tell of it."""

from __future__ import annotations

import time

import aiohttp
import httpx2
import openai
from livekit.agents import APIConnectionError, APIError, APIStatusError, APITimeoutError
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from agents.engines.failures import reason_of, retry_after
from agents.engines.guide import Guide, nobody
from agents.engines.links import Link
from gateway.health.board import Board
from gateway.health.circuit import Reason
from gateway.health.store import MemoryHealth
from gateway.terms.engine import Engine

CLOUD, FAST, LOCAL = (Link(Engine.LLM, name, "", "") for name in ("cloud", "fast", "local"))
CHAIN = [CLOUD, FAST, LOCAL]


def following() -> tuple[Guide, list[tuple[str, str, str]]]:
    told: list[tuple[str, str, str]] = []
    guide = Guide()
    guide.follow(Board(MemoryHealth(), "call", time.time), lambda _, *switch: told.append(switch))
    return guide, told


async def test_the_only_one_is_tried_twice() -> None:
    assert await Guide().order([LOCAL]) == [LOCAL, LOCAL]


async def test_the_only_one_that_a_call_left_as_failing_is_back_once_it_serves_another() -> None:
    health = MemoryHealth()
    first, second = Guide(), Guide()
    boards = Board(health, "first", lambda: 1000.0), Board(health, "second", lambda: 1060.0)
    first.follow(boards[0], nobody)
    first.failed(LOCAL, APITimeoutError())
    await first.leave(boards[0])
    assert await health.out(), "offhook status tells of it"
    second.follow(boards[1], nobody)
    second.served([LOCAL], (await second.order([LOCAL]))[0])
    await second.leave(boards[1])
    assert not await health.out()


async def test_who_has_failed_is_asked_last() -> None:
    guide, _ = following()
    assert await guide.order(CHAIN) == CHAIN
    guide.failed(CLOUD, APITimeoutError())
    assert await guide.order(CHAIN) == [FAST, LOCAL, CLOUD]
    assert not guide.trusted(CLOUD)
    for link in CHAIN:
        guide.failed(link, APITimeoutError())
    assert await guide.order(CHAIN) == CHAIN, "a try is better than silence"
    await guide._board.close()


async def test_a_switch_is_told_once_with_its_reason_and_so_is_the_way_back() -> None:
    guide, told = following()
    guide.served(CHAIN, CLOUD)
    guide.failed(CLOUD, APIStatusError("x", status_code=429))
    guide.served(CHAIN, FAST)
    guide.served(CHAIN, FAST)
    guide.served(CHAIN, LOCAL, "late")
    guide.served(CHAIN, CLOUD)
    guide.failed(CLOUD, APIConnectionError())
    guide.gave_up(CHAIN)
    assert told == [
        ("cloud", "fast", "rate"),
        ("fast", "local", "late"),
        ("local", "cloud", "back"),
        ("cloud", "", "fault"),
    ]
    await guide._board.close()


def test_an_error_says_why() -> None:
    def of(status: int) -> Reason:
        return reason_of(APIStatusError("x", status_code=status))

    assert [of(status) for status in (401, 402, 403)] == [Reason.AUTH] * 3
    assert (of(429), of(408), of(404), of(500), of(1011), of(-1)) == (
        Reason.RATE,
        Reason.TIMEOUT,
        Reason.REFUSED,
        Reason.FAULT,
        Reason.FAULT,
        Reason.FAULT,
    )
    assert reason_of(APITimeoutError()) is reason_of(TimeoutError()) is Reason.TIMEOUT
    assert reason_of(APIConnectionError()) is reason_of(OSError()) is Reason.FAULT


def _raised(cause: Exception) -> APIError:
    """As the plugins raise it: without its cause, but in its context."""
    try:
        try:
            raise cause
        except type(cause):
            raise APIStatusError("x", status_code=429) from None
    except APIError as bad:
        return bad


def test_how_long_to_wait_is_found_where_the_plugins_leave_it() -> None:
    request = httpx2.Request("POST", "http://x")
    for written, wait in (("7", 7.0), ("0.5", 0.5), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None)):
        response = httpx2.Response(429, headers={"retry-after": written}, request=request)
        assert retry_after(_raised(openai.RateLimitError("x", response=response, body=None))) == wait
        headers = CIMultiDictProxy(CIMultiDict({"Retry-After": written}))
        info = aiohttp.RequestInfo(URL("http://x"), "GET", headers, URL("http://x"))
        assert retry_after(_raised(aiohttp.ClientResponseError(info, (), status=429, headers=headers))) == wait
    assert retry_after(APIStatusError("x", status_code=429)) is None


async def test_a_route_has_its_own_order_and_a_conversation_that_ended_doesnt_end_the_next() -> None:
    guide, told = following()
    board = guide._board
    route = {"engines": {"llm": ["local", "cloud"]}}
    other = Board(MemoryHealth(), "call", time.time)
    guide.follow(other, lambda _, *switch: told.append(switch), route)
    await guide.leave(board)
    assert await guide.order(CHAIN) == [LOCAL, CLOUD]
    guide.served(CHAIN, LOCAL)
    guide.served(CHAIN, CLOUD, "late")
    assert told == [("local", "cloud", "late")]
    await guide.leave(other)
    assert await guide.order(CHAIN) == CHAIN
