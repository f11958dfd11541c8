"""Databases and stores that contract suites run on."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.app.records import open_records
from gateway.calls.store.memory import MemoryStore
from gateway.calls.store.port import CallStore
from gateway.calls.store.redis_store import RedisStore
from gateway.config import Settings
from gateway.records.changes import Changes
from gateway.records.engine import connect
from gateway.records.outbox import Outbox
from gateway.redis_client import PROTOCOL
from tests.e2e.servers import redis_server


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


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a record database that is migrated, to copy: migrating takes longer than most tests."""
    directory = tmp_path_factory.mktemp("migrated")
    asyncio.run(_migrate(Settings.model_validate({"OFFHOOK_STATE": directory})))
    return directory


@pytest.fixture(scope="session")
def migrated_postgres(postgres: str) -> str:
    """The name of a record database that is migrated, to copy."""
    asyncio.run(_create(postgres, "migrated", "template1"))
    address = postgres.replace("NAME", "migrated")
    asyncio.run(_migrate(Settings.model_validate({"DATABASE_URL": address})))
    return "migrated"


async def _migrate(settings: Settings) -> None:
    await (await open_records(settings)).dispose()


async def _create(address: str, name: str, like: str) -> None:
    admin = connect(address.replace("NAME", "postgres"), writes=True)
    async with admin.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(
            text(f"CREATE DATABASE {name} TEMPLATE {like}")
        )
    await admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings whose record database is new: SQLite, then PostgreSQL. For a test that asks for the `engine` it is
    migrated, else empty."""
    migrated = "engine" in request.fixturenames
    if request.param == "sqlite":
        state = tmp_path / "state"
        if migrated:
            shutil.copytree(request.getfixturevalue("migrated_sqlite"), state)
        return Settings.model_validate({"OFFHOOK_STATE": state})
    address = request.getfixturevalue("postgres")
    name = f"test_{random.getrandbits(48):x}"
    like = request.getfixturevalue("migrated_postgres") if migrated else "template1"
    asyncio.run(_create(address, name, like))
    return Settings.model_validate({"OFFHOOK_STATE": tmp_path, "DATABASE_URL": address.replace("NAME", name)})


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """The record database, migrated."""
    opened = await open_records(settings)
    yield opened
    await opened.dispose()


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of the module's own."""
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(params=["memory", "redis", "redis-resp3-text"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[CallStore]:
    """Every call store, empty: memory, then Redis by either protocol."""
    if request.param == "memory":
        yield MemoryStore(time.monotonic)
        return
    options = {"protocol": 3, "decode_responses": True} if "resp3" in request.param else {"protocol": PROTOCOL}
    client = Redis.from_url(request.getfixturevalue("redis_url"), socket_timeout=None, **options)
    await client.flushall()
    yield RedisStore(client)
    await client.aclose()


@pytest.fixture
def changes(settings: Settings) -> Iterator[Changes]:
    """Whether that database changes."""
    made = Changes(settings.database)
    yield made
    made.close()


@pytest.fixture
async def outbox(settings: Settings, engine: AsyncEngine, changes: Changes) -> AsyncIterator[Outbox]:
    """The outbox on that database."""
    looking = connect(settings.database, writes=False)
    yield Outbox(engine, looking, changes)
    await looking.dispose()
