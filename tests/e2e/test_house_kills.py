"""Processes that are killed amid a call that no agent conducts, judged by what each party hears and by the record."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import numpy as np
import psutil
import pytest

from gateway.calls.words import word
from gateway.calls.words.house import HouseWord
from gateway.phone.call import Call, silence
from gateway.phone.phone import Phone
from gateway.rtp import FRAME, FRAME_SECONDS, RATE
from gateway.terms.call import Pool
from tests.e2e.gateway import Stack
from tests.e2e.servers import until
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

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(90)]

TAKEN_OVER = 9.0
"""Seconds from a job's death until another conducts its call: a lease, a look, a join."""
NORMAL = 2.0
"""Seconds in which two talk before anything is killed: what they miss then is normal on this machine."""
SLACK = 2
AUDIBLE = 100 * FRAME
"""Strength of a tone of an amplitude of 200."""
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


async def job(stack: Stack, but: frozenset[int] = frozenset(), within: float = 20.0) -> psutil.Process:
    """The job of the one call there is, another than these."""
    found: list[psutil.Process] = []

    def there() -> bool:
        found[:] = [one for one in jobs(stack) if one.pid not in but]
        return len(found) == 1

    await until(there, within)
    return found[0]


async def killed(stack: Stack) -> frozenset[int]:
    """Kill the call's job; its id."""
    one = await job(stack)
    one.kill()
    return frozenset({one.pid})


@asynccontextmanager
async def both_talk(one: Call, other: Call) -> AsyncIterator[None]:
    """Two who send a tone without a pause. In the end each must have missed no two frames of the other's in a row, and
    at most SLACK in all, more than the two missed before anything was killed: in a row, and by the second."""
    for call, frequency in ((one, OURS), (other, THEIRS)):
        call.port.send(tone(frequency, 120.0))
    await one.tone([THEIRS])
    await other.tone([OURS])
    begun = time.monotonic()
    await one.wait(NORMAL)
    started = min(one.tape.now, other.tape.now)
    yield
    ended = min(one.tape.now, other.tape.now)
    pairs = ((one, THEIRS), (other, OURS))
    before = [missing(call, begun, started, frequency) for call, frequency in pairs]
    normal = max(len(one) for one in before) / (started - begun)
    for call, frequency in pairs:
        lost = missing(call, started, ended, frequency)
        allowed, gap = SLACK + normal * (ended - started), 1 + max(longest(one) for one in before)
        assert len(lost) <= allowed, (
            f"{frequency:g} Hz: none at {lost} s of {ended - started:.1f} s; {allowed:.1f} allowed"
        )
        assert longest(lost) <= gap, f"{frequency:g} Hz: none at {lost} s; {gap} in a row allowed"


def missing(call: Call, start: float, end: float, frequency: float) -> list[float]:
    """When, in seconds from the start, a frequency wasn't heard as before for the 20 ms of a frame."""
    heard = call.tape.between(call.tape.heard, start, end)
    frames = heard[: len(heard) // FRAME * FRAME].reshape(-1, FRAME).astype(float)
    wave = np.exp(-2j * np.pi * frequency * np.arange(FRAME) / RATE)
    strength = np.abs(frames @ wave)
    assert np.median(strength) > AUDIBLE, "the tone isn't there at all"
    return [round(float(at) * FRAME_SECONDS, 2) for at in np.flatnonzero(strength < np.median(strength) / 4)]


def longest(lost: Sequence[float]) -> int:
    """Frames in the longest row of those that are missing."""
    found = row = 0
    for number, at in enumerate(lost):
        row = row + 1 if number and round((at - lost[number - 1]) / FRAME_SECONDS) == 1 else 1
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
    human = await (await callees.rung()).answer()
    await talk(call, human)
    await human.hang_up()
    await call.ended()
    found = await record(stack, sip_id(call), ending="served")
    assert [stop["act"] for stop in found["stops"]] == ["choose", "ring"]


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
            await until(_others(stack, old), 20.0)
            await call.wait(1.0)
        finally:
            with suppress(psutil.NoSuchProcess):  # its worker kills one that hangs
                old.resume()
        await until(lambda: old.pid not in {one.pid for one in jobs(stack)}, 10.0)
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


async def test_a_number_in_mid_entry_is_booked_once(stack: Stack, phone_target: str) -> None:
    async with Phone(phone_target, caller="anonymous") as phone:
        call = await phone.dial(AWAY)
        await call.answered()
        await call.talking(0.5)
        await call.press("51055")
        await job(stack, await killed(stack))
        # Half of the number is none: the next job asks for it anew.
        await said(phone, call, word(HouseWord.WHICH_NUMBER, "en"))
        await call.press("5105550188#")
        await said(phone, call, word(HouseWord.BOOKED, "en"))
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
    await asyncio.wait_for(until(lambda: not jobs(stack), 10.0), 11.0)
