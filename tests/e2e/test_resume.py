"""An agent's job that dies, hangs or is stopped amid a call: the next one speaks soon, knows all and doesn't greet."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from contextlib import suppress
from urllib.parse import urlsplit

import numpy as np
import psutil
import pytest
from livekit import api
from livekit.protocol.models import ParticipantInfo
from redis import Redis

from agents.words.lines import Say, line_of
from gateway.calls.sealed import Seal
from gateway.phone.call import Call, silence
from gateway.phone.phone import Phone
from gateway.rtp import FRAME, FRAME_SECONDS
from gateway.terms.call import CallId
from gateway.terms.sealed import HIDDEN
from tests.e2e.gateway import Stack
from tests.e2e.records import record, sip_id
from tests.e2e.servers import until
from tests.e2e.test_calls import SALES, SUPPORT, converse
from tests.e2e.test_canary import SEALED
from tests.e2e.unkept import dies, keeping_nothing, last_key

pytestmark = [pytest.mark.e2e, pytest.mark.speech, pytest.mark.timeout(150)]

LOUD = 300
"""Peak of a frame that a caller hears."""
REDIALED = "+15105550630"
SOUND_WITHIN = 0.7
"""Seconds from a job's death until its caller hears something: two soft notes, or the next job."""
NOTICED_WITHIN = 2.0
"""Seconds from a job's standing still until its caller hears something: a beat that is missed, and what a busy machine takes."""
RUNG_WITHIN = 6.0
"""Seconds from the death of a job while the phone rings until another's answers: what the first takes on a busy machine."""
DROPPED = "Q.850;cause=41"
"""Why a carrier ends a call whose line has failed (ITU-T Q.850: temporary failure)."""
LOST = line_of(Say.AGAIN, "en-US")


async def job(stack: Stack) -> psutil.Process:
    """The agents' process that is in a room: of the worker's children, it alone is connected to LiveKit."""
    found: list[psutil.Process] = []

    def there() -> bool:
        found[:] = [one for one in _family(stack)[1:] if _in_a_room(one, int(stack.run.livekit_url.rpartition(":")[2]))]
        return len(found) == 1

    await until(there, 20.0)
    return found[0]


def _agents(stack: Stack) -> int:
    """Workers that take calls for agents, as control knows."""
    with urllib.request.urlopen(f"{stack.run.http['control']}/plan", timeout=2) as answer:
        return int(json.load(answer)["pools"]["agents"]["workers"])


def _family(stack: Stack, pool: str = "agents") -> list[psutil.Process]:
    """A worker and its children."""
    with suppress(psutil.Error):
        for child in psutil.Process(stack.pid).children():
            if f"worker --pool {pool}" in " ".join(child.cmdline()):
                return [child, *child.children(recursive=True)]
    return []


def _in_a_room(process: psutil.Process, port: int) -> bool:
    with suppress(psutil.Error):
        return any(each.raddr and each.raddr.port == port for each in process.net_connections("tcp"))
    return False


def gap(call: Call, lost: float) -> tuple[float, float]:
    """Seconds from the last audible frame before a time, and from that time, until something is heard again."""
    heard = call.tape.between(call.tape.heard, lost - 2.0, call.tape.now)
    frames = np.abs(heard[: len(heard) // FRAME * FRAME].reshape(-1, FRAME).astype(int)).max(axis=1)
    loud = lost - 2.0 + np.flatnonzero(frames > LOUD) * FRAME_SECONDS
    after = loud[loud > lost + 0.2]
    before = loud[loud <= lost + 0.2]
    return float(after[0] - (before[-1] if len(before) else lost)), float(after[0] - lost)


async def test_a_killed_jobs_call_goes_on_where_it_was(phone: Phone, stack: Stack) -> None:
    call = await phone.dial(SALES)
    await call.answered(10)
    await converse(phone, call, ["We need a new phone system.", "My name is John Smith."])
    await call.spoken(25, 0.8)
    one = await job(stack)
    killed = time.monotonic()
    one.kill()
    lost = await phone.rendering(LOST)
    await call.line(lost, 15, what="that the caller was lost")
    silent, heard = gap(call, killed)
    print("silence, and from the kill:", (silent, heard))
    assert heard < SOUND_WITHIN
    await converse(phone, call, ["I work for Acme Software."])
    await call.spoken(25, 0.8)
    await call.hang_up()
    found = await record(stack, sip_id(call), ending="served")
    agent = [turn["text"] for turn in found["turns"] if turn["speaker"] == "agent"]
    notice = line_of(Say.NOTICE, "en-US")
    assert sum(notice in text for text in agent) == 1, "it greets once"
    assert LOST in agent
    lead = found["lead"]["fields"]
    assert (lead["name"], lead["company"]) == ("John Smith", "Acme Software")
    assert "phone system" in lead["need"]
    after = agent[agent.index(LOST) + 1 :]
    assert not any("your name" in text for text in after), "what is known isn't asked again"


@pytest.mark.long
@pytest.mark.parametrize("number", [SUPPORT, SEALED])
async def test_an_entry_goes_on_after_the_death_of_its_job(phone: Phone, stack: Stack, number: str) -> None:
    call = await phone.dial(number)
    await call.answered(10)
    await converse(phone, call, ["My internet connection is not working."])
    await call.spoken(25, 0.8)
    one = await job(stack)
    await call.press("80")
    async with asyncio.timeout(2.0):
        while await last_key(stack, sip_id(call)) < 2:
            await call.wait(0.05)
    async with keeping_nothing(stack):
        await call.press("46")
        await call.quiet(0.5)  # the job has heard them
        await dies(one)
    await call.press("1")  # which none hears
    await call.line(await phone.rendering(LOST), 20, what="that the caller was lost")
    sealed = number == SEALED
    so_far = Say.KEY_ON_FIRST if sealed else Say.KEY_ON
    words = line_of(so_far, "en-US").format(digits="8 0 4 6 1", count=5, noun="ticket number")
    await call.line(await phone.rendering(words), 20, what="how far the job knows it")
    await call.press("539#")
    await call.spoken(25, 0.8)
    await call.hang_up()
    found = await record(stack, sip_id(call), ending="served")
    keyed = [turn["text"] for turn in found["turns"] if turn["speaker"] == "keypad"]
    ticket = found["ticket"]["fields"]["ticket_number"]
    if sealed:
        secret = stack.run.livekit_api_secret
        ticket = Seal(secret).open(ticket, CallId(sip_id(call)), "ticket_number").reveal()
    assert ticket == "80461539"
    assert keyed == [HIDDEN if sealed else ticket], "one entry, of both jobs"


@pytest.mark.long
async def test_who_presses_0_gets_a_person_though_the_job_dies_over_it(phone: Phone, stack: Stack) -> None:
    call = await phone.dial(SALES)
    await call.answered(10)
    await converse(phone, call, ["We need a new phone system."])
    await call.spoken(25, 0.8)
    one = await job(stack)
    async with keeping_nothing(stack):
        await call.press("0")
        await call.quiet(0.5)  # the job has heard it
        await dies(one)
    told = await phone.rendering(line_of(Say.CALLBACK, "en-US").partition(",")[0])
    await call.line(told, 25, what="that a callback is booked")
    await call.hang_up()
    found = await record(stack, sip_id(call), ending="callback")
    assert [one["number"] for one in found["callbacks"]] == ["+15105550177"]
    assert [turn["text"] for turn in found["turns"] if turn["speaker"] == "keypad"] == ["0"]


@pytest.mark.long
@pytest.mark.timeout(280)
async def test_kill_after_kill_is_heard_as_a_short_pause(phone: Phone, stack: Stack) -> None:
    call = await phone.dial(SALES)
    await call.answered(10)
    await converse(phone, call, ["We need a new phone system.", "My name is John Smith."])
    lost = await phone.rendering(LOST)
    gaps = []
    before: set[int] = set()
    for number in range(10):
        # Now in the silence after a question, now while the agent speaks.
        await (call.spoken(25, 0.8) if number % 2 else call.talking(0.4, 25))
        one = await job(stack)
        assert one.pid not in before
        before.add(one.pid)
        await call.say(silence(0.1))  # what is heard from here on is the next job's
        killed = time.monotonic()
        one.kill()
        await call.line(lost, 20, what="that the caller was lost")
        gaps.append(gap(call, killed))
    await call.spoken(25, 0.8)
    await converse(phone, call, ["I work for Acme Software."])
    await call.spoken(25, 0.8)
    await call.hang_up()
    print("kill -> heard, s:", sorted(round(after, 2) for _, after in gaps))
    print("silence, s:      ", sorted(round(silent, 2) for silent, _ in gaps))
    assert max(after for _, after in gaps) < SOUND_WITHIN
    found = await record(stack, sip_id(call), ending="served")
    lead = found["lead"]["fields"]
    assert (lead["name"], lead["company"]) == ("John Smith", "Acme Software")
    assert "phone system" in lead["need"]


@pytest.mark.long
async def test_a_job_that_stands_still_is_replaced(phone: Phone, stack: Stack) -> None:
    call = await phone.dial(SALES)
    await call.answered(10)
    await converse(phone, call, ["We need a new phone system."])
    await call.spoken(25, 0.8)
    one = await job(stack)
    await call.say(silence(0.1))
    stopped = time.monotonic()
    one.suspend()
    await call.line(await phone.rendering(LOST), 20, what="that the caller was lost")
    silent, heard = gap(call, stopped)
    print("silence, and from the stop:", (silent, heard))
    assert heard < NOTICED_WITHIN, "something soft, before it counts as hung"
    await converse(phone, call, ["My name is John Smith."])
    await call.spoken(25, 0.8)
    await call.hang_up()
    found = await record(stack, sip_id(call), ending="served")
    assert found["lead"]["fields"]["name"] == "John Smith"


@pytest.mark.long
async def test_a_job_that_dies_while_the_phone_rings_costs_its_caller_a_moment(phone: Phone, stack: Stack) -> None:
    for _ in range(3):
        call = await phone.dial(SALES)
        one = await begun(stack)
        killed = time.monotonic()
        one.kill()
        ringing = call.signalling.answered is None
        await call.answered(10)
        took = (call.signalling.answered or 0.0) - killed
        print(f"rang: {ringing}; kill -> answered {took:.2f} s")
        await call.talking(0.5, 15)
        await call.hang_up()
        await record(stack, sip_id(call))
        assert took < RUNG_WITHIN


async def begun(stack: Stack, pool: str = "agents") -> psutil.Process:
    """The pool's process that has just begun with a call: it asks Redis for it."""
    port, family = urlsplit(stack.run.redis_url).port or 6379, _family(stack, pool)[1:]
    found: list[psutil.Process] = []

    def there() -> bool:
        found[:] = [one for one in family if _in_a_room(one, port)]
        return bool(found)

    await until(there, 10.0, 0.005)
    return found[0]


@pytest.mark.long
async def test_a_call_whose_worker_dies_before_its_job_has_come_is_sent_to_another_at_once(
    phone: Phone, stack: Stack
) -> None:
    """As a machine does that is switched off: its worker took the dispatch, and nothing more is heard of it."""
    family = _family(stack)
    log, before = stack.log("control"), _promised(stack)
    for one in family[1:]:  # so that none comes
        one.suspend()
    call = await phone.dial(SALES)
    await until(lambda: _promised(stack) - before, 10.0)
    began = time.monotonic()
    for one in family:
        one.kill()
    await call.answered(10)
    took = time.monotonic() - began
    print(f"worker's death -> answered by the house {took:.2f} s")
    await call.talking(0.5, 15)
    await call.hang_up()
    found = await record(stack, sip_id(call))
    assert [stop["act"] for stop in found["stops"]] == ["talk", "promise"]
    assert "workers are gone without a word" in stack.log("control")[len(log) :]
    assert took < 3.5, "which a job that doesn't come may take"
    await until(lambda: _agents(stack) > 0, 40.0, 0.2)


def _promised(stack: Stack) -> set[bytes]:
    """Calls whose dispatch a worker has taken."""
    with Redis.from_url(stack.run.redis_url) as redis:
        return set(redis.scan_iter("offhook:promised:*"))


@pytest.mark.long
async def test_the_caller_of_a_killed_worker_hears_from_the_house_at_once(phone: Phone, stack: Stack) -> None:
    """Its jobs leave, and say so; no other worker has agents, so the plan's way without one follows."""
    call = await phone.dial(SALES)
    await call.answered(10)
    await converse(phone, call, ["We need a new phone system."])
    await call.spoken(25, 0.8)
    worker = _family(stack)[0]
    await call.say(silence(0.1))
    killed = time.monotonic()
    worker.kill()
    await call.talking(0.5, 15)
    silent, heard = gap(call, killed)
    print("silence, and from the worker's kill:", (silent, heard))
    assert heard < SOUND_WITHIN
    await call.hang_up()
    found = await record(stack, sip_id(call))
    assert [stop["act"] for stop in found["stops"]] == ["talk", "promise"]
    assert found["stops"][-1]["because"] == "no_agent"
    assert _sent_again(stack, call) == 1, "none is sent to where nobody is"
    await until(lambda: _agents(stack) > 0, 40.0, 0.2)


@pytest.mark.long
async def test_a_worker_that_dies_with_all_its_jobs_is_missed_at_once(phone: Phone, stack: Stack) -> None:
    """As a container does: nobody is left who could say that the call needs another."""
    call = await phone.dial(SALES)
    await call.answered(10)
    await converse(phone, call, ["We need a new phone system."])
    await call.spoken(25, 0.8)
    await job(stack)
    family = _family(stack)
    for one in family:  # none of them sees another die
        one.suspend()
    await call.say(silence(0.1))
    killed = time.monotonic()
    for one in family:
        one.kill()
    await until(lambda: _sent_again(stack, call) == 1, 20.0)
    await call.talking(0.5, 20)
    silent, heard = gap(call, killed)
    print("silence, and from the death of all:", (silent, heard))
    assert heard < SOUND_WITHIN
    await call.hang_up()
    found = await record(stack, sip_id(call))
    assert [stop["act"] for stop in found["stops"]] == ["talk", "promise"]
    assert found["stops"][-1]["because"] == "no_agent"
    assert _sent_again(stack, call) == 1, "none is sent to where nobody is"
    log = stack.log("control")
    assert log.rindex("workers are gone without a word") < log.rindex("another is sent for"), "no lease ran out before"
    await until(lambda: _agents(stack) > 0, 40.0, 0.2)


@pytest.mark.long
async def test_the_ghost_of_a_worker_that_slept_is_put_out_and_does_nothing_again(phone: Phone, stack: Stack) -> None:
    call = await phone.dial(SALES)
    await call.answered(10)
    await converse(phone, call, ["We need a new phone system."])
    await call.spoken(25, 0.8)
    ghost, asleep = await job(stack), _family(stack)
    for one in asleep:  # with its worker, which would kill it
        one.suspend()
    try:
        await call.say(silence(0.1))
        await until(lambda: _sent_again(stack, call) == 1, 25.0)
    finally:
        for one in asleep:
            with suppress(psutil.NoSuchProcess):
                one.resume()
    port, woken = int(stack.run.livekit_url.rpartition(":")[2]), time.monotonic()
    await until(lambda: not _in_a_room(ghost, port), 10.0)
    print(f"the ghost is gone {time.monotonic() - woken:.2f} s after it woke")
    await call.line(await phone.rendering(LOST), 20, what="that the caller was lost")
    async with stack.livekit() as livekit:
        rooms = (await livekit.room.list_rooms(api.ListRoomsRequest())).rooms
        [room] = [one.name for one in rooms if one.num_participants]
        there = (await livekit.room.list_participants(api.ListParticipantsRequest(room=room))).participants
    assert sum(one.kind == ParticipantInfo.Kind.AGENT for one in there) == 1, "the next job alone is with the caller"
    await converse(phone, call, ["My name is John Smith."])
    await call.spoken(25, 0.8)
    await call.hang_up()
    found = await record(stack, sip_id(call), ending="served")
    assert found["lead"]["fields"]["name"] == "John Smith"
    assert "phone system" in found["lead"]["fields"]["need"]
    said = [(turn["speaker"], turn["text"]) for turn in found["turns"]]
    assert len(set(said)) == len(said), "nothing is told twice"
    assert len({turn["seq"] for turn in found["turns"]}) == len(said)
    assert [one["epoch"] for one in found["attempts"]] == [1, 2]


def _sent_again(stack: Stack, call: Call) -> int:
    """How often control has sent another job for the call."""
    return sum(sip_id(call) in line and "another is sent for" in line for line in stack.log("control").splitlines())


@pytest.mark.long
async def test_who_is_cut_off_and_dials_again_goes_on_where_they_were(phone: Phone, stack: Stack) -> None:
    first = await phone.dial(REDIALED)
    await first.answered(10)
    await converse(phone, first, ["We need a new phone system.", "My name is John Smith."])
    await first.talking(0.4, 25)
    await first.hang_up()
    await record(stack, sip_id(first), ending="served")
    call = await phone.dial(REDIALED)
    await call.answered(10)
    back = await phone.rendering(line_of(Say.BACK, "en-US"))
    await call.line(back, 15, what="that the caller was cut off")
    await converse(phone, call, ["I work for Acme Software.", "No, that's all. Goodbye."])
    await call.hang_up()
    found = await record(stack, sip_id(call), ending="served")
    agent = [turn["text"] for turn in found["turns"] if turn["speaker"] == "agent"]
    assert not any("How can I help" in text or "your name" in text for text in agent)
    lead = found["lead"]["fields"]
    assert (lead["name"], lead["company"]) == ("John Smith", "Acme Software")
    again = await phone.dial(REDIALED)
    await again.answered(10)
    hello = await phone.rendering(line_of(Say.NOTICE, "en-US"))
    await again.line(hello, 10, what="the notice: who has finished begins anew")
    await again.hang_up()


async def greeted(phone: Phone) -> Call:
    """A call that begins anew."""
    call = await phone.dial(REDIALED)
    await call.answered(10)
    await call.line(await phone.rendering(line_of(Say.NOTICE, "en-US")), 15, what="the notice")
    return call


@pytest.mark.long
async def test_whose_line_drops_goes_on_and_nobody_else_with_what_they_said(stack: Stack) -> None:
    """They had fallen silent: by their carrier's word alone it is known that they haven't hung up."""
    async with (
        Phone(stack.sip, caller="+15105550120") as phone,
        Phone(stack.sip, caller="+15105550121") as other,
        Phone(stack.sip, caller="anonymous") as withheld,
    ):
        calls = [await one.dial(REDIALED) for one in (phone, withheld)]
        for one, call in zip((phone, withheld), calls, strict=True):
            await call.answered(10)
            await converse(one, call, ["We need a new phone system.", "My name is John Smith."])
            await call.spoken(25, 0.8)
            await call.hang_up(DROPPED)
            await record(stack, sip_id(call), hung_up_by="network")
        for one in (other, withheld):
            await (await greeted(one)).hang_up()
        again = await phone.dial(REDIALED)
        await again.answered(10)
        await again.line(await phone.rendering(line_of(Say.BACK, "en-US")), 15, what="that they were cut off")
        await converse(phone, again, ["I work for Acme Software."])
        await again.spoken(25, 0.8)
        await again.hang_up()
        found = await record(stack, sip_id(again), ending="served")
        agent = [turn["text"] for turn in found["turns"] if turn["speaker"] == "agent"]
        assert not any("How can I help" in text or "your name" in text for text in agent), agent
        lead = found["lead"]["fields"]
        assert (lead["name"], lead["company"]) == ("John Smith", "Acme Software")
        await (await greeted(phone)).hang_up()  # who hangs up in a pause has finished


@pytest.mark.long
async def test_who_dials_again_before_their_line_is_known_to_be_dead_goes_on_and_no_colleague_does(
    stack: Stack,
) -> None:
    async with (
        Phone(stack.sip, caller="+15105550122") as phone,
        Phone(stack.sip, caller="+15105550123") as colleague,
        Phone(stack.sip, caller="+15105550123") as another,
    ):
        live = await colleague.dial(REDIALED)
        await live.answered(10)
        await live.spoken(25, 0.8)
        await (await greeted(another)).hang_up()
        assert live.signalling.ended is None
        await live.hang_up()
        cut = await phone.dial(REDIALED)
        await cut.answered(10)
        await cut.spoken(25, 0.8)
        cut.port.close()  # no BYE: their carrier doesn't know yet
        await cut.wait(0.5)  # nobody dials again any sooner
        again = await phone.dial(REDIALED)
        await again.answered(10)
        await again.line(await phone.rendering(line_of(Say.BACK, "en-US")), 15, what="that they were cut off")


@pytest.mark.long
async def test_a_caller_whom_nobody_can_serve_is_rejected(phone: Phone, stack: Stack) -> None:
    stopped = [one for pool in ("agents", "house") for one in _family(stack, pool)]
    for one in stopped:
        one.suspend()
    try:
        call = await phone.dial(SALES)
        await call.ended(60)
        assert call.signalling.answered is None
        assert call.signalling.status == 503, "so that the carrier tries elsewhere"
    finally:
        for one in stopped:
            one.resume()
