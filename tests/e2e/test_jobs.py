"""Jobs of the house pool on real servers: what becomes of a call whatever happens to its caller, job or worker."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio
from livekit import api, rtc

from agents.echo import CHIME
from gateway.conduct.sfu.mouth import Mouth
from gateway.conduct.sfu.room import CallRoom
from gateway.phone.call import Unmet, silence
from gateway.terms.event import Kind
from tests.e2e.job_lab import Desk, Servers, Worker, line, telling_what_was_heard, worker
from tests.e2e.servers import until

__all__ = ["line"]

pytestmark = pytest.mark.e2e


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Worker]:
    """A worker for the tests that leave it as it was; it takes ten seconds to start."""
    async with worker(tmp_path_factory.mktemp("house"), *servers) as made:
        yield made


@pytest.fixture
async def house(shared: Worker) -> Worker:
    await until(lambda: shared.ready() and shared.calls() == 0 and not shared.jobs(), 60)
    return shared


async def _idle(house: Worker) -> None:
    await until(lambda: house.calls() == 0 and not house.jobs(), 60)


async def test_the_caller_hears_the_chime_their_keys_and_the_goodbye_and_is_hung_up(house: Worker, line: Desk) -> None:
    phone = await line.dial()
    await phone.answered()
    starts = [await phone.tone([note]) for note in CHIME]
    assert starts == sorted(starts)
    await phone.press("5")
    await phone.pressed("5")
    await phone.press("#")
    goodbye = [await phone.tone([note]) for note in reversed(CHIME)]
    assert goodbye == sorted(goodbye)
    await phone.ended()
    assert phone.signalling.ended_by == "them"
    assert phone.signalling.ended is not None
    assert phone.signalling.ended - goodbye[-1] >= 0.19, "the last note was cut off"
    call = await line.call()
    hangup = await line.told(call, Kind.HANGUP)
    assert hangup.data["by"] == "agent"
    assert line.kinds(call) == ["taken", "answered", "hangup"]
    await _idle(house)


async def test_a_key_pressed_while_the_agent_speaks_is_answered_once(house: Worker, line: Desk) -> None:
    phone = await line.dial()
    await phone.answered()
    await phone.tone([CHIME[0]])
    with telling_what_was_heard(phone):
        await phone.press("9")
        await phone.pressed("9")
        await phone.quiet(0.5)
        assert phone.key_tones() == "9"


async def test_a_job_of_another_epoch_leaves_without_a_sound(house: Worker, line: Desk) -> None:
    line.sends = False
    phone = await line.dial()
    call = await line.call()
    await line.dispatch(call, 2)
    await until(lambda: "another job's" in house.log.read_text())
    await _idle(house)
    assert await line.store.holder(call.id) is None
    assert phone.signalling.answered is None
    assert line.kinds(call) == []
    await line.dispatch(call, 1)
    await phone.answered()
    await phone.tone([CHIME[-1]])


async def test_a_job_that_lost_its_lease_leaves_without_a_sound_and_the_next_goes_on(house: Worker, line: Desk) -> None:
    phone = await line.dial()
    await phone.answered()
    await phone.tone([CHIME[-1]])
    call = await line.call()
    raised = await line.store.raise_epoch(call.id, 1, time.time())
    assert raised is not None
    await line.no_agent(call.room)
    assert phone.signalling.ended is None
    assert "hangup" not in line.kinds(call)
    await phone.say(silence(0.1))  # what is heard from here on is the next job's
    await line.dispatch(raised, 2)
    await phone.tone([CHIME[-1]])
    await phone.press("4")
    await phone.pressed("4")


@pytest.mark.parametrize("stage", ["ringing", "dispatched", "chime", "echo"])
async def test_the_caller_may_leave_at_any_stage(house: Worker, line: Desk, stage: str) -> None:
    line.sends = stage != "ringing"
    phone = await line.dial()
    call = await line.call()
    if stage in ("chime", "echo"):
        await phone.answered()
        await phone.tone([CHIME[0] if stage == "chime" else CHIME[-1]])
    await phone.hang_up()
    await until(lambda: line.sent == (0 if stage == "ringing" else 1))
    if stage == "ringing":
        await line.lab.nothing_left()
        assert line.kinds(call) == []
    await _idle(house)
    if stage in ("chime", "echo"):
        # The job tells of it, unless the desk is first to hear, and ends the call and the job's lease.
        await until(lambda: "hangup" in line.kinds(call) or house.disowned(call), 10.0)
        told = [event.data["by"] for event in line.events if event.call == call.id and event.kind is Kind.HANGUP]
        assert "agent" not in told


async def test_a_killed_job_leaves_the_call_to_another(house: Worker, line: Desk) -> None:
    phone = await line.dial()
    await phone.answered()
    await phone.tone([CHIME[-1]])
    (job,) = house.jobs()
    job.send_signal(signal.SIGKILL)
    call = await line.call()
    async with asyncio.timeout(5):
        while await line.store.holder(call.id) is not None:
            await asyncio.sleep(0.05)
    await phone.say(silence(0.1))
    await line.again(call, 1)
    await phone.tone([CHIME[-1]])
    assert line.kinds(call).count("taken") == 2
    await phone.press("4")
    await phone.pressed("4")
    assert house.ready()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("calls", [4, pytest.param(10, marks=pytest.mark.long)])
async def test_calls_at_once_are_all_served(house: Worker, line: Desk, calls: int) -> None:
    phones = await asyncio.gather(*[line.dial() for _ in range(calls)])

    async def serve(number: int) -> None:
        phone = phones[number]
        await phone.answered(within=90)
        # The jobs start cold on the cores that carry the calls: a chime, or the answer to a key, may have gaps.
        for _ in range(12):
            await phone.press("5")
            with suppress(Unmet):
                await phone.pressed("5", within=5)
                return
        raise AssertionError("no key is answered")

    await asyncio.gather(*[serve(number) for number in range(calls)])
    assert house.calls() == calls
    await asyncio.gather(*[phone.press("#") for phone in phones])
    await asyncio.gather(*[phone.ended(within=60) for phone in phones])
    await _idle(house)


async def test_keys_come_once_and_only_the_callers(servers: Servers, line: Desk) -> None:
    line.sends = False
    phone = await line.dial()
    call = await line.call()
    _, livekit = servers
    pressed: list[tuple[str, float]] = []
    rooms: list[rtc.Room] = []

    async def enter(identity: str) -> rtc.Room:
        token = api.AccessToken(livekit.key, livekit.secret).with_identity(identity)
        grants = api.VideoGrants(room_join=True, room=call.room)
        room = rtc.Room()
        rooms.append(room)
        await room.connect(livekit.url, token.with_grants(grants).to_jwt())
        return room

    async def connect() -> None:
        token = api.AccessToken(livekit.key, livekit.secret).with_identity("agent")
        grants = api.VideoGrants(room_join=True, room=call.room)
        await room.connect(livekit.url, token.with_grants(grants).to_jwt())

    room = rtc.Room()
    rooms.append(room)
    watched = CallRoom(room, call.sip_identity, lambda _: None, lambda key: pressed.append((key, time.monotonic())))
    try:
        await watched.join(connect, Mouth(room, 8000).open)
        await phone.answered()
        stranger = await enter("stranger")
        await stranger.local_participant.publish_dtmf(code=9, digit="9")
        began = time.monotonic()
        await phone.press("12#")
        await until(lambda: len(pressed) >= 3)
        await stranger.local_participant.publish_dtmf(code=8, digit="8")
        await phone.press("*")
        await until(lambda: len(pressed) >= 4)
        assert [key for key, _ in pressed] == ["1", "2", "#", "*"]
        print(f"first key after {pressed[0][1] - began:.3f} s")
    finally:
        for each in rooms:
            await each.disconnect()
