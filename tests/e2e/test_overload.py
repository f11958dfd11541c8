"""A gateway that has no more slots, or whose agents answer too slowly: who still gets what, and how those who talk are
left alone."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import cycle
from statistics import median

import pytest

from agents.engines.thinking import FIRST_WITHIN
from gateway.phone.call import Call
from gateway.phone.phone import Phone
from tests.e2e.gateway import Stack, running_gateway
from tests.e2e.records import record, sip_id
from tests.e2e.scripted_model import Reply, ScriptedModel, scripted_model
from tests.e2e.servers import free_port, until
from tests.e2e.test_calls import SALES
from tests.e2e.test_house import said
from tests.e2e.test_providers import answered

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(180)]

AT_ONCE = 4.0
"""Seconds within which a caller is answered or refused, on a busy machine: nobody is tried in vain first."""

SENTENCES = ("We need new phones.", "My name is John.", "I work for Acme.", "We are in Boston.")
"""What callers say, again and again: whoever so repeats more than four words counts as a recording."""
GREETING = "How can I help you today?"
ANSWER = "Go on, I hear every word of what you say."
"""So many words come in time one by one, slow as they all are together (see ScriptedModel)."""
LINES = 4
"""Callers who talk at once: eight answers in half a minute are needed to judge agents by."""
BOUND = 7.0
"""Seconds that callers may wait: less than a chain waits in vain for its only model, and on a machine with nothing else to do
four times as long as they wait."""
SLOWLY = BOUND + 0.5
"""Seconds that the model takes while it is slow: too long by itself, whatever hearing and speaking take here."""
ANSWERED_WITHIN = 30.0
"""Seconds: whoever waits for longer isn't answered."""
JUDGED_WITHIN = 60.0
"""Seconds until what was measured has changed: half a minute counts."""
LOOK = 0.1
"""Seconds between two looks at what has come of it."""
TOO_SLOW, FAST_AGAIN = "agents are too slow", "agents are fast enough again"
PLAN = """
offhook: 1
country: US
timezone: America/New_York
human: callback
numbers: {"+15105550100": sales}
people: {ana: {call: (510) 555-0111}}
teams: {crew: {members: [ana], for: 8s}}
routes:
  sales: {agent: sales, greeting: How can I help you today?, full: busy, no_agent: busy, dead_air: {after: 60s, to: busy}}
  busy: {message: {full: "All lines are busy. Please speak.", otherwise: Please speak., at_most: 6s, notify: crew}}
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A gateway whose pools bear one call each."""
    with running_gateway(tmp_path_factory.mktemp("small"), OFFHOOK_CALLS_AT_ONCE="1") as found:
        yield found


async def shown(stack: Stack, **calls: int) -> None:
    """Return once `offhook status` shows so many calls of these pools. Nobody who talks waits for it meanwhile."""
    async with asyncio.timeout(20):
        while True:
            told = json.loads(await asyncio.to_thread(stack.offhook, "status", "--json"))["pools"]
            assert {(told[pool]["slots"], told[pool]["workers"]) for pool in calls} == {(1, 1)}
            if {pool: told[pool]["calls"] for pool in calls} == calls:
                return


async def test_when_every_agent_talks_the_house_speaks_and_when_it_does_callers_are_refused(small: Stack) -> None:
    async with Phone(small.sip, caller="+15105550171") as phone:
        first = await phone.dial(SALES)
        await first.answered(20)
        await first.talking(0.5)
        began = time.monotonic()
        second = await phone.dial(SALES)
        await second.answered(AT_ONCE)
        full = asyncio.create_task(shown(small, agents=1, house=1))
        await second.talking(0.5, 10)
        third = await phone.dial(SALES)
        await third.ended(AT_ONCE)
        assert third.signalling.status == 503
        print(f"the second answered and the third refused after {time.monotonic() - began:.1f} s")
        await full
        assert first.signalling.ended is None
        await second.hang_up()
        await first.hang_up()
        served, promised = await record(small, sip_id(first)), await record(small, sip_id(second))
        assert [(one["route"], one["act"]) for one in served["stops"]] == [("sales", "talk")]
        assert [one["act"] for one in promised["stops"]] == ["promise"]
        assert len(promised["attempts"]) == 1, "no agent was tried in vain"
        await shown(small, agents=0)
        again = await phone.dial(SALES)
        await again.answered(20)
        await again.talking(0.5)
        await again.hang_up()
        assert (await record(small, sip_id(again)))["agent"] == "sales"


@pytest.fixture(scope="module")
def served() -> Iterator[ScriptedModel]:
    with scripted_model(free_port()) as made:
        yield made


@pytest.fixture
def model(served: ScriptedModel) -> ScriptedModel:
    """It answers at once."""
    served.answers, served.seconds = lambda _: Reply(ANSWER), 0.0
    return served


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory, served: ScriptedModel) -> Iterator[Stack]:
    """A gateway whose agents are as slow as their model, and which bears little of it."""
    plans = tmp_path_factory.mktemp("plans")
    (plans / "main.yaml").write_text(PLAN)
    more = {
        "OFFHOOK_LLM_CHAIN": f"script={served.url}",
        "OFFHOOK_ANSWER_SECONDS": str(BOUND),
        "OFFHOOK_HOLD_SECONDS": "0",  # what is heard first is the answer
    }
    with running_gateway(tmp_path_factory.mktemp("slow"), plans, **more) as found:
        yield found


class Talk:
    """One caller, who says a few words, is answered, and so on."""

    def __init__(self, phone: Phone, call: Call) -> None:
        self._phone, self.call = phone, call
        self.waited: list[tuple[float, float]] = []
        """When each turn of theirs had begun, and how long they waited for its answer; seconds."""

    async def greeted(self) -> float:
        """Seconds from their dialing until they heard something; they have heard all of it now."""
        await self.call.answered()
        await said(self._phone, self.call, GREETING)
        await self.call.quiet()
        return first_heard(self.call)

    async def say(self, words: str, answer: str = ANSWER) -> float:
        """Seconds from their last sound until the answer, all of which they have heard now. Raises Unmet."""
        began = time.monotonic()
        waited = await answered(self._phone, self.call, words, answer, ANSWERED_WITHIN)
        await self.call.quiet(0.6)
        self.waited.append((began, waited))
        return waited

    async def go_on(self) -> None:
        """Until cancelled. Raises Unmet where there is no answer."""
        for words in cycle(SENTENCES):
            await self.say(words)


def first_heard(call: Call) -> float:
    """Seconds from dialing until something was heard."""
    told = call.timeline()
    assert told.invite_to_answer is not None
    assert told.answer_to_first_word is not None
    return told.invite_to_answer + told.answer_to_first_word


@asynccontextmanager
async def talking(*talks: Talk) -> AsyncIterator[None]:
    """They talk on and on meanwhile. Raises at once what has ended one of them, in a group."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(talk.go_on(), name="caller") for talk in talks]
        yield
        for task in tasks:
            task.cancel()


async def waits(talks: Sequence[Talk], turns: int) -> Sequence[float]:
    """How long they wait for answers to what they say from now on, so many turns of each."""
    since = time.monotonic()

    def each() -> list[list[float]]:
        return [[gap for began, gap in talk.waited if began >= since][:turns] for talk in talks]

    await until(lambda: all(len(gaps) == turns for gaps in each()), JUDGED_WITHIN, LOOK)
    return [gap for gaps in each() for gap in gaps]


async def waits_while_full(stack: Stack, talks: Sequence[Talk]) -> Sequence[float]:
    """How long they wait though agents count as too slow still: the slow answers of before count for half a minute."""
    found = await waits(talks, 2)
    assert FAST_AGAIN not in stack.log("control")
    return found


async def turned_away(stack: Stack, phone: Phone) -> float:
    """Seconds until a new caller hears that all lines are busy, and no agent."""
    call = await phone.dial(SALES)
    await call.answered()
    await said(phone, call, "All lines are busy. Please speak.")
    await call.hang_up()
    found = await record(stack, sip_id(call))
    assert [(one["act"], one["because"]) for one in found["stops"]] == [("record", "full")]
    assert len(found["attempts"]) == 1, "no agent was tried in vain"
    return first_heard(call)


@pytest.mark.speech
@pytest.mark.timeout(420)
async def test_when_agents_answer_too_slowly_new_callers_hear_so_and_those_who_talk_are_answered_as_before(
    slow: Stack, model: ScriptedModel
) -> None:
    async with Phone(slow.sip, caller="+15105550172") as phone:
        talks = [Talk(phone, await phone.dial(SALES)) for _ in range(LINES)]
        greeted = tell("greeted", [await talk.greeted() for talk in talks])
        async with talking(*talks):
            usual = tell("usual", await waits(talks, len(SENTENCES)))
            assert TOO_SLOW not in slow.log("control"), (
                "this machine has so much to do that agents are too slow as it is"
            )

            model.seconds = SLOWLY
            slowly = tell("slow", await waits(talks, 1))
            await until(lambda: TOO_SLOW in slow.log("control"), JUDGED_WITHIN, LOOK)
            meanwhile, first = await asyncio.gather(waits(talks, 1), turned_away(slow, phone))

            model.seconds = 0.0
            full, second = await asyncio.gather(waits_while_full(slow, talks), turned_away(slow, phone))
            tell("slow, and full", meanwhile)
            tell("full", full)
            refused = tell("refused", [first, second])

            await until(lambda: FAST_AGAIN in slow.log("control"), JUDGED_WITHIN, LOOK)
            after, _ = await asyncio.gather(waits(talks, 2), taken(slow, phone))
            usual = [*usual, *tell("usual again", after)]
    differ = max(usual) - min(usual)
    assert max(full) < max(usual) + differ
    assert max(meanwhile) < max(slowly) + differ
    assert max(refused) < max(greeted) + differ


async def taken(stack: Stack, phone: Phone) -> None:
    """A new caller is an agent's again."""
    call = await phone.dial(SALES)
    await call.answered()
    await said(phone, call, GREETING)
    await call.hang_up()
    assert (await record(stack, sip_id(call)))["agent"] == "sales"


@pytest.mark.speech
@pytest.mark.timeout(300)
async def test_answers_that_never_come_turn_new_callers_away_as_slow_ones_do(slow: Stack, model: ScriptedModel) -> None:
    """The first word comes too late to be waited for, so that no answer is ever measured."""

    def times(what: str) -> int:
        return slow.log("control").count(what)

    await until(lambda: times(TOO_SLOW) == times(FAST_AGAIN), JUDGED_WITHIN, LOOK)
    full = free = times(TOO_SLOW)
    async with Phone(slow.sip, caller="+15105550173") as phone:
        talks = [Talk(phone, await phone.dial(SALES)) for _ in range(LINES)]
        for talk in talks:
            await talk.greeted()
        for words in SENTENCES[:-1]:
            await asyncio.gather(*(talk.say(words) for talk in talks))
        assert times(TOO_SLOW) == full
        model.answers, model.seconds = lambda _: Reply("Yes."), 2 * FIRST_WITHIN
        waited = await asyncio.gather(*(talk.say(SENTENCES[-1], "Please speak.") for talk in talks))
        tell("in vain", waited)
        await until(lambda: times(TOO_SLOW) > full, JUDGED_WITHIN, LOOK)
        tell("refused", [await turned_away(slow, phone)])
        model.seconds = 0.0
        for talk in talks:
            await talk.call.hang_up()
            notes = (await record(slow, sip_id(talk.call)))["notes"]
            (in_vain,) = [note["about"]["after"] for note in notes if note["kind"] == "in_vain"]
            assert in_vain >= FIRST_WITHIN
        await until(lambda: times(FAST_AGAIN) > free, JUDGED_WITHIN, LOOK)
        await taken(slow, phone)


def tell(what: str, seconds: Sequence[float]) -> Sequence[float]:
    """The same, printed."""
    print(f"{what}: n={len(seconds)}, {min(seconds):.2f} to {max(seconds):.2f} s, median {median(seconds):.2f}")
    return seconds
