"""Two who hear each other inside the edge say nothing into their LiveKit room, and whoever is let hear them there does, from the
first word: on real servers, and by whole calls."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from urllib.request import urlopen

import numpy as np
import pytest
from livekit import api, rtc

from agents.words.lines import Say
from gateway.calls.acts.cues import LegAnswered
from gateway.calls.hearing import ATTENDED, CALLER, JOB, bridge, hears
from gateway.calls.words import message as words_message
from gateway.edge import metrics
from gateway.handoff.screening import LISTENS
from gateway.phone.call import Call
from gateway.phone.phone import Phone
from gateway.rtp import RATE
from gateway.tasks import cancelled
from tests.e2e.edge_lab import Lab, lab
from tests.e2e.gateway import EXTERNAL_SIP, Stack
from tests.e2e.legs_lab import TONES, Ear, Job, Party, attended, listens, party
from tests.e2e.records import record, sip_id
from tests.e2e.room_peer import silent_peer
from tests.e2e.rtp_probe import RtpProbe
from tests.e2e.servers import LiveKit, until
from tests.e2e.test_handoff import WARM, callees, caller, came, told, understood
from tests.e2e.test_hold import LEFT_ALONE
from tests.e2e.test_house import OURS, THEIRS, said, talk, tone
from tests.e2e.test_house_kills import TAKEN_OVER, job, killed
from tests.e2e.test_third import all_talk, aside, taken, third

__all__ = ["callees", "caller"]

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

CALM = 20.0
"""Seconds at most from the latest event in a room until its phones say nothing there."""
TALKED = 5.0
"""Seconds of a talk in which nothing of it may be missing, and nothing goes into the room."""
AT_ONCE = 1.5
"""Seconds within which whoever joins by themselves hears, on a busy machine."""
LOUD = 1000
"""Of 32,768; the phones say 8,000."""
GAP = 6
"""Frames in a row that a busy machine may be late with."""


@pytest.fixture
async def edge(servers: tuple[str, LiveKit], tmp_path: Path) -> AsyncIterator[Lab]:
    async with lab(tmp_path, *servers) as made:
        yield made
        await made.nothing_left()
    assert spared() == 0


def spared() -> float:
    """How many phones of this process say nothing into their rooms now."""
    return float(metrics.UNHEARD_NOW._value.get())


@asynccontextmanager
async def connected(edge: Lab, directory: Path) -> AsyncIterator[tuple[Party, Job, RtpProbe]]:
    """A caller and a human who talk, and their job; nothing of what they say goes into their room."""
    async with (
        party(edge, directory) as call,
        edge.phone() as human,
        call.dialer.callee("callee_hung_up_on", rtp=human.port) as (_, port),
    ):
        human.tone = TONES["a"]
        await call.trunk("carrier", port, default=True)
        async with call.job() as made:
            heard, callee = await attended(made, call.caller), Ear(human)
            made.dial("a", "+15105550111")
            await made.is_told(LegAnswered, "a")
            made.legs.connect("a")
            await asyncio.gather(heard.hears("a"), callee.hears("caller"))
            await until(lambda: spared() == 2, CALM)
            made.heard.clear()
            yield call, made, human
        await call.end()


def longest(ear: Ear, who: str) -> int:
    """Frames in a row at most in which a party wasn't heard."""
    runs = re.findall("n+", "".join("y" if who in one else "n" for one in ear.since()))
    return max(map(len, runs), default=0)


async def test_two_who_talk_hear_all_and_press_keys_while_nothing_goes_into_their_room(
    edge: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[object] = []
    async with connected(edge, tmp_path) as (call, _, human):
        monkeypatch.setattr("gateway.edge.audio.Mouth.say", lambda *told: said.append(told))
        one, other = Ear(call.caller), Ear(human)
        one.start(), other.start()
        call.caller.press(8)
        human.press(7)
        await asyncio.sleep(TALKED)
        assert (human.keys, call.caller.keys) == ([8], [7])
        assert max(longest(one, "a"), longest(other, "caller")) <= GAP
        assert (one.ever(), other.ever()) == ({"a"}, {"caller"})
        assert said == []
        assert spared() == 2
        by_livekit = {who for one in edge.edge.edge._calls.values() for who in one._room._others.by_livekit}
        assert by_livekit <= {"job-1"}, "neither decodes the other"


async def test_the_job_hears_them_as_soon_as_it_is_to_and_they_are_spared_again_afterwards(
    edge: Lab, tmp_path: Path
) -> None:
    async with connected(edge, tmp_path) as (call, made, _):
        for matrix, who in ((ATTENDED, "caller"), (bridge("a") | hears(JOB, CALLER), "caller")):
            began = time.monotonic()
            made.hearing.set(matrix)
            await until(lambda who=who: made.heard.get(who, 0) > 0)  # type: ignore[misc]
            print(f"let hear to heard: {(time.monotonic() - began) * 1000:.0f} ms")
            made.legs.connect("a")
            await until(lambda: spared() == 2, CALM)
            made.heard.clear()
        assert call.caller.heard


async def test_a_job_that_takes_over_beside_one_that_hangs_hears_the_caller(edge: Lab, tmp_path: Path) -> None:
    """The one that has said that nobody does is still there, and has the two talk."""
    async with connected(edge, tmp_path) as (call, _, _human), call.job("job-2", epoch=2) as second:
        second.hearing.set(ATTENDED)
        await until(lambda: second.heard.get("caller", 0) > 25, 5.0)


@asynccontextmanager
async def of_before(edge: Lab, room: str) -> AsyncIterator[dict[str, int]]:
    """A job that knows nothing of all that, tells nothing, and hears everybody; frames that it got, by who was heard in them."""
    grants = api.VideoGrants(room_join=True, room=room, agent=True)
    token = api.AccessToken(edge.livekit.key, edge.livekit.secret).with_identity("of-before").with_kind("agent")
    hears = SimpleNamespace(heard=dict[str, int]())
    made, tasks = rtc.Room(), list[asyncio.Task[None]]()
    made.on("track_subscribed", lambda track, *_: tasks.append(asyncio.create_task(listens(track, hears))))
    await made.connect(edge.livekit.url, token.with_grants(grants).to_jwt())
    try:
        yield hears.heard
    finally:
        for task in tasks:
            await cancelled(task)
        await made.disconnect()


async def test_a_job_of_before_that_tells_nothing_hears_once_livekit_has_told_of_it(edge: Lab, tmp_path: Path) -> None:
    async with connected(edge, tmp_path) as (call, _, _human):
        async with of_before(edge, call.room) as heard:
            await until(lambda: heard.get("caller", 0) > 25 and heard.get("a", 0) > 25, 6.0)
        await until(lambda: spared() == 2, CALM)


async def test_they_speak_into_the_room_as_long_as_anybody_else_is_there(edge: Lab, tmp_path: Path) -> None:
    async with connected(edge, tmp_path) as (call, _, _human):
        async with silent_peer(edge.livekit, call.room):
            await until(lambda: spared() == 0, 6.0)
        await until(lambda: spared() == 2, CALM)


async def test_who_cant_be_told_by_the_job_is_told_by_livekits_api(
    edge: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(**_: object) -> str:
        await asyncio.sleep(1.0)
        raise rtc.RpcError(rtc.RpcError.ErrorCode.RESPONSE_TIMEOUT, "lost")

    async with connected(edge, tmp_path) as (_, made, _human):
        monkeypatch.setattr(made.room.local_participant, "perform_rpc", lost)
        made.hearing.set(bridge("a") | hears(JOB, CALLER))
        await until(lambda: made.heard.get("caller", 0) > 25, 5.0)
        monkeypatch.undo()


def unheard(stack: Stack) -> float:
    """How many phones say nothing into their rooms now, by the edge's own word."""
    with urlopen(f"{stack.run.http['edge']}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("offhook_edge_unheard_now ")))


async def calm(stack: Stack, phones: int = 2) -> None:
    """So many phones say nothing into their rooms; a third's job hears them for a while, as a mailbox may have answered."""
    async with asyncio.timeout(CALM + (LISTENS if phones > 2 else 0.0)):
        while await asyncio.to_thread(unheard, stack) != phones:
            await asyncio.sleep(0.1)


ours = pytest.mark.skipif(bool(EXTERNAL_SIP), reason="another SIP service keeps nothing from its rooms")


async def hears_after(stack: Stack, room: str, *, hidden: bool) -> float:
    """Seconds from having joined, publishing nothing, to the first frame in which anybody there is heard."""
    grants = api.VideoGrants(room_join=True, room=room, hidden=hidden, can_publish=False)
    token = api.AccessToken(stack.run.livekit_api_key, stack.run.livekit_api_secret).with_identity("supervisor")
    made, heard, tasks = rtc.Room(), asyncio.Event(), list[asyncio.Task[None]]()

    async def listen(track: rtc.Track) -> None:
        stream = rtc.AudioStream.from_track(track=track, sample_rate=RATE, num_channels=1, frame_size_ms=20)
        try:
            async for event in stream:
                if np.abs(np.frombuffer(event.frame.data, np.int16).astype(np.int32)).max() > LOUD:
                    heard.set()
        finally:
            await stream.aclose()

    made.on("track_subscribed", lambda track, *_: tasks.append(asyncio.create_task(listen(track))))
    await made.connect(stack.run.livekit_url, token.with_grants(grants).to_jwt())
    began = time.monotonic()
    try:
        async with asyncio.timeout(CALM):
            await heard.wait()
        return time.monotonic() - began
    finally:
        await cancelled(*tasks)
        await made.disconnect()


async def room_of(stack: Stack) -> str:
    """Where the latest call is."""
    async with stack.livekit() as lk:
        rooms = (await lk.room.list_rooms(api.ListRoomsRequest())).rooms
        return max(rooms, key=lambda room: room.creation_time_ms).name


@ours
@pytest.mark.long
@pytest.mark.parametrize("hidden", [False, True])
async def test_who_joins_by_themselves_hears_the_two_at_once(
    stack: Stack, caller: Phone, callees: Phone, hidden: bool
) -> None:
    """LiveKit tells of them up to three seconds late, and never of one who is hidden."""
    call, human = await taken(caller, callees, LEFT_ALONE)
    await calm(stack)
    saying = [asyncio.create_task(one.say(tone(hertz, 60.0))) for one, hertz in ((call, OURS), (human, THEIRS))]
    waited = await hears_after(stack, await room_of(stack), hidden=hidden)
    print(f"joined to heard: {waited * 1000:.0f} ms")
    assert waited < AT_ONCE
    await cancelled(*saying)
    await call.hang_up()


async def given_back(caller: Phone, call: Call, human: Call) -> None:
    """The human gives the caller back to the agent, who hears them."""
    await human.press("*2")
    await told(caller, call, Say.GIVEN_BACK)
    await caller.say(call, "I would like to leave a message.")
    await said(caller, call, words_message.line_of(words_message.Say.PROMPT, "en-US"))
    await call.hang_up()


@ours
@pytest.mark.long
async def test_an_agent_to_whom_the_caller_is_given_back_hears_them(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call, human = await taken(caller, callees, LEFT_ALONE)
    await calm(stack)
    await talk(call, human)
    await given_back(caller, call, human)
    assert came(await record(stack, sip_id(call))) == ["taken", "gave back"]


@ours
@pytest.mark.long
async def test_a_third_is_brought_in_and_asked_whoever_was_heard_by_livekit_before(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call, human = await taken(caller, callees, LEFT_ALONE)
    await calm(stack)
    await human.press("*3")
    asked = await third(callees)
    await all_talk(call, human, asked)
    await calm(stack, 3)
    await all_talk(call, human, asked)
    await human.press("*8")
    await aside(call, human, asked)
    await calm(stack)
    await aside(call, human, asked)
    await human.press("*3")
    await all_talk(call, human, asked)
    await calm(stack, 3)
    await given_back(caller, call, human)


@ours
@pytest.mark.long
async def test_the_next_of_a_job_that_is_killed_amid_the_talk_hears_the_caller_once_it_is_to(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call, human = await taken(caller, callees, LEFT_ALONE)
    await calm(stack)
    before = await killed(stack)
    await talk(call, human)
    await job(stack, before, TAKEN_OVER)
    await talk(call, human)
    await calm(stack)
    before |= await killed(stack)
    await job(stack, before, TAKEN_OVER)
    await talk(call, human)
    await given_back(caller, call, human)
    assert came(await record(stack, sip_id(call))) == ["taken", "gave back"]


@ours
@pytest.mark.parametrize(
    ("words", "goodbye"),
    [
        ("We can deliver them next week. Thank you, goodbye.", True),
        pytest.param("We can deliver them next week. The price depends on how many", False, marks=pytest.mark.long),
    ],
)
async def test_a_human_whose_last_words_the_edge_remembers_is_heard_by_nobody_and_understood(
    stack: Stack, caller: Phone, callees: Phone, words: str, goodbye: bool
) -> None:
    """Whoever hangs up early on a caller has said goodbye, or is rung back: their job knows it without having heard them."""
    call, human = await taken(caller, callees, WARM)
    await calm(stack)
    await call.say(tone(OURS))
    await human.tone([OURS])  # the human makes none: a tone is no talk
    await callees.say(human, words)
    assert await asyncio.to_thread(unheard, stack) == 2
    await human.hang_up()
    if goodbye:
        await call.ended()
        await record(stack, sip_id(call), ending="served", hung_up_by="human")
    else:
        again = await (await callees.rung()).answer()
        await call.hang_up()
        await again.ended()
        await record(stack, sip_id(call))
    [line] = understood(stack, call)
    assert f"goodbye={str(goodbye).lower()}" in line


@ours
@pytest.mark.long
async def test_a_talk_of_a_minute_goes_on_as_it_began(stack: Stack, caller: Phone, callees: Phone) -> None:
    """livekit-server gets nothing of either for all that time."""
    call, human = await taken(caller, callees, LEFT_ALONE)
    await calm(stack)
    ends = time.monotonic() + 60.0
    while time.monotonic() < ends:
        await talk(call, human)
        assert await asyncio.to_thread(unheard, stack) == 2
    await human.hang_up()
    await call.ended()
    await record(stack, sip_id(call), ending="served", hung_up_by="human")
