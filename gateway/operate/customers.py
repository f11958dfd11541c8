"""Puts leads into customer systems: HubSpot, Salesforce and Pipedrive, by their public HTTP APIs.

Each finds what an earlier try has made before it makes anything, so that tries of one delivery, and a lead that changed,
end in one record.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

import aiohttp
import phonenumbers
from pydantic import ValidationError

from gateway.config import Settings
from gateway.errors import OffhookError, Refused, SetupFault, Unavailable
from gateway.operate.webhooks import Later
from gateway.records.outbox import Due
from gateway.terms.delivery import Content
from gateway.terms.lead import LeadReport

_NOT_OURS = frozenset({401, 403})
_EXISTING = re.compile(r"Existing ID:\s*(\d+)")
_CONTACTS = "crm/v3/objects/contacts"
_SALESFORCE = "services/data/v62.0/sobjects/Lead"
_LENGTHS = {"FirstName": 40, "LastName": 80, "Company": 255, "Phone": 40, "Email": 80, "Description": 32000}
"""Characters that fields of a Salesforce lead hold: one that is too long keeps the lead out (Field Reference, Lead)."""
_DUPLICATES = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
"""Who calls again looks like a duplicate to the rules that Salesforce comes with: without it a rule that only warns people keeps
the lead out (Salesforce REST API, Duplicate Rule Header). One that blocks duplicates still does."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an API answered."""

    status: int
    data: object

    def at(self, *way: str | int) -> object:
        """A part of its JSON; None where there is none."""
        found = self.data
        for step in way:
            if isinstance(found, Mapping) and isinstance(step, str):
                found = found.get(step)
            elif isinstance(found, list) and isinstance(step, int) and len(found) > step:
                found = found[step]
            else:
                return None
        return found


@dataclass(frozen=True, slots=True)
class Api:
    """One system's API."""

    name: str
    session: aiohttp.ClientSession
    base: str
    headers: Mapping[str, str]

    async def ask(self, method: str, path: str, *, fine: tuple[int, ...] = (), **more: object) -> Answer:
        """Ask it. Raises Unavailable when it doesn't answer, Later when it wants to be left alone, SetupFault when it
        refuses the account, Refused at any other status than 2xx and `fine`."""
        url = f"{self.base.rstrip('/')}/{path.lstrip('/')}"
        try:
            async with self.session.request(
                method, url, headers=self.headers, allow_redirects=False, **more  # type: ignore[arg-type]
            ) as got:  # fmt: skip
                status, wait = got.status, got.headers.get("Retry-After", "")
                data = await got.json(content_type=None) if got.content_length != 0 else None
        except (aiohttp.ClientError, ValueError, OSError) as bad:
            raise Unavailable(f"{self.name} doesn't answer ({type(bad).__name__}).") from None
        if 200 <= status < 300 or status in fine:
            return Answer(status, data)
        raise self._failure(status, wait)

    def _failure(self, status: int, wait: str) -> OffhookError:
        if status in _NOT_OURS:
            return SetupFault(f"{self.name} refuses the account ({status}).", remedy="Correct its settings.")
        if status == 429 and wait.isdecimal():
            return Later(f"{self.name} wants to be left alone.", float(wait))
        if status == 429 or status >= 500:
            return Unavailable(f"{self.name} answered {status}.")
        return Refused(f"{self.name} doesn't take the lead ({status}).")


class Customers:
    """The systems that a lead can be put into, by the scheme of their addresses."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self._settings, self._session = settings, session

    async def send(self, due: Due, content: Content) -> None:
        """Put the lead there (see `gateway.operate.sending.Sender`)."""
        try:
            lead = LeadReport.model_validate(content.fields.get("lead"))
        except ValidationError:
            raise Refused("A customer system takes leads alone.") from None
        try:
            await self._put(due, lead, content)
        except Refused:
            if lead.contact.email is None:
                raise
            # They check it, and one that was misheard would keep the lead out. The words that go with the lead have it all the same.
            await self._put(due, _without_email(lead), content)

    async def _put(self, due: Due, lead: LeadReport, content: Content) -> None:
        match due.address.partition(":")[0].lower():
            case "hubspot":
                await self._hubspot(lead, content)
            case "salesforce":
                await self._salesforce(lead, content)
            case _:
                await self._pipedrive(lead, content)

    async def _hubspot(self, lead: LeadReport, content: Content) -> None:
        """A contact, found by e-mail, else by number, else made (crm/v3/objects/contacts, which HubSpot supports until September
        2027; from 2026-09 on its versions keep out what an account's validation rules refuse). Many may call by one number, and
        what is heard may be misheard: of a contact that only the number finds, what somebody has filled in stays."""
        token = self._settings.hubspot_token.get_secret_value()
        api = self._api("HubSpot", self._settings.hubspot_url, {"Authorization": f"Bearer {token}"}, token)
        first, last = names(lead)
        told = {
            "email": lead.contact.email, "phone": lead.contact.number, "company": lead.contact.company,
            "firstname": first, "lastname": last,
        }  # fmt: skip
        properties = {name: value for name, value in told.items() if value}
        found, filled = await self._hubspot_contact(api, lead, tuple(told))
        if not found:
            found = await self._hubspot_made(api, properties | {"message": content.body})
        if found:
            fresh = {name: value for name, value in properties.items() if not filled.get(name)}
            changed = {"properties": fresh | {"message": content.body}}
            await api.ask("PATCH", f"{_CONTACTS}/{found}", json=changed)

    async def _hubspot_contact(
        self, api: Api, lead: LeadReport, names: tuple[str, ...]
    ) -> tuple[str, Mapping[str, object]]:
        """The contact that is there already, and what of it must stay; "" for none."""
        email, number = lead.contact.email, lead.contact.number
        if not (email or number):
            raise Refused("HubSpot needs an e-mail address or a number.")
        ways = [("email", {"email": email})] if email else []
        ways += [("number", hubspot_numbers(number))] if number else []
        for by, values in ways:
            groups = [
                {"filters": [{"propertyName": name, "operator": "EQ", "value": value}]}
                for name, value in values.items()
            ]
            asked = {"filterGroups": groups, "properties": list(names), "limit": 1}
            found = await api.ask("POST", f"{_CONTACTS}/search", json=asked)
            if which := found.at("results", 0, "id"):
                filled = found.at("results", 0, "properties")
                return str(which), filled if by == "number" and isinstance(filled, Mapping) else {}
        return "", {}

    async def _hubspot_made(self, api: Api, properties: Mapping[str, object]) -> str:
        """Make the contact: "" where it is made whole, the id of the one that had the e-mail address first."""
        made = await api.ask("POST", _CONTACTS, json={"properties": properties}, fine=(409,))
        if made.status != 409:
            return ""
        existing = _EXISTING.search(str(made.at("message") or ""))
        if existing is None:
            raise Unavailable("HubSpot has the contact already, and doesn't say which.")
        return existing[1]

    async def _salesforce(self, lead: LeadReport, content: Content) -> None:
        """A Lead, upserted by an external id that is the call's (sobjects/Lead/FIELD/ID)."""
        own = self._settings
        secret = own.salesforce_client_secret.get_secret_value()
        asked = self._api("Salesforce", own.salesforce_url, {}, secret)
        grant = {"grant_type": "client_credentials", "client_id": own.salesforce_client_id, "client_secret": secret}
        token = await asked.ask("POST", "services/oauth2/token", data=grant, fine=(400,))
        if token.status == 400 or not token.at("access_token"):
            raise SetupFault("Salesforce refuses the account.", remedy="Correct its settings.")
        bearer = {"Authorization": f"Bearer {token.at('access_token')}"}
        base = str(token.at("instance_url") or own.salesforce_url)
        api = Api("Salesforce", self._session, base, bearer | _DUPLICATES)
        first, last = names(lead)
        told = {
            "FirstName": first, "LastName": last or "unknown", "Company": lead.contact.company or "unknown",
            "Phone": lead.contact.number, "Email": lead.contact.email, "Description": content.body,
            "LeadSource": "Phone",
        }  # fmt: skip
        record = {name: value[: _LENGTHS.get(name)] for name, value in told.items() if value}
        await api.ask("PATCH", f"{_SALESFORCE}/{own.salesforce_field}/{quote(lead.call, safe='')}", json=record)

    async def _pipedrive(self, lead: LeadReport, content: Content) -> None:
        """A person, found by e-mail or number, else made; a lead whose title ends in the call's id; one note."""
        token = self._settings.pipedrive_token.get_secret_value()
        api = self._api("Pipedrive", self._settings.pipedrive_url, {"x-api-token": token}, token)
        person = await self._pipedrive_person(api, lead)
        title = f"{content.title.partition(': ')[2] or content.title} – {lead.call}"
        found = await api.ask("GET", "api/v2/leads/search", params={"term": lead.call, "fields": "title"})
        known = found.at("data", "items", 0, "item", "id")
        told = {"title": title, "person_id": person}
        if known:
            await api.ask("PATCH", f"v1/leads/{known}", json=told)
        else:
            known = (await api.ask("POST", "v1/leads", json=told)).at("data", "id")
        notes = await api.ask("GET", "v1/notes", params={"lead_id": str(known), "limit": "50"})
        said = escape(content.body, quote=False).replace("\n", "<br>")  # notes are HTML
        kept = notes.at("data")
        written = [one.get("content") for one in kept if isinstance(one, Mapping)] if isinstance(kept, list) else []
        if said not in written:
            await api.ask("POST", "v1/notes", json={"content": said, "lead_id": known})

    async def _pipedrive_person(self, api: Api, lead: LeadReport) -> object:
        contact = lead.contact
        for name, value in (("email", contact.email), ("phone", contact.number)):
            if value:
                asked = {"term": value, "fields": name, "exact_match": "true"}
                found = (await api.ask("GET", "api/v2/persons/search", params=asked)).at("data", "items", 0, "item")
                if isinstance(found, Mapping) and found.get("id"):
                    return found["id"]
        person: dict[str, object] = {"name": contact.name or contact.number or contact.email or "unknown"}
        person |= {
            name: [{"value": value, "primary": True}]
            for name, value in (("emails", contact.email), ("phones", contact.number))
            if value
        }
        return (await api.ask("POST", "api/v2/persons", json=person)).at("data", "id")

    def _api(self, name: str, base: str, headers: Mapping[str, str], secret: str) -> Api:
        if not (secret and base):
            raise SetupFault(f"A lead can't be put into {name}: its account isn't set.", remedy="Set it.")
        return Api(name, self._session, base, headers)


def names(lead: LeadReport) -> tuple[str, str]:
    """The first and the last name; a single one is the last."""
    first, _, last = (lead.contact.name or "").strip().rpartition(" ")
    return first, last


def hubspot_numbers(number: str) -> dict[str, str]:
    """The properties by which a contact with this number (E.164) may be found: as we write it, and as HubSpot reads any way of
    writing it, which is without the country's code."""
    found = {"phone": number, "mobilephone": number}
    try:
        digits = phonenumbers.national_significant_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return found
    return found | {f"hs_searchable_calculated_{which}_number": digits for which in ("phone", "mobile")}


def _without_email(lead: LeadReport) -> LeadReport:
    return lead.model_copy(update={"contact": lead.contact.model_copy(update={"email": None})})
