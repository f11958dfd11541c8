"""Tests of LiveKit's webhooks: the signature, and what they hint at."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from google.protobuf.json_format import MessageToJson
from livekit import api
from livekit.protocol.models import DisconnectReason, ParticipantInfo
from livekit.protocol.webhook import WebhookEvent

from gateway.dispatch.decide import Arrival
from gateway.dispatch.rooms import arrival
from gateway.dispatch.webhook import PATH, Webhook, hint
from gateway.terms.call import CallId
from gateway.terms.legs import LOST

KEY, SECRET = "key", "a-secret-of-at-least-32-characters"


class Hints:
    """Notes the hints."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    async def arrived(self, arrival: Arrival) -> None:
        self.seen.append(("arrived", f"{arrival.call} {arrival.dialed.reveal()}"))

    async def gone(self, call_id: CallId) -> None:
        self.seen.append(("gone", call_id))

    async def parted(self, room: str, identity: str, *, lost: bool) -> None:
        self.seen.append(("lost" if lost else "parted", identity))

    async def joined(self, room: str) -> None:
        self.seen.append(("joined", room))

    async def emptied(self, room: str) -> None:
        self.seen.append(("emptied", room))


@pytest.fixture
async def world() -> AsyncIterator[tuple[TestClient[web.Request, web.Application], Hints, list[Awaitable[None]]]]:
    hints, works = Hints(), list[Awaitable[None]]()
    webhook = Webhook(api.WebhookReceiver(api.TokenVerifier(KEY, SECRET)), hints, works.append)
    app = web.Application()
    app.add_routes([webhook.route()])
    async with TestClient(TestServer(app)) as client:
        yield client, hints, works


def event(name: str, room: str = "call-_x", kind: ParticipantInfo.Kind.ValueType = ParticipantInfo.Kind.SIP) -> str:
    told = WebhookEvent(event=name)
    told.room.name = room
    told.participant.identity = "sip_1"
    told.participant.kind = kind
    told.participant.attributes.update(
        {"sip.callID": "SCL_1", "sip.ruleID": "SDR_1", "sip.trunkPhoneNumber": "+15105550100"}
    )
    return MessageToJson(told)


def signed(body: str, secret: str = SECRET) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
    return {"Authorization": api.AccessToken(KEY, secret).with_sha256(digest).to_jwt()}


@pytest.mark.parametrize(
    ("name", "room", "kind", "hinted"),
    [
        ("participant_joined", "call-_x", ParticipantInfo.Kind.SIP, [("arrived", "SCL_1 +15105550100")]),
        ("participant_left", "call-_x", ParticipantInfo.Kind.SIP, [("gone", "SCL_1")]),
        ("participant_connection_aborted", "call-_x", ParticipantInfo.Kind.SIP, [("gone", "SCL_1")]),
        ("room_finished", "call-_x", ParticipantInfo.Kind.SIP, [("emptied", "call-_x")]),
        ("participant_joined", "call-_x", ParticipantInfo.Kind.AGENT, []),
        ("participant_joined", "other", ParticipantInfo.Kind.SIP, []),
        ("track_published", "call-_x", ParticipantInfo.Kind.SIP, []),
    ],
)
async def test_a_webhook_is_a_hint(world, name, room, kind, hinted) -> None:
    client, hints, works = world
    body = event(name, room, kind)
    answer = await client.post(PATH, data=body, headers=signed(body))
    assert answer.status == 200
    for work in works:
        await work
    assert hints.seen == hinted


@pytest.mark.parametrize("spoil", ["secret", "body", "nothing"])
async def test_what_livekit_has_not_signed_is_refused(world, spoil: str) -> None:
    client, hints, _ = world
    body = event("participant_joined")
    headers = signed(body, "another-secret-of-at-least-32-chars" if spoil == "secret" else SECRET)
    data = body.replace("SCL_1", "SCL_2") if spoil == "body" else body
    answer = await client.post(PATH, data=data, headers={} if spoil == "nothing" else headers)
    assert answer.status == 401
    assert hints.seen == []


def test_a_sip_service_that_joins_anew_is_no_end() -> None:
    told = WebhookEvent(event="participant_left")
    told.room.name = "call-_x"
    told.participant.kind = ParticipantInfo.Kind.SIP
    told.participant.attributes.update({"sip.callID": "SCL_1", "sip.ruleID": "SDR_1"})
    told.participant.disconnect_reason = DisconnectReason.DUPLICATE_IDENTITY
    assert hint(told, Hints()) is None


@pytest.mark.parametrize(
    ("attributes", "reason", "hinted"),
    [
        ({}, DisconnectReason.CLIENT_INITIATED, "parted"),
        ({LOST: "1"}, DisconnectReason.CLIENT_INITIATED, "lost"),
        ({}, DisconnectReason.CONNECTION_TIMEOUT, "lost"),
        ({}, DisconnectReason.SIGNAL_CLOSE, "lost"),
        ({}, DisconnectReason.UNKNOWN_REASON, "parted"),
    ],
)
async def test_who_was_called_and_leaves_may_have_talked_with_the_caller(
    attributes: dict[str, str], reason: DisconnectReason.ValueType, hinted: str
) -> None:
    hints = Hints()
    who = ParticipantInfo(identity="leg-a", attributes=attributes, disconnect_reason=reason)
    told = WebhookEvent(event="participant_left", participant=who)
    told.room.name = "call-_x"
    work = hint(told, hints)
    assert work is not None
    await work
    assert hints.seen == [(hinted, "leg-a")]
    told.event = "participant_joined"
    assert hint(told, hints) is None


@pytest.mark.parametrize(
    ("who", "there", "hinted"),
    [
        (ParticipantInfo(identity="supervisor"), 1, True),
        (ParticipantInfo(identity="recorder", kind=ParticipantInfo.Kind.EGRESS), 2, True),
        (ParticipantInfo(identity="ana", kind=ParticipantInfo.Kind.SIP, attributes={"sip.callID": "SCL_2"}), 2, True),
        (ParticipantInfo(identity="leg-a", kind=ParticipantInfo.Kind.SIP), 2, False),
        (ParticipantInfo(identity="leg-a.browser"), 2, False),
        (ParticipantInfo(identity="agent-1", kind=ParticipantInfo.Kind.AGENT), 1, False),
        (ParticipantInfo(identity="agent-2", kind=ParticipantInfo.Kind.AGENT), 2, True),
    ],
)
async def test_phones_are_to_be_heard_once_somebody_has_joined_unknown_to_the_job(
    who: ParticipantInfo, there: int, hinted: bool
) -> None:
    """Nobody's own job, for whom that would be one request more in each call."""
    hints, told = Hints(), WebhookEvent(event="participant_joined", participant=who)
    told.room.name, told.room.num_participants = "call-_x", there
    if (work := hint(told, hints)) is not None:
        await work
    assert hints.seen == [("joined", "call-_x")] * hinted
    told.event, told.participant.identity = "participant_left", "supervisor"
    assert hint(told, Hints()) is None


def test_who_was_called_into_a_room_is_no_caller() -> None:
    called = ParticipantInfo(identity="ana", kind=ParticipantInfo.Kind.SIP, attributes={"sip.callID": "SCL_2"})
    assert arrival("call-_x", called) is None
    called.attributes["sip.ruleID"] = "SDR_1"
    assert arrival("call-_x", called) is not None
