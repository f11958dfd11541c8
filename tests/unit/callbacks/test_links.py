"""The links of a callback: shown as often as one likes, done only when chosen, and good for nobody who made one up."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.callbacks.links import LASTS, Links, routes
from gateway.callbacks.machine import Booking, State, booked
from gateway.callbacks.port import MemoryBookings
from gateway.callbacks.times import allowed, earliest, zones_of
from gateway.config import Settings
from gateway.terms.call import CallId
from gateway.terms.callback import Terms
from gateway.terms.personal import Number

SETTINGS = Settings.model_validate({"LIVEKIT_API_SECRET": "s", "OFFHOOK_PUBLIC_URL": "https://x.example"})
THEIRS, TERMS = Number("+15105550142"), Terms("sales", "America/Los_Angeles")


class World:
    def __init__(self) -> None:
        self.now = earliest(TERMS, zones_of(THEIRS, "UTC"), time.time()) or 0.0
        self.bookings, self.links = MemoryBookings(), Links(SETTINGS)
        self.one: Booking = booked(CallId("SCL_a"), THEIRS, self.now + 3600, 3600.0, self.now, TERMS)

    @property
    def path(self) -> str:
        return self.links.to(self.one).removeprefix("https://x.example")

    async def state(self) -> Booking:
        found = await self.bookings.get(self.one.id)
        assert found is not None
        return found


@pytest.fixture
async def world() -> World:
    made = World()
    await made.bookings.book(made.one)
    return made


@pytest.fixture
async def client(world: World) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    app = web.Application()
    app.add_routes(routes(world.links, world.bookings, lambda _one, _at: TERMS, lambda: world.now))
    async with TestClient(TestServer(app)) as made:
        yield made


async def test_to_open_it_changes_nothing(world: World, client: TestClient[web.Request, web.Application]) -> None:
    for _ in range(2):
        page = await client.get(world.path)
        text = await page.text()
        assert page.status == 200
        assert "We call you back today at" in text or "We call you back tomorrow" in text
        assert "0142" not in text
        assert page.headers["Cache-Control"] == "no-store"
    assert await world.state() == world.one


async def test_what_is_chosen_is_done_once(world: World, client: TestClient[web.Request, web.Application]) -> None:
    text = await (await client.get(world.path)).text()
    at = re.findall(r"name=at value=(\d+)", text)[-1]
    assert "It is agreed." in await (await client.post(world.path, data={"do": "move", "at": at})).text()
    moved = await world.state()
    assert (moved.at, moved.sequence, moved.state) == (float(at), 1, State.BOOKED)
    assert "It is cancelled." in await (await client.post(world.path, data={"do": "cancel"})).text()
    assert (await world.state()).state is State.CANCELLED
    assert "cancelled" in await (await client.get(world.path)).text()
    assert "too late" in await (await client.post(world.path, data={"do": "move", "at": at})).text()


@pytest.mark.parametrize("form", [{}, {"do": "poem"}, {"do": "move"}, {"do": "move", "at": "-1"}, {"do": "move", "at": "9" * 40},
                                  {"do": "move", "at": "٣"}])  # fmt: skip
async def test_nothing_else_is_done(
    world: World, client: TestClient[web.Request, web.Application], form: dict[str, str]
) -> None:
    assert (await client.post(world.path, data=form)).status == 200
    assert await world.state() == world.one


async def test_at_night_nobody_can_be_called(world: World, client: TestClient[web.Request, web.Application]) -> None:
    zones = zones_of(THEIRS, "UTC")
    night = next(world.now + hour * 3600 for hour in range(24) if not allowed(TERMS, zones, world.now + hour * 3600))
    assert "be had any more" in await (await client.post(world.path, data={"do": "move", "at": str(int(night))})).text()


async def test_a_link_that_is_not_ours_or_too_old_leads_nowhere(
    world: World, client: TestClient[web.Request, web.Application]
) -> None:
    other = world.path.replace(world.one.id, "0" * 12)
    wrong = [other, world.path[:-1] + ("0" if world.path[-1] != "0" else "1"), world.path.split("?")[0], "/callbacks/../x?sig=1",
             re.sub(r"until=\d+", "until=99999999999", world.path)]  # fmt: skip
    for path in wrong:
        assert (await client.get(path)).status in (403, 404), path
        assert (await client.post(path, data={"do": "cancel"})).status in (403, 404, 405), path
    world.now += LASTS + 7200
    assert (await client.get(world.path)).status == 403
    assert (await world.state()).state is State.BOOKED


def test_another_secret_makes_another_link() -> None:
    one = World().one
    other = Links(Settings.model_validate({"LIVEKIT_API_SECRET": "t"}))
    assert Links(SETTINGS).to(one).split("?")[1] != other.to(one).split("?")[1]
    assert Links(SETTINGS).to(replace(one, at=one.at + 1)) != Links(SETTINGS).to(one)
