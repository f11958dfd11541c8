"""The record database, opened for the process that writes it."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.config import Settings
from gateway.errors import SetupFault
from gateway.records.engine import connect, shown
from gateway.records.migrate import migrate


async def open_records(settings: Settings) -> AsyncEngine:
    """The engine of `settings.database`, its schema brought up to date; `await engine.dispose()` when done.

    Raises SetupFault when the database can't be reached or written, or a newer offhook wrote it.
    """
    engine = connect(settings.database, writes=True)
    try:
        await migrate(engine)
    except (SQLAlchemyError, OSError, TimeoutError) as bad:
        await engine.dispose()
        why = str(bad).partition("\n")[0] or type(bad).__name__
        raise SetupFault(
            f"The record database {shown(settings.database)} can't be used: {why}.",
            remedy="Start or repair it, or set DATABASE_URL; without it the records are kept in SQLite.",
        ) from bad
    except BaseException:
        await engine.dispose()
        raise
    return engine
