from __future__ import annotations

from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from gateway.operate.lead_words import lead_told, reported
from gateway.terms.lead import LeadReport, report

CALL = {"call": "SCL_a", "caller": "+15105550142", "dialed": "+15105550100", "route": "sales", "agent": "sales"}
KNOWN = {"name": "Ana Silva", "company": "Acme", "need": "chairs", "budget": "50000", "timeline": "next week",
         "email": "ana@acme.example", "promises": ["a quote"], "confirmed": ["email"], "team_size": 12}  # fmt: skip


def test_a_whole_lead_is_reported_and_scored_with_reasons() -> None:
    lead = report(CALL, KNOWN, complete=True)
    assert (lead.contact.name, lead.contact.number, lead.contact.email) == (
        "Ana Silva", "+15105550142", "ana@acme.example",
    )  # fmt: skip
    assert (lead.promises, lead.confirmed, lead.facts["team_size"]) == (["a quote"], ["email"], 12)
    assert lead.score.points == 100
    assert "+25 they say what they need" in lead.score.reasons
    assert LeadReport.model_validate(lead.model_dump(mode="json")) == lead


def test_a_withheld_number_without_another_cannot_be_reached() -> None:
    lead = report({**CALL, "caller": None}, {"need": "chairs"}, complete=False)
    assert lead.score.points == 25
    assert "nobody can reach them" in lead.score.reasons[-1]


def test_what_is_sealed_is_never_told() -> None:
    lead = report(CALL, {"card": "sealed:1:abc"}, complete=False)
    assert "abc" not in lead.model_dump_json()


@given(st.dictionaries(st.sampled_from([*KNOWN, "other"]), st.none() | st.text() | st.integers() | st.lists(st.text())))
def test_the_score_is_of_the_facts_alone_and_grows_with_them(known: dict[str, object]) -> None:
    one, again = (report(CALL, known, complete=False) for _ in range(2))
    assert one == again
    assert 0 <= one.score.points <= 100
    assert sum(int(reason.partition(" ")[0]) for reason in one.score.reasons) == one.score.points
    more = report(CALL, {**known, "need": "chairs", "budget": "10"}, complete=False)
    assert more.score.points >= one.score.points


def test_it_is_told_in_words_and_in_parts() -> None:
    row = {**CALL, "fields": KNOWN, "complete": False, "started": 1_800_000_000.0}
    told = lead_told(row, "https://x/leads/SCL_a", UTC)
    assert told.title == "Lead: Ana Silva, Acme (100 points)"
    assert told.body.startswith("+1 510-555-0142 called on Friday, 15 January 2027, 08:00 UTC.\nThe call ended before")
    for line in ("E-mail: ana@acme.example (read back)", "Promised: a quote", "Team size: 12", "Need: chairs"):
        assert line in told.body
    lead = told.fields["lead"]
    assert isinstance(lead, dict)
    assert (lead["started"], lead["transcript"]) == ("2027-01-15T08:00:00Z", "https://x/leads/SCL_a")
    assert reported(row).transcript is None
