"""The other phones of a call on real servers: who hears whom, frame by frame, and what is told of them."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from livekit import api

from gateway.calls.acts.cues import LegAnswered, LegFailed, LegLeft, LegRings, Renewed
from gateway.calls.hearing import ATTENDED, conversation
from gateway.rtp.session import Timeouts
from gateway.terms.legs import DROP
from gateway.trunks.choose import CallerId
from tests.e2e.edge_lab import DIALED, Lab, lab
from tests.e2e.legs_lab import TONES, Ear, attended, party, received, sent
from tests.e2e.room_peer import silent_peer
from tests.e2e.servers import LiveKit, free_port, until
from tests.e2e.sipp import CALLER

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

ORDINARY = 1.0
"""Seconds for which an ordinary phone may send nothing in these tests."""
DROPPED = 1.5
"""Seconds in which a phone that is dropped must be told so."""
LATE = 6
"""Frames in a row that a busy machine may be late with; who is subscribed to anew is silent for longer."""


@pytest.fixture
async def edge(servers: tuple[str, LiveKit], tmp_path: Path) -> AsyncIterator[Lab]:
    async with lab(tmp_path, *servers) as made:
        yield made
        await made.nothing_left()


@pytest.mark.parametrize("direct", [True, False])
async def test_a_ringing_phone_hears_nobody_and_nobody_hears_it(edge: Lab, tmp_path: Path, direct: bool) -> None:
    """It has media while it rings: even so not a frame passes, and no key. Connected, all frames do, both ways; `direct`: in
    their phones' own process, else by LiveKit."""
    async with (
        party(edge, tmp_path) as call,
        edge.phone() as human,
        call.dialer.callee("callee_early", rtp=human.port, ring="2000") as (sipp, port),
    ):
        human.tone = TONES["a"]
        call.direct = direct
        await call.trunk("carrier", port, default=True)
        async with call.job() as job:
            caller, callee = await attended(job, call.caller), Ear(human)
            caller.start()
            job.dial("a", "+15105550111")
            await job.is_told(LegRings, "a")
            call.caller.press(5)
            await job.is_told(LegAnswered, "a")
            call.caller.press(6)
            human.press(7)
            await until(lambda: len(human.heard) > 25)
            await _frames(caller, 50)
            assert caller.ever() == {"job"}
            assert callee.ever() == set()
            assert human.keys == []
            assert call.caller.keys == []
            assert job.heard.keys() == {"caller"}

            caller.start()
            began = time.monotonic()
            job.legs.connect("a")
            await asyncio.gather(caller.hears("a"), callee.hears("caller"))
            both = max(caller.first("a"), callee.first("caller")) - began
            print(f"connect to two-way speech: {both * 1000:.0f} ms")
            assert both < 2.0
            job.heard.clear()
            caller.start(), callee.start()
            call.caller.press(8)
            await until(lambda: human.keys == [8])
            await _frames(caller, 50)
            assert (caller.ever(), callee.ever()) == ({"a"}, {"caller"})
            assert job.heard == {}
        await _frames(caller, 50)
        assert caller.since()[-25:] == [{"a"}] * 25, "the connection outlives the job"
        await call.end()
        await sipp.ended()


async def test_phones_of_one_process_hear_each_other_whatever_becomes_of_livekits_api(
    edge: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And hear each other no more once they mustn't, though LiveKit was never told that they did."""
    subscribe = edge.lk.room.update_subscriptions

    async def update(changed: api.UpdateSubscriptionsRequest) -> api.UpdateSubscriptionsResponse:
        if changed.subscribe:
            raise api.TwirpError(api.TwirpErrorCode.UNAVAILABLE, "away", status=503)
        return await subscribe(changed)

    async with (
        party(edge, tmp_path) as call,
        edge.phone() as human,
        call.dialer.callee("callee_hung_up_on", rtp=human.port) as (_, port),
    ):
        human.tone = TONES["a"]
        await call.trunk("carrier", port, default=True)
        async with call.job() as job:
            caller, callee = await attended(job, call.caller), Ear(human)
            job.dial("a", "+15105550111")
            await job.is_told(LegAnswered, "a")
            monkeypatch.setattr(edge.lk.room, "update_subscriptions", update)
            job.legs.connect("a")
            await asyncio.gather(caller.hears("a"), callee.hears("caller"))
            monkeypatch.undo()
            job.hearing.set(ATTENDED)
            await asyncio.gather(caller.hears("job"), callee.hears())
            caller.start(), callee.start()
            await _frames(caller, 50)
            assert (caller.ever(), callee.ever()) == ({"job"}, set())


async def test_the_first_to_answer_wins_and_the_others_fall_silent(edge: Lab, tmp_path: Path) -> None:
    async with (
        party(edge, tmp_path) as call,
        edge.phone() as first,
        edge.phone() as second,
        call.dialer.callee("callee_hung_up_on", rtp=first.port, ring="1200") as (_, port),
        call.dialer.callee("callee_rings_early", rtp=second.port) as (loser, other),
    ):
        first.tone, second.tone = TONES["a"], TONES["b"]
        await call.trunk("one", port)
        await call.trunk("two", other)
        async with call.job() as job:
            caller = await attended(job, call.caller)
            caller.start()
            job.dial("a", "sip:ana@one")
            job.dial("b", "sip:bo@two")
            await job.is_told(LegRings, "b")
            await job.is_told(LegAnswered, "a")
            dropped = time.time()
            job.legs.connect("a")
            job.legs.drop("b")
            await asyncio.gather(caller.hears("a"), Ear(first).hears("caller"))
            await loser.ended()
            print(f"drop to CANCEL: {(received(loser, 'CANCEL') - dropped) * 1000:.0f} ms")
            assert received(loser, "CANCEL") - dropped <= DROPPED
            assert "b" not in caller.ever()
            assert [type(event).__name__ for _, event in job.told if event.leg == "b"] == ["LegRings"]
            assert [note["event"] for note in job.notes if note["leg"] == "b"] == ["dialed", "ringing", "dropped"]


async def test_who_has_lost_falls_silent_however_long_livekits_api_takes(
    edge: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One who rings still and one who has answered are told at once, both by one packet, and leave by themselves. Nobody but the
    job may tell them."""
    asked: list[object] = []

    async def remove(who: object) -> None:
        asked.append(who)
        await asyncio.Event().wait()

    told: set[str] = set()
    subscribe = edge.lk.room.update_subscriptions

    async def update(changed: api.UpdateSubscriptionsRequest) -> api.UpdateSubscriptionsResponse:
        told.add(changed.identity)
        return await subscribe(changed)

    monkeypatch.setattr(edge.lk.room, "update_subscriptions", update)
    monkeypatch.setattr(edge.lk.room, "remove_participant", remove)
    async with (
        party(edge, tmp_path) as call,
        edge.phone() as first,
        edge.phone() as second,
        call.dialer.callee("callee_hung_up_on", rtp=first.port) as (answered, port),
        call.dialer.callee("callee_rings_early", rtp=second.port) as (rings, other),
    ):
        await call.trunk("one", port)
        await call.trunk("two", other)
        async with call.job() as job, silent_peer(edge.livekit, call.room) as stranger:
            await attended(job, call.caller)
            job.dial("a", "sip:ana@one")
            job.dial("b", "sip:bo@two")
            await job.is_told(LegAnswered, "a")
            await job.is_told(LegRings, "b")
            await stranger.local_participant.publish_data(b"1", topic=DROP, destination_identities=["leg-a", "leg-b"])
            await _frames(Ear(call.caller), 25)
            assert await call.dialed_legs() == ["leg-a", "leg-b"]
            dropped = time.time()
            for leg in ("a", "b"):
                job.legs.drop(leg)
            await asyncio.gather(answered.ended(), rings.ended())
            for sipp, how in ((answered, "BYE"), (rings, "CANCEL")):
                print(f"drop to {how}: {(received(sipp, how) - dropped) * 1000:.0f} ms")
                assert received(sipp, how) - dropped <= DROPPED
            await until(lambda: not {"leg-a", "leg-b"} & job.room.remote_participants.keys())
        assert asked == []
        assert not {"leg-a", "leg-b"} & told, "they hear nobody by themselves"


async def test_a_hang_up_is_told_and_removes_the_other(edge: Lab, tmp_path: Path) -> None:
    async with (
        party(edge, tmp_path) as call,
        edge.phone() as human,
        call.dialer.callee("callee_hangs_up", rtp=human.port, pause=1.5) as (sipp, port),
    ):
        human.tone = TONES["a"]
        await call.trunk("carrier", port, default=True)
        async with call.job() as job:
            caller = await attended(job, call.caller)
            job.dial("a", "+15105550111")
            await job.is_told(LegAnswered, "a")
            job.legs.connect("a")
            caller.start()
            await caller.hears("a")
            at, _ = await job.is_told(LegLeft, "a")
            told = time.time() - (time.monotonic() - at)
            print(f"BYE to LegLeft: {(told - sent(sipp, 'BYE')) * 1000:.0f} ms")
            assert told - sent(sipp, "BYE") <= DROPPED
            job.hearing.set(ATTENDED)
            await caller.hears("job")
            await sipp.ended()


@pytest.mark.long
async def test_two_way_speech_soon_after_the_human_answers(edge: Lab, tmp_path: Path) -> None:
    """From the callee's 200 to the first frame of each at the other's ear."""
    async with (
        party(edge, tmp_path) as call,
        edge.phone() as human,
        call.dialer.callee("callee_hung_up_on", rtp=human.port, ring="500", calls=5) as (sipp, port),
    ):
        human.tone = TONES["a"]
        await call.trunk("carrier", port, default=True)
        took = []
        async with call.job() as job:
            caller, callee = await attended(job, call.caller), Ear(human)
            job.connects = True
            for number in range(5):
                caller.start(), callee.start()
                human.peer = None
                leg = f"a{number}"
                job.dial(leg, "+15105550111")
                answered, _ = await job.is_told(LegAnswered, leg)
                await asyncio.gather(caller.hears("a"), callee.hears("caller"))
                took.append(max(caller.first("a"), callee.first("caller")) - answered)
                job.legs.drop(leg)
                job.hearing.set(ATTENDED)
                await caller.hears("job")
        print("answered to two-way speech, ms:", [round(each * 1000) for each in took])
        assert sorted(took)[2] <= 1.5
        await sipp.ended()


@pytest.mark.long
async def test_those_who_lose_each_other_hear_each_other_again_by_other_tracks(edge: Lab, tmp_path: Path) -> None:
    """As often as a human leaves the caller for a third; the caller hears neither of them meanwhile."""
    async with (
        party(edge, tmp_path) as call,
        edge.phone() as human,
        edge.phone() as third,
        call.dialer.callee("callee_hung_up_on", rtp=human.port) as (_, port),
        call.dialer.callee("callee_hung_up_on", rtp=third.port) as (_, other),
    ):
        human.tone, third.tone = TONES["a"], TONES["b"]
        await call.trunk("one", port)
        await call.trunk("two", other)
        async with call.job() as job:
            caller, callee, asked = await attended(job, call.caller), Ear(human), Ear(third)
            job.dial("a", "sip:ana@one")
            job.dial("b", "sip:bo@two")
            await job.is_told(LegAnswered, "a")
            await job.is_told(LegAnswered, "b")
            for times in range(1, 5):
                job.legs.connect("a")
                await asyncio.gather(caller.hears("a"), callee.hears("caller"))
                job.hearing.set(conversation(("a", "b"), caller=False))
                job.legs.renew(["a"])
                await asyncio.gather(caller.hears("job"), callee.hears("b"), asked.hears("a"))
                caller.start(), callee.start(), asked.start()
                await until(lambda: sum(isinstance(event, Renewed) for _, event in job.told) == times)  # noqa: B023
                await _frames(caller, 50)
                assert (caller.ever(), callee.ever()) == ({"job"}, {"b"})
                assert asked.ever() == {"a"}
        await call.end()


@pytest.mark.long
async def test_a_humans_phone_may_send_nothing_for_longer_than_a_callers(
    servers: tuple[str, LiveKit], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PBX that holds them often stops its media without a word. Their limit is `times.SILENT_FOR`, an ordinary one is
    a second here."""
    monkeypatch.setattr("gateway.net.media.Timeouts", lambda: Timeouts(ORDINARY, ORDINARY))
    async with (
        lab(tmp_path, *servers) as edge,
        party(edge, tmp_path) as call,
        edge.phone() as human,
        call.dialer.callee("callee_hung_up_on", rtp=human.port) as (sipp, port),
    ):
        human.tone = TONES["a"]
        await call.trunk("carrier", port, default=True)
        async with call.job() as job:
            caller = await attended(job, call.caller)
            job.dial("a", "+15105550111")
            await job.is_told(LegAnswered, "a")
            job.legs.connect("a")
            await caller.hears("a")
            human.muted = True
            with pytest.raises(TimeoutError):
                await job.is_told(LegLeft, "a", within=4 * ORDINARY)
            human.muted = False
            await caller.hears("a")
            call.caller.muted = True
            await call.sipp.ended()
        await call.end()
        await sipp.ended()
        await edge.nothing_left()


@pytest.mark.parametrize(
    ("scenario", "fill", "ring_for", "status"),
    [
        ("callee_refuses", {"status": "486", "phrase": "Busy Here"}, 20, 486),
        ("callee_refuses", {"status": "603", "phrase": "Decline"}, 20, 603),
        ("callee_refuses", {"status": "404", "phrase": "Not Found"}, 20, 404),
        ("callee_rings", {}, 1.5, 408),
        ("callee_refuses", {"status": "486", "phrase": "Busy Here"}, 120, 486),
    ],
)
async def test_why_nobody_answered(
    edge: Lab, tmp_path: Path, scenario: str, fill: dict[str, str], ring_for: float, status: int
) -> None:
    async with party(edge, tmp_path) as call, call.dialer.callee(scenario, **fill) as (sipp, port):
        await call.trunk("carrier", port, default=True)
        async with call.job() as job:
            await attended(job, call.caller)
            job.dial("a", "+15105550111", ring_for, name="ana")
            _, failed = await job.is_told(LegFailed, "a")
            assert isinstance(failed, LegFailed)
            assert failed.status == status
            await sipp.ended()
            last = job.notes[-1]
            told = {name: last[name] for name in ("leg", "member", "number", "event", "status")}
            assert list(told.values()) == ["a", "ana", "+15105550111", "failed", status]


async def test_the_callee_sees_the_caller_and_what_was_dialed(edge: Lab, tmp_path: Path) -> None:
    refuses = {"status": "486", "phrase": "Busy Here", "ring": "10"}
    async with party(edge, tmp_path) as call, call.dialer.callee("callee_refuses", **refuses) as (sipp, port):
        await call.trunk("carrier", port, default=True, caller_id=CallerId.PASSTHROUGH)
        async with call.job() as job:
            await attended(job, call.caller)
            job.dial("a", "+15105550111", name="ana")
            await job.is_told(LegFailed, "a")
            await sipp.ended()
        told = sipp.report()
    assert re.search(rf"^From: .*<sip:\{CALLER}@", told, re.MULTILINE)
    assert f"Diversion: <sip:{DIALED}@127.0.0.1:{port}>;reason=unconditional" in told


async def test_what_cant_be_dialed(edge: Lab, tmp_path: Path) -> None:
    async with party(edge, tmp_path) as call:
        await call.trunk("carrier", free_port(), default=True)
        async with call.job() as job:
            await attended(job, call.caller)
            for leg, address in {"sos": "+1911", "sip": "sip:112@carrier", "lost": "sip:ana@nowhere"}.items():
                job.dial(leg, address)
                _, failed = await job.is_told(LegFailed, leg)
                assert isinstance(failed, LegFailed)
                assert failed.status == 0
            assert [note["event"] for note in job.notes] == ["failed"] * 3, "told to the record, never dialed"
            job.dial("out", "+15105550111")
            _, failed = await job.is_told(LegFailed, "out")
            assert isinstance(failed, LegFailed)
            assert failed.status == 503


@pytest.mark.parametrize("joined", [False, True])
async def test_a_leg_that_is_dropped_at_once_never_rings_on(edge: Lab, tmp_path: Path, joined: bool) -> None:
    async with party(edge, tmp_path) as call, call.dialer.callee("callee_rings") as (_, port):
        await call.trunk("carrier", port, default=True)
        async with call.job() as job:
            await attended(job, call.caller)
            job.dial("a", "+15105550111")
            await until(lambda: "leg-a" in job.room.remote_participants if joined else job.notes)
            job.legs.drop("a")
            await until(lambda: len(edge.edge.edge) == 1)
            assert await call.dialed_legs() == []
            assert [event for _, event in job.told if not isinstance(event, LegRings)] == []


async def test_another_job_takes_over_two_who_talk_and_drops_who_rings(edge: Lab, tmp_path: Path) -> None:
    async with (
        party(edge, tmp_path) as call,
        edge.phone() as human,
        call.dialer.callee("callee_hung_up_on", rtp=human.port) as (_, port),
        call.dialer.callee("callee_rings") as (rings, other),
    ):
        human.tone = TONES["a"]
        await call.trunk("one", port)
        await call.trunk("two", other)
        async with call.job() as job:
            caller = await attended(job, call.caller)
            job.dial("a", "sip:ana@one", name="ana")
            job.dial("b", "sip:bo@two")
            await job.is_told(LegRings, "b")
            await job.is_told(LegAnswered, "a")
            job.legs.connect("a")
            await caller.hears("a")
            job.legs.leave()
        caller.start()
        async with call.job("job-2", epoch=2) as job:
            there = {one.leg: one for one in job.legs.present()}
            assert {leg: (one.member, one.answered, one.epoch) for leg, one in there.items()} == {
                "a": ("ana", True, 1),
                "b": ("b", False, 1),
            }
            job.legs.drop("b")
            job.legs.connect("a")
            await _frames(caller, 75)
            await rings.ended()
            assert _longest(["a" not in who for who in caller.since()]) <= LATE, "the other job cut nobody off"
            job.legs.drop("a")
            job.hearing.set(ATTENDED)
            await caller.hears("job")
            assert job.told == []


async def test_a_job_that_ends_drops_who_rings(edge: Lab, tmp_path: Path) -> None:
    async with party(edge, tmp_path) as call, call.dialer.callee("callee_rings") as (rings, port):
        await call.trunk("carrier", port, default=True)
        async with call.job() as job:
            await attended(job, call.caller)
            job.dial("a", "+15105550111")
            await job.is_told(LegRings, "a")
        await rings.ended()
        assert await call.dialed_legs() == []


async def _frames(ear: Ear, count: int) -> None:
    """Let so many more frames come."""
    wanted = len(ear.probe.heard) + count
    await until(lambda: len(ear.probe.heard) >= wanted)


def _longest(flags: list[bool]) -> int:
    """How many in a row are set, at most."""
    return max((len(list(run)) for value, run in itertools.groupby(flags) if value), default=0)
