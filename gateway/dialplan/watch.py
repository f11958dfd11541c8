"""Takes changed files up while calls go on. A plan that is wrong is never taken: the old one stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from gateway.dialplan.load import load, plan_files
from gateway.dialplan.model import Finding
from gateway.dialplan.plan import Plan
from gateway.terms.catalogue import Catalogue

_Seen = tuple[tuple[str, int, int, int], ...]


class Watch:
    """The plan in force. `look` now and then; it is cheap while nothing changes."""

    def __init__(self, directory: Path, catalogue: Catalogue, clock: Callable[[], datetime]) -> None:
        self._directory, self._catalogue, self._clock = directory, catalogue, clock
        self._seen: _Seen | None = None
        self.plan: Plan | None = None
        """None until a first plan was right."""
        self.findings: Sequence[Finding] = []
        """What is wrong with the files as they stand now; () when `plan` is what they say."""

    def look(self) -> bool:
        """Load the files if any has changed since; whether another plan is in force now. Blocks for file access."""
        seen = self._look()
        if seen == self._seen:
            return False
        loaded = load(self._directory, self._catalogue, self._clock(), before=self.plan)
        self._seen, self.findings = seen, loaded.errors
        if loaded.plan is None or (self.plan is not None and loaded.plan == self.plan):
            return False
        self.plan = loaded.plan
        return True

    def _look(self) -> _Seen:
        """Names, times and sizes of all files there, since routes may read others' text from them."""
        files = [*plan_files(self._directory), *sorted(self._directory.glob("**/*.txt"))]
        return tuple(seen for file in files if (seen := _stat(file)))


def _stat(file: Path) -> tuple[str, int, int, int] | None:
    try:
        stat = file.stat()
    except OSError:  # an editor may take a file away between the listing and this, and put it back
        return None
    return str(file), stat.st_mtime_ns, stat.st_size, stat.st_ino
