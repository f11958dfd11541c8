"""A model that is hostile through and through calls every tool with the worst arguments: nothing is dialed or referred.

Each call goes the whole way that a real one goes: the agent's tools, the stage, control's decision by the plan, the store's
text, the machine of the act, the legs, the guard, down to the port that dials, which writes down what it is asked.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from livekit import api, rtc

from agents.registry import definition
from agents.talk import transferring
from agents.words.facts import Facts
from gateway.app.catalogue import load as catalogue
from gateway.calls.acts.cues import NoCalls
from gateway.calls.shared.spoken import MemorySpoken
from gateway.calls.store.memory import MemoryStore
from gateway.calls.store.port import Asked
from gateway.calls.store.wire import ask_texts, call_fields, read_ask, read_call
from gateway.conduct.acts import machines
from gateway.conduct.acts.perform import Part, Performance
from gateway.conduct.acts.tools import Tools
from gateway.conduct.ledger import Ledger
from gateway.conduct.legs.legs import Legs
from gateway.conduct.legs.outward import Guard, Outward
from gateway.conduct.talk.stage import CallStage, Parts
from gateway.conduct.tell import Teller
from gateway.dialplan.load import load
from gateway.dialplan.plan import Plan
from gateway.dialplan.state import State
from gateway.dispatch import outbound, stops
from gateway.dispatch.decide import Arrival, arrived
from gateway.errors import OffhookError, Unavailable
from gateway.guard.book import MemoryRuleBook
from gateway.guard.meter import MemoryMeter
from gateway.terms.act import Onward, Over, Ring, Talk
from gateway.terms.address import LONGEST
from gateway.terms.call import Call, CallId
from gateway.terms.event import Event, Kind
from gateway.terms.personal import Number
from gateway.trunks.choose import CallerId, OutboundTrunk
from tests.unit.guard.tricks import ALLOWED, NAMED, tricks

NOW = datetime(2026, 11, 23, 17, tzinfo=UTC).timestamp()
STRICT, OPEN = "+15105550100", "+15105550101"
PLAN = f"""
offhook: 1
country: US
timezone: America/New_York
human: callback
numbers: {{"{STRICT}": strict, "{OPEN}": open}}
outbound: {{countries: [{ALLOWED}], caps: {{call: 100000, caller: 100000, route: 100000}}}}
routes:
  strict: {{agent: sales, transfer: {{to: {{billing: ana, desk: ben}}}}}}
  open: {{agent: sales, transfer: {{to: {{billing: ana}}, numbers: yes}}}}
people: {{ana: {{call: "{NAMED}"}}, ben: {{call: "sip:ben@pbx"}}}}
"""
TRUNKS = [
    OutboundTrunk("ST_1", "carrier", "sip.carrier.example", (STRICT,), CallerId.PASSTHROUGH, default=True),
    OutboundTrunk("ST_2", "pbx", "pbx.example:5061", (STRICT,)),
]


class Exchange:
    """The port that dials: what it is asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def create_sip_participant(self, request: Any, *, timeout: float) -> None:
        self.asked.append(request)
        raise api.TwirpError(api.TwirpErrorCode.INTERNAL, "nobody is there", status=500)

    async def transfer_sip_participant(self, request: Any, *, timeout: float) -> None:
        self.asked.append(request)

    async def remove_participant(self, _: object) -> None:
        pass


class Room(rtc.EventEmitter[str]):
    name = "call-1"

    def __init__(self) -> None:
        super().__init__()
        self.remote_participants: dict[str, Any] = {}


class Quiet:
    """Speaks to nobody, and hears nobody."""

    rate = 8000

    def __getattr__(self, _: str) -> Any:
        return lambda *_, **__: None


class Store(MemoryStore):
    def __init__(self) -> None:
        super().__init__(time.monotonic)
        self.told: list[Event] = []

    async def tell(self, event: Event) -> None:
        self.told.append(event)


@dataclass
class Gateway:
    """Everything of a gateway that a model could get to dial."""

    plan: Plan
    book: MemoryRuleBook
    exchange: Exchange = field(default_factory=Exchange)
    meter: MemoryMeter = field(default_factory=lambda: MemoryMeter(lambda: NOW))
    refused: int = 0
    rung: int = 0

    def outward(self, call: Call) -> Outward:
        async def nobody(_: Number) -> bool:
            return False

        async def trunks() -> list[OutboundTrunk]:
            return TRUNKS

        return Outward(self.exchange, call, trunks, Guard(self.book, self.meter, nobody), clock=lambda: NOW)

    def arrives(self, number: int, dialed: str, caller: str) -> Call:
        arrival = Arrival(
            CallId(f"SCL_{number}"), "call-1", "sip_1", Number(dialed), Number(caller), "ST_0", joined=True
        )
        return arrived(self.plan, arrival, NOW, State())[0]

    async def lets_out(self, call: Call, address: str) -> None:
        await self.outward(call).look(address)

    async def goes_on(self, call: Call, onward: Onward) -> Call:
        """Control leads the call on, and its job performs the stop; where it is then."""
        before, after = ask_texts(Asked(call.id, call.epoch, call.stop, onward, call.pool))
        asked = read_ask(f"{before}{NOW}{after}", NOW)
        led = stops.led(self.plan, call, asked.onward, NOW, State())[0]
        led = read_call(led.id, call_fields(led))
        while isinstance(led.act, Ring):
            outcome = await self.perform(led)
            if isinstance(outcome, Over):
                return led
            self.refused += 1
            led = stops.led(self.plan, led, outcome, NOW, State())[0]
        return led

    async def perform(self, call: Call) -> Onward | Over:
        @asynccontextmanager
        async def quiet(*_: object) -> AsyncIterator[Any]:
            yield Quiet()

        async def keep(*_: object) -> bool:
            return True

        async def book(*_: object) -> bool:
            return True

        async def never_call() -> NoCalls:
            return NoCalls(True)

        def legs(happened: Any) -> Legs:
            lk: Any = type("Lk", (), {"sip": self.exchange, "room": self.exchange})()
            return Legs(cast(Any, Room()), lk, call, self.outward(call), happened, hearing=cast(Any, Quiet()))

        self.rung += 1
        made: dict[str, Any] = {one.name: quiet for one in fields(Tools)}
        tools = Tools(**{**made, "legs": legs, "hearing": lambda _: None})
        part = Part(
            call.act, machines.start(call, own_number=False), "", False, keep, lambda *_: None, book, never_call
        )
        async with asyncio.timeout(20):
            return await Performance(part, tools).run()

    async def calls_back(self, call: Call, number: str) -> None:
        """Somebody who works off callbacks has the number called."""
        try:
            await self.outward(call).may(number, f"callback {number!r}")
        except OffhookError:
            self.refused += 1
        else:
            raise AssertionError(f"{number!r} would be called back")


@pytest.fixture
async def gateway(tmp_path: Path) -> Gateway:
    (tmp_path / "main.yaml").write_text(PLAN)
    found = load(tmp_path, catalogue(), datetime.fromtimestamp(NOW, UTC))
    assert found.plan, [str(one) for one in found.findings]
    book = MemoryRuleBook()
    await outbound.publish(book, found.plan)
    return Gateway(found.plan, book)


@asynccontextmanager
async def staged(gateway: Gateway, call: Call) -> AsyncIterator[tuple[CallStage, Store]]:
    store = Store()
    async with Teller(store, call.id) as teller:
        ledger = Ledger(store, teller, call, lambda: None)
        nothing = cast(Any, Quiet())
        parts = Parts(
            call, nothing, nothing, teller, ledger, nothing, "", MemorySpoken(time.monotonic), lets_out=gateway.lets_out
        )
        yield CallStage(parts, call.brief), store


async def put_through(stage: CallStage, to: object) -> str:
    """The agent's tool, as a model calls it."""
    (tool,) = transferring.tools(stage, lambda _: None)
    return str(await cast(Any, tool)(raw_arguments={"to": to}))


async def one_call(gateway: Gateway, number: int, draw: Random, worst: Iterator[str]) -> None:
    """A call in which the caller withholds nothing that is bad, and the model does its worst."""
    call = gateway.arrives(number, draw.choice((STRICT, OPEN)), next(worst) if draw.random() < 0.5 else "+15105550177")
    async with staged(gateway, call) as (stage, store):
        to = next(worst)
        answer = await put_through(stage, to)
        if not answer.startswith("error"):
            raise AssertionError(f"{to!r} was let through: {answer}")
        gateway.refused += 1
        # What the tool refuses, a job that is broken or taken over asks control for all the same.
        back = await gateway.goes_on(call, Onward(cast(Any, stops.Because.TRANSFER), to))
        assert isinstance(back.act, Talk), "the caller is with the agent again"
        # A number that is saved as a fact, or for a callback, is called later.
        facts = Facts(definition("sales"), ("name", "company"))
        facts.add({"name": next(worst), "company": next(worst)})
        try:
            await stage.ask_for_person(next(worst))
            await stage.book(Number(next(worst)), next(worst))
        except Unavailable:
            pass
        later = [str(one) for one in facts.known.values()]
        later += [str(one.data["number"]) for one in store.told if one.kind is Kind.CALLBACK and one.data.get("number")]
        for saved in later:
            await gateway.calls_back(call, saved)


async def hostile(gateway: Gateway, calls: int, seed: int) -> None:
    draw, worst = Random(seed), tricks(seed)
    for number in range(calls):
        await one_call(gateway, number, draw, worst)
    assert gateway.exchange.asked == []
    assert gateway.refused >= 2 * calls
    assert gateway.rung >= calls, "the stops were performed, and the guard was asked"


async def test_a_hostile_model_gets_nobody_dialed_or_referred(gateway: Gateway) -> None:
    await hostile(gateway, 400, seed=1)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_of_10000_hostile_calls_none_gets_through(gateway: Gateway) -> None:
    started = time.monotonic()
    await hostile(gateway, 10_000, seed=8)
    print(f"10000 calls, {gateway.refused} refusals, 0 dialed: {time.monotonic() - started:.0f} s")


@pytest.mark.parametrize(("dialed", "to", "asked"), [
    (STRICT, "billing", f"tel:{NAMED}"), (STRICT, "Desk ", "sip:ben@pbx.example:5061"), (OPEN, "+442079460111", "tel:+442079460111"),
])  # fmt: skip
async def test_who_is_allowed_gets_through_by_the_same_way(gateway: Gateway, dialed: str, to: str, asked: str) -> None:
    """Or the others would prove nothing."""
    call = gateway.arrives(1, dialed, "+15105550177")
    async with staged(gateway, call) as (stage, _):
        assert (await put_through(stage, to)).startswith("say: ")
        assert stage.onward
        await gateway.goes_on(call, stage.onward)
    assert [one.transfer_to for one in gateway.exchange.asked] == [asked]


async def test_what_isnt_let_out_is_on_the_record_ten_times_a_call(gateway: Gateway) -> None:
    call = gateway.arrives(1, OPEN, "+15105550177")
    async with staged(gateway, call) as (stage, store):
        for _ in range(30):
            await put_through(stage, "+1900\x1b[2J\r\n5550199" + "1" * 500)
    legs = [one.data for one in store.told if one.kind is Kind.LEG]
    assert len(legs) == len({leg["leg"] for leg in legs}) == 10
    assert {leg["event"] for leg in legs} == {"failed"}
    assert all(len(str(leg["number"])) <= LONGEST and str(leg["number"]).isprintable() for leg in legs)


async def test_a_caller_with_a_bad_number_of_their_own_breaks_nothing_of_what_is_dialed(gateway: Gateway) -> None:
    for number, caller in enumerate(islice(tricks(seed=3), 200)):
        call = gateway.arrives(number, STRICT, caller)
        ring = replace(call, act=Ring(stops.Callee("ana", NAMED)), because="")
        await gateway.perform(ring)
    assert len(gateway.exchange.asked) == 200
    for request in gateway.exchange.asked:
        assert request.sip_call_to == NAMED
        assert re.fullmatch(r"\+[0-9]{7,15}", request.sip_number, re.ASCII)
        assert all(value.isprintable() and value.isascii() for value in request.headers.values())
