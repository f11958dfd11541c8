"""Which plan is in force for one control: the newest version, taken up while calls go on, and what overrides it.

Versions are the truth. Files that are saved where a control looks become a version, unless a rollback has pinned them;
files that are wrong become nothing but findings.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import structlog

from gateway.dialplan.load import Loaded, load
from gateway.dialplan.model import Finding
from gateway.dialplan.overrides import Override
from gateway.dialplan.plan import Plan
from gateway.dialplan.state import State, state_of
from gateway.dialplan.version import Source, Version
from gateway.dialplan.watch import Watch
from gateway.errors import SetupFault
from gateway.metrics import counter, gauge
from gateway.operate.shelf import unpacked
from gateway.records.plans import Overrides, Plans
from gateway.terms.catalogue import Catalogue

FINDINGS = gauge("plan_findings", "What is wrong with the dial plan's files as they stand; the plan in force is older")
RELOADS = counter("plan_reloads", "Times that the dial plan changed, or its files were wrong", "outcome")
VERSION = gauge("plan_version", "Number of the dial plan's version in force")

_FALL_BACK = 20
"""Versions that are tried when the live one can't be used."""

log = structlog.get_logger(__name__)


class Keeper:
    """Keeps one control's plan. Call `start` once, then `look` every few tenths of a second."""

    def __init__(
        self,
        plans: Plans,
        overrides: Overrides,
        catalogue: Catalogue,
        *,
        files: Path,
        marker: Path,
        author: str,
        clock: Callable[[], float],
    ) -> None:
        """`files`: the directory whose saves become versions. `marker`: a file that remembers which were seen last.
        `author`: who saves. `clock`: seconds since the epoch."""
        self._plans, self._overrides, self._catalogue, self._clock = plans, overrides, catalogue, clock
        self._watch, self._files, self._marker, self._author = Watch(files), files, marker, author
        self._active: Sequence[Override] = []
        self.plan: Plan | None = None
        self.version: Version | None = None
        self.findings: Sequence[Finding] = ()
        """What is wrong with the files as they stand."""
        self.unusable: Sequence[Finding] = ()
        """Why the newest version can't be used here; an older one is in force then."""
        self._refused = 0
        """Its number."""
        self._unsaved: tuple[Loaded, int] | None = None
        """Right files that aren't a version yet, and the number that was in force when they were seen."""
        self._saved = ""
        """Content of the files when they were right last."""
        self._handled = ""
        """Content of the files when they became a version last, or were found not to count."""

    @property
    def in_force(self) -> Plan:
        """The plan that calls are routed by. Raises SetupFault before `start`."""
        if self.plan is None:
            raise SetupFault("There is no dial plan.")
        return self.plan

    @property
    def pinned(self) -> bool:
        """Whether the files say something else, and don't count since a rollback."""
        return self.differs and self.version is not None and self.version.source is Source.ROLLBACK

    @property
    def differs(self) -> bool:
        """Whether the files, right as they are, say something else than what is in force."""
        return self.version is not None and bool(self._saved) and self.version.content != self._saved

    def state(self, now: float) -> State:
        """What operators override at a time."""
        return state_of(self._active, now)

    async def start(self) -> None:
        """Find the first plan. Raises SetupFault when neither the files nor a version can be used, Unavailable."""
        self._watch.settled()
        loaded = await self._load()
        live = await self._plans.live(self._clock())
        if live is None and loaded.plan is None:
            raise SetupFault(f"The dial plan in {self._files} can't be used:\n{told(loaded)}\n", remedy="Correct it.")
        if loaded.plan is not None and (live is None or await self._edited(loaded)):
            await self._save(loaded, live.number if live is not None else 0)
        self._handled = _fingerprint(loaded)
        # Calls that came while nobody looked must meet what operators have closed.
        self._active = await self._overrides.active(self._clock())
        await self._take(loaded)
        if self.plan is None:
            await self._fall_back()
        if self.differs:
            log.warning("the dial plan's files say something else than what is in force", files=str(self._files))

    async def look(self) -> bool:
        """Take up what has changed; whether another plan or other overrides are in force now. Raises Unavailable."""
        before = self._active
        self._active = await self._overrides.active(self._clock())
        loaded: Loaded | None = None
        if await asyncio.to_thread(self._watch.settled):
            loaded = await self._load()
            edited = loaded.plan is not None and _fingerprint(loaded) != self._handled
            self._unsaved = (loaded, self.version.number if self.version else 0) if edited else None
        if self._unsaved is not None:  # the database may not have answered the last time
            await self._save(*self._unsaved)
            self._unsaved = None
        return await self._take(loaded) or before != self._active

    async def _load(self) -> Loaded:
        loaded = await asyncio.to_thread(load, self._files, self._catalogue, self._now(), before=self.plan)
        self._watch.follow(loaded.names)
        if loaded.errors and list(loaded.errors) != list(self.findings):
            RELOADS.labels("refused").inc()
            findings = [str(finding) for finding in loaded.errors]
            log.error("the changed dial plan is wrong; the old one stays in force", findings=findings)
        self.findings = loaded.errors
        self._saved = loaded.plan.version if loaded.plan is not None else self._saved
        FINDINGS.set(len(self.findings))
        return loaded

    async def _edited(self, loaded: Loaded) -> bool:
        """Whether the files were edited while no control looked at them."""
        try:
            return self._marker.read_text() != _fingerprint(loaded)
        except OSError:
            return loaded.plan is not None and await self._plans.of_content(loaded.plan.version) is None

    async def _save(self, loaded: Loaded, after: int) -> None:
        assert loaded.plan is not None
        made = await self._plans.apply(
            loaded.files,
            content=loaded.plan.version,
            author=self._author,
            now=self._clock(),
            message=f"saved in {self._files.name}/",
            source=Source.SAVE,
            after=after,
        )
        self._handled = _fingerprint(loaded)
        try:
            self._marker.parent.mkdir(parents=True, exist_ok=True)
            self._marker.write_text(self._handled)
        except OSError as bad:  # after a restart these files may count as edited once more
            log.warning("what was seen of the dial plan's files can't be remembered", why=bad.strerror)
        if made is None and self.pinned:
            log.warning("the saved dial plan doesn't count: a rollback is in force until the next apply")

    async def _take(self, loaded: Loaded | None) -> bool:
        """Put the live version in force, if it is another."""
        live = await self._plans.live(self._clock())
        if live is None or live.number in (self._refused, self.version.number if self.version else 0):
            return False
        if loaded is None or loaded.plan is None or loaded.plan.version != live.content:
            loaded = await self._fetch(live)
        if loaded.plan is None:
            RELOADS.labels("unusable").inc()
            self._refused, self.unusable = live.number, loaded.errors
            findings = [str(finding) for finding in loaded.errors]
            log.error("a version of the dial plan can't be used here", number=live.number, findings=findings)
            return False
        self._use(loaded.plan, live)
        return True

    def _use(self, plan: Plan, version: Version) -> None:
        self.plan, self.version = plan, version
        if version.number >= self._refused:
            self._refused, self.unusable = 0, ()
        RELOADS.labels("taken").inc()
        VERSION.set(version.number)
        log.info(
            "dial plan in force",
            number=version.number, version=version.content, author=version.author, numbers=plan.size,
        )  # fmt: skip

    async def _fall_back(self) -> None:
        """Put the newest version in force that can be used, where the live one can't: a plan of yesterday answers, none
        doesn't. Raises SetupFault when there is none."""
        now = self._clock()
        for version in await self._plans.history(_FALL_BACK):
            if version.effective > now or version.withdrawn is not None or version.number == self._refused:
                continue
            loaded = await self._fetch(version)
            if loaded.plan is not None:
                self._use(loaded.plan, version)
                return
        raise SetupFault("No version of the dial plan can be used by this offhook.", remedy="Apply one that can.")

    async def _fetch(self, live: Version) -> Loaded:
        at_hand = {}
        if self.plan is not None:
            at_hand = {hashlib.sha256(table.data).hexdigest(): table.data for table in self.plan.tables}
        files = await self._plans.files(live.number, at_hand)
        return await asyncio.to_thread(unpacked, files, self._catalogue, self._now(), self.plan)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def told(loaded: Loaded) -> str:
    """The errors, one a line."""
    return "\n".join(f"  {finding}" for finding in loaded.errors)


def _fingerprint(loaded: Loaded) -> str:
    return loaded.plan.version if loaded.plan is not None else ""
