"""Rows in the database: load those that changes touch, lay the changes on them, write them back.

It runs in the caller's transaction. A call's own row is locked first, so that replicas which write events of one
call wait for each other; on SQLite the transaction itself is the lock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.records import model
from gateway.records.engine import insert
from gateway.records.model import FIELDS, KEYS, Change, merge_change
from gateway.records.schema import APPLIED, CALLS, TABLES

_Rows = dict[tuple[object, ...], dict[str, object]]
_MANY = 200


async def lock_calls(connection: AsyncConnection, started: Mapping[str, float]) -> None:
    """Make the calls' rows where they aren't, and lock them until the transaction ends; in one order, so that two
    writers never wait for each other."""
    rows = [{"id": call, "started": at} for call, at in sorted(started.items())]
    await connection.execute(insert(connection, CALLS).on_conflict_do_nothing(), rows)
    for part in _parts(sorted(started)):
        await connection.execute(select(CALLS.c.id).where(CALLS.c.id.in_(part)).order_by(CALLS.c.id).with_for_update())


async def applied(connection: AsyncConnection, events: Sequence[str]) -> set[str]:
    """Those of `events` (stream ids) whose rows are written."""
    found: set[str] = set()
    for part in _parts(events):
        found.update((await connection.scalars(select(APPLIED.c.event).where(APPLIED.c.event.in_(part)))).all())
    return found


async def note_applied(connection: AsyncConnection, events: Collection[str], at: float) -> None:
    """Say that the rows of `events` are written, at `at`."""
    if events:
        rows = [{"event": event, "at": at} for event in events]
        await connection.execute(insert(connection, APPLIED).on_conflict_do_nothing(), rows)


async def forget_applied(connection: AsyncConnection, before: float) -> None:
    """Drop the notes of events written before `before`."""
    await connection.execute(APPLIED.delete().where(APPLIED.c.at < before))


async def apply_changes(connection: AsyncConnection, changes: Iterable[Change]) -> None:
    """Bring the rows to what `changes` tell; their calls must be locked."""
    by_table: dict[model.Table, list[Change]] = defaultdict(list)
    for change in changes:
        by_table[change.table].append(change)
    for kind in model.Table:  # calls come first: the others refer to them
        if kind in by_table:
            await _apply(connection, kind, by_table[kind])


async def _apply(connection: AsyncConnection, kind: model.Table, changes: Sequence[Change]) -> None:
    rows = await _load(connection, kind, changes)
    touched: _Rows = {}
    for change in changes:
        touched[change.key] = rows[change.key] = merge_change(rows.get(change.key), change)
    table = TABLES[kind]
    written = insert(connection, table)
    others = {column.name: written.excluded[column.name] for column in table.columns if not column.primary_key}
    complete = [_to_columns(table, row) for row in touched.values()]
    await connection.execute(written.on_conflict_do_update(index_elements=KEYS[kind], set_=others), complete)


async def _load(connection: AsyncConnection, kind: model.Table, changes: Sequence[Change]) -> _Rows:
    table, keys = TABLES[kind], {change.key for change in changes}
    found: _Rows = {}
    for part in _parts(sorted({str(key[0]) for key in keys})):
        wanted: ColumnElement[bool] = table.c[KEYS[kind][0]].in_(part)
        if kind is model.Table.TURNS:  # a long call has many
            wanted &= table.c.seq.in_({change.row["seq"] for change in changes})
        for row in (await connection.execute(select(table).where(wanted))).mappings():
            fields = _from_columns(dict(row))
            key = tuple(fields[column] for column in KEYS[kind])
            if key in keys:
                found[key] = fields
    return found


def _to_columns(table: Table, row: Mapping[str, object]) -> dict[str, object]:
    columns = {column.name: row.get(column.name) for column in table.columns}
    if FIELDS in columns:
        facts = {str(name): fact for name, fact in _facts(row[FIELDS]).items()}
        columns[FIELDS] = {name: fact["value"] for name, fact in facts.items() if fact["value"] is not None}
        columns["told"] = {name: fact["at"] for name, fact in facts.items()}
    return columns


def _from_columns(row: Mapping[str, object]) -> dict[str, object]:
    fields = dict(row)
    if FIELDS in fields:
        values, told = fields[FIELDS], fields.pop("told")
        if isinstance(values, Mapping) and isinstance(told, Mapping):
            # A fact that was taken back has a time and no value: an older telling must not bring it back.
            fields[FIELDS] = {name: {"value": values.get(name), "at": at} for name, at in told.items()}
    return fields


def _facts(fields: object) -> Mapping[str, Mapping[str, object]]:
    return fields if isinstance(fields, Mapping) else {}


def _parts(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[at : at + _MANY] for at in range(0, len(values), _MANY))
