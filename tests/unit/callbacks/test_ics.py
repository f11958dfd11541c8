"""What calendars get: RFC 5545's form, the same UID in every version, and no line that somebody's words could add."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gateway.callbacks.ics import Appointment, ics

ONE = Appointment(
    "cb-1@offhook",
    0,
    1_800_000_000.4,
    900,
    "Callback: +1 510-555-0142",
    "Wants a demo",
    "a@b.example",
    ("c@d.example",),
)
NOW = 1_799_990_000.0


def unfolded(text: str) -> list[str]:
    return text.replace("\r\n ", "").split("\r\n")[:-1]


def test_a_request() -> None:
    text = ics(ONE, NOW)
    assert unfolded(text) == [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//offhook//callbacks//EN", "METHOD:REQUEST", "BEGIN:VEVENT",
        "UID:cb-1@offhook", "SEQUENCE:0", "DTSTAMP:20270115T051320Z", "DTSTART:20270115T080000Z",
        "DTEND:20270115T081500Z", "SUMMARY:Callback: +1 510-555-0142", "DESCRIPTION:Wants a demo", "STATUS:CONFIRMED",
        "ORGANIZER:mailto:a@b.example", "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=FALSE:mailto:c@d.example",
        "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:A callback is due", "TRIGGER:-PT5M", "END:VALARM",
        "END:VEVENT", "END:VCALENDAR",
    ]  # fmt: skip


def test_its_end_has_the_same_uid_and_a_later_number() -> None:
    text = ics(replace(ONE, sequence=2, cancelled=True), NOW)
    for line in ("METHOD:CANCEL", "UID:cb-1@offhook", "SEQUENCE:2", "STATUS:CANCELLED"):
        assert line in unfolded(text)
    assert "BEGIN:VALARM" not in text


def test_who_has_no_mail_address_is_asked_for_nothing() -> None:
    """A request without attendees is none (RFC 5546 section 3.2.2)."""
    lines = unfolded(ics(replace(ONE, attendees=()), NOW))
    assert "METHOD:PUBLISH" in lines
    assert not [line for line in lines if line.startswith("ATTENDEE")]
    assert "METHOD:CANCEL" in unfolded(ics(replace(ONE, attendees=(), cancelled=True), NOW))


@given(st.text(), st.text(), st.text())
def test_no_words_make_a_line_of_their_own(summary: str, about: str, mail: str) -> None:
    text = ics(Appointment("u", 0, 1_800_000_000, 900, summary, about, mail, (mail,)), NOW)
    assert "\n" not in text.replace("\r\n", "")
    assert "\r" not in text.replace("\r\n", "")
    names = [re.split("[:;]", line)[0] for line in unfolded(text)]
    plain = [re.split("[:;]", line)[0] for line in unfolded(ics(ONE, NOW))]
    assert [name for name in names if name != "DESCRIPTION"] == [name for name in plain if name != "DESCRIPTION"]
    assert all(len(line.encode(errors="replace")) <= 75 for line in text.split("\r\n"))


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_what_was_said_is_read_back_whole(about: str) -> None:
    told = next(
        (
            line
            for line in unfolded(ics(Appointment("u", 0, 1, 1, "s", f"x{about}"), NOW))
            if line.startswith("DESCRIPTION:x")
        ),
        "",
    )
    read = re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], told.removeprefix("DESCRIPTION:x"))
    assert read == about.replace("\x7f", "")
