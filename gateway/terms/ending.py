"""How a call ended, and who ended it."""

from __future__ import annotations

from enum import StrEnum


class Party(StrEnum):
    """Who hung up first. Where the SIP service doesn't tell, UNKNOWN: never a guess."""

    CALLER = "caller"
    AGENT = "agent"
    HUMAN = "human"
    """The person who had taken the call."""
    NETWORK = "network"
    """Media or signalling was lost."""
    GATEWAY = "gateway"
    """The plan rejected the call, or a limit ended it."""
    UNKNOWN = "unknown"


class Ending(StrEnum):
    """What became of the call."""

    SERVED = "served"
    """An agent or a person talked with the caller."""
    ABANDONED = "abandoned"
    """The caller hung up before an agent was heard, or while they waited for a person, whoever had talked with them before."""
    REJECTED = "rejected"
    """The plan, or a missing trunk or rule, turned it away."""
    CALLBACK = "callback"
    """It ended with a callback booked."""
    MESSAGE = "message"
    """A message was left."""
    MISSED = "missed"
    """A callback that didn't bring the two together."""
    LOST = "lost"
    """No job could serve it: our fault, always alarming."""
