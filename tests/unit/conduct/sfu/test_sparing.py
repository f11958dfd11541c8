"""Nobody is let hear a phone by LiveKit while its service keeps what it says from the room: jobs beside the edge's own side of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterable
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from livekit import api, rtc

from gateway.calls.hearing import ATTENDED, JOB, Matrix, bridge, consults, conversation, hears, leg
from gateway.calls.hearing import CALLER as THE_CALLER
from gateway.conduct.sfu.hearing import Hearing
from gateway.conduct.sfu.sparing import Sparing
from gateway.conduct.sfu.telling import SOON, SPARED
from gateway.edge.room import RoomLeg, RoomUser
from gateway.edge.seat import LiveKit
from gateway.edge.switchboard import Switchboard
from gateway.net.signalling import Relay
from gateway.rtp import FRAME
from gateway.terms.direct import UNHEARD
from gateway.terms.gap import PROOF, proof
from gateway.terms.legs import EDGE
from tests.unit.conduct import virtual

SECRET = "s" * 32
CALLER, LEG, THIRD, AWAY = "sip_caller", "leg-1", "leg-2", "leg-3"
HERE, ELSEWHERE = "edge-7", "edge-8"
ON_ITS_WAY = 0.005
FAILS = 2.5
"""Seconds for which one RPC that fails, and what it keeps waiting, keep others waiting."""
TALKED = SPARED[-1] + 0.5


class Phone:
    """One that the edge carries, with what the edge does for it; what is said counts, as `said` into the room."""

    def __init__(self, board: Switchboard, identity: str) -> None:
        self.said = 0
        self.room = SimpleNamespace(
            name="room", num_participants=0, is_recording=False, remote_participants={}, on=lambda *_: None
        )
        nothing = dict.fromkeys(("post", "on_room_audio", "on_room_begins", "on_room_key"), lambda *_: None)
        self.leg = RoomLeg(LiveKit("", "", SECRET), board, Relay(), cast(RoomUser, SimpleNamespace(**nothing)), "call")
        self.leg._ears.silence = True
        self.leg._mouth = cast(Any, self)
        self.place = self.leg._place = board.enter("room", identity, self.leg._ears)
        self.leg._heard.watch(cast(rtc.Room, self.room), self.place)

    def say(self, _: object) -> None:
        self.said += 1

    def goes_in(self) -> bool:
        """Whether what it says now goes into the room."""
        before = self.said
        self.leg.say(np.zeros(FRAME, np.int16))
        return self.said > before


class World:
    """A room. `fails` says how each RPC fails, in turn: "lost", "unanswered"; "" for one that doesn't."""

    def __init__(self, fails: Iterable[str] = (), *, api_works: bool = True, old: bool = False) -> None:
        self.fails, self.api_works, self.old = iter(fails), api_works, old
        self.board = Switchboard()
        self.phones = {who: Phone(self.board, who) for who in (CALLER, LEG)}
        self.there = {who: participant(who, HERE) for who in (CALLER, LEG)}
        self.jobs: dict[str, JobRoom] = {}
        self.subscribed: set[tuple[str, str]] = set()
        """By LiveKit: listeners, and those whom they hear."""
        self.deaf: list[tuple[str, str]] = []
        """Whoever was let hear a phone while nothing of it went into the room, and no RPC failed."""
        self.failed = float("-inf")
        """When an RPC failed last, on the loop's clock."""
        self.asked: list[bool] = []
        """What the edge was told."""
        self.see()

    def see(self) -> None:
        """The edge is told who is there."""
        jobs = {who: SimpleNamespace(identity=who, sid=f"PA_{who}", kind=AGENT) for who in self.jobs}
        for who, phone in self.phones.items():
            phone.room.remote_participants = {**self.there, **jobs}
            del phone.room.remote_participants[who]
            phone.room.num_participants = len(self.there)

    def comes(self, who: str, process: str) -> None:
        self.there[who] = participant(who, process)
        if process == HERE:
            self.phones[who] = Phone(self.board, who)
        self.see()

    def subscribes(self, listener: str, sids: Iterable[str], subscribe: bool) -> None:
        for sid in sids:
            speaker = sid.removeprefix("TR_")
            if not subscribe:
                self.subscribed.discard((listener, speaker))
                continue
            self.subscribed.add((listener, speaker))
            fails = asyncio.get_running_loop().time() - self.failed < FAILS
            if speaker in self.phones and not fails and not self.phones[speaker].goes_in():
                self.deaf.append((listener, speaker))

    def meant(self) -> set[str]:
        """Whom anybody hears by LiveKit, and not directly as well."""
        directly = {(who, other) for who, phone in self.phones.items() for other in phone.place.hears}
        return {speaker for listener, speaker in self.subscribed - directly}

    def unheard(self) -> set[str]:
        return {who for who, phone in self.phones.items() if not phone.goes_in()}


AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT


def participant(who: str, process: str) -> SimpleNamespace:
    return SimpleNamespace(
        identity=who, sid=f"PA_{who}", kind=rtc.ParticipantKind.PARTICIPANT_KIND_SIP, attributes={EDGE: process},
        track_publications={f"TR_{who}": SimpleNamespace(kind=rtc.TrackKind.KIND_AUDIO, name="voice", track=object())},
    )  # fmt: skip


class JobRoom:
    """The room as a job has it, and LiveKit's API."""

    def __init__(self, world: World, identity: str) -> None:
        self.world, self.identity, self.name = world, identity, "room"
        self.local_participant = self
        self.track_publications: dict[str, object] = {}
        self.listeners: dict[str, list[Any]] = {}

    @property
    def remote_participants(self) -> dict[str, SimpleNamespace]:
        there = dict(self.world.there)
        for who, one in there.items():
            for sid, publication in one.track_publications.items():
                publication.set_subscribed = lambda on, sid=sid: self.world.subscribes(self.identity, [sid], on)
            there[who] = one
        others = {who: SimpleNamespace(identity=who, kind=AGENT, attributes={}, track_publications={})
                  for who in self.world.jobs if who != self.identity}  # fmt: skip
        return there | others

    def isconnected(self) -> bool:
        return True

    def on(self, event: str, listener: object) -> None:
        self.listeners.setdefault(event, []).append(listener)

    def off(self, *_: object) -> None:
        pass

    def happens(self, event: str, *told: object) -> None:
        for listener in self.listeners[event]:
            listener(*told)

    def set_track_subscription_permissions(self, **_: object) -> None:
        pass

    async def update_subscriptions(self, asked: api.UpdateSubscriptionsRequest) -> Any:
        await asyncio.sleep(ON_ITS_WAY)
        self.world.subscribes(asked.identity, asked.track_sids, asked.subscribe)

    async def send_data(self, sent: api.SendDataRequest) -> None:
        if not self.world.api_works:
            raise api.TwirpError(api.TwirpErrorCode.UNAVAILABLE, "away", status=503)
        for who in sent.destination_identities:
            packet = rtc.DataPacket(sent.data, rtc.DataPacketKind.KIND_RELIABLE, None, sent.topic)
            self.world.phones[who].leg._heard._on_data(packet)

    async def perform_rpc(
        self, destination_identity: str, method: str, payload: str, response_timeout: float, **_: object
    ) -> str:
        told = json.loads(payload)
        self.world.asked.append(bool(told.get(UNHEARD)))
        how = next(self.world.fails, "")
        if how:
            self.world.failed = asyncio.get_running_loop().time()
        await asyncio.sleep(ON_ITS_WAY)
        if how == "lost":
            await asyncio.sleep(response_timeout)
            raise rtc.RpcError(rtc.RpcError.ErrorCode.RESPONSE_TIMEOUT, "lost")
        if self.world.old and "of" not in told:
            raise rtc.RpcError(rtc.RpcError.ErrorCode.APPLICATION_ERROR, "Who is to be heard?")
        phone = self.world.phones.get(destination_identity)
        if phone is None:
            raise rtc.RpcError(rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD, "What?")
        assert told[PROOF] == proof(SECRET, "room", self.identity)
        called = SimpleNamespace(caller_identity=self.identity, payload=payload)
        answer = cast(str, phone.leg._rpcs(cast(rtc.Room, phone.room))[method](cast(Any, called)))
        if how == "unanswered":
            await asyncio.sleep(response_timeout)
            raise rtc.RpcError(rtc.RpcError.ErrorCode.RESPONSE_TIMEOUT, "unanswered")
        await asyncio.sleep(ON_ITS_WAY)
        return answer


def job(world: World, identity: str = "job-1", *, follows: bool = False, seen: bool = True) -> tuple[JobRoom, Hearing]:
    """One that has come; `seen`: the edge knows it."""
    room = JobRoom(world, identity)
    if seen:
        world.jobs[identity] = room
        world.see()
    prove = partial(proof, SECRET)
    return room, Hearing(cast(Any, room), cast(Any, room), CALLER, prove=prove, follows=follows)


def scene(world: Coroutine[Any, Any, World]) -> World:
    """Play it, on a clock of its own."""
    return virtual.run(world)


async def talking(world: World, hearing: Hearing) -> None:
    hearing.set(bridge("1"))
    await asyncio.sleep(TALKED)
    assert world.unheard() == {CALLER, LEG}


def test_two_who_talk_in_one_process_say_nothing_into_their_room_once_all_is_calm() -> None:
    async def play() -> World:
        world = World()
        _, hearing = job(world)
        async with hearing:
            hearing.set(bridge("1"))
            await asyncio.sleep(SPARED[0] - 0.1)
            assert world.unheard() == set()
            await talking(world, hearing)
            assert world.subscribed == set(), "nobody decodes anybody"
        return world

    assert scene(play()).asked == [False, False, True, True]


@pytest.mark.parametrize("matrix", [ATTENDED, hears(JOB, THE_CALLER) | bridge("1"), consults(["1"])])
def test_whoever_is_let_hear_one_by_livekit_hears_from_the_first_word(matrix: Matrix) -> None:
    async def play() -> World:
        world = World()
        _, hearing = job(world)
        async with hearing:
            for _ in range(3):
                await talking(world, hearing)
                hearing.set(matrix)
                await asyncio.sleep(0.1)
                assert world.subscribed, "it took not a tenth of a second"
                await asyncio.sleep(TALKED)
        return world

    assert scene(play()).deaf == []


def test_somebody_who_comes_from_elsewhere_hears_from_the_first_word() -> None:
    async def play() -> World:
        world = World()
        room, hearing = job(world)
        async with hearing:
            await talking(world, hearing)
            world.comes(AWAY, ELSEWHERE)
            hearing.set(conversation(["1", "3"], caller=True))
            room.happens("participant_connected", world.there[AWAY])
            await asyncio.sleep(0.1)
            assert {(AWAY, CALLER), (AWAY, LEG)} <= world.subscribed
            await asyncio.sleep(TALKED)
            assert world.unheard() == set()
        return world

    assert scene(play()).deaf == []


@pytest.mark.parametrize("fails", ["", "lost", "unanswered"])
def test_a_job_that_takes_the_call_over_hears_whatever_the_one_before_has_said(fails: str) -> None:
    """The edge doesn't know of it yet; the one before is dead, or says it again."""

    async def play() -> World:
        world = World()
        before, hearing = job(world)
        async with hearing:
            await talking(world, hearing)
            world.fails = iter([fails] * 2)
            _, second = job(world, "job-2", follows=True, seen=False)
            async with second:
                second.set(ATTENDED)
                await asyncio.sleep(3.0)
                assert ("job-2", CALLER) in world.subscribed
                before.happens("track_published")  # the one before tells all again, too
                await asyncio.sleep(TALKED)
                assert CALLER not in world.unheard()
        return world

    assert scene(play()).deaf == []


def test_a_job_before_which_there_was_none_has_nothing_to_ask() -> None:
    async def play() -> World:
        world = World()
        _, hearing = job(world)
        async with hearing:
            hearing.set(ATTENDED)
            await asyncio.sleep(0.01)
            assert ("job-1", CALLER) in world.subscribed
            assert True not in world.asked
        return world

    scene(play())


def test_who_cant_be_told_is_told_by_livekits_api_and_nobody_waits_longer_to_hear_them() -> None:
    async def play() -> World:
        world = World()
        _, hearing = job(world)
        async with hearing:
            await talking(world, hearing)
            world.fails = iter(["lost"] * 99)
            hearing.set(ATTENDED)
            await asyncio.sleep(SOON + 0.01)
            assert ("job-1", CALLER) in world.subscribed
            assert CALLER not in world.unheard()
        return world

    scene(play())


@pytest.mark.parametrize("fails", ["lost", "unanswered"])
def test_a_job_that_follows_hears_a_phone_that_was_heard_all_along_though_it_cant_be_told(fails: str) -> None:
    async def play() -> World:
        world = World(fails=[fails] * 99, api_works=False)
        _, hearing = job(world, follows=True)
        async with hearing:
            hearing.listen()
            await asyncio.sleep(SOON + 0.01)
            assert ("job-1", CALLER) in world.subscribed
        return world

    scene(play())


@pytest.mark.parametrize("fails", [1, 5, 9])
def test_a_job_that_only_listens_has_the_caller_told_again_and_again(fails: int) -> None:
    """Nothing else happens in the room, and neither way works for a while."""

    async def play() -> World:
        world = World()
        _, hearing = job(world)
        async with hearing:
            await talking(world, hearing)
        world.api_works, world.fails = False, iter(["lost"] * fails)
        _, second = job(world, "job-2", follows=True, seen=False)
        async with second:
            second.listen()
            await asyncio.sleep(SOON + 0.01)
            assert ("job-2", CALLER) in world.subscribed
            assert CALLER in world.unheard()
            await asyncio.sleep(3.0 * fails)
            assert CALLER not in world.unheard()
        return world

    scene(play())


def test_who_is_to_be_heard_is_heard_though_they_publish_nothing_yet() -> None:
    """LiveKit tells of a track once something is said on it."""

    async def play() -> World:
        world = World()
        _, hearing = job(world)
        async with hearing:
            await talking(world, hearing)
            world.there[CALLER].track_publications.clear()
            hearing._ledger = hearing._ledger.seen(CALLER, THE_CALLER, {})
            world.fails = iter(["", "", "lost"])  # whom the two hear directly; and what counts
            hearing.set(bridge("1") | hears(JOB, THE_CALLER))
            await asyncio.sleep(2.0)
            assert CALLER not in world.unheard()
            await asyncio.sleep(TALKED)
            assert CALLER not in world.unheard()
        return world

    scene(play())


def test_nothing_is_said_of_one_of_whom_it_is_no_longer_true() -> None:
    async def play() -> World:
        world = World()
        room, _ = job(world)
        sparing = Sparing(cast(Any, room), cast(Any, room), partial(proof, SECRET), follows=False)
        await sparing.unheard(CALLER, lambda: False)
        return world

    assert scene(play()).asked == []


def test_who_cant_be_told_is_told_again_and_again() -> None:
    async def play() -> World:
        world = World(api_works=False)
        _, hearing = job(world)
        async with hearing:
            await talking(world, hearing)
            world.fails = iter(["lost"] * 5)
            hearing.set(ATTENDED)
            await asyncio.sleep(30.0)
            assert CALLER not in world.unheard()
            assert ("job-1", CALLER) in world.subscribed
        return world

    scene(play())


def test_an_edge_of_before_is_told_once_and_nothing_is_waited_for() -> None:
    async def play() -> World:
        world = World(old=True)
        _, hearing = job(world)
        async with hearing:
            hearing.set(bridge("1"))
            await asyncio.sleep(TALKED * 2)
            assert world.asked == [False, False, True, True]
            hearing.set(ATTENDED)
            await asyncio.sleep(0.001)
            assert ("job-1", CALLER) in world.subscribed
            assert world.unheard() == set()
        return world

    scene(play())


@pytest.mark.parametrize("process", [ELSEWHERE, ""])
def test_nothing_is_said_of_those_in_whose_room_is_anybody_else(process: str) -> None:
    async def play() -> World:
        world = World()
        world.comes(AWAY, process)
        _, hearing = job(world)
        async with hearing:
            hearing.set(bridge("1"))
            await asyncio.sleep(TALKED)
        return world

    assert True not in scene(play()).asked


_MATRICES = st.sampled_from(
    [
        ATTENDED,
        bridge("1"),
        bridge("1") | hears(JOB, leg("1")),
        consults(["1", "2"]),
        conversation(["1", "2"], caller=False),
        conversation(["1", "2"], caller=True),
        conversation(["1", "3"], caller=True),
        hears(THE_CALLER, JOB),
    ]
)
_STEPS = st.lists(
    st.tuples(st.one_of(_MATRICES, st.sampled_from(["third", "away", "follows", "anew"])),
              st.sampled_from([0.0, 0.01, 0.2, 1.51, 2.0, TALKED])),
    min_size=1, max_size=8,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(_STEPS, st.lists(st.sampled_from(["", "", "lost", "unanswered"]), max_size=12))
def test_whoever_is_meant_to_hear_by_livekit_hears(steps: list[tuple[Matrix | str, float]], fails: list[str]) -> None:
    """Whatever is wanted, whoever comes, whichever job takes over: from their first word on, and for as long as it is wanted."""

    async def play() -> World:
        world, tasks = World(), list[tuple[JobRoom, Hearing]]()
        try:
            tasks.append(job(world))
            await tasks[-1][1].__aenter__()
            await talking(world, tasks[-1][1])
            world.fails = iter(fails)
            for step, wait in steps:
                room, hearing = tasks[-1]
                if isinstance(step, Matrix):
                    hearing.set(step)
                elif step == "follows":
                    tasks.append(job(world, f"job-{len(tasks) + 1}", follows=True, seen=False))
                    await tasks[-1][1].__aenter__()
                    tasks[-1][1].set(hearing.matrix or ATTENDED)
                elif step == "anew":
                    room.happens("reconnected")
                elif (who := {"third": THIRD, "away": AWAY}[step]) not in world.there:
                    world.comes(who, HERE if who == THIRD else ELSEWHERE)
                    for one, _ in tasks:
                        one.happens("participant_connected", world.there[who])
                await asyncio.sleep(wait)
            await asyncio.sleep(30.0)
            assert world.meant() & world.unheard() == set()
        finally:
            for _, hearing in tasks:
                await hearing.__aexit__(None, None, None)
        return world

    assert scene(play()).deaf == []
