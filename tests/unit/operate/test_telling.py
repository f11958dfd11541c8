from __future__ import annotations

from zoneinfo import ZoneInfo

from gateway.operate.telling import length, number, told
from gateway.records.outbox import Due
from gateway.terms.delivery import Content

ROW = {
    "call": "SCL_a", "id": "m1", "caller": "+15105550142", "dialed": "+15105550100", "route": "night",
    "left": 1_800_000_000.0, "at": 1_800_000_000.0, "seconds": 65.2, "because": "closed", "team": "sales",
    "transcript": "Call me “soon”.",
}  # fmt: skip
ZONE = ZoneInfo("America/Los_Angeles")


def said_of(link: str, kind: str = "message", **more: object) -> Content:
    due = Due("n1", kind, "m1", "SCL_a", "mailto:a@b.cd", None, False, 0.0, 1e9, 1)
    return told(due, {**ROW, **more}, link, ZONE)


def test_a_message_is_told_with_all_that_is_known() -> None:
    said = said_of("https://x/messages/m1?sig=s")
    assert said.title == "Message from +1 510-555-0142, 1 min 5 s"
    assert said.body.splitlines() == [
        "+1 510-555-0142 left a message of 1 min 5 s for sales on Friday, 15 January 2027, 00:00 PST.",
        "We were closed.", "", "“Call me “soon”.”", "", "Listen: https://x/messages/m1?sig=s", "",
        "Call SCL_a, message m1",
    ]  # fmt: skip
    assert said.fields["transcript"] == "Call me “soon”."
    assert (said.fields["at"], said.fields["seconds"]) == ("2027-01-15T08:00:00Z", "65.2")


def test_what_is_not_known_is_left_out() -> None:
    said = said_of("L", caller=None, team=None, because=None, transcript=None)
    assert said.body.splitlines() == [
        "a withheld number left a message of 1 min 5 s on Friday, 15 January 2027, 00:00 PST.", "", "Listen: L", "",
        "Call SCL_a, message m1",
    ]  # fmt: skip
    assert said.fields["caller"] == ""


def test_words_that_come_later_say_of_which_message() -> None:
    said = said_of("L", "transcript")
    assert said.title == "What was said: message from +1 510-555-0142, 1 min 5 s"
    assert said.body.startswith(
        "What +1 510-555-0142 said in the message of Friday, 15 January 2027, 00:00 PST:\n\n“Call"
    )


def test_numbers_and_lengths() -> None:
    assert [number(each) for each in (None, "sip-user", "+442079460123")] == [
        "a withheld number", "sip-user", "+44 20 7946 0123",
    ]  # fmt: skip
    assert [length(each) for each in (0.4, 59.6, 125)] == ["0 s", "1 min 0 s", "2 min 5 s"]
