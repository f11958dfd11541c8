"""Databases that contract suites run on."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.app.records import open_records
from gateway.config import Settings
from gateway.records.engine import connect


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server of our own on a Unix socket; its data is gone afterwards."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    binaries = found[-1].parent if found else Path(shutil.which("postgres") or "/none").resolve().parent
    if not (binaries / "initdb").exists():
        pytest.skip("no PostgreSQL server is installed")
    home = Path(tempfile.mkdtemp(prefix="pg"))
    command: list[str] = []
    if os.getuid() == 0:  # the server refuses to be root
        shutil.chown(home, "postgres", "postgres")
        command = ["runuser", "-u", "postgres", "--"]

    def run(*arguments: str) -> None:
        subprocess.run([*command, *arguments], check=True, stdout=subprocess.DEVNULL, cwd=home, timeout=60)

    run(str(binaries / "initdb"), "-D", f"{home}/data", "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8")
    options = f"-c listen_addresses= -c unix_socket_directories={home} -c fsync=off -c shared_buffers=16MB"
    control = [str(binaries / "pg_ctl"), "-D", f"{home}/data", "-w", "-l", f"{home}/log"]
    run(*control, "-o", options, "start")
    try:
        yield f"postgresql://postgres@/NAME?host={home}"
    finally:
        run(*control, "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
async def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings whose record database is new and empty: SQLite, then PostgreSQL."""
    if request.param == "sqlite":
        return Settings.model_validate({"OFFHOOK_STATE": tmp_path / "state"})
    address = request.getfixturevalue("postgres")
    name = f"test_{random.getrandbits(48):x}"
    admin = connect(address.replace("NAME", "postgres"), writes=True)
    async with admin.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(
            text(f"CREATE DATABASE {name}")
        )
    await admin.dispose()
    return Settings.model_validate({"OFFHOOK_STATE": tmp_path, "DATABASE_URL": address.replace("NAME", name)})


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """The record database, migrated."""
    opened = await open_records(settings)
    yield opened
    await opened.dispose()
