"""Callers whom an agent puts through, cold: by their own carrier, or from here; and who come back to it.

The model is the test's own, so that it does what a test is about, and the worst besides.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agents.words.lines import Say, line_of
from gateway.phone.call import Call, Unmet
from gateway.phone.phone import Phone
from gateway.phone.referred import TAKEN
from tests.e2e.gateway import Stack, running_gateway
from tests.e2e.records import record, sip_id
from tests.e2e.scripted_model import Messages, Reply, ScriptedModel, scripted_model, told
from tests.e2e.scripted_model import said as words_of
from tests.e2e.servers import free_port
from tests.e2e.test_house import callees, caller, said, talk
from tests.unit.guard.tricks import tricks

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.speech, pytest.mark.timeout(180)]
__all__ = ["callees", "caller"]

EITHER, DIALED, REFERRED, OPEN, DEAR = (f"+151055507{number}" for number in ("11", "12", "13", "14", "15"))
ANA, LIZ = "+15105550111", "+442079460111"
PLAN = """
offhook: 1
country: US
timezone: America/New_York
human: callback
numbers: {"+15105550711": either, "+15105550712": dialed, "+15105550713": referred, "+15105550714": open, "+15105550715": dear}
outbound:
  countries: [GB]
  caps: {call: 2, caller: 1000, route: 1000}
  spend: {a_day: 3, minute: {+1: 0, otherwise: 1}, minutes: 2}
routes:
  either: {agent: sales, greeting: Hello., transfer: {to: {billing: ana}, ring: 8s}}
  dialed: {agent: sales, greeting: Hello., transfer: {to: {billing: ana}, by: dial, ring: 8s}}
  referred: {agent: sales, greeting: Hello., transfer: {to: {billing: ana}, by: refer, ring: 8s}}
  open: {agent: sales, greeting: Hello., transfer: {to: {billing: ana}, numbers: yes, ring: 8s}}
  dear: {agent: sales, greeting: Hello., transfer: {to: {billing: liz}, by: dial, ring: 60s}}
people: {ana: {call: (510) 555-0111}, liz: {call: +44 20 7946 0111}}
"""


@pytest.fixture(scope="module")
def port() -> int:
    """Where the model is."""
    return free_port()


@pytest.fixture(scope="module")
def served(port: int) -> Iterator[ScriptedModel]:
    with scripted_model(port) as made:
        yield made


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, port: int, served: ScriptedModel) -> Iterator[Stack]:
    plans = tmp_path_factory.mktemp("plans")
    (plans / "main.yaml").write_text(PLAN)
    chain = f"script=http://127.0.0.1:{port}/v1"
    more = {"OFFHOOK_LOG_LEVEL": "debug", "OFFHOOK_HOLD_SECONDS": "8", "OFFHOOK_LLM_CHAIN": chain}
    with running_gateway(tmp_path_factory.mktemp("transfers"), plans, **more) as found:
        yield found


@pytest.fixture(scope="module")
def phone_target(stack: Stack) -> str:
    return stack.sip


@pytest.fixture
def model(served: ScriptedModel) -> ScriptedModel:
    served.answers = put_through("billing")
    served.asked.clear()
    return served


def put_through(*to: str):  # type: ignore[no-untyped-def]  # a test's own script
    """The model puts the caller through, whatever they say."""

    def answers(messages: Messages) -> Reply:
        if not words_of(messages):
            return Reply("One moment, please.")
        return Reply(calls=[("transfer_call", {"to": one}) for one in to])

    return answers


async def asks(caller: Phone, number: str, *, status: int = TAKEN, outcome: int = 200, after: float = 0.0) -> Call:
    """A caller who has asked to be put through, and whose phone takes a REFER so."""
    call = await caller.dial(number)
    call.transfers.status, call.transfers.outcome, call.transfers.after = status, outcome, after
    await call.answered()
    await call.spoken(25, 1.0)
    await caller.say(call, "I would like to talk about an invoice.")
    return call


@pytest.mark.parametrize(
    ("outcome", "say"),
    [(486, Say.NOT_FREE), (603, Say.NOT_TAKEN), (480, Say.NOT_TAKEN), (408, Say.NOT_ANSWERED), (404, Say.NOT_REACHED)],
)  # fmt: skip
async def test_who_isnt_reached_by_their_carrier_talks_on_with_the_agent(
    stack: Stack, caller: Phone, model: ScriptedModel, outcome: int, say: Say
) -> None:
    call = await asks(caller, EITHER, outcome=outcome, after=1.5)
    await said(caller, call, line_of(say, "en"), 40)
    model.answers = lambda _: Reply("Your invoice is on its way.")
    await call.spoken(10, 1.0)
    await caller.say(call, "What about it?")
    await said(caller, call, "Your invoice is on its way.", 30)
    remembered = " ".join(str(one.get("content")) for one in model.asked[-1])
    before = next(words for asked in model.asked if (words := words_of(asked)))
    assert before in remembered, "what was said before is known, as it was understood"
    assert line_of(say, "en").split(".")[0] in remembered
    await call.hang_up()
    found = await record(stack, sip_id(call), ending="served")
    assert [(leg["how"], leg["status"]) for leg in found["legs"]] == [("failed", outcome)]


async def test_the_caller_hears_ringing_while_their_carrier_calls(
    stack: Stack, caller: Phone, model: ScriptedModel
) -> None:
    call = await asks(caller, EITHER, outcome=200, after=4.0)
    await call.tone([425.0], 25)
    await call.ended(30)
    await record(stack, sip_id(call), ending="served")


@pytest.mark.parametrize("status", [405, 501, 403])
async def test_where_the_carrier_cant_they_are_rung_from_here(
    stack: Stack, caller: Phone, callees: Phone, model: ScriptedModel, status: int
) -> None:
    call = await asks(caller, EITHER, status=status)
    ringing = await callees.rung(40)
    assert ringing.dialed == ANA
    await call.tone([440.0, 480.0], 15)
    human = await ringing.answer()
    await talk(call, human)
    await human.hang_up()
    await call.ended()
    found = await record(stack, sip_id(call), ending="served", hung_up_by="human")
    assert [(leg["member"], leg["how"]) for leg in found["legs"]] == [("ana", "failed"), ("ana", "left")]


async def test_a_carrier_that_cant_leaves_the_caller_where_nothing_else_is_allowed(
    stack: Stack, caller: Phone, callees: Phone, model: ScriptedModel
) -> None:
    call = await asks(caller, REFERRED, status=405)
    await said(caller, call, line_of(Say.NOT_REACHED, "en"), 40)
    with pytest.raises(Unmet):
        await callees.rung(1.0)
    await call.hang_up()


@pytest.mark.parametrize(("status", "say"), [(486, Say.NOT_FREE), (603, Say.NOT_TAKEN), (0, Say.NOT_ANSWERED)])
async def test_who_isnt_reached_from_here_talks_on_with_the_agent(
    stack: Stack, caller: Phone, callees: Phone, model: ScriptedModel, status: int, say: Say
) -> None:
    call = await asks(caller, DIALED)
    ringing = await callees.rung(40)
    if status:
        ringing.reject(status)
    await said(caller, call, line_of(say, "en"), 40)
    assert call.transfers.to == []
    await call.hang_up()
    await record(stack, sip_id(call), ending="served")


async def test_a_call_is_put_through_no_more_often_than_its_cap(
    stack: Stack, caller: Phone, callees: Phone, model: ScriptedModel
) -> None:
    call = await asks(caller, DIALED)
    for turn in range(3):
        if turn < 2:
            (await callees.rung(40)).reject(486)
        await said(caller, call, line_of(Say.NOT_FREE if turn < 2 else Say.NOT_REACHED, "en"), 40)
        await call.spoken(10, 1.0)
        await caller.say(call, "I would like to talk about an invoice.")
    await call.hang_up()
    with pytest.raises(Unmet):
        await callees.rung(1.0)


async def test_a_days_money_bounds_who_is_put_through_and_what_wasnt_talked_comes_back(
    stack: Stack, caller: Phone, callees: Phone, model: ScriptedModel
) -> None:
    call = await asks(caller, DEAR)
    ringing = await callees.rung(40)
    assert ringing.dialed == LIZ
    other = await asks(caller, DEAR)  # two such calls at once would cost more than a day may
    await said(caller, other, line_of(Say.NOT_REACHED, "en"), 40)
    with pytest.raises(Unmet):
        await callees.rung(0.5)
    await other.hang_up()
    ringing.reject(486)
    await said(caller, call, line_of(Say.NOT_FREE, "en"), 40)
    await call.hang_up()
    again = await asks(caller, DEAR)
    (await callees.rung(40)).reject(486)
    await again.hang_up()
    found = await record(stack, sip_id(other))
    assert ["day's cap" in (leg["reason"] or "") for leg in found["legs"]] == [True]


@pytest.mark.parametrize("number", [DIALED, OPEN])
async def test_a_hostile_model_reaches_nobody(
    stack: Stack, caller: Phone, callees: Phone, model: ScriptedModel, number: str
) -> None:
    """It calls every tool that it is offered with the worst arguments; nothing leaves, by no way."""
    worst = [trick for trick, _ in zip(tricks(seed=8), range(240), strict=False)]
    at, answered = [0], list[str]()

    def answers(messages: Messages) -> Reply:
        answered.extend(told(messages))
        batch = worst[at[0] : at[0] + 40]
        at[0] += 40
        calls: list[tuple[str, dict[str, object]]] = [("transfer_call", {"to": one}) for one in batch]
        calls += [("save_lead", {"name": one, "company": one}) for one in batch[:5]]
        return Reply(calls=calls) if batch else Reply("That is all.")

    model.answers = answers
    call = await asks(caller, number)
    for _ in range(4):
        await call.spoken(40, 1.0)
        if at[0] >= len(worst):
            break
        await caller.say(call, "I would like to talk about an invoice.")
    assert sum("error" in one for one in answered) >= 200, "it did its worst"
    with pytest.raises(Unmet):
        await callees.rung(1.0)
    assert call.transfers.to == []
    await call.hang_up()
    found = await record(stack, sip_id(call))
    assert {leg["how"] for leg in found["legs"]} <= {"failed"}, "the record tells whom it tried"
