"""Webhooks as whoever gets them checks them: by the specification (github.com/standard-webhooks/standard-webhooks), not by the
library that signs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from gateway.errors import Refused, SetupFault, Unavailable
from gateway.operate.webhooks import Later, headers, send, signers
from gateway.records.outbox import Due
from gateway.terms.delivery import Content

SECRET, OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
NOW = 1_800_000_000.4
CONTENT = Content("Lead: Søren", "Wants chairs.\n– 日本", {"lead": {"name": "Søren"}, "id": "a caller's words"})


def due(address: str) -> Due:
    return Due("d1", "lead", "", "SCL_a", address, None, False, 1_799_999_000.0, 2e9, 3)


def good(secret: str, told: Mapping[str, str], body: bytes) -> bool:
    """As the specification has it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((told["webhook-id"].encode(), told["webhook-timestamp"].encode(), body))
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return f"v1,{wanted}" in told["webhook-signature"].split(" ")


def test_the_specifications_own_example_has_its_signature() -> None:
    one = replace(due("https://x.example"), id="msg_p5jXN8AQM9LWM0D4loKWxJek")
    told = headers(one, '{"test": 2432232314}', signers(SECRET), 1614265330)
    assert told["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


class Receiver:
    def __init__(self) -> None:
        self.got: list[tuple[Mapping[str, str], bytes]] = []
        self.status, self.more = 204, dict[str, str]()

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status, headers=self.more)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def address(receiver: Receiver) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    async with TestServer(app) as server:
        yield str(server.make_url("/hook"))


async def deliver(address: str, now: float = NOW, secrets: str = f"{SECRET} {OLD}") -> None:
    async with ClientSession() as session:
        await send(session, due(address), CONTENT, signers(secrets), now)


async def test_what_arrives_is_signed_by_each_secret_and_by_no_other(receiver: Receiver, address: str) -> None:
    await deliver(address)
    ((told, body),) = receiver.got
    lower = {name.lower(): value for name, value in told.items()}
    assert good(SECRET, lower, body)
    assert good(OLD, lower, body)
    assert not good("whsec_" + base64.b64encode(b"x" * 24).decode(), lower, body)
    assert not good(SECRET, lower, body + b" ")
    assert not good(SECRET, lower | {"webhook-timestamp": "1800000001"}, body)
    assert lower["webhook-timestamp"] == "1800000000"
    read = json.loads(body)
    assert (read["type"], read["id"], read["lead"]["name"]) == ("lead", "d1", "Søren"), "no fact hides what is ours"
    assert read["timestamp"] == "2027-01-15T07:43:20.000Z"


async def test_another_try_has_the_same_id_and_its_own_time(receiver: Receiver, address: str) -> None:
    await deliver(address)
    await deliver(address, NOW + 900)
    first, second = ({name.lower(): value for name, value in told.items()} for told, _ in receiver.got)
    assert first["webhook-id"] == second["webhook-id"] == "d1"
    assert first["webhook-signature"] != second["webhook-signature"]
    assert good(SECRET, second, receiver.got[1][1]), "or receivers that know the time would refuse it as a replay"


@pytest.mark.parametrize(
    ("status", "more", "error"),
    [
        (410, {}, Refused), (500, {}, Unavailable), (400, {}, Unavailable), (302, {"Location": "http://x.example"}, Unavailable),
        (429, {"Retry-After": "120"}, Later), (503, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, Unavailable),
    ],
)  # fmt: skip
async def test_what_isnt_taken_is_tried_again_but_where_it_is_gone(
    receiver: Receiver, address: str, status: int, more: dict[str, str], error: type[Exception]
) -> None:
    receiver.status, receiver.more = status, more
    with pytest.raises(error) as caught:
        await deliver(address)
    assert type(caught.value) is error
    assert address not in str(caught.value), "it may hold secrets"
    assert not isinstance(caught.value, Later) or caught.value.wait == 120


def test_a_secret_that_is_none_is_told() -> None:
    for bad in ("whsec_", "whsec_%%%"):
        with pytest.raises(SetupFault, match="OFFHOOK_WEBHOOK_SECRET"):
            signers(bad)
