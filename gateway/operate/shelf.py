"""Plans by the names that operators have for them: a file, a directory, a version's number, or `live`."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from gateway.dialplan.load import Loaded, load
from gateway.dialplan.plan import Plan
from gateway.dialplan.trunks import Trunks
from gateway.dialplan.version import Version
from gateway.errors import Refused, SetupFault
from gateway.records.plans import Plans
from gateway.terms.catalogue import Catalogue

LIVE = "live"


class BadPlan(Refused):
    """A plan that can't be used; `loaded` tells why."""

    def __init__(self, what: str, loaded: Loaded, *, remedy: str) -> None:
        super().__init__(what, remedy=remedy)
        self.loaded = loaded


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where plans are found. `plans` is None where no database is."""

    catalogue: Catalogue
    plans: Plans | None
    now: float
    """Seconds since the epoch (UTC)."""
    trunks: Trunks | None = None
    began: float = field(default_factory=time.monotonic)
    """When `now` was."""

    @property
    def later(self) -> float:
        """The time by now, seconds since the epoch: reading a large plan takes its time."""
        return self.now + time.monotonic() - self.began

    @property
    def clock(self) -> datetime:
        """The time, aware."""
        return datetime.fromtimestamp(self.now, UTC)

    async def loaded(self, name: str) -> Loaded:
        """The plan that is meant, with its findings. Raises Refused when there is none of that name."""
        path = Path(name)
        if not _is_version(name) and _exists(path):
            return load(path, self.catalogue, self.clock, trunks=self.trunks)
        return await self.of_version(await self.version(name))

    async def of_version(self, version: Version) -> Loaded:
        """The plan of a version. Its own tests don't run: they did when it was made."""
        assert self.plans is not None
        return unpacked(await self.plans.files(version.number), self.catalogue, self.clock)

    async def plan(self, name: str) -> Plan:
        """The plan that is meant. Raises BadPlan when it has errors, Refused when there is none of that name."""
        loaded = await self.loaded(name)
        if loaded.plan is None:
            raise BadPlan(f"The plan '{name}' has errors.", loaded, remedy=f"offhook plan check {name} lists them.")
        return loaded.plan

    async def of_content(self, content: str) -> Plan | None:
        """The plan of that version hash, as calls name it; None where it isn't kept, or can't be read any more."""
        version = await self.plans.of_content(content) if self.plans is not None and content else None
        return (await self.of_version(version)).plan if version is not None else None

    async def version(self, name: str) -> Version:
        """The version that is meant. Raises Refused."""
        known = _is_version(name)
        if not known or self.plans is None:
            what = f"There is no plan '{name}'" + (" yet: no gateway has run here." if known else ".")
            raise Refused(what, remedy="Name a file, a directory, a version's number, or live.")
        if name != LIVE:
            return await self.plans.get(int(name.lstrip("v")))
        live = await self.plans.live(self.now)
        if live is None:
            raise Refused("No plan is in force yet.", remedy="Run offhook up, or offhook plan apply.")
        return live


def _is_version(name: str) -> bool:
    """Whether the name can only mean a version; a file of such a name is ./NAME."""
    return name == LIVE or re.fullmatch(r"v?[0-9]{1,9}", name) is not None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that no file can have
        return False


def unpacked(files: Mapping[str, bytes], catalogue: Catalogue, now: datetime, before: Plan | None = None) -> Loaded:
    """The plan that the files of a version make. Raises SetupFault when they can't be laid out."""
    try:
        with tempfile.TemporaryDirectory(prefix="offhook-plan-") as home:
            for name, data in files.items():
                inside = PurePosixPath(name)
                if inside.is_absolute() or ".." in inside.parts:
                    continue  # nobody wrote such a name but by hand
                path = Path(home, inside)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            return load(Path(home), catalogue, now, before=before, tests=False)
    except OSError as bad:
        raise SetupFault(f"The plan can't be laid out: {bad.strerror}.", remedy="Make room on the disk.") from bad
