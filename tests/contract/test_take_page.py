"""The page by which a member takes a call, in Chromium and with control's own routes and machine; livekit-client alone is the test's:
what the page says and asks for in every state, on a phone's screen and on a desk's."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, Response, async_playwright, expect

from gateway.calls.acts import cues
from gateway.handoff.browser import HOLDS
from gateway.operate.take_page import routes
from gateway.operate.taking import Taking
from tests.unit.calls.world import START
from tests.unit.operate.test_take_page import SETTINGS, World

pytestmark = [pytest.mark.long, pytest.mark.timeout(60)]

CHROMIUM = "/usr/bin/chromium"
CLIENT = Path(__file__).parent / "livekit_client.js"
SCREENS = {
    "phone": {"width": 390, "height": 844},
    "small": {"width": 320, "height": 568},
    "desk": {"width": 1280, "height": 800},
}
"""CSS pixels."""


def asks(answer: Response) -> bool:
    """Whether the page has asked for something, and not only how it stands."""
    return answer.url.endswith("/talk") and "ask" in (answer.request.post_data_json or {})


@dataclass
class Opened:
    """The page, of ana, whose phone rings too."""

    world: World
    page: Page

    async def takes(self) -> str:
        """Ana takes the call; her browser's leg."""
        async with self.page.expect_response("**/take"):
            await self.page.click("#take")
        leg = self.world.desk.comes(self.world.leg)
        await expect(self.page.locator("#talking")).to_be_visible()
        await expect(self.page.locator("#aside")).to_be_visible()  # how it stands was told
        return leg

    async def pressed(self) -> list[str]:
        """What the page has asked for, which the job does now."""
        found = await self.world.answers.pressed(self.world.call.id)
        for leg, keys in found:
            if keys in HOLDS:
                self.world.desk.holds(leg, HOLDS[keys])
                continue
            for key in keys:
                self.world.desk.happens(cues.LegKey(leg, key))
        return [keys for _, keys in found]


@pytest.fixture(params=SCREENS)
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opened]:
    """See the class."""
    world, app = World(now=START + 65.0), web.Application()
    taking = Taking(SETTINGS, cast(Any, world), world.answers, world.lead)
    app.add_routes(routes(world.links, taking, CLIENT, lambda: world.now))
    async with TestServer(app) as server, async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=False)
        page = await browser.new_page(viewport=SCREENS[request.param])
        complaints: list[str] = []
        page.on("pageerror", lambda bad: complaints.append(str(bad)))
        await page.clock.install()
        link = urlsplit(world.link())
        await page.goto(f"{server.make_url(link.path)}#{link.fragment}")
        await expect(page.locator("#take")).to_be_enabled()
        yield Opened(world, page)
        await page.screenshot(path=tmp_path / "last.png")
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, "nothing is wider than the screen"
        assert complaints == []
        await browser.close()


async def test_whoever_is_asked_sees_whose_call_it_is_and_how_long_they_wait(opened: Opened) -> None:
    page = opened.page
    await expect(page.locator("#who")).to_have_text("Maria Lopez of Acme")
    await expect(page.locator("#number")).to_have_text("+1 415-555-0142")
    await expect(page.locator("#waited")).to_have_text(re.compile("^waiting 1:0"))
    await page.clock.fast_forward(60_000)
    await expect(page.locator("#waited")).to_have_text(re.compile("^waiting 2:0"))
    await expect(page.locator("#take")).to_be_in_viewport(ratio=1)
    await opened.takes()
    await expect(page.locator("#waited")).to_be_hidden()


async def test_never_call_them_again_is_pressed_twice_and_tells_what_came_of_it(opened: Opened) -> None:
    leg = await opened.takes()
    page, never, status = opened.page, opened.page.locator("#never"), opened.page.locator("#status")
    await page.get_by_role("button", name="Never call them again").press("Enter")
    await expect(status).to_have_text("Press once more, if they have asked never to be called again.")
    await page.clock.run_for(7000)
    await expect(status).to_have_text("You are with the caller.")
    assert await opened.pressed() == [], "a slip of the finger"
    for entered in (False, True):
        await never.click()
        async with page.expect_response(asks):
            await page.get_by_role("button", name="Yes, never call again").click()
        assert await opened.pressed() == ["*9"]
        opened.world.desk.happens(cues.NoCalls(entered))
        await page.clock.run_for(1000)
        await expect(status).to_have_text(
            "It is noted: they are never called again." if entered else "That didn't work. Please try again."
        )
        assert await never.get_attribute("aria-disabled") == str(entered).lower()
    await never.click(force=True)
    assert await opened.pressed() == []
    assert opened.world.desk.legs[leg] == "connected"


async def test_hold_plays_the_caller_music_and_is_told_again_to_a_job_that_has_taken_over(opened: Opened) -> None:
    leg = await opened.takes()
    page, desk = opened.page, opened.world.desk
    async with page.expect_response(asks):
        await page.get_by_role("button", name="Hold").press("Enter")
    await expect(page.locator("#status")).to_have_text("On hold. The caller hears music, and not you.")
    assert await opened.pressed() == ["hold"]
    assert desk.accompanied
    assert await page.evaluate("calls.open") is False
    await expect(page.locator("#aside")).to_have_attribute("aria-disabled", "true")
    desk.holds(leg, "")
    await page.clock.run_for(2500)
    await expect(page.locator("#hold")).to_have_attribute("aria-pressed", "true")
    async with page.expect_response(asks):
        await page.clock.run_for(2500)
    assert set(await opened.pressed()) == {"hold"}
    assert desk.accompanied
    await page.get_by_role("button", name="Mute").click()
    async with page.expect_response(asks):
        await page.get_by_role("button", name="Resume").click()
    assert (await opened.pressed())[-1] == "resume"
    assert not desk.accompanied
    assert await page.evaluate("calls.open") is False, "they had muted themselves"
    await page.get_by_role("button", name="Unmute").click()
    assert await page.evaluate("calls.open") is True


async def test_how_a_talk_stands_is_looked_for_until_it_was_told(opened: Opened) -> None:
    """The first look comes while the store doesn't answer."""
    async with opened.page.expect_response("**/take"):
        await opened.page.click("#take")
    opened.world.down = True
    async with opened.page.expect_response(lambda answer: answer.status == 503):
        await expect(opened.page.locator("#talking")).to_be_visible()
    opened.world.down = False
    opened.world.desk.comes(opened.world.leg)
    await opened.page.clock.run_for(1000)
    await expect(opened.page.get_by_role("button", name="Ask Fay alone")).to_be_visible()


async def test_all_that_a_phone_asks_for_by_its_keys_has_a_button(opened: Opened) -> None:
    await opened.takes()
    page = opened.page
    for name, keys in (("Bring Fay in", "*3"), ("Talk with Fay alone", "*8"), ("Give back to the agent", "*2")):
        async with page.expect_response(asks):
            await page.get_by_role("button", name=name).click()
        assert await opened.pressed() == [keys]
        if keys == "*3":
            opened.world.desk.answers(opened.world.desk.machine.third_leg)
        await page.clock.run_for(1000)
    await page.evaluate("calls.ends()")
    await expect(page.locator("#status")).to_have_text("The caller is back with the agent.")


async def test_who_has_no_microphone_is_told_and_the_link_isnt_used(opened: Opened) -> None:
    await opened.page.evaluate("calls.deaf = true")
    await opened.page.click("#take")
    await expect(opened.page.locator("#status")).to_contain_text("The microphone can't be used.")
    await opened.page.evaluate("calls.deaf = false")
    await opened.takes()
