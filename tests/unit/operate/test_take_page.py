"""The page by which a member takes a call in their browser: what a link lets whom do, and how often."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.calls.acts import cues
from gateway.conduct.acts import machines
from gateway.config import from_environment
from gateway.errors import Unavailable
from gateway.handoff.answers import MemoryAnswers
from gateway.handoff.card import LASTS
from gateway.handoff.machine import Transfer
from gateway.handoff.state import Third
from gateway.handoff.third import MOVES
from gateway.operate.links import Links
from gateway.operate.take_page import CLIENT, FILES, routes, take_link
from gateway.operate.taking import JOINS_WITHIN, Taking
from gateway.operate.tries import MOST
from gateway.terms.act import Handoff
from gateway.terms.call import Call, CallId, Phase
from gateway.terms.hold import SILENT
from gateway.up.servers import CLIENT_VERSION
from tests.contract.calls import a_call
from tests.unit.calls.world import START
from tests.unit.handoff.model import TEAM, begun

NOW = 1764000000.0
SETTINGS = from_environment(
    {
        "OFFHOOK_PUBLIC_URL": "https://calls.acme.example",
        "LIVEKIT_URL": "ws://10.0.0.7:7880",
        "OFFHOOK_LIVEKIT_PUBLIC_URL": "wss://livekit.acme.example",
        "LIVEKIT_API_KEY": "key",
        "LIVEKIT_API_SECRET": "secret-of-thirty-two-bytes-or-more",
    }
)
TAB = "0" * 32
LEAD = {"name": "Maria Lopez", "company": "Acme", "number": "+14155550142", "said": ["We need phones."]}
Client = TestClient[web.Request, web.Application]
ANA, BEN, *_ = TEAM


@dataclass
class World:
    """One call, with ana's and ben's phones ringing; ana may take it in her browser."""

    answers: MemoryAnswers = field(default_factory=MemoryAnswers)
    down: bool = False
    now: float = NOW

    def __post_init__(self) -> None:
        self.desk = begun()
        self.leg, self.bens = self.desk.offer(ANA, BEN)
        self.call = replace(a_call(), act=self.desk.machine.act, phase=Phase.TAKEN)
        self.links = Links(SETTINGS)

    async def get(self, call: CallId) -> Call | None:
        """A call store's."""
        if self.down:
            raise Unavailable("down")
        kept = machines.written(cast(Transfer, self.desk.machine))
        return replace(self.call, checkpoint=kept) if call == self.call.id else None

    async def lead(self, call: str, leg: str) -> Mapping[str, object] | None:
        return LEAD if (call, leg) == (self.call.id, self.leg) else None

    def link(self, leg: str = "", made: float = NOW) -> str:
        return take_link(self.links, self.call.id, leg or self.leg, made)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def client(world: World, tmp_path: Path) -> AsyncIterator[Client]:
    (tmp_path / "client.js").write_text("// livekit-client")
    app = web.Application()
    taking = Taking(SETTINGS, cast(Any, world), world.answers, world.lead)
    app.add_routes(routes(world.links, taking, tmp_path / "client.js", lambda: world.now))
    async with TestClient(TestServer(app)) as found:
        yield found


async def ask(client: Client, link: str, what: str, **more: object) -> tuple[int, dict[str, Any]]:
    parts = urlsplit(link)
    answer = await client.post(f"{parts.path}/{what}", json={"proof": parts.fragment, **more})
    told = json.loads(await answer.text()) if answer.content_type == "application/json" else {}
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status, told


async def test_what_is_served_to_everybody_tells_nothing_and_takes_nothing(client: Client, world: World) -> None:
    link = world.link()
    assert not urlsplit(link).query, "what proves it is sent to nobody"
    for path in (urlsplit(link).path, "/take/SCL_none/none"):
        page = await client.get(path)
        text = await page.text()
        assert page.status == 200
        assert "Maria" not in text
        for name, value in {
            "X-Robots-Tag": "noindex",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }.items():
            assert page.headers[name] == value
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "connect-src 'self' wss://livekit.acme.example https://livekit.acme.example;" in policy
    assert await ask(client, link, "take", tab=TAB) != (409, {}), "a look has used nothing"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("page.js", "text/javascript"),
        ("lead.js", "text/javascript"),
        ("page.css", "text/css"),
        (CLIENT, "text/javascript"),
    ],
)
async def test_the_pages_files_are_ours_alone(client: Client, name: str, kind: str) -> None:
    found = await client.get(f"/browser/{name}")
    assert (found.status, found.content_type) == (200, kind)
    for other in ("page.html", "..%2ftaking.py", "x.js"):
        assert (await client.get(f"/browser/{other}")).status == 404


def test_the_page_asks_nobody_else_for_anything() -> None:
    text = "".join(path.read_text() for path in FILES.iterdir())
    assert not re.findall(r"https?://", text)
    assert re.findall(r'(?:src|href)="([^"]*)"', (FILES / "page.html").read_text()) == [
        "/browser/page.css", f"/browser/{CLIENT}", "/browser/lead.js", "/browser/page.js",
    ]  # fmt: skip
    assert " on" not in re.sub(r">[^<]*<", "><", (FILES / "page.html").read_text()), "no inline script"
    assert "style=" not in (FILES / "page.html").read_text()


async def test_the_link_shows_the_lead_and_takes_the_call(client: Client, world: World) -> None:
    world.now = START + 7.2
    assert await ask(client, world.link(), "look") == (
        200, {"standing": "waits", "by": "", "waited": 7, "lead": LEAD | {"shown": "+1 415-555-0142"}, "ready": True},
    )  # fmt: skip
    status, ticket = await ask(client, world.link(), "take", tab=TAB)
    assert (status, ticket["url"]) == (200, "wss://livekit.acme.example")
    said = jwt.decode(ticket["token"], options={"verify_signature": False})
    assert said["sub"] == f"leg-{world.leg}.browser"
    assert said["video"] == {
        "roomJoin": True, "room": world.call.room, "canPublish": True, "canPublishSources": ["microphone"],
        "canSubscribe": False, "canPublishData": False, "canUpdateOwnMetadata": False,
    }  # fmt: skip
    assert said["attributes"] == {
        "offhook.leg": f"{world.leg}.browser", "offhook.browser": f"{world.leg}.browser", "offhook.member": "ana",
    }  # fmt: skip
    assert said["exp"] - said["nbf"] <= JOINS_WITHIN


async def talking(client: Client, world: World) -> tuple[str, str]:
    """Ana has the call in her browser: by what she asks for more, and her browser's leg."""
    _, ticket = await ask(client, world.link(), "take", tab=TAB)
    return world.link().partition("#")[0] + "#" + ticket["talk"], world.desk.comes(world.leg)


async def test_who_has_the_call_gives_it_back_however_long_they_have_talked(client: Client, world: World) -> None:
    _, ticket = await ask(client, world.link(), "take", tab=TAB)
    talk = world.link().partition("#")[0] + "#" + ticket["talk"]
    status, told = await ask(client, talk, "talk", ask="back")
    assert (status, told["standing"]) == (409, "waits")
    assert list(await world.answers.pressed(world.call.id)) == [], "they don't have it yet"
    browser = world.desk.comes(world.leg)
    world.now += 3600.0
    assert (await ask(client, world.link(), "talk", ask="back"))[0] == 403, "the card's link doesn't"
    assert (await ask(client, talk, "take", tab=TAB))[0] == 403
    status, told = await ask(client, talk, "talk", ask="back")
    assert (status, told["standing"], told["by"]) == (200, "yours", "Ana")
    assert list(await world.answers.pressed(world.call.id)) == [(browser, "*2")]


async def test_who_has_the_call_asks_a_third_and_sees_how_that_stands(client: Client, world: World) -> None:
    talk, browser = await talking(client, world)
    dialed = world.desk.machine.legs
    seen = {"standing": "yours", "by": "Ana", "third": "nobody", "whom": "Fay", "hold": False, "entry": ""}
    offers = {"aside": "rung aside", "third": "rung in"}
    assert await ask(client, talk, "talk") == (200, seen | {"offers": offers, "dialed": dialed})
    assert list(await world.answers.pressed(world.call.id)) == [], "to look asks for nothing"
    assert (await ask(client, talk, "talk", ask="aside", to="rung aside"))[0] == 200
    assert list(await world.answers.pressed(world.call.id)) == [(browser, "*8")]
    for key in "*8":
        world.desk.happens(cues.LegKey(browser, key))
    now = {"aside": "nobody", "third": "rung in"}
    dialed += 1
    assert await ask(client, talk, "talk") == (200, seen | {"third": "rung aside", "offers": now, "dialed": dialed})
    assert (await ask(client, talk, "talk", ask="aside", to="rung aside"))[0] == 409, "a page that is behind"
    assert list(await world.answers.pressed(world.call.id)) == []
    assert (await ask(client, talk, "talk", ask="third", to="rung in"))[0] == 200
    assert list(await world.answers.pressed(world.call.id)) == [(browser, "*3")]


async def test_who_has_the_call_sees_that_a_third_was_rung_who_refused_before_they_looked(
    client: Client, world: World
) -> None:
    talk, browser = await talking(client, world)
    before = (await ask(client, talk, "talk"))[1]
    for key in "*3":
        world.desk.happens(cues.LegKey(browser, key))
    world.desk.happens(cues.LegFailed(world.desk.machine.third_leg, 486))
    after = (await ask(client, talk, "talk"))[1]
    assert after == before | {"dialed": before["dialed"] + 1}


async def test_who_has_the_call_has_the_caller_never_called_again_and_sees_what_came_of_it(
    client: Client, world: World
) -> None:
    talk, browser = await talking(client, world)
    status, told = await ask(client, talk, "talk", ask="no calls")
    assert (status, told["entry"]) == (200, "")
    assert list(await world.answers.pressed(world.call.id)) == [(browser, "*9")]
    for key in "*9":
        world.desk.happens(cues.LegKey(browser, key))
    assert (await ask(client, talk, "talk"))[1]["entry"] == "asked"
    for entered, seen in ((False, "failed"), (True, "entered")):
        world.desk.happens(cues.NoCalls(entered))
        assert (await ask(client, talk, "talk"))[1]["entry"] == seen


async def test_who_has_the_call_puts_the_caller_on_hold(client: Client, world: World) -> None:
    _, ticket = await ask(client, world.link(), "take", tab=TAB)
    talk = world.link().partition("#")[0] + "#" + ticket["talk"]
    assert (await ask(client, talk, "talk", ask="hold", on=True))[0] == 409, "they don't have it yet"
    browser = world.desk.comes(world.leg)
    for on, pressed, hold in ((True, "hold", SILENT), (False, "resume", "")):
        status, told = await ask(client, talk, "talk", ask="hold", on=on)
        assert (status, told["hold"]) == (200, not on), "as it stood before"
        assert list(await world.answers.pressed(world.call.id)) == [(browser, pressed)]
        world.desk.holds(browser, hold)
        assert (await ask(client, talk, "talk"))[1]["hold"] is on
        assert (world.desk.sound == "music:default") is on


async def test_what_nobody_can_ask_for_isnt(client: Client, world: World) -> None:
    talk, _ = await talking(client, world)
    for more in ({"ask": "coffee"}, {"ask": "third"}, {"ask": "third", "to": "elsewhere"}):
        assert (await ask(client, talk, "talk", **more))[0] == 400
    world.call = replace(world.call, act=replace(cast(Handoff, world.call.act), third=None))
    world.desk.machine = replace(world.desk.machine, act=world.call.act)
    assert (await ask(client, talk, "talk"))[1]["offers"] == {}, "the plan names no third"
    assert (await ask(client, talk, "talk", ask="third", to="rung in"))[0] == 409
    assert list(await world.answers.pressed(world.call.id)) == []


def test_the_page_has_words_for_all_that_may_be_asked_for() -> None:
    written = set(re.findall(r'^  "(.+)>(.+)": \(who\)', (FILES / "page.js").read_text(), re.MULTILINE))
    assert written == {(there.value, to.value) for (there, _), to in MOVES.items() if there is not Third.LEFT}


async def test_a_link_is_used_once(client: Client, world: World) -> None:
    tabs = [f"{n:032}" for n in range(6)]
    came = await asyncio.gather(*(ask(client, world.link(), "take", tab=tab) for tab in tabs))
    assert sorted(status for status, _ in came) == [200, *[409] * 5]
    assert {told["standing"] for status, told in came if status == 409} == {"used"}
    first = tabs[[status for status, _ in came].index(200)]
    assert (await ask(client, world.link(), "take", tab=first))[0] == 200, "the first answer may have been lost"


@pytest.mark.parametrize(
    "made",
    [
        lambda world: world.link(world.bens).replace(world.bens, world.leg),
        lambda world: world.link(made=NOW - LASTS - 1),
        lambda world: world.link()[:-1] + "x",
        lambda world: world.link().partition("#")[0],
        lambda world: world.link().replace("#", "#9"),
        lambda world: world.link().replace(world.call.id, "SCL_other"),
    ],
    ids=["another's", "too old", "wrong", "none", "longer", "another call's"],
)
async def test_a_wrong_link_does_nothing(client: Client, world: World, made: Any) -> None:
    for what in ("look", "stands", "take", "decline"):
        assert await ask(client, made(world), what, tab=TAB) == (403, {})
    assert await world.answers.declined(world.call.id) == frozenset()
    assert (await ask(client, world.link(), "take", tab=TAB))[0] == 200


async def test_who_tries_many_wrong_links_is_told_to_wait_and_right_ones_still_count(
    client: Client, world: World
) -> None:
    wrong = world.link()[:-1] + "x"
    tried = [(await ask(client, wrong, "look"))[0] for _ in range(MOST + 2)]
    assert tried == [403] * MOST + [429] * 2
    assert (await ask(client, world.link(), "look"))[0] == 200


async def test_who_may_only_use_their_phone_cant_take_it(client: Client, world: World) -> None:
    assert (await ask(client, world.link(world.bens), "take", tab=TAB)) == (409, {"standing": "over", "by": ""})


async def test_who_comes_too_late_sees_who_took_the_call_and_spends_nothing(client: Client, world: World) -> None:
    world.desk.answers(world.bens)
    world.desk.presses(world.bens, "1")
    taken = {"standing": "taken", "by": "Ben"}
    assert await ask(client, world.link(), "stands") == (200, taken)
    assert await ask(client, world.link(), "take", tab=TAB) == (409, taken)
    world.call = replace(world.call, act=Handoff("desk"), phase=Phase.ENDED)
    assert await ask(client, world.link(), "stands") == (200, {"standing": "left", "by": ""})


async def test_who_declines_is_told_to_the_job(client: Client, world: World) -> None:
    assert await ask(client, world.link(), "decline") == (200, {"standing": "over", "by": ""})
    assert await world.answers.declined(world.call.id) == {world.leg}


async def test_a_store_that_doesnt_answer_is_told_and_a_form_of_another_site_isnt_heard(
    client: Client, world: World
) -> None:
    parts = urlsplit(world.link())
    for data, kind in ((b"{}", "text/plain"), (b"[]", "application/json"), (b"{", "application/json")):
        answer = await client.post(f"{parts.path}/take", data=data, headers={"Content-Type": kind})
        assert answer.status in (400, 415)
    assert (await ask(client, world.link(), "take"))[0] == 400, "no tab"
    world.down = True
    assert (await ask(client, world.link(), "look"))[0] == 503


async def test_where_set_up_has_brought_no_client_the_page_says_so(world: World, tmp_path: Path) -> None:
    app = web.Application()
    taking = Taking(SETTINGS, cast(Any, world), world.answers, world.lead)
    app.add_routes(routes(world.links, taking, tmp_path / "none.js", lambda: NOW))
    async with TestClient(TestServer(app)) as client:
        assert (await ask(client, world.link(), "look"))[1]["ready"] is False
        assert (await client.get(f"/browser/{CLIENT}")).status == 404


def test_what_set_up_brings_is_what_is_served() -> None:
    name, version, pinned = (
        (Path(__file__).parents[3] / "requirements" / "npm.txt").read_text().splitlines()[-1].split()
    )
    assert (name, version) == ("livekit-client", CLIENT_VERSION)
    assert pinned.startswith("sha512-")
