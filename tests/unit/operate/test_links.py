"""Links to messages, by a real HTTP server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.config import from_environment
from gateway.operate.links import LASTS, Links, route

NOW = 1_800_000_000.0
SOUND = bytes(range(256)) * 8


def links(secret: str = "secret", **more: str) -> Links:
    return Links(from_environment({"LIVEKIT_API_SECRET": secret, "OFFHOOK_HTTP_PORT": "8080", **more}))


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    (tmp_path / "messages").mkdir()
    (tmp_path / "messages" / "m-1_x.ogg").write_bytes(SOUND)
    (tmp_path / "secret.ogg").write_text("not for you")
    app = web.Application()
    app.add_routes([route(links(), tmp_path / "messages", lambda: NOW)])
    async with TestClient(TestServer(app)) as client:
        yield client


def path(link: str) -> str:
    return link.removeprefix("http://127.0.0.1:8080")


def test_the_base_is_the_public_one_where_there_is_one() -> None:
    assert links().to("m1", NOW).startswith("http://127.0.0.1:8080/messages/m1?until=1802592000&sig=")
    public = links(OFFHOOK_PUBLIC_URL="https://pbx.example.com/offhook/")
    assert public.to("m1", NOW).startswith("https://pbx.example.com/offhook/messages/m1?")


async def test_a_link_plays_its_message_whole_and_in_ranges(client: TestClient[web.Request, web.Application]) -> None:
    link = path(links().to("m-1_x", NOW - 5))
    async with client.get(link) as answer:
        assert (answer.status, await answer.read()) == (200, SOUND)
        assert answer.headers["Content-Type"] == "audio/ogg"
        assert "private" in answer.headers["Cache-Control"]
    async with client.get(link, headers={"Range": "bytes=10-19"}) as answer:
        assert (answer.status, await answer.read()) == (206, SOUND[10:20])
        assert answer.headers["Content-Range"] == f"bytes 10-19/{len(SOUND)}"
    async with client.head(link) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(SOUND)))


@pytest.mark.parametrize("link", [
    links().to("m-1_x", NOW - LASTS - 1), links("other").to("m-1_x", NOW), links().to("m2", NOW).replace("m2", "m-1_x"),
    links().to("m-1_x", NOW).replace("until=18", "until=19"), "/messages/m-1_x", "/messages/m-1_x?until=&sig=",
    links().to("m-1_x", NOW).replace("until=18", "until=%C3%9818"), links().to("..%2Fsecret", NOW),
    links().to("../secret", NOW).replace("../", "..%2F"), "/messages/m-1_x?until=1802592000&sig=%F0%9F%98%80",
])  # fmt: skip
async def test_a_wrong_or_old_link_plays_nothing(client: TestClient[web.Request, web.Application], link: str) -> None:
    async with client.get(path(link)) as answer:
        assert answer.status == 403


async def test_a_message_that_is_gone_is_told(client: TestClient[web.Request, web.Application]) -> None:
    async with client.get(path(links().to("m2", NOW))) as answer:
        assert answer.status == 404


def test_text_that_no_encoding_has_is_a_wrong_link() -> None:
    """JSON may hold half a surrogate pair, which is no text."""
    for until, sig in (("1802592000", "\ud800"), ("\udfff", "a" * 64), ("\ud800", "\ud800")):
        assert not links().allows("/leads/SCL_a", until, sig, NOW)
