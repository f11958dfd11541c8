"""A caller whom somebody takes in their browser, by the link of their card: with a participant in the browser's place, and with
Chromium, its fake microphone and the page."""

from __future__ import annotations

import asyncio
import math
import time
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from livekit import rtc
from playwright.async_api import Browser, Page, async_playwright, expect
from standardwebhooks import Webhook

from agents.words.lines import Say
from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.calls.words.menu import MenuWord
from gateway.phone.call import Call
from gateway.phone.ears import find_tone
from gateway.phone.phone import Phone
from tests.e2e.gateway import Stack
from tests.e2e.hook import hook
from tests.e2e.house.conftest import SECRET, Places
from tests.e2e.records import record, sip_id
from tests.e2e.room_peer import RoomPeer
from tests.e2e.test_handoff import came, music_heard, told, wants_a_person
from tests.e2e.test_house import OURS, THEIRS, said, silent, talk, tone
from tests.e2e.test_house_kills import job, killed
from tests.e2e.test_third import THIRDS, together

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

ALONE, EITHER = "+15105550796", "+15105550797"
TAB = "0123456789abcdef"
CHOOSE = word(HandoffWord.CHOOSE, "en-US")
CHROMIUM = "/usr/bin/chromium"
PHONE = {"width": 390, "height": 844}
"""CSS pixels of a phone's screen."""
PEAK = """async () => {
  const audio = new AudioContext();
  await audio.resume();
  const ear = audio.createAnalyser();
  ear.fftSize = 8192;
  for (const one of document.querySelectorAll("audio")) audio.createMediaStreamSource(one.srcObject).connect(ear);
  const found = new Float32Array(ear.frequencyBinCount);
  await new Promise((done) => setTimeout(done, 700));
  ear.getFloatFrequencyData(found);
  await audio.close();
  const at = found.indexOf(Math.max(...found));
  return [at * audio.sampleRate / ear.fftSize, found[at]];
}"""
"""The loudest frequency (Hz) that the page's sound holds, and how loud (dB)."""


@pytest.fixture
async def links(places: Places) -> AsyncIterator[asyncio.Queue[str]]:
    """The links of the cards that vera gets."""
    found: asyncio.Queue[str] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        sent = Webhook(SECRET).verify(await request.text(), dict(request.headers))
        if sent["type"] == "card":
            found.put_nowait(sent["card"]["take"])
        return web.Response()

    async with hook(places.hook, take):
        yield found


async def link_of(links: asyncio.Queue[str]) -> str:
    async with asyncio.timeout(40):
        return await links.get()


async def ask(link: str, what: str, **more: str) -> tuple[int, dict[str, Any]]:
    """What control answers to the page's script."""
    there, _, proof = link.partition("#")
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{there}/{what}", json={"proof": proof, **more}) as answer,
    ):
        return answer.status, await answer.json() if answer.content_type == "application/json" else {}


@asynccontextmanager
async def joined(ticket: dict[str, Any]) -> AsyncIterator[RoomPeer]:
    """In the caller's room with what the page would join with, as somebody who would hear all that can be heard. Once they
    speak they say THEIRS."""
    peer = RoomPeer("browser")
    peer.tone = THEIRS
    peer.start()
    await peer.room.connect(ticket["url"], ticket["token"], rtc.RoomOptions(auto_subscribe=True))
    try:
        yield peer
    finally:
        await peer.close()


async def talks(call: Call, peer: RoomPeer) -> None:
    """Both hear each other."""
    await call.say(tone(OURS, 1.5))
    await peer.hears(OURS)
    await call.tone([THEIRS])


@pytest.mark.long
async def test_the_link_of_a_card_takes_the_call_once(stack: Stack, caller: Phone, links: asyncio.Queue[str]) -> None:
    call = await wants_a_person(caller, ALONE)
    link = await link_of(links)
    async with aiohttp.ClientSession() as session, session.get(link) as page:
        assert (page.status, "Take the call" in await page.text()) == (200, True)
    status, seen = await ask(link, "look")
    assert (status, seen["standing"], seen["lead"]["number"]) == (200, "waits", "+15105550177")
    status, ticket = await ask(link, "take", tab=TAB)
    assert status == 200
    async with joined(ticket) as peer:
        for who in peer.room.remote_participants.values():
            for track in who.track_publications.values():
                track.set_subscribed(True)
        await call.say(tone(OURS, 1.0))
        await call.wait(1.0)
        assert peer.heard == [], "who hasn't taken the call yet hears nobody, whatever they try"
        await peer.speak()
        await talks(call, peer)
        assert (await ask(link, "take", tab=TAB[::-1]))[0] == 409
        assert (await ask(link, "stands"))[1] == {"standing": "yours", "by": "Vera"}
    await call.ended()
    found = await record(stack, sip_id(call), ending="served", hung_up_by="human")
    assert came(found) == ["taken"]
    assert (await ask(link, "stands"))[1]["standing"] == "left"
    proof = link.partition("#")[2].partition(".")[2]
    assert proof
    assert not [name for name in ("control", "worker-agents", "worker-house") if proof in stack.log(name)]


@pytest.mark.long
async def test_the_two_talk_on_when_the_job_dies(stack: Stack, caller: Phone, links: asyncio.Queue[str]) -> None:
    call = await wants_a_person(caller, ALONE)
    _, ticket = await ask(await link_of(links), "take", tab=TAB)
    async with joined(ticket) as peer:
        await peer.speak()
        await talks(call, peer)
        before = await killed(stack)
        await talks(call, peer)
        await job(stack, before)
        await talks(call, peer)
    await call.ended()
    assert came(await record(stack, sip_id(call), ending="served", hung_up_by="human")) == ["taken"]


# With Chromium.


@pytest.fixture
async def chromium(tmp_path: Path) -> AsyncIterator[Browser]:
    """A browser whose microphone sends THEIRS, on and off as people do: a browser takes a steady tone for noise."""
    with wave.open(str(tmp_path / "voice.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        for _ in range(20):
            out.writeframes(tone(THEIRS, 0.3).tobytes() + bytes(2 * 1600))
    arguments = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={tmp_path / 'voice.wav'}",
        "--autoplay-policy=no-user-gesture-required",
    ]
    async with async_playwright() as play:
        made = await play.chromium.launch(executable_path=CHROMIUM, args=arguments, chromium_sandbox=False)
        yield made
        await made.close()


async def opened(browser: Browser, link: str, **more: Any) -> tuple[Page, list[str]]:
    """The page on a phone's screen, and what its console complains of."""
    context = await browser.new_context(viewport=PHONE, device_scale_factor=2, permissions=["microphone"], **more)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda bad: complaints.append(str(bad)))
    await page.goto(link)
    await expect(page.locator("#take")).to_be_enabled(timeout=20000)
    return page, complaints


async def hears(page: Page, frequency: float, call: Call) -> None:
    """The page plays what the caller says."""
    found: list[list[float]] = []
    for _ in range(8):
        _, peak = await asyncio.gather(call.say(tone(frequency, 1.5)), page.evaluate(PEAK))
        found.append(peak)
        if math.isclose(peak[0], frequency, abs_tol=15):
            return
    pytest.fail(f"the page plays {found}")


@pytest.mark.long
async def test_chromium_takes_the_call_and_the_two_talk(
    stack: Stack, caller: Phone, links: asyncio.Queue[str], chromium: Browser, tmp_path: Path
) -> None:
    call = await wants_a_person(caller, ALONE)
    page, complaints = await opened(chromium, await link_of(links), color_scheme="light")
    await page.screenshot(path=tmp_path / "waits-light.png")
    await silent(call, 1.0)
    assert await page.locator("audio").count() == 0, "nothing is played before the call is taken"
    clicked = time.monotonic()
    await page.click("#take")
    await expect(page.locator("#talking")).to_be_visible(timeout=20000)
    print(f"the caller heard them {await call.tone([THEIRS]) - clicked:.2f} s after the click")
    await hears(page, OURS, call)
    await page.emulate_media(color_scheme="dark")
    await page.screenshot(path=tmp_path / "talks-dark.png")
    await page.click("#mute")
    await call.wait(1.0)
    await silent(call, 1.5)
    await page.click("#mute")
    await call.tone([THEIRS])
    await page.click("#leave")
    await call.ended()
    await expect(page.locator("#status")).to_have_text("You have hung up.")
    found = await record(stack, sip_id(call), ending="served", hung_up_by="human")
    assert came(found) == ["taken"]
    assert complaints == []


@pytest.mark.long
async def test_whoever_is_faster_gets_the_call_and_the_page_says_who_did(
    stack: Stack, caller: Phone, callees: Phone, links: asyncio.Queue[str], chromium: Browser, tmp_path: Path
) -> None:
    call = await wants_a_person(caller, EITHER)
    human = await (await callees.rung()).answer()
    page, complaints = await opened(chromium, await link_of(links), color_scheme="dark")
    await page.screenshot(path=tmp_path / "waits-dark.png")
    await said(callees, human, CHOOSE)
    await human.press("1")
    await talk(call, human)
    await expect(page.locator("#status")).to_have_text("Will took the call.", timeout=20000)
    await page.screenshot(path=tmp_path / "lost-dark.png")
    await human.hang_up()
    await call.ended()
    assert sorted(came(await record(stack, sip_id(call), ending="served"))) == ["beaten", "taken"]
    assert complaints == []


@pytest.mark.long
@pytest.mark.parametrize("answered", [False, True])
async def test_a_browser_that_takes_it_silences_the_phones_and_one_that_dies_has_hung_up(
    stack: Stack, caller: Phone, callees: Phone, links: asyncio.Queue[str], chromium: Browser, answered: bool
) -> None:
    call = await wants_a_person(caller, EITHER)
    ringing = await callees.rung()
    human = await ringing.answer() if answered else None
    if human is not None:
        await said(callees, human, CHOOSE)
    page, _ = await opened(chromium, await link_of(links))
    await page.click("#take")
    await (human.ended(10.0) if human is not None else ringing.given_up(10.0))
    await call.tone([THEIRS])
    await hears(page, OURS, call)
    await page.close()
    await call.ended(40.0)
    assert sorted(came(await record(stack, sip_id(call), ending="served", hung_up_by="human"))) == ["beaten", "taken"]


@pytest.mark.long
async def test_a_caller_on_hold_hears_music_and_not_the_browser_also_once_another_job_has_the_call(
    stack: Stack, caller: Phone, links: asyncio.Queue[str], chromium: Browser, tmp_path: Path
) -> None:
    call = await wants_a_person(caller, ALONE)
    page, complaints = await opened(chromium, await link_of(links), color_scheme="light")
    await page.click("#take")
    await call.tone([THEIRS])
    await page.get_by_role("button", name="Hold").click()
    await expect(page.locator("#status")).to_have_text("On hold. The caller hears music, and not you.")
    await page.screenshot(path=tmp_path / "hold-light.png")
    await call.wait(1.5)
    since = call.tape.now
    await call.wait(3.0)
    music_heard(call, since)
    assert find_tone(call.tape.between(call.tape.heard, since, call.tape.now), [THEIRS]) is None
    await job(stack, await killed(stack))
    await call.wait(4.0)
    since = call.tape.now
    await call.wait(3.0)
    music_heard(call, since)
    await page.get_by_role("button", name="Resume").click()
    await call.tone([THEIRS])
    await hears(page, OURS, call)
    await page.click("#leave")
    await call.ended()
    found = await record(stack, sip_id(call), ending="served", hung_up_by="human")
    assert [note["about"]["hold"] for note in found["notes"] if note["kind"] == "hold"][-1] is None
    assert complaints == []


@pytest.mark.long
async def test_who_has_the_call_gives_it_back_to_the_agent(
    stack: Stack, caller: Phone, links: asyncio.Queue[str], chromium: Browser
) -> None:
    call = await wants_a_person(caller, ALONE)
    page, complaints = await opened(chromium, await link_of(links))
    await page.click("#take")
    await call.tone([THEIRS])
    await page.click("#back")
    await expect(page.locator("#status")).to_have_text("The caller is back with the agent.", timeout=20000)
    await told(caller, call, Say.GIVEN_BACK)
    await call.hang_up()
    assert came(await record(stack, sip_id(call))) == ["taken", "gave back"]
    assert complaints == []


@pytest.mark.long
async def test_who_has_the_call_has_the_caller_never_called_again(
    stack: Stack, phone_target: str, links: asyncio.Queue[str], chromium: Browser, tmp_path: Path
) -> None:
    number = "+15105550142"
    async with Phone(phone_target, caller=number) as caller:
        call = await wants_a_person(caller, ALONE)
        page, complaints = await opened(chromium, await link_of(links), color_scheme="light")
        await page.click("#take")
        await call.tone([THEIRS])
        await page.get_by_role("button", name="Never call them again").click()
        assert number not in await asyncio.to_thread(stack.offhook, "dnc", "list", "--json"), "it is pressed twice"
        await page.click("#mute")  # whose tone would be heard through the words
        await page.get_by_role("button", name="Yes, never call again").click()
        await said(caller, call, word(MenuWord.NO_CALLS, "en-US"))
        await expect(page.locator("#status")).to_have_text("It is noted: they are never called again.")
        await page.screenshot(path=tmp_path / "noted-light.png")
        assert number in await asyncio.to_thread(stack.offhook, "dnc", "list", "--json"), "while they talk"
        await hears(page, OURS, call)
        await page.click("#leave")
        await call.ended()
    assert complaints == []
    stack.offhook("dnc", "remove", number)


async def asks_alone(call: Call, callees: Phone, page: Page) -> Call:
    """Who has the call on the page asks a third by a key of the keyboard; the third, who has answered."""
    await page.locator("#take").press("Enter")
    await call.tone([THEIRS])
    await page.get_by_role("button", name="Ask Zoe alone").press("Enter")
    ringing = await callees.rung()
    await expect(page.locator("#status")).to_have_text("Calling Zoe … The caller hears music.")
    asked = await ringing.answer()
    await expect(page.locator("#status")).to_have_text("You and Zoe talk alone. The caller hears music.")
    await asked.tone([THEIRS])
    await hears(page, THIRDS, asked)
    since = call.tape.now
    await call.talking(0.5)
    await call.wait(1.0)
    assert find_tone(call.tape.between(call.tape.heard, since, call.tape.now), [THEIRS]) is None
    return asked


@pytest.mark.long
async def test_who_has_the_call_asks_a_third_on_the_page_and_brings_them_in(
    stack: Stack, caller: Phone, callees: Phone, links: asyncio.Queue[str], chromium: Browser, tmp_path: Path
) -> None:
    call = await wants_a_person(caller, ALONE)
    page, complaints = await opened(chromium, await link_of(links), color_scheme="light")
    asked = await asks_alone(call, callees, page)
    await page.screenshot(path=tmp_path / "aside-light.png")
    status, third = page.locator("#status"), page.locator("#third")
    await page.get_by_role("button", name="Bring Zoe in").press("Enter")
    await expect(status).to_have_text("All three of you talk.")
    await call.tone([THEIRS])
    await asked.tone([THEIRS])
    await asked.say(tone(THIRDS))
    await call.tone([THIRDS])
    await call.say(tone(OURS))
    await asked.tone([OURS])
    await page.emulate_media(color_scheme="dark")
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.screenshot(path=tmp_path / "three-dark.png")
    await page.get_by_role("button", name="Let Zoe go").press("Enter")
    await asked.ended()
    await expect(status).to_have_text("You are with the caller.")
    await hears(page, OURS, call)
    await expect(page.locator("#aside")).to_have_attribute("aria-disabled", "true")
    await expect(page.locator("#aside-does")).to_have_text("That can be done once in a call.")
    await third.click()
    (await callees.rung()).reject(486)
    await expect(status).to_have_text("Zoe can't be reached. You are with the caller.")
    await call.tone([THEIRS])
    await page.click("#leave")
    await call.ended()
    found = await record(stack, sip_id(call), ending="served", hung_up_by="human")
    assert [leg["member"] for leg in found["legs"] if leg["member"] == "zoe"] == ["zoe", "zoe"]
    assert complaints == []


@pytest.mark.long
async def test_who_has_the_call_leaves_the_caller_to_the_third_on_the_page(
    stack: Stack, caller: Phone, callees: Phone, links: asyncio.Queue[str], chromium: Browser
) -> None:
    call = await wants_a_person(caller, ALONE)
    page, complaints = await opened(chromium, await link_of(links))
    asked = await asks_alone(call, callees, page)
    await page.get_by_role("button", name="Leave them to Zoe").press("Enter")
    await expect(page.locator("#status")).to_have_text("You have left the caller to Zoe.")
    await together(call, asked)
    await asked.hang_up()
    await call.ended()
    assert came(await record(stack, sip_id(call), ending="served", hung_up_by="human")) == ["taken", "asked", "taken"]
    assert complaints == []


@pytest.mark.long
async def test_who_declines_on_the_page_leaves_the_caller_to_the_agent(
    stack: Stack, caller: Phone, links: asyncio.Queue[str], chromium: Browser
) -> None:
    call = await wants_a_person(caller, ALONE)
    page, _ = await opened(chromium, await link_of(links))
    await page.click("#decline")
    await expect(page.locator("#status")).to_have_text("Thank you. The next of the team is asked.")
    await told(caller, call, Say.AWAY_DECLINED)
    await call.hang_up()
    assert came(await record(stack, sip_id(call))) == ["declined"]
