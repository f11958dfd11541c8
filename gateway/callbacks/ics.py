"""A callback as an appointment for calendars: iCalendar (RFC 5545) with iTIP's methods (RFC 5546). Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

_FOLD = 75
"""Octets of a line at most, without its end (section 3.1)."""


@dataclass(frozen=True, slots=True)
class Appointment:
    """One version of an appointment. Times are seconds since the epoch."""

    uid: str
    """The same in every version (section 3.8.4.7)."""
    sequence: int
    """Grows with every change (section 3.8.7.4)."""
    at: float
    lasts: float
    """Seconds."""
    summary: str = field(repr=False)
    about: str = field(default="", repr=False)
    organizer: str = field(default="", repr=False)
    """A mail address; "" for none."""
    attendees: tuple[str, ...] = field(default=(), repr=False)
    """Mail addresses."""
    cancelled: bool = False


def ics(one: Appointment, now: float) -> str:
    """The calendar object, CRLF at the end of each line. `now`: when this version is made."""
    # A request needs attendees, and what is published may have none (RFC 5546 sections 3.2.1 and 3.2.2).
    method = "CANCEL" if one.cancelled else "REQUEST" if one.attendees else "PUBLISH"
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//offhook//callbacks//EN",
        f"METHOD:{method}",
        "BEGIN:VEVENT",
        f"UID:{_text(one.uid)}",
        f"SEQUENCE:{one.sequence}",
        f"DTSTAMP:{_utc(now)}",
        f"DTSTART:{_utc(one.at)}",
        f"DTEND:{_utc(one.at + one.lasts)}",
        f"SUMMARY:{_text(one.summary)}",
        *([f"DESCRIPTION:{_text(one.about)}"] if one.about else []),
        f"STATUS:{'CANCELLED' if one.cancelled else 'CONFIRMED'}",
        # Every method wants an organizer (RFC 5546 section 3.2); without a mail address, a name that leads nowhere.
        f"ORGANIZER:{_address(one.organizer) if one.organizer else 'mailto:callbacks@offhook.invalid'}",
        *(f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=FALSE:{_address(who)}" for who in one.attendees),
        *([] if one.cancelled else _ALARM),
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


_ALARM = ("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:A callback is due", "TRIGGER:-PT5M", "END:VALARM")


def _utc(at: float) -> str:
    return f"{datetime.fromtimestamp(round(at), UTC):%Y%m%dT%H%M%SZ}"


def _text(said: str) -> str:
    """A value of type TEXT (section 3.3.11): no control characters but the line's end, which is written `\\n`."""
    plain = said.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(letter for letter in plain if letter == "\n" or (ord(letter) >= 32 and ord(letter) != 127))
    for letter, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        kept = kept.replace(letter, written)
    return kept


def _address(mail: str) -> str:
    """A mailto URI that ends no line and begins no parameter."""
    return "mailto:" + "".join(letter for letter in mail if letter.isprintable() and letter not in '";, ')


def _folded(line: str) -> str:
    """Long lines go on in the next, behind a space, and never within a character (section 3.1)."""
    parts: list[str] = []
    part, size = "", 0
    for letter in line:
        octets = len(letter.encode(errors="replace"))
        if size + octets > _FOLD:
            parts.append(part)
            part, size = " ", 1
        part, size = part + letter, size + octets
    return "\r\n".join([*parts, part])
