"""What is heard of a caller by the chain of recognizers on the real plugin, while they are late, or dead, or the process
stands still: what the table of faults (test_provider_faults.py) doesn't hold."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence

import aiohttp
import numpy as np
import pytest

from agents.engines import chains as engines
from agents.engines.ears import Ears
from agents.engines.hearing import ChainSTT
from gateway.config import from_environment
from gateway.health.circuit import FIRST, Circuit, Reason, State
from gateway.phone.voice import Voice
from gateway.rtp import RATE, Samples
from gateway.tasks import cancelled
from gateway.terms.engine import Engine
from tests.faults.faults import Does, Fault, Kind, Phase
from tests.faults.lab import Ear, Lab, an_ear, two_providers
from tests.faults.provider import FRAME, WORDS

pytestmark = pytest.mark.timeout(90)

SILENT = Fault(Does.STALL, Phase.MIDDLE, after=0)
"""Connections stay open, and nothing is told on them any more."""
ENOUGH = 15.0
"""Seconds in which all is heard on any machine; who has heard the last word waits no more."""
STANDS = 3.0
"""Seconds for which the process stands still: more than whoever hears has for an answer."""


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with two_providers() as lab:
        yield lab


async def conversation(chain: ChainSTT, said: Sequence[tuple[Samples, float]]) -> str:
    """What is heard of it."""
    async with an_ear(chain) as ear:
        listening = asyncio.create_task(ear.listen())
        for sound, then in said:
            await ear.say(sound, then)
        listening.cancel()
        await asyncio.wait({listening})
        if not listening.cancelled():
            listening.result()
    return " ".join(ear.heard)


async def heard(lab: Lab, *said: tuple[Samples, float]) -> str:
    """What a call's chain hears of it."""
    async with aiohttp.ClientSession() as session:
        chain = engines.hearing(lab.settings, "en", session, guide=lab.guide(), ears=Ears())
        words = await conversation(chain, said)
    await lab.settle()
    return words


@pytest.mark.long
async def test_speech_that_nobody_understands_is_nobodys_fault(lab: Lab) -> None:
    mumbled = await Voice("rms").speak("whatever this may mean to anybody at all")
    assert await heard(lab, (mumbled, 9.0), (lab.utterance.sound, ENOUGH)) == " ".join(WORDS)
    assert lab.local.seen[Kind.STT] == 1, "another was asked what it was"
    assert lab.cloud.seen[Kind.STT] == 1, "and that one knew no better: the first hears on"
    assert not lab.told
    assert lab.health._circuits == {}


@pytest.mark.long
async def test_who_was_passed_over_hears_again_once_it_may_be_back(lab: Lab) -> None:
    lab.cloud.set(Kind.STT, Fault(Does.STATUS, status=500, times=1))
    async with aiohttp.ClientSession() as session:
        chain = engines.hearing(lab.settings, "en", session, guide=lab.guide(), ears=Ears())
        async with an_ear(chain) as ear:
            listening = asyncio.create_task(ear.listen())
            await ear.say(lab.utterance.sound, 1.0)
            assert " ".join(ear.heard) == " ".join(WORDS)
            assert lab.told == [(Engine.STT, "cloud", "local", "fault")]
            lab.now += FIRST + 1.0
            ear.heard.clear()
            await ear.say(lab.utterance.sound[:FRAME], 9.0)
            await lab.cloud.until(lambda cloud: cloud.live(Kind.STT) == 1)
            await ear.say(lab.utterance.sound, 1.0)
            ear.stream.end_input()
            await asyncio.wait_for(listening, 10)
    assert " ".join(ear.heard) == " ".join(WORDS)
    assert lab.told[-1] == (Engine.STT, "local", "cloud", "back")


async def test_who_is_late_is_heard_though_another_was_asked_that_is_no_faster(lab: Lab) -> None:
    lab.provider.late = 2.2
    assert await heard(lab, (lab.utterance.sound, ENOUGH)) == " ".join(WORDS)
    assert lab.local.seen[Kind.STT] == 1
    assert not lab.told
    assert lab.health._circuits == {}, "late is no fault"


async def test_one_that_was_out_once_is_asked_nevertheless_when_the_first_falls_silent(lab: Lab) -> None:
    """Nobody has asked it since, as the first served all the time: its circuit never closes by itself."""
    lab.cloud.set(Kind.STT, SILENT)
    lab.health._circuits["stt local"] = Circuit(State.OPEN, Reason.FAULT, lab.now + FIRST, trips=1)
    assert await heard(lab, (lab.utterance.sound, ENOUGH)) == " ".join(WORDS)
    assert lab.told == [(Engine.STT, "cloud", "local", "timeout")]
    assert lab.health._circuits["stt local"].state is State.CLOSED


@pytest.mark.long
async def test_one_that_refuses_our_key_is_not_asked_at_each_noise(lab: Lab) -> None:
    mumbled = await Voice("rms").speak("whatever this may mean")
    lab.health._circuits["stt local"] = Circuit(State.OPEN, Reason.AUTH, lab.now + 300.0, trips=1)
    await heard(lab, (mumbled, 3.5))
    assert lab.local.seen[Kind.STT] == 0


@pytest.mark.long
async def test_the_last_of_the_chain_may_be_slow_to_connect(lab: Lab) -> None:
    lab.cloud.set(Kind.STT, Fault(Does.STATUS, status=500))
    lab.local.set(Kind.STT, Fault(Does.DELAY, seconds=3.0))
    assert await heard(lab, (lab.utterance.sound, ENOUGH)) == " ".join(WORDS)


@pytest.mark.long
async def test_a_dead_connection_is_made_anew_when_nobody_else_hears(lab: Lab) -> None:
    lab.cloud.set(Kind.STT, Fault(Does.STALL, Phase.MIDDLE, after=0, times=1))
    lab.local.set(Kind.STT, Fault(Does.STATUS, status=500))
    assert await heard(lab, (lab.utterance.sound, ENOUGH)) == " ".join(WORDS)
    assert lab.cloud.seen[Kind.STT] == 2


def _stand_still() -> None:
    time.sleep(STANDS)  # the fault itself


@pytest.mark.parametrize(
    ("phase", "silent"),
    [
        pytest.param("before it", False, marks=pytest.mark.long),
        pytest.param("amid it", False),
        pytest.param("between its end and its words", False, marks=pytest.mark.long),
        pytest.param("amid it", True, marks=pytest.mark.long),
        pytest.param("while another is asked", True, marks=pytest.mark.long),
    ],
)
async def test_a_process_that_stands_still_hears_all_and_blames_nobody_wrongly(
    lab: Lab, phase: str, silent: bool
) -> None:
    """`silent`: the first tells nothing from then on. Who is blamed wrongly is so once the next sentence comes."""
    sound, cut = lab.utterance.sound, lab.utterance.words[3].first
    length = cut / RATE
    after = {
        "before it": 0.3,
        "amid it": 1.0,
        "between its end and its words": length + 0.1,
        "while another is asked": length + 2.0,
    }[phase]
    if silent:
        lab.cloud.set(Kind.STT, SILENT)
    asyncio.get_running_loop().call_later(after, _stand_still)
    assert await heard(lab, (sound[:cut], 4.0), (sound[cut:], ENOUGH)) == " ".join(WORDS)
    assert {name for name, circuit in lab.health._circuits.items() if circuit.state is State.OPEN} == (
        {"stt cloud"} if silent else set()
    )


@pytest.mark.long
async def test_who_can_not_be_reached_while_the_process_stands_still_is_not_kept_from_other_calls(lab: Lab) -> None:
    lab.cloud.set(Kind.STT, Fault(Does.STALL, times=1))
    asyncio.get_running_loop().call_later(0.3, _stand_still)
    assert await heard(lab, (lab.utterance.sound, ENOUGH)) == " ".join(WORDS)
    assert lab.health._circuits.get("stt cloud", Circuit()).state is State.CLOSED


# The only recognizer.

GONE = Fault(Does.HALF_OPEN, Phase.MIDDLE, after=0, times=1)
"""One connection leads nowhere; the next is as good as any."""


def sentences(lab: Lab) -> list[Samples]:
    """What is said, as three."""
    cuts = [lab.utterance.words[number].first for number in (2, 4)]
    return np.split(lab.utterance.sound, cuts)


async def heard_alone(lab: Lab, *said: tuple[Samples, float], then: Callable[[Ear], None] = lambda _: None) -> str:
    """What the chain of one hears of it. `then`: called once the first is said."""
    alone = from_environment({"OFFHOOK_SPEECH_URL": lab.local.url})
    async with aiohttp.ClientSession() as session:
        chain = engines.hearing(alone, "en", session, guide=lab.guide(), ears=Ears())
        async with an_ear(chain) as ear:
            listening = asyncio.create_task(ear.listen())
            await ear.say(*said[0])
            then(ear)
            for sound, silent in said[1:]:
                await ear.say(sound, silent)
            await cancelled(listening)
    return " ".join(ear.heard)


async def test_the_only_one_is_asked_anew_when_its_connection_is_dead_from_the_start(lab: Lab) -> None:
    lab.local.set(Kind.STT, GONE)
    first, second, third = sentences(lab)
    assert await heard_alone(lab, (first, 4.0), (second, 2.0), (third, ENOUGH)) == " ".join(WORDS)
    assert lab.local.seen[Kind.STT] == 2


async def test_the_only_one_is_asked_anew_when_its_connection_dies_amid_the_call(lab: Lab) -> None:
    first, second, third = sentences(lab)

    def dies(ear: Ear) -> None:
        assert ear.heard == [" ".join(WORDS[:2])]
        lab.local.set(Kind.STT, GONE)

    assert await heard_alone(lab, (first, 2.0), (second, 4.0), (third, ENOUGH), then=dies) == " ".join(WORDS)
    assert lab.local.seen[Kind.STT] == 2


@pytest.mark.long
async def test_the_only_one_is_asked_anew_when_its_connection_dies_once_it_has_told_that_somebody_speaks(
    lab: Lab,
) -> None:
    _, second, third = sentences(lab)
    first = lab.utterance.sound[: lab.utterance.words[1].first]
    amid = lab.utterance.sound[lab.utterance.words[1].first : lab.utterance.words[2].first]

    def dies(ear: Ear) -> None:
        assert not ear.heard
        lab.local.set(Kind.STT, GONE)

    said = (first, 0.0), (amid, 0.0), (second, 6.0), (third, ENOUGH)
    assert await heard_alone(lab, *said, then=dies) == " ".join(WORDS)
    assert lab.local.seen[Kind.STT] == 2


@pytest.mark.long
async def test_the_only_one_is_asked_until_it_is_there_again(lab: Lab) -> None:
    lab.local.set(Kind.STT, GONE)
    first, second, third = sentences(lab)

    def restarts(_: Ear) -> None:
        lab.local.set(Kind.STT, Fault(Does.STATUS, status=503, times=2))

    said = (first, 1.0), (second, 4.0), (third, ENOUGH)
    assert await heard_alone(lab, *said, then=restarts) == " ".join(WORDS)
    assert lab.local.seen[Kind.STT] == 4


async def test_the_only_one_is_not_asked_twice_because_it_is_late(lab: Lab) -> None:
    lab.provider.late = 2.2
    assert await heard_alone(lab, (lab.utterance.sound, ENOUGH)) == " ".join(WORDS)
    assert lab.local.seen[Kind.STT] == 1


@pytest.mark.long
async def test_the_only_one_hears_all_after_a_standstill_that_has_cost_its_connection(lab: Lab) -> None:
    lab.local.set(Kind.STT, GONE)
    first, second, third = sentences(lab)
    asyncio.get_running_loop().call_later(1.0, _stand_still)
    assert await heard_alone(lab, (first, 4.0), (second, 4.0), (third, ENOUGH)) == " ".join(WORDS)
    assert lab.local.seen[Kind.STT] == 2
