"""SMS and customer systems: what servers that answer as theirs do get, and what comes of lost answers and refusals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC
from html import escape
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from gateway.config import Settings
from gateway.errors import OffhookError, Refused, SetupFault, Unavailable
from gateway.operate import texting
from gateway.operate.customers import Customers
from gateway.operate.lead_words import lead_told
from gateway.operate.webhooks import Later
from gateway.records.outbox import GIVE_UP_AFTER, Due, next_try
from gateway.terms.delivery import Content

CALL = "SCL_a1"
ROW = {
    "call": CALL, "caller": "+15105550142", "dialed": "+15105550100", "route": "sales", "agent": "sales",
    "fields": {"name": "Ana Maria Silva", "company": "Acme", "need": "chairs", "email": "ana@acme.example"},
    "complete": True, "started": 1_800_000_000.0,
}  # fmt: skip
LEAD = lead_told(ROW, "https://x/leads/SCL_a1", UTC)


def due(address: str, tries: int = 1) -> Due:
    return Due("d1", "lead", "", CALL, address, None, False, 1_800_000_000.0, 2e9, tries)


class Fake:
    """A server that keeps what it is asked and answers by the route's table; a status of 0 drops the connection."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answers: dict[tuple[str, str], list[tuple[int, Any]]] = {}
        self.wait = "7"

    async def take(self, request: web.Request) -> web.StreamResponse:
        body: Any = None
        if request.can_read_body:
            form = request.content_type == "application/x-www-form-urlencoded"
            body = dict(await request.post()) if form else await request.json()
        self.asked.append((request.method, request.path, body if body is not None else dict(request.query)))
        self.headers.append(dict(request.headers))
        waiting = self.answers[request.method, request.path]
        status, answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if status == 0:
            assert request.transport
            request.transport.close()
        return web.json_response(
            answer, status=status or 500, headers={"Retry-After": self.wait} if status == 429 else None
        )

    def of(self, method: str, path: str) -> list[Any]:
        return [body for asked_by, where, body in self.asked if (asked_by, where) == (method, path)]

    @asynccontextmanager
    async def at(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_route("*", "/{any:.*}", self.take)
        async with TestServer(app) as server:
            yield str(server.make_url("")).rstrip("/")


@pytest.fixture
def fake() -> Fake:
    return Fake()


MESSAGES = "/2010-04-01/Accounts/AC1/Messages.json"
TAKEN = {"sid": "SM1", "body": "x", "status": "queued"}


async def text(fake: Fake, content: Content, tries: int = 1, sid: str = "AC1") -> None:
    async with fake.at() as base:
        account = texting.Account(sid, "secret", "+15105550100", base)
        await asyncio.to_thread(texting.send, "sms:+15105550142", content, due("sms:+15105550142", tries), account)


async def test_an_sms_goes_through_twilio(fake: Fake) -> None:
    fake.answers[("POST", MESSAGES)] = [(201, TAKEN)]
    await text(fake, LEAD)
    ((_, _, asked),) = fake.asked
    assert (asked["To"], asked["From"]) == ("+15105550142", "+15105550100")
    assert asked["Body"].startswith("Lead: Ana Maria Silva, Acme")
    assert asked["Body"].endswith("https://x/leads/SCL_a1")


async def test_an_sms_whose_answer_was_lost_is_not_sent_again(fake: Fake) -> None:
    words = texting.text(Content("t", "b"))
    fake.answers[("POST", MESSAGES)] = [(201, TAKEN)]
    fake.answers[("GET", MESSAGES)] = [
        (200, {"messages": [{"sid": "SM1", "body": words, "status": "sent"}], "meta": {"key": "messages"}})
    ]
    await text(fake, Content("t", "b"), tries=2)
    assert [method for method, _, _ in fake.asked] == ["GET"]
    await text(fake, Content("another", "b"), tries=2)
    assert [method for method, _, _ in fake.asked][-1] == "POST"


@pytest.mark.parametrize(
    ("status", "error"), [(400, Refused), (401, SetupFault), (429, Unavailable), (503, Unavailable)]
)
async def test_what_twilio_refuses_is_told_without_the_number(
    fake: Fake, status: int, error: type[OffhookError]
) -> None:
    fake.answers[("POST", MESSAGES)] = [(status, {"code": 21211, "message": "+15105550142 is not valid"})]
    with pytest.raises(error) as caught:
        await text(fake, LEAD)
    assert "5550142" not in str(caught.value)


async def test_without_an_account_nothing_is_sent(fake: Fake) -> None:
    with pytest.raises(SetupFault, match="TWILIO_ACCOUNT_SID"):
        await text(fake, LEAD, sid="")


def settings(base: str) -> Settings:
    return Settings.model_validate(
        {
            "OFFHOOK_HUBSPOT_TOKEN": "h", "OFFHOOK_HUBSPOT_URL": base, "OFFHOOK_SALESFORCE_URL": base,
            "OFFHOOK_SALESFORCE_CLIENT_ID": "c", "OFFHOOK_SALESFORCE_CLIENT_SECRET": "s",
            "OFFHOOK_PIPEDRIVE_TOKEN": "p", "OFFHOOK_PIPEDRIVE_URL": base,
        }
    )  # fmt: skip


async def put(fake: Fake, address: str, content: Content = LEAD) -> None:
    async with fake.at() as base, ClientSession() as session:
        await Customers(settings(base), session).send(due(address), content)


CONTACTS, SEARCH = "/crm/v3/objects/contacts", "/crm/v3/objects/contacts/search"


async def test_a_lead_whose_email_a_system_refuses_is_put_there_without(fake: Fake) -> None:
    fake.answers[("POST", SEARCH)] = [(200, {"results": []})]
    fake.answers[("POST", CONTACTS)] = [(400, {"message": "Email address ana@acme is invalid"}), (201, {"id": "7"})]
    await put(fake, "hubspot:")
    first, second = (body["properties"] for body in fake.of("POST", CONTACTS))
    assert first["email"] == "ana@acme.example"
    assert "email" not in second
    assert second["phone"] == "+15105550142"
    assert "ana@acme.example" in second["message"], "whoever reads the lead sees what was heard"


async def test_a_lead_that_a_system_refuses_for_anything_else_is_refused(fake: Fake) -> None:
    fake.answers[("POST", SEARCH)] = [(200, {"results": []})]
    fake.answers[("POST", CONTACTS)] = [(400, {})]
    with pytest.raises(Refused):
        await put(fake, "hubspot:")


async def test_hubspot_gets_a_contact(fake: Fake) -> None:
    fake.answers = {("POST", SEARCH): [(200, {"results": []})], ("POST", CONTACTS): [(201, {"id": "5"})]}
    await put(fake, "hubspot:")
    (told,) = fake.of("POST", CONTACTS)
    assert told["properties"] | {"message": ""} == {
        "email": "ana@acme.example", "phone": "+15105550142", "company": "Acme", "firstname": "Ana Maria",
        "lastname": "Silva", "message": "",
    }  # fmt: skip
    assert "chairs" in told["properties"]["message"]


@pytest.mark.parametrize("found", [True, False])
async def test_hubspot_keeps_one_contact_whatever_was_lost(fake: Fake, found: bool) -> None:
    results = [{"id": "5", "properties": {}}] if found else []
    fake.answers = {
        ("POST", SEARCH): [(200, {"results": results})],
        ("POST", CONTACTS): [(409, {"message": "Contact already exists. Existing ID: 5"})],
        ("PATCH", f"{CONTACTS}/5"): [(200, {"id": "5"})],
    }
    await put(fake, "hubspot:")
    assert len(fake.of("PATCH", f"{CONTACTS}/5")) == 1
    assert len(fake.of("POST", CONTACTS)) == (0 if found else 1)


async def test_hubspots_contact_is_who_has_the_email_before_who_has_the_number(fake: Fake) -> None:
    fake.answers = {
        ("POST", SEARCH): [(200, {"results": [{"id": "5", "properties": {"firstname": "Anna", "phone": None}}]})],
        ("PATCH", f"{CONTACTS}/5"): [(200, {"id": "5"})],
    }
    await put(fake, "hubspot:")
    ((group,),) = (body["filterGroups"] for body in fake.of("POST", SEARCH))
    assert group["filters"][0]["propertyName"] == "email"
    (told,) = fake.of("PATCH", f"{CONTACTS}/5")
    assert told["properties"]["firstname"] == "Ana Maria"


async def test_of_a_hubspot_contact_that_only_the_number_finds_what_is_filled_in_stays(fake: Fake) -> None:
    """A whole office calls by one number, and a recognizer mishears names."""
    known = {
        "firstname": "Anna",
        "lastname": "Silva",
        "email": "anna@acme.example",
        "company": "",
        "phone": "(510) 555-0142",
    }
    fake.answers = {
        ("POST", SEARCH): [(200, {"results": []}), (200, {"results": [{"id": "5", "properties": known}]})],
        ("PATCH", f"{CONTACTS}/5"): [(200, {"id": "5"})],
    }
    await put(fake, "hubspot:")
    tried = [group["filters"][0] for group in fake.of("POST", SEARCH)[1]["filterGroups"]]
    assert {one["propertyName"]: one["value"] for one in tried} == {
        "phone": "+15105550142", "mobilephone": "+15105550142", "hs_searchable_calculated_phone_number": "5105550142",
        "hs_searchable_calculated_mobile_number": "5105550142",
    }, "however it was typed in there"  # fmt: skip
    (told,) = fake.of("PATCH", f"{CONTACTS}/5")
    assert sorted(told["properties"]) == ["company", "message"]
    assert "Ana Maria Silva" in told["properties"]["message"]


async def test_what_is_too_long_for_a_salesforce_field_keeps_no_lead_out(fake: Fake) -> None:
    path = f"/services/data/v62.0/sobjects/Lead/Offhook_Call__c/{CALL}"
    fake.answers = {("POST", "/services/oauth2/token"): [(200, {"access_token": "t"})], ("PATCH", path): [(204, None)]}
    wordy = {**ROW, "fields": {"name": f"{'Ana ' * 30}Silva", "company": "Acme " * 90, "need": "chairs " * 9000}}
    await put(fake, "salesforce:", lead_told(wordy, "https://x", UTC))
    (one,) = fake.of("PATCH", path)
    assert {name: len(one[name]) for name in ("FirstName", "Company", "Description")} == {
        "FirstName": 40, "Company": 255, "Description": 32000,
    }  # fmt: skip


async def test_a_note_in_pipedrive_says_what_was_said(fake: Fake) -> None:
    """It is HTML, and what isn't written so is taken out there: the caller's words would be missing, and the note be written anew with
    each try."""
    nothing: tuple[int, Any] = (200, {"data": {"items": []}})
    fake.answers = {
        ("GET", "/api/v2/persons/search"): [nothing], ("POST", "/api/v2/persons"): [(201, {"data": {"id": 3}})],
        ("GET", "/api/v2/leads/search"): [nothing], ("POST", "/v1/leads"): [(201, {"data": {"id": "L1"}})],
        ("GET", "/v1/notes"): [(200, {"data": None})], ("POST", "/v1/notes"): [(201, {"data": {"id": 1}})],
    }  # fmt: skip
    needs = {**ROW, "fields": {"name": "Ana", "need": "chairs <300 & desks>"}}
    await put(fake, "pipedrive:", lead_told(needs, "https://x/leads/SCL_a1?until=1&sig=2", UTC))
    (note,) = fake.of("POST", "/v1/notes")
    assert "Need: chairs &lt;300 &amp; desks&gt;<br>" in note["content"]


async def test_salesforce_gets_a_lead_by_the_calls_id(fake: Fake) -> None:
    path = f"/services/data/v62.0/sobjects/Lead/Offhook_Call__c/{CALL}"
    fake.answers = {
        ("POST", "/services/oauth2/token"): [(200, {"access_token": "t"})],
        ("PATCH", path): [(201, {"id": "00Q"}), (204, None)],
    }
    await put(fake, "salesforce:")
    await put(fake, "salesforce:")
    assert fake.of("POST", "/services/oauth2/token")[0]["grant_type"] == "client_credentials"
    one, again = fake.of("PATCH", path)
    assert one == again
    assert (one["LastName"], one["Company"], one["Email"]) == ("Silva", "Acme", "ana@acme.example")
    assert fake.headers[-1]["Authorization"] == "Bearer t"
    assert fake.headers[-1]["Sforce-Duplicate-Rule-Header"] == "allowSave=true", (
        "who calls again is no duplicate to keep out"
    )


async def test_pipedrive_gets_a_person_a_lead_and_one_note(fake: Fake) -> None:
    nothing = (200, {"data": {"items": []}})
    fake.answers = {
        ("GET", "/api/v2/persons/search"): [nothing, nothing, (200, {"data": {"items": [{"item": {"id": 3}}]}})],
        ("POST", "/api/v2/persons"): [(201, {"data": {"id": 3}})],
        ("GET", "/api/v2/leads/search"): [nothing, (200, {"data": {"items": [{"item": {"id": "L1"}}]}})],
        ("POST", "/v1/leads"): [(201, {"data": {"id": "L1"}})],
        ("PATCH", "/v1/leads/L1"): [(200, {"data": {"id": "L1"}})],
        ("GET", "/v1/notes"): [
            (200, {"data": None}),
            (200, {"data": [{"content": escape(LEAD.body, quote=False).replace("\n", "<br>")}]}),
        ],
        ("POST", "/v1/notes"): [(201, {"data": {"id": 1}})],
    }
    await put(fake, "pipedrive:")
    await put(fake, "pipedrive:")
    assert [len(fake.of("POST", path)) for path in ("/api/v2/persons", "/v1/leads", "/v1/notes")] == [1, 1, 1]
    (lead,) = fake.of("POST", "/v1/leads")
    assert lead["person_id"] == 3
    assert lead["title"].startswith("Ana Maria Silva, Acme")
    assert lead["title"].endswith(CALL)


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, SetupFault), (403, SetupFault), (429, Later), (502, Unavailable), (0, Unavailable), (422, Refused)],
)
async def test_what_a_system_refuses_is_told(fake: Fake, status: int, error: type[OffhookError]) -> None:
    fake.answers = {("POST", SEARCH): [(status, {"message": "ana@acme.example"})]}
    with pytest.raises(error) as caught:
        await put(fake, "hubspot:")
    assert "ana@" not in str(caught.value)


async def test_a_system_that_wants_to_be_left_alone_for_a_day_is_asked_again(fake: Fake) -> None:
    """Its cap on a day's requests is reached, say: the lead isn't given up before that day is over."""
    fake.wait = "86400"
    fake.answers = {("POST", SEARCH): [(429, {})]}
    with pytest.raises(Later) as caught:
        await put(fake, "hubspot:")
    one = replace(due("hubspot:"), until=1_800_000_000.0 + GIVE_UP_AFTER)
    assert next_try(one, 1_800_000_000.0, again=True, wait=caught.value.wait) == 1_800_003_600.0


async def test_a_system_takes_leads_alone_and_needs_an_account(fake: Fake) -> None:
    with pytest.raises(Refused, match="leads alone"):
        await put(fake, "hubspot:", replace(LEAD, fields={}))
    async with ClientSession() as session:
        for address in ("hubspot:", "salesforce:", "pipedrive:"):
            with pytest.raises(SetupFault, match="account"):
                await Customers(Settings.model_validate({}), session).send(due(address), LEAD)
