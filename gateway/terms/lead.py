"""A lead as whoever sells gets it: who called, what for, how good it looks and why. Pure.

`LeadReport.model_json_schema()` is what webhooks, exports and customer systems can count on; `facts` in it is by the
record of the agent that wrote the lead (`offhook leads schema AGENT` prints both).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from gateway.terms.sealed import SHOWN, is_sealed

CONFIRMED = "confirmed"
"""The fact that lists which others the caller has heard read back and confirmed."""


class Outcome(StrEnum):
    """What became of a lead, in the words of whoever took it."""

    GOOD = "good"
    BAD = "bad"
    SPAM = "spam"
    WON = "won"


class Contact(BaseModel):
    """How to reach the caller."""

    model_config = ConfigDict(frozen=True)

    name: str | None = Field(None, description="as the caller said or spelled it")
    company: str | None = Field(None, description="whom they work for")
    number: str | None = Field(None, description="E.164: the one they gave, else the one they called from")
    email: str | None = None


class Score(BaseModel):
    """How good a lead looks: `score` tells how it is counted."""

    model_config = ConfigDict(frozen=True)

    points: int = Field(ge=0, le=100)
    reasons: list[str] = Field(description='what the points are for, such as "+25 they say what they need"')


class LeadReport(BaseModel):
    """A lead, whole. What isn't known is null."""

    model_config = ConfigDict(frozen=True)

    call: str = Field(description="the call's id: one lead a call")
    agent: str | None = Field(None, description="the agent that talked with the caller last")
    route: str | None = None
    dialed: str | None = None
    caller: str | None = Field(None, description="E.164; null where it was withheld")
    started: str | None = Field(None, description="ISO 8601, UTC")
    complete: bool = Field(description="whether all that the agent asks for is known")
    contact: Contact
    need: str | None = None
    budget: str | None = None
    timeline: str | None = Field(None, description="by when they want it")
    consent: str | None = Field(None, description="what they agreed to, in their words, such as being called back")
    promises: list[str] = Field(description="what the agent promised them")
    confirmed: list[str] = Field(description="facts that were read back to them, and that they said are right")
    score: Score
    facts: dict[str, object] = Field(description="everything that was found out, by the agent's own record")
    transcript: str | None = Field(None, description="a link to what was said, and to where the outcome is told")


def report(call: Mapping[str, object], fields: Mapping[str, object], *, complete: bool) -> LeadReport:
    """The report of a call's facts, without its times and link. `call`: the id as `call`, caller, dialed, route and agent;
    `fields`: fact by name. What is sealed is shown as hidden."""
    facts = {str(name): SHOWN if is_sealed(value) else value for name, value in fields.items() if value is not None}
    confirmed = _texts(facts.pop(CONFIRMED, None))
    contact = Contact(
        name=_text(facts.get("name")), company=_text(facts.get("company")),
        number=_text(facts.get("number")) or _text(call.get("caller")), email=_text(facts.get("email")),
    )  # fmt: skip
    return LeadReport(
        call=str(call["call"]), agent=_text(call.get("agent")), route=_text(call.get("route")),
        dialed=_text(call.get("dialed")), caller=_text(call.get("caller")), started=None, complete=complete,
        contact=contact, need=_text(facts.get("need")), budget=_text(facts.get("budget")),
        timeline=_text(facts.get("timeline")), consent=_text(facts.get("consent")),
        promises=_texts(facts.get("promises")), confirmed=confirmed, score=score(facts, contact), facts=facts,
        transcript=None,
    )  # fmt: skip


_SOON = (
    "now",
    "today",
    "tomorrow",
    "asap",
    "soon as possible",
    "this week",
    "next week",
    "this month",
    "urgent",
    "days",
)
_POINTS = (
    ("need", 25, "they say what they need"),
    ("budget", 20, "they name a budget"),
    ("timeline", 10, "they say by when"),
    ("company", 10, "they name their company"),
    ("name", 5, "they give their name"),
    ("team_size", 5, "they say for how many people"),
)


def score(facts: Mapping[str, object], contact: Contact) -> Score:
    """How good a lead looks, by what is known and nothing else: points for each fact, for a way to reach them (15), for a
    second way (5) and for wanting it soon (5). Each agent's facts of these names count; others don't."""
    found = [(points, why) for name, points, why in _POINTS if facts.get(name) not in (None, "", [])]
    if contact.number or contact.email:
        found.append((15, "they can be reached"))
    if contact.number and contact.email:
        found.append((5, "by telephone and by mail"))
    timeline = str(facts.get("timeline") or "").lower()
    if any(word in timeline for word in _SOON):
        found.append((5, "they want it soon"))
    reasons = [f"+{points} {why}" for points, why in found]
    if not (contact.number or contact.email):
        reasons.append("+0 nobody can reach them: the number was withheld, and they gave no other")
    return Score(points=min(100, sum(points for points, _ in found)), reasons=reasons)


def _text(value: object) -> str | None:
    if value in (None, "", []):
        return None
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(one) for one in value]
    return [] if value in (None, "") else [str(value)]
