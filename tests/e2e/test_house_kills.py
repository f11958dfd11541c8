"""Processes that are killed amid a call that no agent conducts, judged by what each party hears and by the record."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.request import urlopen

import numpy as np
import psutil
import pytest

from gateway.calls.words import word
from gateway.calls.words.house import HouseWord
from gateway.calls.words.menu import MenuWord
from gateway.phone.call import Call, Unmet, silence
from gateway.phone.phone import Phone
from gateway.rtp import FRAME, FRAME_SECONDS, RATE, Arrival, Audio
from gateway.rtp.session import Sent
from gateway.terms.call import Pool
from tests.e2e.gateway import Stack
from tests.e2e.test_calls import record, sip_id
from tests.e2e.test_house import (  # noqa: F401  the fixtures are ours too
    AWAY,
    DESK,
    DIRECT,
    MENU,
    MESSAGE,
    OURS,
    THEIRS,
    callees,
    caller,
    leave_message,
    said,
    talk,
    tone,
)
from tests.e2e.unkept import dies, keep_last_key, keeping_nothing

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(90)]

TAKEN_OVER = 9.0
"""Seconds from a job's death until another conducts its call: a lease, a look, a join."""
NORMAL = 3.0
"""Seconds in which two talk before anything is killed, and again once another job has the call: what they miss then is
normal on this machine."""
SLACK = 4
"""Packets (80 ms) without the tone, in a row or in all, that a machine on which processes start may cost: a subscription
that is lost and made again costs 105 ms at the least, and a listener notices neither."""
AUDIBLE = 100
"""Of 32,768: the least amplitude of a tone that is there."""
PROMPT = "For Ana, press 1. For anything else, just talk."


def process(stack: Stack, words: str) -> psutil.Process:
    """One of the gateway's processes, by its command."""
    for child in psutil.Process(stack.pid).children():
        with suppress(psutil.Error):
            if words in " ".join(child.cmdline()):
                return child
    raise LookupError(words)


def jobs(stack: Stack) -> list[psutil.Process]:
    """The workers' processes that are in a room: they alone are connected to LiveKit. Agents' workers do the house's work
    while no worker of its own is there."""
    port = int(stack.run.livekit_url.rpartition(":")[2])
    found = []
    family: list[psutil.Process] = []
    for pool in Pool:
        with suppress(psutil.Error, LookupError):  # a worker that was killed isn't back yet
            family += process(stack, f"worker --pool {pool.value}").children(recursive=True)
    for child in family:
        with suppress(psutil.Error):
            if any(each.raddr and each.raddr.port == port for each in child.net_connections("tcp")):
                found.append(child)
    return found


async def looked(condition: Callable[[], bool], within: float = 20.0) -> None:
    """As `until`, for what is looked for among processes: that takes long, and those who talk mustn't wait for it."""
    async with asyncio.timeout(within):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.1)


async def job(stack: Stack, but: frozenset[int] = frozenset(), within: float = 20.0) -> psutil.Process:
    """The job of the one call there is, another than these."""
    found: list[psutil.Process] = []

    def there() -> bool:
        found[:] = [one for one in jobs(stack) if one.pid not in but]
        return len(found) == 1

    await looked(there, within)
    return found[0]


async def control_dies(stack: Stack) -> None:
    """Kill control."""
    one = await asyncio.to_thread(process, stack, "gateway control")
    one.kill()


async def control_is_back(stack: Stack, within: float = 60.0) -> None:
    """Control, which was killed, serves again: until then nobody writes a record."""

    def serves() -> bool:
        with suppress(OSError), urlopen(f"{stack.run.http['control']}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
        return False

    await looked(serves, within)


async def killed(stack: Stack) -> frozenset[int]:
    """Kill the call's job; its id."""
    one = await job(stack)
    one.kill()
    return frozenset({one.pid})


class Packets:
    """What arrives at a phone, packet by packet, and when it was late to send or to listen itself."""

    def __init__(self, call: Call) -> None:
        self.heard: list[Arrival] = []
        self.stalled: list[int] = []
        """Frames that it has left out itself, each time that this machine held it up for too long."""
        self._last = 0.0
        arrived, framed = call.on_arrival, call.on_frame

        def on_arrival(arrival: Arrival) -> None:
            self.heard.append(arrival)
            arrived(arrival)

        def on_frame(sent: Sent, heard: Audio) -> None:
            if self._last and (late := round((heard.at - self._last) / FRAME_SECONDS) - 1) > 0:
                self.stalled.append(late)
            self._last = heard.at
            framed(sent, heard)

        told: Any = call
        told.on_arrival, told.on_frame = on_arrival, on_frame

    def missing(self, frequency: float, start: float, end: float) -> list[int]:
        """The numbers of the packets in which a frequency isn't there; those that never came are among them."""
        found = [each for each in self.heard if start <= each.at < end]
        wave = np.exp(-2j * np.pi * frequency * np.arange(FRAME) / RATE)
        there = {
            (each.sequence - found[0].sequence) & 0xFFFF
            for each in found
            if len(each.samples) == FRAME and abs(each.samples.astype(float) @ wave) > AUDIBLE * FRAME / 2
        }
        last = (found[-1].sequence - found[0].sequence) & 0xFFFF
        assert len(there) > last / 2, "the tone isn't there at all"
        return [number for number in range(last + 1) if number not in there]


@asynccontextmanager
async def both_talk(one: Call, other: Call) -> AsyncIterator[None]:
    """Two who send a tone without a pause. In the end what has come to each, packet by packet, may lack the tone in SLACK of
    them, in a row and in all, more than is normal (in a row, and by the second) and more than the other's phone has left out
    itself."""
    ours, theirs = Packets(one), Packets(other)
    pairs = [(ours, THEIRS, theirs), (theirs, OURS, ours)]
    for call, frequency in ((one, OURS), (other, THEIRS)):
        call.port.send(tone(frequency, 180.0))
    await one.tone([THEIRS])
    await other.tone([OURS])
    begun = time.monotonic()
    await one.wait(NORMAL)
    started = time.monotonic()
    yield
    ended = time.monotonic()
    await one.wait(NORMAL)
    last = time.monotonic()
    calm = [
        packets.missing(frequency, *times)
        for packets, frequency, _ in pairs
        for times in ((begun, started), (ended, last))
    ]
    normal = max(len(each) for each in calm) / NORMAL
    for packets, frequency, sender in pairs:
        lost = packets.missing(frequency, started, ended)
        allowed = SLACK + normal * (ended - started) + sum(sender.stalled)
        gap = SLACK + max(longest(each) for each in calm) + max(sender.stalled, default=0)
        what = f"{frequency:g} Hz: not in packets {lost} of {ended - started:.1f} s; {sender.stalled} never sent"
        assert len(lost) <= allowed, f"{what}; {allowed:.1f} allowed"
        assert longest(lost) <= gap, f"{what}; {gap} in a row allowed"


def longest(lost: Sequence[int]) -> int:
    """Packets in the longest row of those that are missing."""
    found = row = 0
    for place, number in enumerate(lost):
        row = row + 1 if place and number == lost[place - 1] + 1 else 1
        found = max(found, row)
    return found


async def bridged(caller: Phone, callees: Phone) -> tuple[Call, Call]:  # noqa: F811
    """Two who are connected."""
    call = await caller.dial(DIRECT)
    human = await (await callees.rung()).answer()
    await call.answered()
    await talk(call, human)
    return call, human


# menu


async def led_to_ana(call: Call, stack: Stack, callees: Phone) -> None:  # noqa: F811
    """A key has led the caller on, once: the two talk, and the human hangs up."""
    human = await (await callees.rung()).answer()
    await talk(call, human)
    await human.hang_up()
    await call.ended()
    found = await record(stack, sip_id(call), ending="served")
    assert [stop["act"] for stop in found["stops"]] == ["choose", "ring"]


async def test_a_menu_is_said_again_and_its_keys_lead_on(
    stack: Stack,
    caller: Phone,  # noqa: F811
    callees: Phone,  # noqa: F811
) -> None:
    call = await caller.dial(MENU)
    await call.answered()
    await call.talking(0.3)
    await killed(stack)
    await call.say(silence(0.5))
    await said(caller, call, PROMPT, TAKEN_OVER)
    await killed(stack)  # in the silence after it
    await call.say(silence(0.5))
    await said(caller, call, "For Ana, press 1.", TAKEN_OVER)
    await call.press("1")
    await led_to_ana(call, stack, callees)


@pytest.mark.parametrize("when", ["at once", "once another is sent for"])
async def test_a_key_that_is_pressed_while_no_job_listens_leads_on_and_counts_once(
    stack: Stack,
    caller: Phone,  # noqa: F811
    callees: Phone,  # noqa: F811
    when: str,
) -> None:
    call = await caller.dial(MENU)
    await call.answered()
    await said(caller, call, PROMPT)
    await killed(stack)
    if when != "at once":
        await looked(lambda: _sent_again(stack, call))
    await call.press("1")
    await led_to_ana(call, stack, callees)


async def test_a_key_that_its_job_has_heard_leads_on_though_the_job_dies_before_that_is_kept(
    stack: Stack,
    caller: Phone,  # noqa: F811
    callees: Phone,  # noqa: F811
) -> None:
    call = await caller.dial(MENU)
    await call.answered()
    await call.talking(0.3)
    async with keeping_nothing(stack):
        await call.press("1")
        await call.quiet(0.3)  # the job has heard it
        await dies(await job(stack))
    await led_to_ana(call, stack, callees)


async def test_a_key_that_was_acted_on_is_none_of_the_next_jobs_whatever_the_edge_knows(
    stack: Stack,
    caller: Phone,  # noqa: F811
    callees: Phone,  # noqa: F811
) -> None:
    call = await caller.dial(MENU)
    await call.answered()
    await call.talking(0.3)
    await keep_last_key(stack, sip_id(call), 1)
    async with keeping_nothing(stack):
        await call.press("2")
        await call.quiet(0.3)
        await dies(await job(stack))
    await said(caller, call, PROMPT, TAKEN_OVER)
    await call.press("1")
    await led_to_ana(call, stack, callees)


def _sent_again(stack: Stack, call: Call) -> bool:
    return any(sip_id(call) in line and "another is sent for" in line for line in stack.log("control").splitlines())


# those who ring


async def test_who_waits_keeps_the_place_and_is_connected(
    stack: Stack,
    caller: Phone,  # noqa: F811
    callees: Phone,  # noqa: F811
) -> None:
    call = await caller.dial(DESK)
    first = [await callees.rung(), await callees.rung()]
    await call.answered()
    before = await killed(stack)
    await job(stack, before)
    ring = next((one for one in first if one.stopped is None), None)
    human = await (ring or await callees.rung(TAKEN_OVER)).answer()
    await talk(call, human)
    await human.hang_up()
    await call.ended()
    found = await record(stack, sip_id(call), ending="served")
    assert [stop["act"] for stop in found["stops"]] == ["wait"]


# two who talk


async def test_two_who_talk_dont_notice_that_their_job_dies(
    stack: Stack,
    caller: Phone,  # noqa: F811
    callees: Phone,  # noqa: F811
) -> None:
    call, human = await bridged(caller, callees)
    async with both_talk(call, human):
        await job(stack, await killed(stack))
        await call.wait(1.5)
    await human.hang_up()
    left = time.monotonic()
    await call.ended()
    assert (call.signalling.ended or 0) - left < 0.7
    await record(stack, sip_id(call), ending="served")


@pytest.mark.parametrize("first", ["human", "caller"])
async def test_a_hang_up_ends_a_talk_that_has_no_job(
    stack: Stack,
    caller: Phone,  # noqa: F811
    callees: Phone,  # noqa: F811
    first: str,
) -> None:
    call, human = await bridged(caller, callees)
    await killed(stack)
    one, other = (human, call) if first == "human" else (call, human)
    await one.hang_up()
    await other.ended()
    found = await record(stack, sip_id(call), ending="served")
    assert found["hung_up_by"] == first


async def test_two_who_talk_outlive_control_and_the_worker(
    stack: Stack,
    caller: Phone,  # noqa: F811
    callees: Phone,  # noqa: F811
) -> None:
    call, human = await bridged(caller, callees)
    async with both_talk(call, human):
        for name in ("gateway control", "worker --pool house"):
            process(stack, name).kill()
        await job(stack, within=60.0)
        await call.wait(1.5)
    await human.hang_up()
    await call.ended()
    await record(stack, sip_id(call), ending="served")


async def test_a_job_that_hung_and_wakes_leaves_the_call_to_the_next(
    stack: Stack,
    caller: Phone,  # noqa: F811
    callees: Phone,  # noqa: F811
) -> None:
    call, human = await bridged(caller, callees)
    async with both_talk(call, human):
        old = await job(stack)
        old.suspend()
        try:
            await looked(_others(stack, old))
            await call.wait(1.0)
        finally:
            with suppress(psutil.NoSuchProcess):  # its worker kills one that hangs
                old.resume()
        await looked(lambda: old.pid not in {one.pid for one in jobs(stack)}, 10.0)
        await call.wait(0.5)
    await call.hang_up()
    left = time.monotonic()
    await human.ended()
    assert (human.signalling.ended or 0) - left < 0.7
    await record(stack, sip_id(call), ending="served")


def _others(stack: Stack, old: psutil.Process) -> Callable[[], bool]:
    return lambda: any(one.pid != old.pid for one in jobs(stack))


# what a caller leaves


async def test_a_message_goes_on_and_keeps_what_was_said(stack: Stack, caller: Phone) -> None:  # noqa: F811
    call = await caller.dial(MESSAGE)
    await leave_message(caller, call)
    await killed(stack)
    await call.tone([1000.0], 15.0, 0.2)
    await caller.say(call, "And that is all")
    await call.press("#")
    await call.ended()
    found = await record(stack, sip_id(call), ending="message")
    assert found["messages"][0]["seconds"] > 1


async def test_who_hangs_up_in_the_second_part_of_a_message_keeps_both(stack: Stack, caller: Phone) -> None:  # noqa: F811
    call = await caller.dial(MESSAGE)
    await leave_message(caller, call)
    await killed(stack)
    await call.tone([1000.0], 15.0, 0.2)
    await caller.say(call, "And that is all that I wanted to say")
    await call.hang_up()
    before, after = (await record(stack, sip_id(call), ending="message"))["messages"]
    assert before["seconds"] > 1
    assert after["seconds"] > 1


@pytest.mark.parametrize("meanwhile", ["", "501"], ids=["", "keyed on while no job listens"])
async def test_a_number_in_mid_entry_goes_on_and_is_booked_once(
    stack: Stack, phone_target: str, meanwhile: str
) -> None:
    async with Phone(phone_target, caller="anonymous") as phone:
        call = await phone.dial(AWAY)
        await call.answered()
        await call.talking(0.5)
        await call.press("51055")
        async with keeping_nothing(stack):  # so that no other job is there before they are pressed
            dead = await killed(stack)
            await call.press(meanwhile)
        await job(stack, dead)
        await said(phone, call, word(MenuWord.FIRST_DIGITS, "en", count=5 + len(meanwhile)))
        await call.press("50188#"[len(meanwhile) :])
        await said(phone, call, word(HouseWord.BOOKED, "en"))
        await call.ended()
        found = await record(stack, sip_id(call), ending="callback")
        assert [one["number"] for one in found["callbacks"]] == ["+15105550188"]


@pytest.mark.parametrize("after", [0.0, 0.15, 0.4], ids=["at once", "soon", "in the promise"])
async def test_a_callback_whose_job_dies_as_it_is_booked_is_booked_once(
    stack: Stack, phone_target: str, after: float
) -> None:
    async with Phone(phone_target, caller="anonymous") as phone:
        call = await phone.dial(AWAY)
        await call.answered()
        await call.talking(0.5)
        one = await job(stack)
        await call.press("5105550188#")
        await call.wait(after)
        one.kill()
        await job(stack, frozenset({one.pid}))
        with suppress(Unmet):  # what died before it was booked is asked for anew
            await said(phone, call, word(HouseWord.WHICH_NUMBER, "en"), 6.0)
            await call.press("5105550188#")
        await call.ended()
        found = await record(stack, sip_id(call), ending="callback")
        assert [one["number"] for one in found["callbacks"]] == ["+15105550188"]


# control


async def test_a_call_is_led_on_when_control_is_back(
    stack: Stack,
    caller: Phone,  # noqa: F811
    callees: Phone,  # noqa: F811
) -> None:
    call = await caller.dial(MENU)
    await call.answered()
    await call.talking(0.3)
    process(stack, "gateway control").kill()
    await call.press("1")
    ringing = await callees.rung()
    human = await ringing.answer()
    await talk(call, human)
    await human.hang_up()
    await call.ended()
    await record(stack, sip_id(call), ending="served")


async def test_nothing_is_left_of_the_calls(stack: Stack) -> None:
    await looked(lambda: not jobs(stack), 10.0)
