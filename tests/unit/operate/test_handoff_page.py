"""The page by which whoever is rung declines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.config import Settings
from gateway.errors import Unavailable
from gateway.handoff.answers import MemoryAnswers
from gateway.handoff.card import LASTS
from gateway.operate.handoff_page import decline_link, routes
from gateway.operate.links import Links
from gateway.terms.call import CallId

NOW = 1764000000.0
CALL, LEG = CallId("SCL_a/b"), "desk-19-1"
Client = TestClient[web.Request, web.Application]


class Answers(MemoryAnswers):
    down = False

    async def decline(self, call: CallId, leg: str) -> None:
        if self.down:
            raise Unavailable("down")
        await super().decline(call, leg)

    async def declined(self, call: CallId) -> frozenset[str]:
        if self.down:
            raise Unavailable("down")
        return await super().declined(call)


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def links() -> Links:
    return Links(Settings(public_url="https://calls.acme.example"))


@pytest.fixture
async def client(answers: Answers, links: Links) -> AsyncIterator[Client]:
    app = web.Application()
    app.add_routes(routes(links, answers, lambda: NOW))
    async with TestClient(TestServer(app)) as found:
        yield found


def path(link: str) -> str:
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"


async def test_looking_changes_nothing_and_a_post_declines(client: Client, links: Links, answers: Answers) -> None:
    there = path(decline_link(links, CALL, LEG, NOW))
    shown = await client.get(there)
    assert (shown.status, "I can't take it" in await shown.text()) == (200, True)
    assert shown.headers["Cache-Control"] == "no-store"
    assert await answers.declined(CALL) == frozenset()
    told = await client.post(there)
    assert (told.status, "It is noted" in await told.text()) == (200, True)
    assert await answers.declined(CALL) == {LEG}
    again = await client.get(there)
    assert ("It is noted" in await again.text(), "<button>" in await again.text()) == (True, False), "it is said once"
    assert (await client.post(there)).status == 200
    other = await client.get(path(decline_link(links, CALL, "desk-19-2", NOW)))
    assert "I can't take it" in await other.text()


@pytest.mark.parametrize("made", [NOW - LASTS - 1, None])
async def test_a_link_that_is_old_or_another_legs_does_nothing(
    client: Client, links: Links, answers: Answers, made: float | None
) -> None:
    there = path(decline_link(links, CALL, LEG, NOW if made is None else made))
    if made is None:
        there = there.replace(LEG, "desk-19-2")
    for answer in (await client.get(there), await client.post(there)):
        assert (answer.status, "Open the newest card" in await answer.text()) == (403, True)
    assert await answers.declined(CALL) == frozenset()


async def test_a_store_that_is_away_is_told(client: Client, links: Links, answers: Answers) -> None:
    answers.down = True
    there = path(decline_link(links, CALL, LEG, NOW))
    assert [(await client.get(there)).status, (await client.post(there)).status] == [503, 503]
