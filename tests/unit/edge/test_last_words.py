"""What those have said last whom a phone hears directly: told to jobs alone, whole, and not for long."""

from __future__ import annotations

import asyncio
import base64
import json
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from livekit import rtc

from gateway.conduct.legs.kept_words import KeptWords, Said
from gateway.conduct.sfu.rpc import Unsupported
from gateway.edge.last_words import LastWords
from gateway.errors import PeerFault
from gateway.rtp import FRAME, FRAME_SECONDS, RATE, Samples, g711
from gateway.terms.gap import PROOF, proof
from gateway.terms.last_words import AUDIO, KEPT_FOR, LAST_WORDS, OF, PIECE, PIECE_LASTS, REMEMBERED, SECONDS
from tests.unit.conduct.virtual import run
from tests.unit.edge.test_switchboard import Phone

SECRET, ROOM = "s" * 32, "room"
MOST = 15 * 1024
"""Bytes of an RPC's answer that LiveKit takes."""


def frames(seconds: float, rate: int = RATE, first: int = 0) -> list[Samples]:
    """Each unlike the others."""
    size = FRAME * rate // RATE
    return [np.full(size, 40 * (first + n), np.int16) for n in range(round(seconds / FRAME_SECONDS))]


def there(edge: LastWords) -> rtc.Room:
    """A job's room, in which the caller's participant is asked."""

    async def perform_rpc(*, destination_identity: str, method: str, payload: str, **_: object) -> str:
        assert (destination_identity, method) == ("caller", LAST_WORDS)
        answer = edge.asked(room, called(payload))
        assert len(answer) <= MOST
        return answer

    us = SimpleNamespace(identity="job-1", perform_rpc=perform_rpc)
    room = cast(Any, SimpleNamespace(name=ROOM, local_participant=us, remote_participants={}))
    return cast(rtc.Room, room)


def called(payload: str) -> rtc.RpcInvocationData:
    return rtc.RpcInvocationData("1", "job-1", payload, 1.0)


def kept(edge: LastWords) -> KeptWords:
    return KeptWords(there(edge), "caller", lambda room, who: proof(SECRET, room, who))


def through_g711(said: list[Samples]) -> bytes:
    return g711.decode(g711.encode(np.concatenate(said), g711.Codec.PCMU), g711.Codec.PCMU).tobytes()


@pytest.mark.parametrize("seconds", [0.02, PIECE_LASTS, 3.14, REMEMBERED, REMEMBERED + 2.5])
def test_what_was_said_last_is_told_whole_and_passed_on(seconds: float) -> None:
    async def check() -> None:
        phone = Phone()
        edge, said = LastWords(phone, SECRET), frames(seconds)
        edge.let_in("leg-1")
        for frame in said:
            edge.bring("leg-1", frame)
        last = said[-round(REMEMBERED / FRAME_SECONDS) :]
        edge.shut_out("leg-1")
        told = await kept(edge).all("1")
        assert told.seconds == pytest.approx(min(seconds, REMEMBERED))
        assert told.audio == through_g711(last)
        assert (await kept(edge).known("1")) == Said(told.seconds, told.silent)
        assert phone.came["leg-1"] == said
        assert phone.lets == set()

    run(check())


def test_a_wideband_phones_words_are_told_at_8_khz() -> None:
    async def check() -> None:
        edge = LastWords(Phone(2 * RATE), SECRET)
        edge.let_in("leg-1")
        for frame in frames(2.0, 2 * RATE):
            edge.bring("leg-1", frame)
        told = await kept(edge).all("1")
        assert len(told.audio) == 2 * RATE * 2.0
        level = np.frombuffer(told.audio, np.int16)[-FRAME // 2]
        assert level == pytest.approx(40 * 99, rel=0.05)

    run(check())


def test_how_long_nothing_came_counts_until_they_had_gone() -> None:
    async def check() -> None:
        edge = LastWords(Phone(), SECRET)
        edge.let_in("leg-1")
        edge.bring("leg-1", frames(0.02)[0])
        await asyncio.sleep(0.3)
        assert (await kept(edge).known("1")).silent == pytest.approx(0.3)
        edge.shut_out("leg-1")
        await asyncio.sleep(1.0)
        assert (await kept(edge).known("1")).silent == pytest.approx(0.3)

    run(check())


def test_all_is_forgotten_a_while_after_they_have_gone_and_at_once_with_the_phone() -> None:
    async def check() -> None:
        edge = LastWords(Phone(), SECRET)
        for each in ("leg-1", "leg-2"):
            edge.let_in(each)
            for frame in frames(2.0):
                edge.bring(each, frame)
        edge.shut_out("leg-1")
        await asyncio.sleep(KEPT_FOR - 0.1)
        assert (await kept(edge).known("1")).seconds == pytest.approx(2.0)
        await asyncio.sleep(0.2)
        assert await kept(edge).all("1") == Said(0.0)
        assert (await kept(edge).known("2")).seconds == pytest.approx(2.0), "they are heard still"
        edge.forget()
        assert await kept(edge).all("2") == Said(0.0)

    run(check())


def test_who_comes_back_begins_anew_and_isnt_forgotten_for_their_first_time() -> None:
    async def check() -> None:
        edge = LastWords(Phone(), SECRET)
        edge.let_in("leg-1")
        edge.bring("leg-1", frames(0.02)[0])
        edge.shut_out("leg-1")
        edge.let_in("leg-1")
        assert (await kept(edge).known("1")).seconds == 0
        edge.bring("leg-1", frames(0.02)[0])
        await asyncio.sleep(KEPT_FOR + 1.0)
        assert (await kept(edge).known("1")).seconds == pytest.approx(0.02)

    run(check())


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "[]",
        json.dumps({OF: "leg-1"}),
        json.dumps({PROOF: "wrong", OF: "leg-1"}),
        json.dumps({PROOF: 1, OF: "leg-1"}),
        json.dumps({PROOF: proof(SECRET, ROOM, "somebody"), OF: "leg-1", PIECE: 0}),
        json.dumps({PROOF: proof(SECRET, ROOM, "job-1"), OF: "leg-1", PIECE: -1}),
        json.dumps({PROOF: proof(SECRET, ROOM, "job-1"), OF: "leg-1", PIECE: True}),
    ],
)
def test_nobody_else_is_told_anything(payload: str) -> None:
    edge = LastWords(Phone(), SECRET)
    with pytest.raises(rtc.RpcError):
        edge.asked(there(edge), called(payload))


@pytest.mark.parametrize("piece", [5, 10**30])
def test_a_piece_that_there_isnt_is_empty(piece: int) -> None:
    async def check() -> None:
        edge = LastWords(Phone(), SECRET)
        edge.let_in("leg-1")
        for frame in frames(REMEMBERED):
            edge.bring("leg-1", frame)
        asked = json.dumps({PROOF: proof(SECRET, ROOM, "job-1"), OF: "leg-1", PIECE: piece})
        assert json.loads(edge.asked(there(edge), called(asked)))[AUDIO] == ""

    run(check())


@pytest.mark.parametrize(
    "answer",
    ["", "{}", json.dumps({SECONDS: 1, "silent": 0, AUDIO: "?"}), json.dumps({SECONDS: "x", "silent": 0, AUDIO: ""})],
)
def test_an_answer_that_is_none_is_the_peers_fault(answer: str) -> None:
    async def check() -> None:
        edge = LastWords(Phone(), SECRET)
        edge.asked = lambda *_: answer  # type: ignore[method-assign]
        with pytest.raises(PeerFault):
            await kept(edge).known("1")

    run(check())


def test_a_service_that_knows_nothing_of_it_is_told_apart() -> None:
    async def check() -> None:
        def unsupported(*_: object) -> str:
            raise rtc.RpcError(rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD, "no")

        edge = LastWords(Phone(), SECRET)
        edge.asked = unsupported  # type: ignore[method-assign]
        with pytest.raises(Unsupported):
            await kept(edge).known("1")

    run(check())


def test_the_audio_is_pcmu_in_base64() -> None:
    async def check() -> None:
        edge = LastWords(Phone(), SECRET)
        edge.let_in("leg-1")
        [frame] = frames(0.02, first=7)
        edge.bring("leg-1", frame)
        asked = json.dumps({PROOF: proof(SECRET, ROOM, "job-1"), OF: "leg-1", PIECE: 0})
        told = json.loads(edge.asked(there(edge), called(asked)))
        assert base64.b64decode(told[AUDIO]) == g711.encode(frame, g711.Codec.PCMU)

    run(check())
