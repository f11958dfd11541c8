"""A lead in words, for whoever is told of it, and in parts for programs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

from gateway.operate.telling import number
from gateway.terms.delivery import Content
from gateway.terms.lead import LeadReport, report

_PARTS = ("need", "budget", "timeline", "consent")
_SHOWN = {"name", "company", "number", "email", "promises", *_PARTS}


def reported(row: Mapping[str, object], link: str = "") -> LeadReport:
    """The report of a lead's row with its call's caller, dialed, route, agent and started. `link`: where its transcript
    is, and where its outcome is told."""
    fields = row["fields"]
    found = report(row, fields if isinstance(fields, Mapping) else {}, complete=row["complete"] is True)
    started = row.get("started")
    at = None
    if isinstance(started, int | float):
        at = datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return found.model_copy(update={"started": at, "transcript": link or None})


def lead_told(row: Mapping[str, object], link: str, zone: tzinfo, *, changed: bool = False) -> Content:
    """A lead, as it is sent. `zone`: the one that times are told in; `changed`: what came after it was told."""
    lead = reported(row, link)
    contact = lead.contact
    who = contact.name or number(contact.number)
    of = f", {contact.company}" if contact.company else ""
    head = f"{'Lead, changed' if changed else 'Lead'}: {who}{of} ({lead.score.points} points)"
    lines = [_when(row, zone), ""]
    lines += [f"{label}: {value}" for label, value in _listed(lead)]
    lines += ["", f"{lead.score.points} points:", *(f"  {reason}" for reason in lead.score.reasons)]
    if not lead.complete:
        lines.insert(1, "The call ended before everything was known.")
    lines += ["", f"What was said, and what came of it: {link}", "", f"Call {lead.call}"]
    parts = (number(contact.number), contact.email, lead.need, lead.budget)
    short = f"{head}\n{', '.join(part for part in parts if part)}\n{link}"
    return Content(head, "\n".join(lines), {"lead": lead.model_dump(mode="json"), "call": lead.call}, short=short)


def _when(row: Mapping[str, object], zone: tzinfo) -> str:
    caller, started = number(row.get("caller")), row.get("started")
    if not isinstance(started, int | float):
        return f"{caller} called."
    when = datetime.fromtimestamp(started, UTC).astimezone(zone).strftime("%A, %d %B %Y, %H:%M %Z")
    return f"{caller} called on {when}."


def _listed(lead: LeadReport) -> list[tuple[str, str]]:
    contact = lead.contact

    def said(name: str) -> str:
        return " (read back)" if name in lead.confirmed else ""

    found = [
        ("Name", contact.name and contact.name + said("name")),
        ("Company", contact.company),
        ("Number", contact.number and number(contact.number) + said("number")),
        ("E-mail", contact.email and contact.email + said("email")),
        *((part.capitalize(), getattr(lead, part)) for part in _PARTS),
        ("Promised", "; ".join(lead.promises)),
    ]
    more = [
        (name.replace("_", " ").capitalize(), str(value)) for name, value in lead.facts.items() if name not in _SHOWN
    ]
    return [(label, value) for label, value in (*found, *more) if value]
