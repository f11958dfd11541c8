"""Notices that files of a plan have been saved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gateway.dialplan.load import plan_files

_Seen = tuple[tuple[str, int, int, int], ...]


class Watch:
    """Looks at a directory's plan, and at files that it names. `settled` is cheap while nothing changes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._names: tuple[str, ...] = ()
        self._taken: _Seen | None = None
        self._seen: _Seen | None = None

    def settled(self) -> bool:
        """Whether files have changed since the last True, and not since the last look: an editor may write a file in
        several goes, and half of one can be a plan too. The first look is always True. Blocks for file access."""
        seen = self._look()
        before, self._seen = self._seen, seen
        first = self._taken is None
        if seen == self._taken or (seen != before and not first):
            return False
        self._taken = seen
        return True

    def follow(self, names: Sequence[str]) -> None:
        """Look at these files too, named as the plan names them: what it was made of last, there or not."""
        self._names = tuple(names)

    def _look(self) -> _Seen:
        """Names, times and sizes of all files that the plan is made of."""
        files = {*plan_files(self._directory), *(self._directory / name for name in self._names)}
        return tuple(seen for file in sorted(files) if (seen := _stat(file)))


def _stat(file: Path) -> tuple[str, int, int, int] | None:
    try:
        stat = file.stat()
    except OSError:  # an editor may take a file away between the listing and this, and put it back
        return None
    return str(file), stat.st_mtime_ns, stat.st_size, stat.st_ino
