"""The four transaction machines of RFC 3261 section 17, with RFC 6026, for UDP: one table each, in its own module."""

from __future__ import annotations

from gateway.sip.transaction import client, invite_client, invite_server, server
from gateway.sip.transaction.machine import (
    Do,
    Event,
    Happened,
    IllegalEvent,
    Machine,
    Row,
    State,
    Table,
    Timer,
    Timers,
)

INVITE_CLIENT = invite_client.TABLE
INVITE_SERVER = invite_server.TABLE
CLIENT = client.TABLE
SERVER = server.TABLE

__all__ = [
    "CLIENT",
    "INVITE_CLIENT",
    "INVITE_SERVER",
    "SERVER",
    "Do",
    "Event",
    "Happened",
    "IllegalEvent",
    "Machine",
    "Row",
    "State",
    "Table",
    "Timer",
    "Timers",
]
