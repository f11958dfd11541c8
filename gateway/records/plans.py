"""The versions of the dial plan, in SQL: which is in force, for every replica; author, time, message and content.

Nothing is ever deleted: it is the audit. Files are kept once by their content, however many versions have them.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
import zlib
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Select, Update, func, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.dialplan.overrides import Override
from gateway.dialplan.version import Source, Version
from gateway.errors import Refused, Unavailable
from gateway.records import reading
from gateway.records.changes import UNKNOWN, Changes, Remembered
from gateway.records.engine import whole
from gateway.records.schema import OVERRIDES, PLAN_FILES, PLAN_VERSION_FILES, PLAN_VERSIONS

_LOCK = 7268_5563
"""PostgreSQL's advisory lock: two writers must not make the same number."""
_OLDER = re.compile(r"no such (table|column)|(relation|column) .* does not exist")
_BROUGHT_UP = "Start offhook up or offhook control: it brings the database up to date."
_T = TypeVar("_T")


class Plans:
    """The versions. Every method raises Unavailable when the database doesn't answer. The engines are the caller's."""

    def __init__(self, engine: AsyncEngine, looking: AsyncEngine | None = None, changes: Changes = UNKNOWN) -> None:
        """`engine`: opened to write where `apply` or `withdraw` are to be called. `looking`: one opened to read only,
        whose looks don't wait for writers; the same database. `changes`: of it."""
        self._engine, self._looking = engine, looking or engine
        self._live = Remembered[Version | None](changes)

    async def apply(
        self,
        files: Mapping[str, bytes],
        *,
        content: str,
        author: str,
        now: float,
        effective: float | None = None,
        message: str = "",
        source: Source = Source.APPLY,
        of: int = 0,
        after: int = 0,
    ) -> Version | None:
        """Add a version of the files, in force from `effective` on (now, when None).

        `content`: the plan's version hash. None, and nothing is written, when what is in force has the same content
        already and it isn't scheduled, or when `source` is SAVE and the files are pinned or that content has become a
        version after number `after`: another replica has saved it, and it may have been replaced since. Times are kept to the
        microsecond; what no database can hold of `author` and `message` is left out. Raises Refused when a file's name
        isn't text.
        """
        _check_names(files)
        hashes = await asyncio.to_thread(_hashes, files)
        known = await self._known(hashes.values())
        data = {hashes[name]: data for name, data in files.items()}
        packed = await asyncio.to_thread(_pack, {one: data[one] for one in data.keys() - known})
        start = _kept(now if effective is None else effective)
        made = Version(0, content, _text(author), _kept(now), start, _text(message), source, of)
        return await _answered(self._apply(made, hashes, packed, after))

    async def _known(self, hashes: Collection[str]) -> set[str]:
        rows = await self._rows(select(PLAN_FILES.c.hash).where(PLAN_FILES.c.hash.in_(hashes)))
        return {str(row["hash"]) for row in rows}

    async def _apply(
        self, made: Version, hashes: Mapping[str, str], packed: Mapping[str, bytes], after: int
    ) -> Version | None:
        async with self._engine.begin() as connection:
            await _lock(connection)
            if made.source is Source.SAVE and await _saved(connection, made.content) > after:
                return None
            live = await _live(connection, made.made)
            if live is not None and made.effective <= made.made:
                if made.source is Source.SAVE and live.source is Source.ROLLBACK:
                    return None
                if live.content == made.content and not (
                    made.source is Source.APPLY and live.source is Source.ROLLBACK
                ):
                    return None
            number = 1 + (await connection.scalar(select(func.max(PLAN_VERSIONS.c.number))) or 0)
            row = {**_row(made), "number": number}
            there = set(await connection.scalars(select(PLAN_FILES.c.hash).where(PLAN_FILES.c.hash.in_(packed))))
            fresh = [{"hash": one, "data": data} for one, data in packed.items() if one not in there]
            if fresh:
                await connection.execute(insert(PLAN_FILES), fresh)
            await connection.execute(insert(PLAN_VERSIONS), row)
            links = [{"version": number, "name": name, "hash": one} for name, one in hashes.items()]
            if links:
                await connection.execute(insert(PLAN_VERSION_FILES), links)
            return _version(row)

    async def live(self, now: float) -> Version | None:
        """The version in force; None before the first."""

        async def asked() -> tuple[Version | None, float]:
            return await self._read(lambda connection: _live_until(connection, now))

        return await self._live.at(now, asked)

    async def history(self, limit: int = 50) -> Sequence[Version]:
        """The newest versions, newest first, scheduled ones too."""
        query = select(PLAN_VERSIONS).order_by(PLAN_VERSIONS.c.number.desc()).limit(limit)
        return [_version(row) for row in await self._rows(query)]

    async def get(self, number: int) -> Version:
        """A version. Raises Refused when there is none of that number."""
        query = select(PLAN_VERSIONS).where(PLAN_VERSIONS.c.number == number)
        rows = await self._rows(query) if _possible(number) else []
        if not rows:
            raise Refused(f"There is no version {number} of the plan.", remedy="offhook plan history lists them.")
        return _version(rows[0])

    async def of_content(self, content: str) -> Version | None:
        """The newest version with that content, by its whole hash; None when there was none."""
        query = select(PLAN_VERSIONS).where(PLAN_VERSIONS.c.content == content)
        rows = await self._rows(query.order_by(PLAN_VERSIONS.c.number.desc()).limit(1))
        return _version(rows[0]) if rows else None

    async def files(self, number: int, known: Mapping[str, bytes] | None = None) -> Mapping[str, bytes]:
        """The files of a version, by name. `known`: files at hand, by their hashes, that needn't be fetched.

        Raises Refused when there is no version of that number.
        """
        at_hand = known or {}
        query = select(PLAN_VERSION_FILES).where(PLAN_VERSION_FILES.c.version == number)
        links = await self._rows(query) if _possible(number) else []
        if not links:
            await self.get(number)  # one without files is no error, one that isn't there is
        wanted = {row["hash"] for row in links} - set(at_hand)
        packed = await self._rows(select(PLAN_FILES).where(PLAN_FILES.c.hash.in_(wanted))) if wanted else []
        data = {row["hash"]: await asyncio.to_thread(zlib.decompress, row["data"]) for row in packed}
        return {row["name"]: at_hand.get(row["hash"]) or data.get(row["hash"], b"") for row in links}

    async def withdraw(self, number: int, now: float) -> bool:
        """Take back a version that isn't in force yet; whether there was one."""
        return _possible(number) and await _answered(self._withdraw(number, now))

    async def _withdraw(self, number: int, now: float) -> bool:
        ahead = (PLAN_VERSIONS.c.effective > now) & PLAN_VERSIONS.c.withdrawn.is_(None)
        query = update(PLAN_VERSIONS).where(PLAN_VERSIONS.c.number == number, ahead).values(withdrawn=now)
        async with self._engine.begin() as connection:
            return bool((await connection.execute(query)).rowcount)

    async def _rows(self, query: Any) -> Sequence[Mapping[str, Any]]:
        async def ask(connection: AsyncConnection) -> Sequence[Mapping[str, Any]]:
            return [dict(row) for row in (await connection.execute(query)).mappings()]

        return await self._read(ask)

    async def _read(self, ask: Callable[[AsyncConnection], Coroutine[Any, Any, _T]]) -> _T:
        async def asked() -> _T:
            async with self._looking.connect() as connection:
                return await ask(connection)

        return await _answered(asked())


class Overrides:
    """What operators override. Errors as of `Plans`."""

    def __init__(self, engine: AsyncEngine, looking: AsyncEngine | None = None, changes: Changes = UNKNOWN) -> None:
        """As of `Plans`."""
        self._engine, self._looking = engine, looking or engine
        self._active = Remembered[Sequence[Override]](changes)

    async def add(
        self, kind: str, subject: str, until: float, say: str, author: str, now: float, ends: Sequence[str] = ()
    ) -> Override:
        """Override something until a time; what counts of the kinds `ends` for the subject ends in the same step. What
        is kept of times and texts: as of `Plans.apply`."""

        async def added() -> Override:
            async with self._engine.begin() as connection:
                await _lock(connection)
                number = 1 + (await connection.scalar(select(func.max(OVERRIDES.c.id))) or 0)
                if ends:
                    await connection.execute(_ending(ends, subject, author, now))
                made = Override(number, kind, _text(subject), _kept(until), _text(say), _text(author), _kept(now))
                await connection.execute(insert(OVERRIDES), {**_fields(made)})
                return made

        return await _answered(added())

    async def end(self, kinds: Sequence[str], subject: str, author: str, now: float) -> int:
        """End what is overridden before its time; how many were."""

        async def ended() -> int:
            async with self._engine.begin() as connection:
                return int((await connection.execute(_ending(kinds, subject, author, now))).rowcount)

        return await _answered(ended())

    async def active(self, now: float) -> Sequence[Override]:
        """What is in force, or comes, in the order in which it was made."""

        async def asked() -> tuple[Sequence[Override], float]:
            found = await self._list(select(OVERRIDES).where(*_active(now)).order_by(OVERRIDES.c.id))
            return found, min((one.until for one in found), default=math.inf)

        return await self._active.at(now, asked)

    async def since(self, begin: float) -> Sequence[Override]:
        """Those that counted at some time since `begin`, in the order in which they were made."""
        return await self._list(select(OVERRIDES).where(OVERRIDES.c.until > begin).order_by(OVERRIDES.c.id))

    async def past(self, now: float, limit: int = 50) -> Sequence[Override]:
        """The newest that are over, newest first."""
        over = (OVERRIDES.c.until <= now) | OVERRIDES.c.ended.is_not(None)
        return await self._list(select(OVERRIDES).where(over).order_by(OVERRIDES.c.id.desc()).limit(limit))

    async def _list(self, query: Any) -> Sequence[Override]:
        async def listed() -> Sequence[Override]:
            async with self._looking.connect() as connection:
                return [Override(**row) for row in (await connection.execute(query)).mappings()]

        return await _answered(listed())


def _ending(kinds: Sequence[str], subject: str, author: str, now: float) -> Update:
    ours = (OVERRIDES.c.kind.in_(kinds), OVERRIDES.c.subject == _text(subject), *_active(now))
    return update(OVERRIDES).where(*ours).values(ended=now, ended_by=_text(author))


def _active(now: float) -> tuple[Any, ...]:
    return OVERRIDES.c.until > now, OVERRIDES.c.ended.is_(None)


def _fields(made: Override) -> dict[str, object]:
    return {name: getattr(made, name) for name in Override.__dataclass_fields__}


def _kept(at: float) -> float:
    """The time as databases give it back: what was made must equal what is read later."""
    return round(at, 6)


def _text(said: str) -> str:
    """A terminal that isn't UTF-8 gives text that no database takes: it must not keep an operator from acting."""
    return reading.text(said) or ""


def _check_names(files: Mapping[str, bytes]) -> None:
    for name in files:
        if _text(name) != name:
            raise Refused(f"The plan's file name {name!a} isn't text in UTF-8.", remedy="Rename the file.")


def _possible(number: int) -> bool:
    """Whether databases can hold the number; to ask them for a larger one is an error of theirs."""
    return reading.whole(number) is not None


def _hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def _pack(data: Mapping[str, bytes]) -> dict[str, bytes]:
    return {digest: zlib.compress(content, 1) for digest, content in data.items()}


async def _lock(connection: AsyncConnection) -> None:
    """One writer at a time; SQLite's transactions are already (gateway.records.engine)."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


async def _saved(connection: AsyncConnection, content: str) -> int:
    """The number of the newest version with that content; 0 for none."""
    query = select(func.max(PLAN_VERSIONS.c.number)).where(PLAN_VERSIONS.c.content == content)
    return await connection.scalar(query) or 0


async def _live(connection: AsyncConnection, now: float) -> Version | None:
    """The last version that counted at once, or one that came in force by its time after that. The order of those that
    counted at once is that of their numbers: the clocks of replicas may differ."""
    columns = PLAN_VERSIONS.c
    standing = select(PLAN_VERSIONS).where(columns.withdrawn.is_(None))
    at_once = standing.where(columns.effective == columns.made).order_by(columns.number.desc())
    by_time = standing.where(columns.effective > columns.made, columns.effective <= now)
    last = await _first(connection, at_once)
    timed = await _first(connection, by_time.order_by(columns.effective.desc(), columns.number.desc()))
    return timed if timed is not None and (last is None or timed.effective > last.made) else last


async def _live_until(connection: AsyncConnection, now: float) -> tuple[Version | None, float]:
    """The version in force, and until when at most."""
    columns = PLAN_VERSIONS.c
    ahead = select(func.min(columns.effective)).where(columns.withdrawn.is_(None), columns.effective > now)
    until = await connection.scalar(ahead)
    return await _live(connection, now), math.inf if until is None else until


async def _first(connection: AsyncConnection, query: Select[Any]) -> Version | None:
    found = (await connection.execute(query.limit(1))).mappings().first()
    return _version(dict(found)) if found is not None else None


def _row(made: Version) -> dict[str, object]:
    return {name: getattr(made, name) for name in Version.__dataclass_fields__} | {"source": made.source.value}


def _version(row: Mapping[str, Any]) -> Version:
    return Version(**{**row, "source": Source(row["source"])})


async def _answered(work: Coroutine[Any, Any, _T]) -> _T:
    """A transaction's result. It is bounded by the engine's own time-outs: broken off from outside, what was committed
    could be told as failed."""
    try:
        return await whole(work)
    except (SQLAlchemyError, OSError, TimeoutError) as bad:
        if _OLDER.search(str(bad)):
            raise Unavailable("The database is of an older offhook.", remedy=_BROUGHT_UP) from bad
        why = str(bad).partition("\n")[0] or type(bad).__name__
        raise Unavailable(
            f"The database of plans doesn't answer: {why}.",
            remedy="Start or restore it, or check DATABASE_URL and OFFHOOK_STATE.",
        ) from bad
