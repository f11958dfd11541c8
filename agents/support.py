"""Talks with somebody whose thing doesn't work: what is wrong, what was tried, what to try."""

from __future__ import annotations

from pydantic import BaseModel, Field

from agents.definition import Definition, digits
from gateway.calls.acts.digits import Rules


class Ticket(BaseModel):
    """What support finds out."""

    problem: str | None = Field(None, description="what is wrong")
    ticket_number: str | None = Field(None, description="your ticket number", json_schema_extra=digits(Rules(most=12)))
    tried: str | None = Field(None, description="what you have tried so far")
    solved: bool | None = Field(None, description="whether the steps helped")


AGENT = Definition(
    name="support",
    summary="Takes a problem down, suggests what to try, and writes a ticket.",
    kind="ticket",
    offered=("tried", "solved"),
    record=Ticket,
    greeting="This is support. What is wrong?",
    instructions="""You answer the support line. Find out what is wrong and suggest simple steps.
Steps:
- internet, wifi, connection, network: Please unplug the router for ten seconds, then plug it in again.
- sound, hear, audio, quiet: Please turn the volume up, then make a test call.
- slow, crashed, frozen, screen, error, password, login: Please restart the program, then sign in again.""",
)
