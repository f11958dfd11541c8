"""The four transaction machines of RFC 3261 section 17, with RFC 6026: one table each, in its own module, for UDP; what
they are over TCP and TLS follows from those."""

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
from gateway.sip.transaction.streams import over_stream

INVITE_CLIENT = invite_client.TABLE
INVITE_SERVER = invite_server.TABLE
CLIENT = client.TABLE
SERVER = server.TABLE
STREAM = {id(table): over_stream(table) for table in (INVITE_CLIENT, INVITE_SERVER, CLIENT, SERVER)}


def table_of(table: Table, *, reliable: bool) -> Table:
    """One of the four tables, as it is over UDP or over a reliable transport."""
    return STREAM[id(table)] if reliable else table


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
    "over_stream",
    "table_of",
]
