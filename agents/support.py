"""Talks with somebody whose thing doesn't work: what is wrong, what was tried, what to try."""

from __future__ import annotations

from pydantic import BaseModel, Field

from agents.definition import Definition


class Ticket(BaseModel):
    """What support finds out."""

    problem: str | None = Field(None, description="what is wrong")
    ticket_number: str | None = Field(None, description="your ticket number", json_schema_extra={"format": "digits"})
    tried: str | None = Field(None, description="what you have tried so far")


AGENT = Definition(
    name="support",
    summary="Takes a problem down, suggests what to try, and writes a ticket.",
    kind="ticket",
    record=Ticket,
    greeting="This is support. What is wrong?",
    instructions="You answer the support line. Find out what is wrong and suggest simple steps.",
)
