"""Questions to the records, for commands and consoles. Nothing here writes.

Times are seconds since the epoch (UTC). Rows hold what people said and their numbers, plainly: show them to whoever
may see them, and never log them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ScalarSelect, Select, Table, func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import Refused, SetupFault
from gateway.records.engine import connect, shown, sqlite_file
from gateway.records.migrate import current, newest
from gateway.records.schema import (
    ATTEMPTS,
    CALLBACKS,
    CALLS,
    LEADS,
    LEGS,
    MESSAGES,
    NOTES,
    OUTCOMES,
    STOPS,
    SWITCHES,
    TICKETS,
    TURNS,
    WAITS,
)

Row = Mapping[str, object]

_Query = Select[*tuple[Any, ...]]
_PREFIX = "SCL_"
_CANDIDATES = 5
_LISTED = {LEADS: ("lead", "offhook leads list"), TICKETS: ("ticket", "offhook leads list --tickets")}
"""By table, what a row of it is called, and what lists them."""


class NotFound(Refused):
    """No record, or more than one, answers to what was asked for."""


@dataclass(frozen=True, slots=True)
class Record:
    """All that is kept of one call; columns as in `gateway.records.schema`, in order of time."""

    call: Row
    attempts: Sequence[Row]
    turns: Sequence[Row]
    switches: Sequence[Row]
    lead: Row | None
    ticket: Row | None
    callbacks: Sequence[Row]
    stops: Sequence[Row] = ()
    legs: Sequence[Row] = ()
    waits: Sequence[Row] = ()
    messages: Sequence[Row] = ()
    notes: Sequence[Row] = ()


@asynccontextmanager
async def reading(address: str) -> AsyncIterator[AsyncConnection | None]:
    """A connection to read the records at `address`; None when nothing was ever recorded there.

    Raises SetupFault when the database can't be used, or its schema is another version's.
    """
    file = sqlite_file(address)
    if file is not None and not file.exists():
        yield None
        return
    engine = connect(address, writes=False)
    try:
        async with engine.connect() as connection:
            at = await connection.run_sync(current)
            if at is not None and at != newest():
                raise SetupFault(f"The records at {shown(address)} are of another version of offhook ({at}).",
                                 remedy="Start offhook up or offhook control: it brings them up to date.")  # fmt: skip
            yield connection if at is not None else None
    except (SQLAlchemyError, OSError, TimeoutError) as bad:
        what = f"The records at {shown(address)} can't be read: {str(bad).partition(chr(10))[0]}."
        first = "Start the database" if file is None else "Restore the file, or move it away and begin anew"
        raise SetupFault(what, remedy=f"{first}, or set DATABASE_URL or OFFHOOK_STATE.") from bad
    finally:
        await engine.dispose()


async def calls(connection: AsyncConnection, *, limit: int, since: float | None = None) -> Sequence[Row]:
    """The newest calls, newest first; each with `turns`, how many there were, and whether there is a `lead`, a
    `ticket`, a `callback`, a `message`."""
    query = select(
        CALLS,
        _count(TURNS).label("turns"),
        (_count(LEADS) > 0).label("lead"),
        (_count(TICKETS) > 0).label("ticket"),
        (_count(CALLBACKS) > 0).label("callback"),
        (_count(MESSAGES) > 0).label("message"),
    ).order_by(CALLS.c.started.desc(), CALLS.c.id)
    return await _rows(connection, _since(query, CALLS, "started", since).limit(limit))


async def callbacks(connection: AsyncConnection, *, limit: int, since: float | None = None) -> Sequence[Row]:
    """The newest callbacks, newest first, each with its call's caller, dialed and agent. `number` is whom to call:
    the one that was asked for, else the caller's; None when the caller withheld it."""
    number = func.coalesce(func.nullif(CALLBACKS.c.number, ""), CALLS.c.caller).label("number")
    columns = [column for column in CALLBACKS.c if column.name != "number"]
    query = select(*columns, number, CALLS.c.caller, CALLS.c.dialed, CALLS.c.agent).join(CALLS)
    return await _rows(
        connection, _since(query, CALLBACKS, "at", since).order_by(CALLBACKS.c.at.desc(), CALLBACKS.c.call).limit(limit)
    )


async def leads(connection: AsyncConnection, *, limit: int, since: float | None = None) -> Sequence[Row]:
    """The newest leads, newest first, each with its call's caller, dialed and agent, and its outcome and why (None where
    nobody has told)."""
    joined = LEADS.join(CALLS).outerjoin(OUTCOMES, OUTCOMES.c.call == LEADS.c.call)
    columns = [CALLS.c.caller, CALLS.c.dialed, CALLS.c.route, CALLS.c.agent, CALLS.c.started]
    query = select(LEADS, *columns, OUTCOMES.c.outcome, OUTCOMES.c.why).select_from(joined)
    query = _since(query, LEADS, "created", since).order_by(LEADS.c.created.desc(), LEADS.c.call).limit(limit)
    return await _rows(connection, query)


async def tickets(connection: AsyncConnection, *, limit: int, since: float | None = None) -> Sequence[Row]:
    """The newest tickets, as `leads`."""
    return await _papers(connection, TICKETS, limit, since)


async def messages(
    connection: AsyncConnection, *, limit: int, since: float | None = None, undone: bool = False
) -> Sequence[Row]:
    """The newest messages, newest first, each with its call's caller, dialed and route. `undone`: only those that nobody
    has dealt with."""
    query = _since(_messages(), MESSAGES, "at", since)
    if undone:
        query = query.where(MESSAGES.c.done.is_(None))
    return await _rows(connection, query.order_by(MESSAGES.c.at.desc(), MESSAGES.c.id).limit(limit))


async def message(connection: AsyncConnection, written: str) -> Row:
    """The one message that `written` names: its id, its call's, or the first characters of either.

    Raises NotFound, which says what is near.
    """
    calls_ = [written] if written.startswith(_PREFIX) else [_PREFIX + written, written]
    named = [MESSAGES.c.id.startswith(written, autoescape=True)]
    named += [MESSAGES.c.call.startswith(start, autoescape=True) for start in calls_]
    query = _messages().where(or_(*named)).order_by(MESSAGES.c.at.desc()).limit(200)
    # SQLite's LIKE doesn't tell case.
    found = [
        row for row in await _rows(connection, query)
        if str(row["id"]).startswith(written) or str(row["call"]).startswith(tuple(calls_))
    ]  # fmt: skip
    exact = [row for row in found if row["id"] == written]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if not found:
        raise NotFound(f"There is no such message: {written}.", remedy="offhook messages list lists them.")
    some = ", ".join(str(row["id"]) for row in found[:_CANDIDATES]) + (" …" if len(found) > _CANDIDATES else "")
    raise NotFound(f"{len(found)} messages answer to {written}: {some}.", remedy="Write more of the id.")


def _messages() -> _Query:
    return select(MESSAGES, CALLS.c.caller, CALLS.c.dialed, CALLS.c.route, CALLS.c.opened).join(CALLS)


async def find(connection: AsyncConnection, written: str, *, having: Table | None = None) -> str:
    """The id of the one call that `written` names: its id, or the first characters of it, with SCL_ or without.

    `having`: only calls with a row in this table. Raises NotFound, which says what is near.
    """
    starts = [written] if written.startswith(_PREFIX) else [_PREFIX + written, written]
    query = select(CALLS.c.id).where(or_(*(CALLS.c.id.startswith(start, autoescape=True) for start in starts)))
    if having is not None:
        query = query.join(having, having.c.call == CALLS.c.id)
    query = query.order_by(CALLS.c.started.desc()).limit(200)
    found = [str(call) for call in (await connection.scalars(query)).all() if str(call).startswith(tuple(starts))]
    exact = [call for call in found if call in starts]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if not found:
        raise _no(written, having)
    some = ", ".join(found[:_CANDIDATES]) + (" …" if len(found) > _CANDIDATES else "")
    raise NotFound(f"{len(found)} records begin with {written}: {some}.", remedy="Write more of the id.")


def _no(written: str, having: Table | None) -> NotFound:
    what, command = ("call", "offhook calls list") if having is None else _LISTED[having]
    return NotFound(f"There is no such {what}: {written}.", remedy=f"{command} lists them.")


async def record(connection: AsyncConnection, call: str) -> Record:
    """All of one call, by its whole id. Raises NotFound."""
    own = await _rows(connection, select(CALLS).where(CALLS.c.id == call))
    if not own:
        raise _no(call, None)

    async def of(table: Table, *order: str) -> Sequence[Row]:
        query = select(table).where(table.c.call == call).order_by(*(table.c[column] for column in order))
        return await _rows(connection, query)

    lead, ticket = await of(LEADS), await of(TICKETS)
    return Record(
        call=own[0],
        attempts=await of(ATTEMPTS, "epoch"),
        turns=await of(TURNS, "at", "seq"),
        switches=await of(SWITCHES, "at"),
        lead=lead[0] if lead else None,
        ticket=ticket[0] if ticket else None,
        callbacks=await of(CALLBACKS, "at"),
        stops=await of(STOPS, "number"),
        legs=await of(LEGS, "at", "leg"),
        waits=await of(WAITS, "at"),
        messages=await of(MESSAGES, "at", "id"),
        notes=await of(NOTES, "at"),
    )


async def _papers(connection: AsyncConnection, table: Table, limit: int, since: float | None) -> Sequence[Row]:
    query = select(table, CALLS.c.caller, CALLS.c.dialed, CALLS.c.agent).join(CALLS)
    query = _since(query, table, "created", since).order_by(table.c.created.desc(), table.c.call).limit(limit)
    return await _rows(connection, query)


def _count(table: Table) -> ScalarSelect[int]:
    return select(func.count()).select_from(table).where(table.c.call == CALLS.c.id).scalar_subquery()


def _since(query: _Query, table: Table, column: str, since: float | None) -> _Query:
    return query if since is None else query.where(table.c[column] >= since)


async def _rows(connection: AsyncConnection, query: _Query) -> Sequence[Row]:
    return [dict(row) for row in (await connection.execute(query)).mappings()]
