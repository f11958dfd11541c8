"""Talks with somebody who might buy: who they are, what they need, how big, how much."""

from __future__ import annotations

from pydantic import BaseModel, Field

from agents.definition import Definition, digits
from agents.words.readback import Exact
from gateway.calls.acts.digits import Rules


class Lead(BaseModel):
    """What sales finds out."""

    name: str | None = Field(None, description="your name")
    company: str | None = Field(None, description="the name of your company")
    need: str | None = Field(None, description="what you need")
    team_size: int | None = Field(None, description="how many people are on your team", ge=1)
    budget: str | None = Field(None, description="your budget")
    timeline: str | None = Field(None, description="when you need it")
    number: str | None = Field(None, description="your phone number", json_schema_extra=digits(Rules(least=7, most=15)))
    email: str | None = Field(None, description="your email address")
    consent: str | None = Field(None, description="what you agree to, such as being called back, if mentioned")
    promises: list[str] | None = Field(None, description="what you were promised in this call, if mentioned")


AGENT = Definition(
    name="sales",
    summary="Qualifies a caller who might buy, and writes a lead.",
    kind="lead",
    record=Lead,
    exact={"number": Exact.NUMBER, "email": Exact.EMAIL},
    offered=("timeline", "number", "email", "consent", "promises"),
    greeting="Thanks for calling. How can I help?",
    instructions="You answer the sales line. Find out what the caller needs and whether we can serve them.",
)
