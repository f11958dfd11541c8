"""Bringing the database to this program's schema, by Alembic's revisions beside this file."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.errors import SetupFault

_LOCK = 7268_5562
"""PostgreSQL's advisory lock, so that replicas which start together migrate one after the other."""


async def migrate(engine: AsyncEngine, revision: str = "head") -> None:
    """Bring the database to `revision` ("head", "base", an id), whole or not at all.

    Raises SetupFault when the database was written by a newer offhook; SQLAlchemy's errors when it can't be used.
    """
    async with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        await connection.run_sync(_migrate, revision)


def current(connection: Connection) -> str | None:
    """The revision that the database is at; None when it has no tables of ours."""
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    """The revision that this program writes."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _migrate(connection: Connection, revision: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    at = current(connection)
    if at is not None and at not in known:
        raise SetupFault(f"The record database is at revision {at}, which this offhook doesn't know.",
                         remedy="A newer offhook wrote it: run that one, or set another DATABASE_URL.")  # fmt: skip
    if revision == "base":
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)


def _config() -> Config:
    config = Config()
    # Alembic's settings are a format string: a % in the path would be read as a reference.
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    return config
