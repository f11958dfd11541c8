"""A caller in danger on a real call, with a model that pays no heed to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agents.words.lines import danger
from gateway.phone.phone import Phone
from tests.e2e.gateway import Stack, running_gateway
from tests.e2e.records import record, sip_id
from tests.e2e.scripted_model import Reply, ScriptedModel, scripted_model
from tests.e2e.servers import free_port
from tests.e2e.test_house import caller, said

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.speech, pytest.mark.timeout(120)]
__all__ = ["caller"]

OPEN, SEALED = "+15105550721", "+15105550722"
PLAN = """
offhook: 1
country: US
timezone: America/New_York
human: callback
numbers: {"+15105550721": open, "+15105550722": sealed}
routes:
  open: {agent: sales, greeting: Hello.}
  sealed: {agent: support, greeting: Hello., seal_digits: true}
"""
NEXT = "And what is your company called?"


@pytest.fixture(scope="module")
def port() -> int:
    """Where the model is."""
    return free_port()


@pytest.fixture(scope="module")
def model(port: int) -> Iterator[ScriptedModel]:
    with scripted_model(port) as made:
        made.answers = lambda _: Reply(NEXT)
        yield made


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, port: int, model: ScriptedModel) -> Iterator[Stack]:
    plans = tmp_path_factory.mktemp("plans")
    (plans / "main.yaml").write_text(PLAN)
    more = {"OFFHOOK_LLM_CHAIN": f"script=http://127.0.0.1:{port}/v1", "OFFHOOK_HOLD_SECONDS": "8"}
    with running_gateway(tmp_path_factory.mktemp("danger"), plans, **more) as found:
        yield found


@pytest.fixture(scope="module")
def phone_target(stack: Stack) -> str:
    return stack.sip


@pytest.mark.parametrize(
    ("number", "words"),
    [(OPEN, "I think my father has a heart attack."), (SEALED, "Call nine one one.")],
)
async def test_a_caller_in_danger_is_told_to_hang_up_and_dial(
    stack: Stack, caller: Phone, model: ScriptedModel, number: str, words: str
) -> None:
    call = await caller.dial(number)
    await call.answered()
    await call.spoken(25, 1.0)
    await caller.say(call, words)
    await said(caller, call, danger("US", "en-US"), 30)
    await call.spoken(10, 1.0)
    await caller.say(call, "We need a new phone system.")  # it was nothing
    await said(caller, call, NEXT, 30)
    await call.hang_up()
    found = await record(stack, sip_id(call), ending="served")
    told = [turn["text"] for turn in found["turns"] if turn["speaker"] == "agent"]
    assert told.index(danger("US", "en-US")) == 1, "at once, after the greeting"
    assert told[2:] == [NEXT], "and the model was asked for nothing before"
