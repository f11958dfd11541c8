"""A caller whose agent says nothing more is led on by the house, whatever its model promises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import pairwise

import numpy as np
import pytest

from agents.words.lines import Say, line_of
from gateway.phone.call import Call
from gateway.phone.phone import Phone
from gateway.rtp import FRAME, FRAME_SECONDS, Samples
from tests.e2e.gateway import Stack, running_gateway
from tests.e2e.records import record, sip_id
from tests.e2e.servers import free_port
from tests.faults.faults import Does, Fault, Kind, Phase
from tests.faults.server import FaultServer

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.speech, pytest.mark.timeout(240)]

NUMBER = "+15105550100"
PATIENT = "+15105550101"
SILENT = 1.5
"""Seconds that a caller may hear nothing."""
BUSY = 0.5
"""What a busy machine may take in addition."""
LOUD = 300
"""Peak of a frame that a caller hears as sound."""
PLAN = """\
offhook: 1
country: US
timezone: UTC
human: callback
numbers: {"+15105550100": sales, "+15105550101": patient}
routes:
  sales: {agent: sales, greeting: Hello., dead_air: {after: 3s, to: note}}
  patient: {agent: sales, greeting: Hello., dead_air: {after: 25s, to: note}, no_agent: note}
  note: {message: {dead_air: We can't hear our assistant. Please speak., otherwise: Please speak.}}
"""


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Stack]:
    """A gateway whose agents have one model, which fails by saying nothing: they give it more time than the route does."""
    plans = tmp_path_factory.mktemp("plans")
    (plans / "main.yaml").write_text(PLAN)
    chain = f"cloud=http://127.0.0.1:{port}"
    with running_gateway(tmp_path_factory.mktemp("state"), plans, OFFHOOK_LLM_CHAIN=chain) as found:
        yield found


@pytest.fixture(scope="module")
def phone_target(stack: Stack) -> str:
    return stack.sip


@pytest.fixture
async def provider(stack: Stack, port: int) -> AsyncIterator[FaultServer]:
    async with FaultServer(stack.run.speech_url, port=port) as server:
        yield server


async def test_who_hears_no_answer_but_a_holding_phrase_is_led_on(
    phone: Phone, stack: Stack, provider: FaultServer
) -> None:
    provider.set(Kind.LLM, Fault(Does.STALL, Phase.FIRST))
    call = await phone.dial(NUMBER)
    await call.answered(15)
    await call.spoken(25, 1.0)
    await phone.say(call, "We need a new phone system.")
    moment = await phone.rendering(line_of(Say.HOLD_ON, "en-US"))
    assert await call.line(moment, 20, what="to hold on") > 0.5
    house = await phone.rendering("We can't hear our assistant.")
    assert await call.line(house, 20, what="the house") > 0.5
    await call.hang_up()
    found = await record(stack, sip_id(call))
    assert [(stop["act"], stop["because"]) for stop in found["stops"]][-1] == ("record", "dead_air")


async def test_no_silence_is_long_while_an_answer_does_not_come(
    phone: Phone, stack: Stack, provider: FaultServer
) -> None:
    """By the tape, from the caller's last sound on: the only model is tried twice, for four seconds each, and then the house
    speaks."""
    provider.set(Kind.LLM, Fault(Does.STALL, Phase.FIRST))
    call = await phone.dial(PATIENT)
    await call.answered(15)
    await call.spoken(25, 1.0)
    await phone.say(call, "We need a new phone system.")
    ended = call.tape.now
    house = await phone.rendering("Please speak.")
    assert await call.line(house, 30, what="the house") > 0.5
    found = waits(call, ended)
    print("silences:", " ".join(f"{each:.2f}" for each in found))
    await call.hang_up()
    assert max(found) < SILENT + BUSY
    notes = (await record(stack, sip_id(call)))["notes"]
    told = [note["about"]["text"] for note in notes if note["kind"] == "held"]
    assert len(told) >= 2
    assert all(one != other for one, other in pairwise(told)), "not the same words twice running"


def waits(call: Call, ended: float) -> list[float]:
    """Seconds of each silence that the caller has heard since they said their last words, a little before that time."""
    sent = call.tape.between(call.tape.sent, ended - 4.0, ended)
    heard = call.tape.between(call.tape.heard, ended - 4.0, call.tape.now)
    own = np.flatnonzero(_peaks(sent) > LOUD)[-1]
    loud = np.flatnonzero(_peaks(heard) > LOUD)
    edges = np.concatenate([[own], loud[loud > own]])
    return [round(float(gap) * FRAME_SECONDS, 2) for gap in np.diff(edges) if gap * FRAME_SECONDS > 0.5]


def _peaks(samples: Samples) -> np.ndarray[tuple[int], np.dtype[np.int_]]:
    return np.abs(samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME).astype(int)).max(axis=1)
