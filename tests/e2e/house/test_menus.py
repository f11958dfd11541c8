"""Menus and messages whose words are sounds, closed and full routes, and callers who say or press what leads nowhere."""

from __future__ import annotations

import asyncio

import pytest
from redis import Redis

from gateway.calls.words import word
from gateway.calls.words.house import HouseWord
from gateway.calls.words.menu import MenuWord
from gateway.phone.call import Call, Unmet
from gateway.phone.phone import Phone
from gateway.tasks import cancelled
from tests.e2e.gateway import Stack
from tests.e2e.house.conftest import CHOOSE, WAITING, Places
from tests.e2e.test_calls import record, sip_id
from tests.e2e.test_house import said, talk

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(120)]

CLOSED = [f"+151055507{n:02}" for n in range(1, 7)]
FULL = [f"+151055507{n}" for n in range(11, 16)]
TOMORROW, IN_THREE_DAYS, BY_TONE, KEYS_ONLY = "+15105550721", "+15105550722", "+15105550731", "+15105550732"
KEYS_OR_PERSON = "+15105550782"
SOUNDS = "offhook:prompt:wav:"
"""Begins the keys of the plan's sounds in Redis."""
MUSIC, CALL_BACK, GOODBYE = "+15105550755", "+15105550771", "+15105550772"


async def up(phone: Phone, number: str) -> Call:
    call = await phone.dial(number)
    await call.answered()
    return call


async def test_a_closed_route_of_any_kind_tells_so(stack: Stack, caller: Phone) -> None:
    calls = await asyncio.gather(*(up(caller, number) for number in CLOSED))
    await asyncio.gather(*(said(caller, call, "We are closed. Please speak.", 25) for call in calls))
    for call in calls:
        await call.hang_up()
    for call in calls:
        assert (await record(stack, sip_id(call)))["stops"][0]["because"] == "closed"


async def test_a_full_route_of_any_kind_tells_so_and_is_free_again(stack: Stack, caller: Phone, callees: Phone) -> None:
    for number in FULL:
        held, other = await up(caller, number), await up(caller, number)
        await said(caller, other, "All lines are busy. Please speak.")
        await held.hang_up()
        await other.hang_up()
        assert (await record(stack, sip_id(other)))["stops"][0]["because"] == "full"
    again = await up(caller, FULL[0])
    await said(caller, again, "Press 1.")
    await again.hang_up()


async def test_closed_hours_tell_when_they_begin_again(stack: Stack, caller: Phone, places: Places) -> None:
    calls = [await up(caller, number) for number in (TOMORROW, IN_THREE_DAYS)]
    await asyncio.gather(
        said(caller, calls[0], "We open tomorrow at nine."),
        said(caller, calls[1], f"We open on {places.later} at nine thirty."),
    )
    wrong = await caller.rendering(f"We open on {places.later} at nine thirty.")
    with pytest.raises(Unmet):
        await calls[0].line(wrong, 0.5)
    for call in calls:
        await call.hang_up()


async def test_a_wav_is_a_menus_prompt(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await up(caller, BY_TONE)
    await call.tone([CHOOSE], 15, 0.5)
    await call.press("1")
    human = await (await callees.rung()).answer()
    await talk(call, human)
    await call.hang_up()
    await human.ended()


async def test_a_menu_of_which_nothing_can_be_heard_leads_on(stack: Stack, caller: Phone) -> None:
    with Redis.from_url(stack.run.redis_url) as store:
        kept = {key: store.dump(key) for key in store.scan_iter(f"{SOUNDS}*")}

        async def lose() -> None:
            """Lose the sounds, which control puts back each minute."""
            while store.delete(*kept) is not None:
                await asyncio.sleep(0.05)

        losing = asyncio.create_task(lose())
        call = await up(caller, BY_TONE)
        await said(caller, call, "Please speak.")
        await call.hang_up()
        await cancelled(losing)
        for key, sound in kept.items():
            store.restore(key, 3_600_000, sound, replace=True)
    stops = (await record(stack, sip_id(call)))["stops"]
    assert [(stop["act"], stop["because"]) for stop in stops[1:]] == [("record", "dead_air")]


async def test_a_wav_is_a_queues_music_that_other_keys_dont_end(stack: Stack, caller: Phone) -> None:
    call = await up(caller, MUSIC)
    await call.tone([WAITING], 15, 1.0)
    await call.press("705")
    await call.tone([WAITING], 15, 1.0)
    await call.hang_up()
    await record(stack, sip_id(call), ending="abandoned")


async def test_who_talks_where_talking_leads_nowhere_hears_the_menu_again(stack: Stack, caller: Phone) -> None:
    call = await up(caller, KEYS_ONLY)
    await said(caller, call, "Press 1.")
    await caller.say(call, "Sales please")
    await said(caller, call, "Press 1.")
    await said(caller, call, word(HouseWord.NOBODY, "en"), 20)
    await call.ended()
    assert [stop["act"] for stop in (await record(stack, sip_id(call)))["stops"]] == ["choose", "dismiss"]


async def test_who_says_person_at_a_menu_of_keys_reaches_one(stack: Stack, caller: Phone, callees: Phone) -> None:
    call = await up(caller, KEYS_OR_PERSON)
    await said(caller, call, "Press 1 or 2.")
    await caller.say(call, "Sales, please")
    with pytest.raises(Unmet):
        await callees.rung(2.0)
    await caller.say(call, "A person, please")
    human = await (await callees.rung()).answer()
    await talk(call, human)
    await call.hang_up()
    await human.ended()
    stops = (await record(stack, sip_id(call)))["stops"]
    assert [(stop["act"], stop["because"]) for stop in stops[1:]] == [("wait", "human")]


async def test_keys_that_lead_nowhere_use_the_menu_up(stack: Stack, caller: Phone) -> None:
    call = await up(caller, KEYS_ONLY)
    await call.talking(0.3)
    await call.press("9")
    await said(caller, call, word(MenuWord.WRONG_KEY, "en"))
    await call.press("8")
    await said(caller, call, word(HouseWord.NOBODY, "en"))
    await call.ended()


async def test_a_caller_may_hang_up_on_the_goodbye(stack: Stack, caller: Phone) -> None:
    call = await up(caller, KEYS_ONLY)
    await call.talking(0.3)
    await call.press("9")
    await said(caller, call, word(MenuWord.WRONG_KEY, "en"))
    await call.press("8")
    await said(caller, call, "I'm sorry, your call can't be taken right now.")
    await call.hang_up()
    found = await record(stack, sip_id(call), hung_up_by="caller")
    assert [stop["act"] for stop in found["stops"]] == ["choose", "dismiss"]


async def test_an_emergency_number_is_never_dialed_nor_called_back(
    stack: Stack, phone_target: str, callees: Phone
) -> None:
    async with Phone(phone_target, caller="anonymous") as phone:
        call = await up(phone, CALL_BACK)
        await call.talking(0.5)
        await call.press("911#")
        await said(phone, call, word(HouseWord.NOT_A_NUMBER, "en"))
        await call.hang_up()
        found = await record(stack, sip_id(call), ending="abandoned")
        assert not found["callbacks"]
    with pytest.raises(Unmet):
        await callees.rung(0.5)
    plan = stack.state / "emergency.yaml"
    plan.write_text("offhook: 1\ncountry: US\nnumbers: {+1 510 555 0100: help}\nroutes: {help: {dial: 911}}\n")
    findings = stack.fails("plan", "check", str(plan))
    assert "911" in findings
    assert "never dialed" in findings


async def test_who_keys_no_number_is_let_go(stack: Stack, phone_target: str) -> None:
    async with Phone(phone_target, caller="anonymous") as phone:
        call = await up(phone, CALL_BACK)
        await call.talking(0.5)
        await said(phone, call, word(HouseWord.NO_NUMBER, "en"), 60)
        await call.ended()
        found = await record(stack, sip_id(call))
        assert not found["callbacks"]
        assert found["hung_up_by"] == "gateway"
