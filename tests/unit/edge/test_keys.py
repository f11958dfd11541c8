"""Keys that are pressed while LiveKit is being reached again, and who is told which were."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import cast

import pytest
from livekit import rtc

from gateway.edge.keys import MOST, WITHIN, Keys, Unheard, sent
from gateway.terms.gap import HEARD, KEPT_FOR, NOT_YET, PROOF, proof
from tests.unit.conduct import virtual


def test_a_key_waits_for_a_connection_that_is_resumed() -> None:
    async def publish() -> None:
        await asyncio.sleep(4.0)

    assert virtual.run(sent(publish)) == ""


def test_what_has_failed_is_tried_again_and_sent_once() -> None:
    tries, published = list[float](), list[float]()

    async def publish() -> None:
        now = asyncio.get_running_loop().time()
        tries.append(now)
        if now < 2.0:
            raise rtc.participant.PublishDTMFError("The connection is closed.")
        published.append(now)

    assert virtual.run(sent(publish)) == ""
    assert len(published) == 1 and published[0] < 2.5 and len(tries) < 12


def test_a_key_is_given_up_in_the_end() -> None:
    async def publish() -> None:
        await asyncio.sleep(2 * WITHIN)

    assert virtual.run(sent(publish)) != ""


def test_the_keys_that_nobody_has_heard_are_kept_in_order() -> None:
    keys = Unheard()
    for at, key in enumerate("12345"):
        keys.add(key, float(at))
    keys.heard(2)
    assert keys.told(5.0) == (["3", "4", "5"], 6)
    keys.heard(1)
    assert keys.told(KEPT_FOR + 3.5) == (["5"], 6), "no longer than they are of use"
    keys.heard(9)
    assert keys.told(KEPT_FOR + 3.5) == ([], 6)
    for key in "0" + MOST * "7":
        keys.add(key, 200.0)
    assert keys.told(200.0) == ([*MOST * "7"], 7 + MOST)


ROOM, JOB = "call-_a", "agent-1"


class Room:
    """A room in which LiveKit has told of some."""

    name = ROOM

    def __init__(self, **kinds: int) -> None:
        self.remote_participants = {who: SimpleNamespace(kind=kind) for who, kind in kinds.items()}


def asked(room: Room, identity: str, payload: object, secret: str = "secret") -> str:
    called = rtc.RpcInvocationData("1", identity, json.dumps(payload), 1.0)
    return Keys("call", secret).asked(cast(rtc.Room, room), called)


def test_a_job_is_known_by_its_proof_before_livekit_tells_of_it() -> None:
    assert asked(Room(), JOB, {PROOF: proof("secret", ROOM, JOB)}) == "{}"


def test_a_job_of_another_secret_is_known_once_livekit_tells_of_it() -> None:
    agent, human = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT, rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD
    theirs = {PROOF: proof("another", ROOM, JOB)}
    assert asked(Room(**{JOB: agent}), JOB, theirs) == "{}"
    for room in (Room(), Room(**{JOB: human})):
        with pytest.raises(rtc.RpcError) as refused:
            asked(room, JOB, theirs)
        assert refused.value.code == NOT_YET


@pytest.mark.parametrize(
    "proven",
    [proof("secret", ROOM, "agent-2"), proof("secret", "call-_b", JOB), proof("", ROOM, JOB), "", "é"],
    ids=["another's", "of another room", "no secret", "none", "no hash"],
)
@pytest.mark.parametrize("heard", [{}, {HEARD: 5}])
def test_who_proves_something_else_is_told_nothing(proven: str, heard: dict[str, int]) -> None:
    for secret in ("secret", ""):
        with pytest.raises(rtc.RpcError):
            asked(Room(), JOB, {PROOF: proven, **heard}, secret)


@pytest.mark.parametrize("payload", [None, [], 7, {}, {PROOF: 7}, {PROOF: "x", HEARD: "y"}, {PROOF: "x", HEARD: True}])
def test_what_no_job_asks_is_refused_for_good(payload: object) -> None:
    with pytest.raises(rtc.RpcError) as refused:
        asked(Room(**{JOB: rtc.ParticipantKind.PARTICIPANT_KIND_AGENT}), JOB, payload)
    assert refused.value.code == rtc.RpcError.ErrorCode.APPLICATION_ERROR
