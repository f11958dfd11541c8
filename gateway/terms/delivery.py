"""What is to reach somebody outside: a value, and the event by which a call's job or control asks for it. Pure.

How to send something (a card, an alarm, a callback's confirmation):

- From whoever tells a call's events (a job's Teller, control's dispatcher): tell `asked(...)` as any other event. The
  writer puts a row for each address in the outbox in the transaction that holds the event's other rows, and wakes the
  deliverer beside it.
- From whoever has a transaction on the records: `await gateway.records.outbox.put(connection, delivery, now)`, then, in
  control, `deliverer.wake()` after the commit; else it is found within a second.

A delivery's id is a hash of call, kind, subject and address: asked for again it is the same delivery, so ask as often
as you like. `subject` tells apart several of one kind in a call: `"ring 2"`, `"leg-3"`. It is tried until it arrives, at
least once, for a day or until `until`, always under that id, by whichever control claims it.

What is said is `Content`; or none, and `gateway.operate.composing` makes it from the records when it is sent, where the
kind is listed there (a message, a lead).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.terms.call import CallId
from gateway.terms.event import Event, Kind


class Why(StrEnum):
    """The kinds of delivery that this code knows; receivers see them as `type`. A new one is a new line here."""

    MESSAGE = "message"
    TRANSCRIPT = "transcript"
    """Words of a message that came after it was told."""
    LEAD = "lead"
    LEAD_CHANGED = "lead.changed"
    """What came after the lead was told."""
    CARD = "card"
    """For those who are rung: who waits, and why."""
    ALARM = "alarm"
    CALLBACK = "callback"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Content:
    """What is said. All of it is JSON."""

    title: str = field(repr=False)
    """One line: a mail's subject. An SMS begins with it."""
    body: str = field(repr=False)
    """Plain text for people."""
    fields: Mapping[str, object] = field(default_factory=dict, repr=False)
    """The same in parts, for programs; webhooks carry them."""
    files: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Text files by name (`callback.ics`), where the address takes files: mails do."""
    short: str = field(default="", repr=False)
    """What an SMS says; "" for title and body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One thing for one address."""

    kind: str
    """A Why, as text."""
    subject: str
    """Of several of this kind in a call, which."""
    address: str = field(repr=False)
    """mailto:, https:, sms:+1…, slack: and whatever else `gateway.operate.sending` takes."""
    call: str = ""
    """"" where it tells of no single call; `subject` alone must tell those apart then ("digest 2026-11-28 sales")."""
    content: Content | None = None
    """None where the kind's content is made from the records."""
    urgent: bool = False
    """Goes before all others, at once, with quick tries and a lane of its own."""
    due: float | None = None
    """Seconds since the epoch; None for now."""
    until: float | None = None
    """When nobody needs it any more; None for a day after it was written."""

    @property
    def id(self) -> str:
        """The same for the same, whoever writes it, and it gives nothing away."""
        return identity(self.call, self.subject, self.address, self.kind)


def identity(call: str, subject: str, address: str, kind: str) -> str:
    """A delivery's id."""
    return hashlib.sha256(f"{call}\x00{subject}\x00{address}\x00{kind}".encode()).hexdigest()[:32]


def asked(
    call: CallId,
    at: float,
    *,
    kind: str,
    subject: str,
    to: Sequence[str],
    content: Content | None = None,
    urgent: bool = False,
    due: float | None = None,
    until: float | None = None,
) -> Event:
    """The event that asks for deliveries, one for each address in `to`."""
    data: dict[str, object] = {"kind": kind, "subject": subject, "to": list(dict.fromkeys(to)), "urgent": urgent}
    if content is not None:
        data["content"] = as_json(content)
    data |= {name: value for name, value in (("due", due), ("until", until)) if value is not None}
    return Event(call, Kind.DELIVER, at, data)


def as_json(content: Content) -> dict[str, object]:
    """Content as it is kept and told."""
    told: dict[str, object] = {"title": content.title, "body": content.body}
    told |= {name: dict(part) for name, part in (("fields", content.fields), ("files", content.files)) if part}
    return told | ({"short": content.short} if content.short else {})


def from_json(given: object) -> Content | None:
    """Content as it was kept; None where there is none that can be read."""
    if not isinstance(given, Mapping) or not isinstance(given.get("title"), str):
        return None
    files = _mapping(given.get("files"))
    return Content(
        str(given["title"]),
        str(given.get("body") or ""),
        _mapping(given.get("fields")),
        {name: text for name, text in files.items() if isinstance(text, str)},
        str(given.get("short") or ""),
    )


def _mapping(given: object) -> dict[str, object]:
    return {str(name): value for name, value in given.items()} if isinstance(given, Mapping) else {}
