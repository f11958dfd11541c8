from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from livekit.protocol.sip import SIPCodec, SIPMediaConfig, SIPMediaEncryption

from gateway.bus.callstate import Status, read
from gateway.bus.client import Client
from gateway.bus.envelope import Request, encode
from gateway.bus.errors import BusSyntaxError
from gateway.bus.ioinfo import CallInfo, IoInfo, Leg, MediaWish, RuleAnswer, TrunkAnswer, TrunkFault, Uri, Verdict
from gateway.bus.memory import Hub, MemoryBus
from gateway.bus.server import Server
from gateway.bus.wire import LONGEST, message
from gateway.terms.encryption import Encryption
from gateway.terms.ending import Party
from gateway.terms.personal import Number

LEG = Leg(
    id="SCL_1",
    sip_call_id="abc@host",
    source="192.0.2.9",
    target=Uri(Number("uri"), "edge.example"),
    caller=Uri(Number("+15105550123"), "carrier.example"),
    dialed=Uri(Number("+15105550100"), "edge.example", 5062),
)


@asynccontextmanager
async def asking(method: str, answer: Any) -> AsyncIterator[tuple[IoInfo, list[Any]]]:
    hub, asked = Hub(), []

    async def handle(payload: bytes) -> bytes:
        asked.append(message(f"{method}Request").FromString(payload))
        return answer if isinstance(answer, bytes) else answer.SerializeToString()

    async with Client(MemoryBus(hub), "IOInfo") as client, Server(MemoryBus(hub), "IOInfo") as server:
        await server.register(method, handle)
        yield IoInfo(client), asked


async def test_authentication() -> None:
    answer = message("GetSIPTrunkAuthenticationResponse")(sip_trunk_id="ST_1", username="u", password="p")
    async with asking("GetSIPTrunkAuthentication", answer) as (io, asked):
        assert await io.authentication(LEG) == TrunkAnswer("ST_1", username="u", password="p")
    flat = asked[0]
    assert (flat.call.lk_call_id, flat.sip_call_id) == ("SCL_1", "SCL_1")
    assert (getattr(flat, "from"), flat.to, flat.src_address) == ("+15105550123", "+15105550100", "192.0.2.9")
    assert (flat.call.to.user, flat.call.to.port, flat.call.address.user) == ("+15105550100", 5062, "uri")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, TrunkAnswer("")),
        ({"drop": True}, TrunkAnswer("", drop=True)),
        ({"error_code": 1}, TrunkAnswer("", fault=TrunkFault.QUOTA)),
        ({"error_code": 2}, TrunkAnswer("", fault=TrunkFault.NO_TRUNK)),
    ],
)
async def test_other_answers_of_authentication(fields: dict[str, Any], expected: TrunkAnswer) -> None:
    answer = message("GetSIPTrunkAuthenticationResponse")(**fields)
    async with asking("GetSIPTrunkAuthentication", answer) as (io, _):
        assert await io.authentication(LEG) == expected


async def test_a_rule_that_matches() -> None:
    answer = message("EvaluateSIPDispatchRulesResponse")(
        result=1,
        room_name="call-x",
        participant_identity="sip_1",
        participant_attributes={"sip.callID": "SCL_1"},
        sip_trunk_id="ST_1",
        include_headers=2,
        ringing_timeout=Duration(seconds=60),
        media=SIPMediaConfig(
            only_listed_codecs=True,
            codecs=[SIPCodec(name="PCMA", rate=8000)],
            encryption=SIPMediaEncryption.SIP_MEDIA_ENCRYPT_REQUIRE,
            media_timeout=Duration(seconds=5),
        ),
    )
    answer.max_call_duration.FromTimedelta(timedelta(hours=2))
    async with asking("EvaluateSIPDispatchRules", answer) as (io, asked):
        got = await io.evaluate(LEG, "ST_1")
    assert (got.verdict, got.room, got.attributes) == (Verdict.ACCEPT, "call-x", {"sip.callID": "SCL_1"})
    assert (got.ringing_timeout, got.max_duration, got.include_headers) == (60, 7200, 2)
    assert got.media == MediaWish(("PCMA",), only_listed=True, encryption=Encryption.REQUIRE, timeout=5)
    assert got.config is None
    assert (asked[0].calling_number, asked[0].called_number) == ("+15105550123", "+15105550100")
    assert asked[0].sip_trunk_id == "ST_1"


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"result": 2}, Verdict.PIN),
        ({"result": 3}, Verdict.REJECT),
        ({"result": 4}, Verdict.DROP),
        ({"result": 99}, Verdict.REJECT),
        ({"result": 0, "request_pin": True}, Verdict.PIN),
        ({"result": 0, "room_name": "r"}, Verdict.ACCEPT),
    ],
)
async def test_the_other_verdicts(fields: dict[str, Any], verdict: Verdict) -> None:
    async with asking("EvaluateSIPDispatchRules", message("EvaluateSIPDispatchRulesResponse")(**fields)) as (io, _):
        assert (await io.evaluate(LEG, "")).verdict is verdict


async def test_media_is_settled_on_before_the_pin_by_the_rule_that_asks_for_it() -> None:
    wanted = SIPMediaConfig(encryption=SIPMediaEncryption.SIP_MEDIA_ENCRYPT_REQUIRE)
    answer = message("EvaluateSIPDispatchRulesResponse")(
        result=2, sip_trunk_id="ST_1", sip_dispatch_rule_id="SDR_1", media=wanted
    )
    async with asking("EvaluateSIPDispatchRules", answer) as (io, _):
        got = await io.evaluate(LEG, "ST_1")
    assert got == RuleAnswer(Verdict.PIN, "ST_1", "SDR_1", media=MediaWish(encryption=Encryption.REQUIRE))


@pytest.mark.parametrize(("said", "taken"), [(2**62, LONGEST), (-5, 0.0)])
async def test_a_duration_that_can_t_be(said: int, taken: float) -> None:
    fields = {"result": 1, "ringing_timeout": Duration(seconds=said), "max_call_duration": Duration(seconds=said)}
    async with asking("EvaluateSIPDispatchRules", message("EvaluateSIPDispatchRulesResponse")(**fields)) as (io, _):
        got = await io.evaluate(LEG, "")
    assert (got.ringing_timeout, got.max_duration) == (taken, taken)


async def test_an_answer_that_cant_be_read() -> None:
    async with asking("EvaluateSIPDispatchRules", b"\xff\xff\xff") as (io, _):
        with pytest.raises(BusSyntaxError) as told:
            await io.evaluate(LEG, "")
    assert told.value.sip_status == 503


async def test_what_is_told_is_heard() -> None:
    hub = Hub()
    async with Client(MemoryBus(hub), "IOInfo") as client:
        await IoInfo(client).tell(
            CallInfo(
                LEG,
                status=Status.DISCONNECTED,
                room="call-x",
                reason=4,
                sip_status=603,
                sip_text="Decline",
                codec="PCMU/8000",
            )
        )
    (where, asked), *_ = hub.published
    assert where == "IOInfo|UpdateSIPCallState|REQ"
    assert isinstance(asked, Request)
    heard = read(encode(asked))
    assert heard is not None
    assert (heard.call_id, heard.room, heard.status, heard.by) == (
        "SCL_1",
        "call-x",
        Status.DISCONNECTED,
        Party.GATEWAY,
    )
    assert (heard.sip_status, heard.sip_text, heard.codec) == (603, "Decline", "PCMU/8000")
    assert (heard.from_user, heard.to_user) == (LEG.caller.user, LEG.dialed.user)
