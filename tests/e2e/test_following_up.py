"""What follows a call that an agent has taken: whom it belongs to from then on, who hears that nobody took it, and the callback
that was agreed on: its time in words, its mails, and callers who want none.

The model is the test's own; what people say is heard by the local recognizer.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from agents.words.lines import Say, line_of
from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.calls.words.menu import MenuWord
from gateway.phone.call import Call, Unmet
from gateway.phone.phone import Phone
from tests.e2e.gateway import Stack, running_gateway
from tests.e2e.mail_server import Mails, calendar, mail_server, words
from tests.e2e.records import record, sip_id
from tests.e2e.scripted_model import Messages, Reply, ScriptedModel, scripted_model
from tests.e2e.scripted_model import said as words_of
from tests.e2e.servers import free_port
from tests.e2e.test_callbacks import SOMEWHERE, where_it_is_day
from tests.e2e.test_handoff import wants_a_person
from tests.e2e.test_house import callees, said, talk

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.speech, pytest.mark.timeout(200)]
__all__ = ["callees"]

OWNED, AGREED, MENU = (f"+151055507{number}" for number in ("21", "22", "23"))
ANA, BEN = "+15105550111", "+15105550112"
OFFICE, BOSS, THEIRS = "office@acme.example", "boss@acme.example", "john@callee.example"
PLAN = """
offhook: 1
country: US
timezone: {zone}
human: callback
outbound: {{countries: [US, GB, JP]}}
numbers: {{"+15105550721": owned, "+15105550722": agreed, "+15105550723": menu}}
people: {{ana: {{call: (510) 555-0111}}, ben: {{call: (510) 555-0112}}}}
teams:
  office:
    members: [ana, ben]
    ring: linear
    for: 12s
    owner_first: yes
    notify: "mailto:office@acme.example"
    escalate: {{after: 1m, to: "mailto:boss@acme.example"}}{digest}
routes:
  owned: {{agent: sales, greeting: Hello., handoff: office, introduce: false}}
  agreed: {{agent: sales, greeting: Hello., human: {{callback: {{team: office}}}}, settings: {{check: []}}}}
  menu: {{menu: {{say: "For sales, press 1.", 1: owned, silence: gone, wait: 20s}}, human: owned}}
  gone: {{reject: 603}}
"""
NOON = 12 - datetime.now(UTC).hour
ZONE = f"Etc/GMT{-NOON:+d}"
"""Where it is about noon, so that no test sees a day end. POSIX's sign: Etc/GMT-3 is ahead."""


@pytest.fixture(scope="module")
def mails() -> Iterator[Mails]:
    with mail_server() as made:
        yield made


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[int, ScriptedModel]]:
    port = free_port()
    with scripted_model(port) as made:
        yield port, made


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("plans")
    (made / "main.yaml").write_text(PLAN.format(zone=ZONE, digest=""))
    return made


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, plans: Path, served: tuple[int, ScriptedModel], mails: Mails
) -> Iterator[Stack]:
    more = {
        "OFFHOOK_LOG_LEVEL": "debug",
        "OFFHOOK_HOLD_SECONDS": "8",
        "OFFHOOK_LLM_CHAIN": f"script=http://127.0.0.1:{served[0]}/v1",
        "OFFHOOK_SMTP_URL": f"mailto://127.0.0.1:{mails.port}?from=offhook@acme.example",
    }
    with running_gateway(tmp_path_factory.mktemp("following"), plans, **more) as found:
        yield found


@pytest.fixture
def model(served: tuple[int, ScriptedModel]) -> ScriptedModel:
    served[1].answers = lambda _: Reply("Go on.")
    return served[1]


@pytest.fixture
def number() -> str:
    """Of somebody who hasn't called before, and for whom it is day."""
    return f"{where_it_is_day()[:-4]}{random.randrange(200, 10_000):04}"


@pytest.fixture
async def caller(stack: Stack, number: str) -> AsyncIterator[Phone]:
    async with Phone(stack.sip, caller=number) as phone:
        yield phone


def sentence(say: Say) -> str:
    """The first of what an agent says then."""
    return line_of(say, "en-US").split(". ", maxsplit=1)[0] + "."


async def test_who_calls_again_rings_whoever_took_their_call(
    stack: Stack, caller: Phone, callees: Phone, model: ScriptedModel
) -> None:
    """Ana is the first of the team's list, and Ben took the call."""
    call = await wants_a_person(caller, OWNED)
    ringing = await callees.rung(40)
    assert ringing.dialed == ANA
    ringing.reject(486)
    ringing = await callees.rung(20)
    assert ringing.dialed == BEN
    human = await ringing.answer()
    await said(callees, human, word(HandoffWord.CHOOSE, "en-US"))
    await human.press("1")
    await talk(call, human)
    await human.hang_up()
    await call.ended()
    await record(stack, sip_id(call), ending="served")
    again = await wants_a_person(caller, OWNED)
    ringing = await callees.rung(40)
    assert ringing.dialed == BEN, "whose caller they are"
    ringing.reject(486)
    ringing = await callees.rung(20)
    assert ringing.dialed == ANA, "and then the team"
    await again.hang_up()
    await ringing.given_up(8.0)
    found = await record(stack, sip_id(again))
    assert [leg["member"] for leg in found["legs"]] == ["ben", "ana"]


async def test_the_team_is_alarmed_of_a_line_that_was_cut(
    stack: Stack, caller: Phone, callees: Phone, model: ScriptedModel, mails: Mails
) -> None:
    call = await wants_a_person(caller, OWNED)
    first = await callees.rung(40)
    human = await first.answer()
    await said(callees, human, word(HandoffWord.CHOOSE, "en-US"))
    await human.press("1")
    await talk(call, human)
    await human.hang_up("Q.850;cause=41")
    ringing = await callees.rung()
    assert ringing.dialed == first.dialed
    with pytest.raises(Unmet):  # nobody else's phone rings while theirs does
        await callees.rung(2.0)
    name = "ana" if first.dialed == ANA else "ben"
    async with asyncio.timeout(20):
        while not (alarms := mails.to(OFFICE, f"Cut off: {name}, with a caller of office")):
            await asyncio.sleep(0.2)
    assert f"offhook calls show {sip_id(call)}" in words(alarms[0])
    await call.hang_up()
    await ringing.given_up(20.0)
    assert len(mails.to(OFFICE, "Cut off: ")) == 1


async def test_who_was_missed_is_told_of_then_somebody_else_and_once_a_day(
    stack: Stack, caller: Phone, callees: Phone, model: ScriptedModel, mails: Mails, plans: Path
) -> None:
    call = await wants_a_person(caller, OWNED)
    for status in (486, 603):
        (await callees.rung(40)).reject(status)
    await said(caller, call, sentence(Say.AWAY_DECLINED), 40)
    await call.hang_up()
    ended = time.monotonic()
    found = await record(stack, sip_id(call))
    mine = f"offhook missed done {found['id']}"
    async with asyncio.timeout(40):
        while not any(mine in words(one) for one in mails.to(OFFICE, "Missed: ")):
            await asyncio.sleep(0.2)
    alarm = next(words(one) for one in mails.to(OFFICE, "Missed: ") if mine in words(one))
    assert "- ana: busy\n- ben: declined\n" in alarm, "who rang, and why not"
    async with asyncio.timeout(120):
        while not any(mine in words(one) for one in mails.to(BOSS, "Still missed: ")):
            await asyncio.sleep(0.5)
    assert time.monotonic() - ended >= 59.0
    now = datetime.now(ZoneInfo(ZONE))
    (plans / "main.yaml").write_text(PLAN.format(zone=ZONE, digest=f'\n    digest: "{now:%H:%M}"'))
    digest = words(await mails.next(OFFICE, f"office, {now:%Y-%m-%d}: ", 40))
    assert "; ana: busy; ben: declined" in digest
    stack.offhook("missed", "done", found["id"])


def remembers(messages: Messages) -> Reply:
    """The model writes down who calls."""
    if words_of(messages):
        return Reply(calls=[("save_lead", {"name": "John Smith", "email": THEIRS})])
    return Reply("I have noted it.")


async def test_a_time_in_words_is_mailed_to_both_and_their_link_moves_and_cancels_it(
    stack: Stack, caller: Phone, callees: Phone, model: ScriptedModel, mails: Mails, number: str
) -> None:
    zone = ZoneInfo(next(zone for zone, one in SOMEWHERE.items() if number.startswith(one[:-4])))
    model.answers = remembers
    call = await caller.dial(AGREED)
    await call.answered()
    await call.spoken(25, 1.0)
    await caller.say(call, "I would like to talk about an invoice.")
    await said(caller, call, "I have noted it.", 40)
    await call.press("0")
    await call.spoken(40, 2.0)
    await caller.say(call, "Tomorrow at three in the afternoon.")
    await call.spoken(40, 1.0)
    await call.hang_up()
    there = datetime.now(zone)
    agreed = datetime(there.year, there.month, there.day, 15, tzinfo=zone) + timedelta(days=1)
    found = await _booked(stack, call, agreed)
    assert "tomorrow at three in the afternoon" in found["consent"].lower()
    for address in (OFFICE, THEIRS):
        async with asyncio.timeout(40):
            while not any(_is_at(mail, agreed) for mail in mails.to(address)):
                await asyncio.sleep(0.2)
    mail = next(mail for mail in mails.to(THEIRS) if _is_at(mail, agreed))
    before = calendar(mail)
    assert (before["METHOD"], before["ORGANIZER"]) == ("REQUEST", "mailto:offhook@acme.example")
    (link,) = set(re.findall(r"https?://\S+/callbacks/\S+", words(mail)))
    async with aiohttp.ClientSession() as session:
        page = await (await session.get(link)).text()
        later = next(int(at) for at in re.findall(r"name=at value=(\d+)", page))
        assert "It is agreed." in await (await session.post(link, data={"do": "move", "at": str(later)})).text()
        for address in (OFFICE, THEIRS):
            moved = calendar(await _of(mails, address, datetime.fromtimestamp(later, UTC), "REQUEST"))
            assert (moved["UID"], int(moved["SEQUENCE"])) == (before["UID"], int(before["SEQUENCE"]) + 1)
        assert "It is cancelled." in await (await session.post(link, data={"do": "cancel"})).text()
    for address in (OFFICE, THEIRS):
        off = calendar(await _of(mails, address, datetime.fromtimestamp(later, UTC), "CANCEL"))
        assert (off["UID"], int(off["SEQUENCE"])) == (before["UID"], int(before["SEQUENCE"]) + 2)
    assert json.loads(stack.offhook("callbacks", "show", found["id"], "--json"))["state"] == "cancelled"


async def _booked(stack: Stack, call: Call, at: datetime) -> dict[str, Any]:
    """The callback, once it is agreed on for that time."""
    found: dict[str, Any] = {}
    async with asyncio.timeout(30):
        while datetime.fromisoformat(found.get("at", "1970-01-01T00:00:00Z")) != at:
            await asyncio.sleep(0.5)
            found = json.loads(await asyncio.to_thread(stack.offhook, "callbacks", "show", sip_id(call), "--json"))
    return found


def _is_at(mail: Any, at: datetime) -> bool:
    return (
        any(True for _ in mail.iter_attachments())
        and calendar(mail)["DTSTART"] == f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    )


async def _of(mails: Mails, address: str, at: datetime, method: str) -> Any:
    async with asyncio.timeout(40):
        while True:
            fits = [mail for mail in mails.to(address) if _is_at(mail, at) and calendar(mail)["METHOD"] == method]
            if fits:
                return fits[-1]
            await asyncio.sleep(0.2)


async def test_who_says_never_to_call_again_is_on_the_list_at_once_and_isnt_called_back(
    stack: Stack, caller: Phone, callees: Phone, model: ScriptedModel, number: str
) -> None:
    call = await wants_a_person(caller, AGREED)
    await call.spoken(40, 2.0)
    for _ in range(3):  # until it was understood
        await caller.say(call, "Never call me again.")
        with suppress(Unmet):
            await said(caller, call, sentence(Say.NO_CALLS), 12)
            break
    assert number in stack.offhook("dnc", "list", "--json"), "while the call goes on"
    await call.hang_up()
    with pytest.raises(Unmet, match="Expected the phone to ring"):
        await callees.rung(8.0)
    found = json.loads(stack.offhook("callbacks", "show", sip_id(call), "--json"))
    assert (found["state"], found["why"]) == ("cancelled", "the callee has asked not to be called")
    again = await wants_a_person(caller, AGREED)
    await said(caller, again, sentence(Say.NEVER_CALLED), 40)
    await again.hang_up()


async def test_who_says_so_at_a_menu_is_told_that_it_is_noted(
    stack: Stack, caller: Phone, model: ScriptedModel, number: str
) -> None:
    call = await caller.dial(MENU)
    await call.answered()
    await said(caller, call, "For sales, press 1.", 40)
    for _ in range(4):  # until it was understood, which a busy machine may not do in time
        await caller.say(call, "Stop calling me.")
        with suppress(Unmet):
            await said(caller, call, word(MenuWord.NO_CALLS, "en-US"), 12)
            break
    await said(caller, call, "For sales, press 1.", 20)
    assert number in stack.offhook("dnc", "list", "--json")
    await call.hang_up()
