"""The machines over TCP and TLS: nothing is repeated that the transport delivers, and nothing repeated is waited for
(RFC 3261 sections 17.1.1.2, 17.1.2.2, 17.2.1, 17.2.2). A 2xx to an INVITE is repeated all the same (13.3.1.4)."""

from __future__ import annotations

from dataclasses import replace

from gateway.sip.transaction.machine import State, Table, Timer

_REPEATS = frozenset({Timer.A, Timer.E, Timer.E2, Timer.G})
_ABSORBS = frozenset({Timer.D, Timer.I, Timer.J, Timer.K})


def over_stream(table: Table) -> Table:
    """The table for a reliable transport: without the timers that repeat, and at once where one would absorb."""
    rows = {}
    for (state, event), row in table.items():
        if event in _REPEATS | _ABSORBS:
            continue
        if _ABSORBS & set(row.start):
            rows[state, event] = replace(row, to=State.TERMINATED, start=())
        else:
            starts, keeps = (tuple(timer for timer in some if timer not in _REPEATS) for some in (row.start, row.keep))
            rows[state, event] = replace(row, start=starts, keep=keeps)
    return rows
