"""The card of whoever is rung."""

from __future__ import annotations

from gateway.handoff.card import DECLINE_HERE, TAKE_HERE, Caller, card, linked, spelled, takes
from gateway.terms.personal import Words
from gateway.terms.sealed import MARK
from gateway.terms.turn import Speaker, Turn

FACTS = {
    "name": "Maria Lopez",
    "company": "Acme",
    "need": "phones",
    "budget": "5000 dollars",
    "promises": ["a quote by Friday"],
    "number": None,
}
TURNS = [
    Turn(1, Speaker.AGENT, Words("How can I help?"), 1.0),
    *(Turn(n, Speaker.CALLER, Words(f"Sentence {n}."), float(n)) for n in range(2, 6)),
]
CALLER = Caller("SCL_1", "+14155550142", FACTS, TURNS, "wants to buy today")


def test_it_tells_who_waits_and_what_was_said_and_promised() -> None:
    told = card(CALLER, decline="https://x.example/decline")
    assert told.title == "Call for you: Maria Lopez of Acme"
    for line in (
        "Company: Acme (A-C-M-E)",
        "Number: +1 415-555-0142",
        "Need: phones",
        "Budget: 5000 dollars",
        "Why now: wants to buy today",
        "Promised: a quote by Friday",
        'They said: "Sentence 3."',
        'They said: "Sentence 5."',
        "Can't take it? https://x.example/decline",
    ):
        assert line in told.body.splitlines()
    assert "Sentence 2." not in told.body, "the last sentences say enough"
    assert "How can I help?" not in told.body
    assert told.fields["card"]["name"] == "Maria Lopez"  # type: ignore[index]
    assert told.short.splitlines() == [
        "Call for you: Maria Lopez of Acme, +1 415-555-0142",
        "Acme (A-C-M-E)",
        "Need: phones",
        "Budget: 5000 dollars",
        "Why now: wants to buy today",
        "Promised: a quote by Friday",
        'They said: "Sentence 3." "Sentence 4." "Sentence 5."',
        "Can't take it? https://x.example/decline",
    ]


def test_what_isnt_known_isnt_told_and_a_team_declines_for_nobody() -> None:
    told = card(Caller("SCL_1", "", {"name": f"{MARK}x"}))
    assert told.title == "Call for you: Somebody"
    assert told.body.splitlines() == ["Number: withheld", "", "Answer your phone and press 1 to take the call."]
    assert told.short == "Call for you: Somebody, number withheld"
    assert MARK not in repr(told)


def test_what_another_agent_has_found_out_is_told_by_its_name() -> None:
    facts = {"problem": "no internet", "tried": None, "solved": False, "team_size": 25, "ticket_number": f"{MARK}x"}
    told = card(Caller("SCL_1", "", facts))
    for text in (told.body, told.short):
        for line in ("Problem: no internet", "Solved: no", "Team size: 25"):
            assert line in text.splitlines()
        assert "Ticket" not in text, "what is sealed isn't told"
        assert "Tried" not in text, "nor what isn't known"
    assert told.fields["card"]["more"] == {"Problem": "no internet", "Solved": "no", "Team size": "25"}  # type: ignore[index]


def test_companies_are_spelled() -> None:
    assert spelled("O'Neil & Co") == "O-N-E-I-L C-O"


def test_the_link_is_put_where_it_belongs_when_the_card_is_sent() -> None:
    told = linked(card(CALLER, decline=DECLINE_HERE), "https://x.example/decline")
    assert told == card(CALLER, decline="https://x.example/decline")
    team = card(CALLER)
    assert linked(team, "https://x.example/decline") == team


def test_a_card_may_take_the_call_in_the_browser_with_a_phone_or_without() -> None:
    told = card(CALLER, take=TAKE_HERE)
    assert takes(told)
    assert not takes(card(CALLER, decline=DECLINE_HERE))
    sent = linked(told, "https://x.example/take#s")
    assert sent == card(CALLER, take="https://x.example/take#s")
    asks = "Take it in your browser, or say that you can't: https://x.example/take#s"
    assert sent.body.splitlines()[-2:] == ["Answer your phone and press 1 to take the call.", asks]
    assert sent.short.splitlines()[-1] == asks
    fields = sent.fields["card"]
    assert fields["take"] == fields["decline"] == "https://x.example/take#s"  # type: ignore[index]
    assert "phone" not in card(CALLER, take=TAKE_HERE, phone=False).body.splitlines()[-2]
