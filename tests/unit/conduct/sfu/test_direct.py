"""Phones of one process are let hear each other there; what that can't do, LiveKit does; and nobody is left hearing whom
they mustn't."""

from __future__ import annotations

import json
from typing import Any

import pytest
from livekit import rtc

from gateway.calls.hearing import CALLER as THE_CALLER
from gateway.calls.hearing import JOB, bridge, hears
from gateway.conduct.sfu import hearing
from gateway.conduct.sfu.hearing import Hearing
from gateway.terms.direct import HEAR, MISSING, OF
from gateway.terms.gap import PROOF
from gateway.terms.legs import EDGE
from tests.e2e.servers import until
from tests.unit.conduct.sfu.test_hearing import CALLER, LEG, Room

HERE = "edge-7"


class Phones(Room):
    """The caller's phone and a leg's, in one process of ours, which may refuse."""

    def __init__(self, leg: str = HERE) -> None:
        super().__init__(fails=0)
        for who, process in ((CALLER, HERE), (LEG, leg)):
            self.remote_participants[who].attributes = {EDGE: process}
        self.local_participant.perform_rpc = self.perform_rpc
        self.hears: dict[str, set[str]] = {CALLER: set(), LEG: set()}
        self.refuses: list[int] = []
        """The codes of the errors that come next."""
        self.missing: set[str] = set()
        self.asked = 0

    async def perform_rpc(self, destination_identity: str, method: str, payload: str, **_: object) -> str:
        self.asked += 1
        if self.refuses:
            raise rtc.RpcError(self.refuses.pop(0), "no")
        read = json.loads(payload)
        assert (method, read[PROOF]) == (HEAR, "call-1 agent")
        self.hears[destination_identity] = set(read[OF]) - self.missing
        return json.dumps({MISSING: sorted(self.missing)})

    def by_livekit(self) -> dict[str, set[str]]:
        """Whom each was let hear by LiveKit, in the end."""
        found: dict[str, set[str]] = {CALLER: set(), LEG: set()}
        for one in self.told:
            (found[one.identity].update if one.subscribe else found[one.identity].difference_update)(one.track_sids)
        return found


def prove(room: str, identity: str) -> str:
    return f"{room} {identity}"


TALK = {CALLER: {LEG}, LEG: {CALLER}}
NOBODY: dict[str, set[str]] = {CALLER: set(), LEG: set()}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "SETTLED", (0.02, 0.05))
    monkeypatch.setattr(hearing, "RETRY", (0.001,) * 3)


async def test_two_of_one_process_hear_each_other_there_and_not_by_livekit_and_then_neither() -> None:
    room: Any = Phones()
    async with Hearing(room, room, CALLER, prove=prove) as who:
        who.set(bridge("1"))
        await until(lambda: room.hears == TALK, 5.0)
        assert room.by_livekit() == NOBODY
        who.set(hears(THE_CALLER, JOB))
        await until(lambda: room.hears == NOBODY, 5.0)


@pytest.mark.parametrize("leg", ["edge-8", "1"])
async def test_two_of_different_processes_hear_each_other_by_livekit(leg: str) -> None:
    room: Any = Phones(leg)
    async with Hearing(room, room, CALLER, prove=prove) as who:
        who.set(bridge("1"))
        await until(lambda: room.by_livekit() == {CALLER: {"TR_l"}, LEG: {"TR_c"}}, 5.0)
    assert room.asked == 0


async def test_a_service_that_knows_nothing_of_it_is_asked_once_and_livekit_does_it() -> None:
    room: Any = Phones()
    room.refuses = [rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD] * 2
    async with Hearing(room, room, CALLER, prove=prove) as who:
        who.set(bridge("1"))
        await until(lambda: room.by_livekit() == {CALLER: {"TR_l"}, LEG: {"TR_c"}}, 5.0)
        who.set(hears(THE_CALLER, JOB))
        await until(lambda: room.by_livekit() == NOBODY, 5.0)
    assert room.asked == 2
    assert room.hears == NOBODY


async def test_who_isnt_answered_is_connected_by_livekit_at_once() -> None:
    room: Any = Phones()
    room.refuses = [rtc.RpcError.ErrorCode.RESPONSE_TIMEOUT] * 2
    async with Hearing(room, room, CALLER, prove=prove) as who:
        who.set(bridge("1"))
        await until(lambda: room.by_livekit() == {CALLER: {"TR_l"}, LEG: {"TR_c"}}, 5.0)
        await until(lambda: room.hears == TALK, 5.0)  # it is told all again a moment later


async def test_an_answer_that_cant_be_read_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    room: Any = Phones()

    async def garbage(**_: object) -> str:
        return "[]"

    monkeypatch.setattr(room.local_participant, "perform_rpc", garbage)
    async with Hearing(room, room, CALLER, prove=prove) as who:
        who.set(bridge("1"))
        await until(lambda: room.by_livekit() == {CALLER: {"TR_l"}, LEG: {"TR_c"}}, 5.0)


async def test_who_turns_out_to_be_elsewhere_is_heard_by_livekit() -> None:
    room: Any = Phones()
    room.missing = {LEG}
    async with Hearing(room, room, CALLER, prove=prove) as who:
        who.set(bridge("1"))
        await until(lambda: room.by_livekit() == {CALLER: {"TR_l"}, LEG: set()}, 5.0)
        assert room.hears == {CALLER: set(), LEG: {CALLER}}


async def test_who_must_not_be_heard_is_taken_back_however_often_it_takes() -> None:
    room: Any = Phones()
    async with Hearing(room, room, CALLER, prove=prove) as who:
        who.set(bridge("1"))
        await until(lambda: room.hears == TALK, 5.0)
        room.refuses = [rtc.RpcError.ErrorCode.RESPONSE_TIMEOUT] * 9
        who.set(hears(THE_CALLER, JOB))
        await until(lambda: room.hears == NOBODY, 5.0)


async def test_a_job_that_takes_over_takes_back_what_the_one_before_had_told() -> None:
    room: Any = Phones()
    room.hears = {CALLER: {LEG}, LEG: {CALLER}}
    async with Hearing(room, room, CALLER, prove=prove) as who:
        who.set(hears(THE_CALLER, JOB))
        await until(lambda: room.hears == NOBODY, 5.0)


async def test_who_loses_livekit_for_a_moment_amid_a_talk_isnt_left_hearing_it() -> None:
    """Their phones are in the process all along."""
    room: Any = Phones()
    async with Hearing(room, room, CALLER, prove=prove) as who:
        who.set(bridge("1"))
        await until(lambda: room.hears == TALK, 5.0)
        gone = room.remote_participants.pop(LEG)
        who._lessened(LEG)
        room.remote_participants[LEG] = gone
        who._comes(LEG)
        who.set(hears(THE_CALLER, JOB))
        await until(lambda: room.hears == NOBODY, 5.0)


async def test_those_who_come_while_we_are_here_hear_nobody_and_arent_asked() -> None:
    room: Any = Phones()
    theirs = {who: room.remote_participants.pop(who) for who in (LEG, CALLER)}
    async with Hearing(room, room, CALLER, prove=prove) as who:
        who.set(hears(THE_CALLER, JOB))
        room.remote_participants |= theirs
        for identity in theirs:
            who._comes(identity)
        await until(lambda: {one.identity for one in room.told} == {CALLER, LEG}, 5.0)
    assert room.asked == 0
