"""What is told of a callback, and to whom: an appointment for calendars, its end, and alarms. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import phonenumbers

from gateway.callbacks.ics import Appointment, ics
from gateway.callbacks.machine import Booking, Tell
from gateway.callbacks.said import told as said
from gateway.callbacks.times import clock_of, zones_of
from gateway.terms.delivery import Content, Delivery, Why
from gateway.terms.personal import Number

LASTS = 15 * 60.0
"""Seconds that a callback takes in a calendar."""
_SUBJECTS = {Tell.BOOKED: "Callback", Tell.MOVED: "Callback moved", Tell.CANCELLED: "Callback cancelled"}


@dataclass(frozen=True, slots=True)
class About:
    """What is known beside the callback itself."""

    link: str
    """Where another time can be agreed on, or none."""
    team: tuple[str, ...] = ()
    """Addresses of the team, or of whoever looks after callbacks of no team."""
    callee: tuple[str, ...] = field(default=(), repr=False)
    """Addresses of the callee: of their mail where it is known."""
    facts: Mapping[str, object] = field(default_factory=dict, repr=False)
    """The lead's."""
    sender: str = ""
    """The mail address that is the appointments' organizer."""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    """The plan's."""


def deliveries(one: Booking, what: Tell, about: About, now: float) -> list[Delivery]:
    """Whom to tell what. Each is one delivery, however often it is asked for."""
    subject = f"{one.id} {what.value} {one.sequence if what in _SUBJECTS else one.tries}"
    if what in (Tell.MISSED, Tell.LATE):
        return [_delivery(one, Why.ALARM, subject, to, _alarm(one, what, about, now), urgent=True) for to in about.team]
    content, theirs = _for_team(one, what, about, now), _for_callee(one, what, about, now)
    found = [_delivery(one, Why.CALLBACK, subject, to, content) for to in about.team]
    return [*found, *(_delivery(one, Why.CALLBACK, subject, to, theirs) for to in about.callee)]


def _delivery(one: Booking, kind: Why, subject: str, to: str, content: Content, *, urgent: bool = False) -> Delivery:
    return Delivery(kind=kind, subject=subject, address=to, call=one.call, content=content, urgent=urgent)


def _for_team(one: Booking, what: Tell, about: About, now: float) -> Content:
    who, when = _who(one, about), _when(one.at, about.zone)
    lines = [
        {
            Tell.BOOKED: f"{who} is to be called back: {when}.",
            Tell.MOVED: f"{who} is to be called back at another time: {when}.",
            Tell.CANCELLED: f"{who} is not to be called back any more. It was agreed for {when}.",
        }[what],
        *([f"Why: {one.reason}."] if one.reason else []),
        *([_does(one)] if what is not Tell.CANCELLED else [f"Why not: {one.why}."] if one.why else []),
        *([f"Another time, or none: {about.link}"] if what is not Tell.CANCELLED else []),
        f"Callback {one.id}, call {one.call}",
    ]
    title = f"{_SUBJECTS[what]}: {who}, {when}"
    file = _calendar(one, what, about, f"Callback: {who}", "\n".join(lines), about.team, now)
    return Content(title, "\n\n".join(lines), _fields(one, about), {"callback.ics": file})


def _for_callee(one: Booking, what: Tell, about: About, now: float) -> Content:
    zones = zones_of(one.number, one.zone)
    clock = clock_of(zones, one.zone, one.at)
    when = f"{said(one.at, now, clock.zone, ours=not clock.theirs)}, {_when(one.at, clock.zone)}"
    lines = [
        {
            Tell.BOOKED: f"We call you back {when}.",
            Tell.MOVED: f"We call you back at another time: {when}.",
            Tell.CANCELLED: "We won't call you back: the callback is cancelled.",
        }[what],
        *([f"For another time, or none: {about.link}"] if what is not Tell.CANCELLED else []),
    ]
    file = _calendar(one, what, about, "We call you back", lines[0], about.callee, now)
    fields = {"callback": one.id, "at": _instant(one.at), "state": one.state.value, "link": about.link}
    return Content(lines[0], "\n\n".join(lines), fields, {"callback.ics": file})


def _alarm(one: Booking, what: Tell, about: About, now: float) -> Content:
    who = _who(one, about)
    if what is Tell.LATE:
        head = f"{who} should have been called back by {_when(one.by, about.zone)}, and hasn't been."
        title = f"Late: {who} waits for a callback"
    else:
        head = f"{who} was called back {one.tries} times in vain, and isn't called any more." if one.tries else ""
        head = head or f"{who} can't be called back by the gateway."
        title = f"Missed: the callback of {who}"
    lines = [
        head,
        *([f"Why: {one.why}."] if one.why else []),
        *([f"They had asked for: {one.reason}."] if one.reason else []),
        f"Please call {_number(one.number)}, then: offhook callbacks done {one.id}",
        f"Another time, or none: {about.link}",
        f"Callback {one.id}, call {one.call}",
    ]
    return Content(title, "\n\n".join(lines), {**_fields(one, about), "alarm": what.value})


def _does(one: Booking) -> str:
    if not one.by_hand:
        return f"The gateway rings the team {one.team} then, and the caller once somebody takes it."
    return f"Nobody does it by itself: please call, then: offhook callbacks done {one.id}"


def _calendar(one: Booking, what: Tell, about: About, summary: str, text: str, to: tuple[str, ...], now: float) -> str:
    mails = tuple(address.removeprefix("mailto:") for address in to if address.startswith("mailto:"))
    appointment = Appointment(
        f"{one.id}@offhook", one.sequence, one.at, LASTS, summary, text, about.sender, mails,
        cancelled=what is Tell.CANCELLED,
    )  # fmt: skip
    return ics(appointment, now)


def _fields(one: Booking, about: About) -> dict[str, object]:
    return {
        "callback": one.id, "state": one.state.value, "at": _instant(one.at), "by": _instant(one.by),
        "number": one.number.reveal(), "team": one.team, "reason": one.reason, "tries": one.tries, "why": one.why,
        "link": about.link, "name": _text(about.facts.get("name")), "company": _text(about.facts.get("company")),
    }  # fmt: skip


def _who(one: Booking, about: About) -> str:
    name, company = _text(about.facts.get("name")), _text(about.facts.get("company"))
    known = f"{name} of {company}" if name and company else name or company
    return f"{known} ({_number(one.number)})" if known else _number(one.number)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(number: Number) -> str:
    """In the groups in which it is spoken."""
    try:
        parsed = phonenumbers.parse(number.reveal())
    except phonenumbers.NumberParseException:
        return number.reveal()
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _when(at: float, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(at, zone):%A, %d %B %Y, %H:%M %Z}"


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
