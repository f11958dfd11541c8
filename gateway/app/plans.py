"""Plans, versions and overrides for one command: the database opened, and closed again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from gateway.app.catalogue import load as load_catalogue
from gateway.app.records import open_records
from gateway.config import Settings
from gateway.dialplan.numbers import read
from gateway.dialplan.trunks import Trunks
from gateway.operate.shelf import Shelf
from gateway.records.engine import connect, sqlite_file
from gateway.records.plans import Overrides, Plans
from gateway.trunks.model import read as read_trunks
from gateway.up import runfile

_ASKS = 2.0
"""Seconds that a running control may take to answer."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command works with."""

    shelf: Shelf
    plans: Plans | None
    overrides: Overrides | None


@asynccontextmanager
async def desk(settings: Settings, *, writes: bool = False, trunks: Path | None = None) -> AsyncIterator[Desk]:
    """Plans and overrides on the settings' database; without it where it isn't there yet and nothing is to be written.

    Raises SetupFault, Unavailable.
    """
    shelf = Shelf(load_catalogue(), None, time.time(), _trunks(trunks))
    file = sqlite_file(settings.database)
    if not writes and file is not None and not file.exists():
        yield Desk(shelf, None, None)
        return
    engine = await open_records(settings) if writes else connect(settings.database, writes=False)
    try:
        plans = Plans(engine)
        yield Desk(Shelf(shelf.catalogue, plans, shelf.now, shelf.trunks), plans, Overrides(engine))
    finally:
        await engine.dispose()


def _trunks(path: Path | None) -> Trunks | None:
    """What the plan must know of the trunk file; None without one. Raises SetupFault."""
    if path is None:
        return None
    file = read_trunks(path).livekit
    ways, inbound = file.outbound_trunks, file.inbound_trunk.numbers
    found = []
    for number in inbound:
        with suppress(ValueError):  # what LiveKit takes for a number may be a SIP user
            found.append(read(number, ""))
    default = len(ways) == 1 or any(one.default for one in ways)
    return Trunks(tuple(found) if inbound else None, frozenset(one.name.casefold() for one in ways), default)


async def asked(state: Path) -> Mapping[str, object] | None:
    """What the control of the gateway that runs on `state` says of its plan; None when none does."""
    running = runfile.read(state)
    address = running.http.get("control", "") if running is not None else ""
    if not address:
        return None
    try:
        async with asyncio.timeout(_ASKS), aiohttp.ClientSession() as session, session.get(f"{address}/plan") as answer:
            found: Mapping[str, object] = await answer.json()
            return found
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return None


async def in_force(state: Path, number: int, within: float = 3.0) -> bool:
    """Whether the running control has taken the version, or takes it within the seconds; False where none runs."""
    try:
        async with asyncio.timeout(within):
            while (told := await asked(state)) is not None:
                if int(str(told.get("number", 0))) == number:
                    return True
                await asyncio.sleep(0.1)
    except TimeoutError:
        return False
    return False
