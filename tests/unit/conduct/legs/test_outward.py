"""The one way out: what isn't judged isn't dialed, and what is dialed is what was judged."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from livekit import api

from gateway.conduct.legs.outward import Guard, Leg, Outward, Passed
from gateway.errors import OurFault, Refused, SetupFault, Unavailable
from gateway.guard.book import MemoryRuleBook
from gateway.guard.meter import Cap, MemoryMeter
from gateway.terms.act import Because
from gateway.terms.call import Brief, Call, CallId, Pool
from gateway.terms.outbound import Caps, Outbound, Spend
from gateway.terms.personal import Number
from gateway.terms.tones import ON, TONES
from gateway.trunks.choose import OutboundTrunk
from tests.unit.conduct.virtual import run
from tests.unit.guard.guards import guard

ROOT = Path(__file__).parents[4]
DIALS = {
    "create_sip_participant", "transfer_sip_participant", "CreateSIPParticipantRequest", "TransferSIPParticipantRequest",
    "SIPInternal",
}  # fmt: skip
"""Whoever names one of these can dial."""
ALLOWED = {"gateway/conduct/legs/outward.py", "gateway/bus/wire.py", "gateway/bus/participants.py"}
"""The way out; and the SIP service's side of the bus, which is asked and doesn't ask."""
CALL = Call(CallId("SCL_1"), "call-1", "sip_1", Number("+15105550100"), Number("+15105550177"), "ST_0", "sales", "p",
            Pool.AGENTS, Brief("sales"), 1.0)  # fmt: skip
TRUNKS = [
    OutboundTrunk("ST_1", "carrier", "sip.carrier.example", ("+15105550100",), default=True),
    OutboundTrunk("ST_2", "pbx", "pbx.example:5061", ("+15105550100",)),
]
ANA, BEN, OTHER = "+15105550111", "sip:ben@pbx", "+15105550155"
LEG = Leg("call-1", "leg-a", "ana", {"offhook.leg": "a"}, 20.5)


class Exchange:
    """What would be dialed."""

    def __init__(self) -> None:
        self.dialed: list[Any] = []

    async def create_sip_participant(self, request: Any, *, timeout: float) -> None:
        self.dialed.append(request)

    async def transfer_sip_participant(self, request: Any, *, timeout: float) -> None:
        self.dialed.append(request)


async def trunks() -> list[OutboundTrunk]:
    return TRUNKS


def outward(exchange: Exchange, guarded: Guard, call: Call = CALL) -> Outward:
    return Outward(exchange, call, trunks, guarded, clock=lambda: 1764000000.0)


async def test_who_is_named_is_dialed_as_it_is_named() -> None:
    exchange = Exchange()
    out = outward(exchange, await guard("p", ANA, BEN))
    await out.dial(await out.may(ANA, "a"), LEG, 5.0)
    await out.dial(await out.may(BEN, "b"), LEG, 5.0)
    assert [(one.sip_trunk_id, one.sip_call_to) for one in exchange.dialed] == [("ST_1", ANA), ("ST_2", "ben")]
    assert exchange.dialed[0].ringing_timeout.ToTimedelta().total_seconds() == 20.5
    assert exchange.dialed[0].participant_attributes == {"offhook.leg": "a"}
    assert exchange.dialed[0].media.media_timeout.ToTimedelta().total_seconds() == 600, "a PBX may hold them that long"


UNAVAILABLE = api.TwirpErrorCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("code", "metadata", "times", "tries"),
    [
        (UNAVAILABLE, {}, 2, 3),
        (UNAVAILABLE, {}, 99, 5),
        (UNAVAILABLE, {"sip_status_code": "503"}, 1, 1),
        (api.TwirpErrorCode.DEADLINE_EXCEEDED, {}, 1, 1),
        (api.TwirpErrorCode.RESOURCE_EXHAUSTED, {}, 1, 1),
    ],
)
def test_a_call_that_no_service_took_is_tried_again_and_no_other(
    code: str, metadata: dict[str, str], times: int, tries: int
) -> None:
    class Busy(Exchange):
        async def create_sip_participant(self, request: Any, *, timeout: float) -> None:
            await super().create_sip_participant(request, timeout=timeout)
            if len(self.dialed) <= times:
                raise api.SipCallError(code, "no response from servers", status=503, metadata=metadata)

    async def dial() -> None:
        exchange = Busy()
        out = outward(exchange, await guard("p", ANA))
        passed = await out.may(ANA, "a")
        try:
            await out.dial(passed, LEG, 25.0)
        except api.SipCallError as refused:
            assert refused.code == code
            assert len(exchange.dialed) <= times
        assert len(exchange.dialed) == tries
        assert len({one.SerializeToString() for one in exchange.dialed}) == 1, "the same call"

    run(dial())


async def test_an_operator_says_how_long_who_is_dialed_may_send_nothing() -> None:
    exchange = Exchange()
    out = Outward(exchange, CALL, trunks, await guard("p", ANA), silent_for=90.5, clock=lambda: 1764000000.0)
    await out.dial(await out.may(ANA, "a"), LEG, 5.0)
    assert exchange.dialed[0].media.media_timeout.ToTimedelta().total_seconds() == 90.5


async def test_a_trunk_says_how_keys_and_sound_come() -> None:
    async def one() -> list[OutboundTrunk]:
        return [replace(TRUNKS[0], tones=True, wideband=True)]

    exchange = Exchange()
    out = Outward(exchange, CALL, one, await guard("p", ANA), clock=lambda: 1764000000.0)
    await out.dial(await out.may(ANA, "a"), LEG, 5.0)
    assert exchange.dialed[0].participant_attributes == {"offhook.leg": "a", TONES: ON}
    assert [codec.name for codec in exchange.dialed[0].media.codecs] == ["G722"]
    assert not exchange.dialed[0].media.only_listed_codecs


async def test_a_refer_names_the_number_or_the_trunks_address() -> None:
    exchange = Exchange()
    out = outward(exchange, await guard("p", ANA, BEN))
    for address in (ANA, BEN):
        await out.refer(await out.may(address, f"refer {address}", refer=True), 25.0, 30.0)
    assert [one.transfer_to for one in exchange.dialed] == [f"tel:{ANA}", "sip:ben@pbx.example:5061"]
    assert {(one.room_name, one.participant_identity) for one in exchange.dialed} == {("call-1", "sip_1")}


@pytest.mark.parametrize(
    "address", [OTHER, "+1911", "911", "sip:eve@pbx", "sip:ben@pbx;x", "+19005550199", "tel:" + ANA]
)
async def test_nobody_else_is(address: str) -> None:
    out = outward(Exchange(), await guard("p", ANA, BEN))
    with pytest.raises(Refused):
        await out.may(address, "a")


async def test_a_number_is_referred_without_a_trunk_and_never_dialed_so() -> None:
    exchange = Exchange()

    async def none() -> list[OutboundTrunk]:
        return []

    out = Outward(exchange, CALL, none, await guard("p", ANA))
    with pytest.raises(SetupFault):
        await out.may(ANA, "a")
    with pytest.raises(OurFault):
        await out.dial(await out.may(ANA, "b", refer=True), LEG, 5.0)
    await out.refer(await out.may(ANA, "c", refer=True), 5.0, 5.0)
    assert [one.transfer_to for one in exchange.dialed] == [f"tel:{ANA}"]


async def test_a_look_counts_for_nothing() -> None:
    allowed = Outbound(frozenset({"US"}), caps=Caps(call=1))
    out = outward(Exchange(), await guard("p", outbound=allowed))
    for _ in range(5):
        await out.look(OTHER)
    with pytest.raises(Refused):
        await out.look("+19005550199")
    await out.may(OTHER, "a")


async def test_a_trunk_that_isnt_there_is_told() -> None:
    out = outward(Exchange(), await guard("p", "sip:ben@nowhere"))
    with pytest.raises(SetupFault, match="nowhere"):
        await out.may("sip:ben@nowhere", "a")


async def test_nothing_is_let_out_while_nobody_knows_what_may_be() -> None:
    async def nobody(_: Number) -> bool:
        return False

    out = outward(Exchange(), Guard(MemoryRuleBook(), MemoryMeter(lambda: 0.0), nobody))
    with pytest.raises(Unavailable):
        await out.may(ANA, "a")


async def test_what_passed_is_good_once_and_here_alone() -> None:
    exchange = Exchange()
    guarded = await guard("p", ANA)
    out, other = outward(exchange, guarded), outward(exchange, guarded)
    passed = await out.may(ANA, "a")
    assert passed.way
    forged = Passed(passed.address, replace(passed.way, to=Number("+19005550199")), passed.once, (), 0.0)
    for wrong in (forged, replace(passed), await other.may(ANA, "b")):
        with pytest.raises(OurFault):
            await out.dial(wrong, LEG, 5.0)
    await out.dial(passed, LEG, 5.0)
    with pytest.raises(OurFault):
        await out.refer(passed, 5.0, 5.0)
    assert len(exchange.dialed) == 1


async def test_a_number_on_the_do_not_call_list_isnt_called_unless_the_plan_names_it() -> None:
    out = outward(Exchange(), await guard("p", ANA, outbound=Outbound(frozenset({"US"})), barred={ANA, OTHER}))
    with pytest.raises(Refused, match="do-not-call"):
        await out.may(OTHER, "a")
    await out.may(ANA, "b")


async def test_caps_count_what_isnt_named_and_what_was_asked_for() -> None:
    allowed = Outbound(frozenset({"US"}), caps=Caps(call=2, caller=3, route=4))
    guarded = await guard("p", ANA, outbound=allowed)
    out = outward(Exchange(), guarded)
    for turn in range(10):
        await out.may(ANA, f"named {turn}")
    await out.may(OTHER, "one")
    for _ in range(2):
        await out.may(ANA, "two", refer=True)  # first by the carrier, then from here: one transfer
    with pytest.raises(Refused, match="of one call"):
        await out.may(OTHER, "three")
    again = replace(CALL, id=CallId("SCL_2"), because=Because.TRANSFER.value)
    await outward(Exchange(), guarded, again).may(ANA, "four")
    with pytest.raises(Refused, match="of one caller"):
        await outward(Exchange(), guarded, replace(again, stop=2)).may(ANA, "five")
    stranger = replace(CALL, id=CallId("SCL_3"), caller=None)
    await outward(Exchange(), guarded, stranger).may(OTHER, "six")
    with pytest.raises(Refused, match="of one route"):
        await outward(Exchange(), guarded, stranger).may(OTHER, "seven")


async def test_a_days_money_bounds_everything_and_what_wasnt_talked_comes_back() -> None:
    allowed = Outbound(frozenset({"US"}), spend=Spend(1.0, {"+1": 0.1}, 5.0, 5.0))
    guarded = await guard("p", ANA, outbound=allowed)
    out = outward(Exchange(), guarded)
    first, second = await out.may(ANA, "a"), await out.may(ANA, "b")
    with pytest.raises(Refused, match="day's cap"):
        await out.may(ANA, "c")
    await out.came_to(first, 0.0)
    await out.came_to(second, 61.0)
    await out.may(ANA, "d")
    with pytest.raises(Refused, match="day's cap"):
        await out.may(ANA, "e")


def test_nothing_else_in_the_program_can_dial() -> None:
    found = set()
    for path in [*(ROOT / "gateway").rglob("*.py"), *(ROOT / "agents").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = {getattr(node, "id", ""), getattr(node, "attr", ""), getattr(node, "name", "")}
            said = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if names & DIALS or said in DIALS:
                found.add(str(path.relative_to(ROOT)))
    assert found == ALLOWED
    assert api.CreateSIPParticipantRequest.DESCRIPTOR.name in DIALS


class Slow(MemoryMeter):
    """Counts, and answers late."""

    def __init__(self) -> None:
        super().__init__(lambda: 1764000000.0)
        self.counted = asyncio.Event()

    async def take(self, once: str, caps: Sequence[Cap]) -> str:
        found = await super().take(once, caps)
        self.counted.set()
        await asyncio.sleep(60)
        return found


async def test_what_is_broken_off_while_it_is_counted_costs_nothing() -> None:
    allowed = Outbound(frozenset({"US"}), spend=Spend(0.5, {"+1": 0.1}, 5.0, 5.0))
    guarded, slow = await guard("p", ANA, outbound=allowed), Slow()
    asking = asyncio.create_task(outward(Exchange(), replace(guarded, meter=slow)).may(ANA, "a"))
    await slow.counted.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    quick = MemoryMeter(lambda: 1764000000.0)
    quick._counted = slow._counted
    await outward(Exchange(), replace(guarded, meter=quick)).may(ANA, "b")
