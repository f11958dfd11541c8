"""Calls by telephone through the whole gateway: what the caller hears, and what the record says afterwards."""

from __future__ import annotations

import asyncio
import urllib.request
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from agents.words.lines import Say, line_of
from gateway.phone.call import Call
from gateway.phone.phone import Phone
from tests.e2e.gateway import Stack
from tests.e2e.records import latest, record, sip_id
from tests.e2e.servers import until
from tests.e2e.sipp import CALLER, sipp

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

SALES, SUPPORT, SHORT, HANDED = "+15105550100", "+15105550200", "+15105550300", "+15105550400"
REJECTED, UNKNOWN = "+15105550900", "+15105559999"


async def converse(phone: Phone, call: Call, lines: list[str]) -> None:
    """Say each line in turn; one of digits is keyed in."""
    for line in lines:
        await call.spoken(25, 0.8)
        if line.strip("#").isdecimal():
            await call.press(line)
        else:
            await phone.say(call, line)


async def test_the_line_check_chimes_answers_keys_and_hangs_up(phone: Phone, stack: Stack) -> None:
    call = await phone.dial("echo")
    await call.answered()
    for note in (440.0, 554.0, 659.0):
        await call.tone([note])
    await call.press("5")
    await call.pressed("5")
    await call.press("#")
    await call.ended()
    found = await record(stack, sip_id(call), ending="served")
    assert (found["agent"], found["hung_up_by"], found["sip_status"]) == ("echo", "agent", 200)
    assert found["codec"] == "PCMU/8000"
    assert found["caller"] == "+15105550177"


@pytest.mark.parametrize(("number", "status"), [(REJECTED, 603), (UNKNOWN, 404)])
async def test_a_number_is_rejected_as_the_plan_says(phone: Phone, stack: Stack, number: str, status: int) -> None:
    call = await phone.dial(number)
    await call.ended()
    assert call.signalling.status == status
    assert call.signalling.answered is None
    found = await latest(stack, number, reject_status=status)
    assert (found["ending"], found["reject_status"]) == ("rejected", status)


@pytest.mark.speech
async def test_sales_takes_a_lead_by_speech(phone: Phone, stack: Stack) -> None:
    call = await phone.dial(SALES)
    await call.answered()
    opening = await phone.rendering(line_of(Say.NOTICE, "en-US"))
    assert await call.line(opening, 25, what="the notice") > 0.5
    lines = [
        "We need a new phone system.",
        "My name is John Smith.",
        "I work for Acme Software.",
        "We are twenty five people.",
    ]
    await converse(
        phone, call, [*lines, "About fifty thousand dollars.", "Yes, that's right.", "No, that's all. Goodbye."]
    )
    await call.ended()
    found = await record(stack, sip_id(call), ending="served")
    assert (found["agent"], found["route"], found["hung_up_by"]) == ("sales", "sales", "agent")
    lead = found["lead"]["fields"]
    assert lead["name"] == "John Smith"
    assert lead["company"] == "Acme Software"
    assert lead["team_size"] == 25
    assert lead["budget"] == "50000"
    assert "phone system" in lead["need"]
    assert found["lead"]["complete"]
    speakers = [turn["speaker"] for turn in found["turns"]]
    assert speakers.count("caller") == 7
    assert all("transcription_delay" in turn["latencies"] for turn in found["turns"] if turn["speaker"] == "caller")
    timeline = call.timeline()
    assert all(turn.gap is not None for turn in timeline.turns)
    assert timeline.pacing.lost == 0


@pytest.mark.long
@pytest.mark.speech
async def test_support_takes_a_ticket_number_by_keypad(phone: Phone, stack: Stack) -> None:
    call = await phone.dial(SUPPORT)
    await call.answered()
    await converse(phone, call, ["My internet connection is not working.", "4172#", "Yes, it works now."])
    await call.spoken(25, 0.8)
    await call.hang_up()
    found = await record(stack, sip_id(call), ending="served")
    ticket = found["ticket"]["fields"]
    assert ticket["ticket_number"] == "4172"
    assert "internet" in ticket["problem"]
    assert [turn["text"] for turn in found["turns"] if turn["speaker"] == "keypad"] == ["4172"]
    assert found["hung_up_by"] == "caller"


async def test_zero_books_a_callback_in_mid_sentence(phone: Phone, stack: Stack) -> None:
    call = await phone.dial(SALES)
    await call.answered()
    await call.talking(1.0)
    await call.press("0")
    told = await phone.rendering(line_of(Say.CALLBACK, "en-US").partition(",")[0])
    assert await call.line(told, 25, what="that a callback is booked") > 0.5
    await call.hang_up()
    found = await record(stack, sip_id(call), ending="callback")
    assert [one["number"] for one in found["callbacks"]] == ["+15105550177"]


@pytest.mark.long
async def test_zero_is_the_plans_human_route_and_the_caller_is_told_to_wait(phone: Phone, stack: Stack) -> None:
    call = await phone.dial(HANDED)
    await call.answered()
    await call.talking(0.5)
    await call.press("0")
    assert await call.line(await phone.rendering(line_of(Say.PUT_THROUGH, "en-US")), 25, what="to wait") > 0.5
    assert await call.line(await phone.rendering("This is the reception."), 25, what="the reception") > 0.5
    await call.hang_up()


@pytest.mark.speech
async def test_a_person_is_the_plans_human_route(phone: Phone, stack: Stack) -> None:
    call = await phone.dial(HANDED)
    await call.answered()
    await converse(phone, call, ["A person, please."])
    reception = await phone.rendering("This is the reception.")
    assert await call.line(reception, 25, what="the reception") > 0.5
    await call.hang_up()
    found = await record(stack, sip_id(call))
    assert [one["agent"] for one in found["switches"]] == ["support"]


@pytest.mark.long
@pytest.mark.speech
async def test_settings_change_what_an_agent_asks_and_knows(phone: Phone, stack: Stack) -> None:
    call = await phone.dial(SHORT)
    await call.answered()
    await converse(phone, call, ["What are your opening hours?"])
    await call.spoken(25, 0.8)
    await call.hang_up()
    found = await record(stack, sip_id(call))
    reply = [turn["text"] for turn in found["turns"] if turn["speaker"] == "agent"][-1]
    assert "nine to five" in reply
    assert "budget" in reply


async def test_a_caller_who_gives_up_while_it_rings_is_abandoned(phone: Phone, stack: Stack) -> None:
    call = await phone.dial("+15105550200")
    while call.signalling.ringing is None:
        await call.wait(0.01)
    await call.hang_up()
    assert call.signalling.status == 487
    found = await latest(stack, "+15105550200", ending="abandoned")
    assert found["ending"] == "abandoned"
    assert found["answered"] is None


async def test_a_caller_who_hangs_up_in_the_greeting_leaves_nothing_behind(phone: Phone, stack: Stack) -> None:
    call = await phone.dial(SALES)
    await call.answered()
    await call.talking(0.5)
    await call.hang_up()
    found = await record(stack, sip_id(call), hung_up_by="caller")
    assert found["answered"]
    assert found["ended"]


async def test_a_key_right_after_the_answer_leaves_notice_and_greeting_whole(phone: Phone, stack: Stack) -> None:
    call = await phone.dial(SALES)
    await call.answered()
    await call.press("5")
    opening = line_of(Say.NOTICE, "en-US"), "Thanks for calling Acme. How can I help?"
    for words in opening:
        await call.line(await phone.rendering(words), 15, what=f"'{words}'")
    await call.spoken(10, 0.8)
    await call.hang_up()
    found = await record(stack, sip_id(call))
    assert [turn["text"] for turn in found["turns"]] == [" ".join(opening)]


async def test_a_caller_without_a_number_is_served(stack: Stack) -> None:
    async with Phone(stack.sip, caller="anonymous") as phone:
        call = await phone.dial("echo")
        await call.answered()
        await call.tone([659.0])
        await call.press("#")
        await call.ended()
    found = await record(stack, sip_id(call))
    assert found["caller"] is None


async def test_pcma_callers_are_served(stack: Stack) -> None:
    async with Phone(stack.sip, codec="pcma") as phone:
        call = await phone.dial("echo")
        await call.answered()
        await call.tone([659.0])
        await call.hang_up()
    assert call.signalling.codec.startswith("PCMA")
    assert (await record(stack, sip_id(call)))["codec"].startswith("PCMA")


@pytest.mark.long  # test_jobs.py has the like without the rest of the gateway
async def test_ten_callers_at_once_are_all_served(phone: Phone, stack: Stack) -> None:
    calls = [await phone.dial("echo") for _ in range(10)]
    for call in calls:
        await call.answered(90)
        await _echoes(call)
    for call in calls:
        await call.press("#")
    for call in calls:
        await call.ended(60)
    for call in calls:
        await record(stack, sip_id(call), ending="served")


async def _echoes(call: Call) -> None:
    """The line answers a key. Its job starts cold on the cores that carry ten calls: what sounds may have gaps."""
    for _ in range(12):
        await call.press("5")
        with suppress(TimeoutError):
            await until(lambda: "5" in call.keys_heard() + call.key_tones(), 5.0, 0.1)
            return
    raise AssertionError("no key is answered")


async def test_another_sip_implementation_calls_sales(stack: Stack, tmp_path: Path) -> None:
    host, _, port = stack.sip.partition(":")
    fill = {"formats": "0 8 101", "headers": ".", "tag": ""}
    async with sipp(tmp_path, "call", (host, int(port)), "+15105550100", pause=2.0, fill=fill) as caller:
        await caller.ended()
    found = await latest(stack, "+15105550100", caller=CALLER)
    assert (found["agent"], found["caller"], found["sip_status"]) == ("sales", CALLER, 200)
    assert found["answered"]
    assert found["hung_up_by"] == "caller"


async def test_an_agent_whose_engine_fails_says_so_and_books_a_callback(phone: Phone, stack: Stack) -> None:
    call = await phone.dial(SALES)
    await call.answered()
    await call.talking(1.0)
    speech = next(one for one in psutil.Process(stack.pid).children() if "speech" in one.cmdline())
    speech.kill()
    sorry = await phone.rendering("I'm sorry, something has gone wrong on our side.")
    assert await call.line(sorry, 30, what="the apology") > 0.5
    await call.ended()
    found = await record(stack, sip_id(call), ending="callback")
    assert found["callbacks"]
    async with asyncio.timeout(30):
        while f"{'speech':<15} is back" not in (stack.state / "screen").read_text():
            await asyncio.sleep(0.1)


def test_every_process_tells_its_metrics(stack: Stack) -> None:
    assert set(stack.run.http) == {"speech", "edge", "control", "worker-agents", "worker-house"}
    for address in stack.run.http.values():
        with urllib.request.urlopen(f"{address}/metrics", timeout=5) as answer:
            assert b"offhook_" in answer.read()
