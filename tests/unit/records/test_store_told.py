"""Records that can't be read: the operator is told what to do about the kind of database that it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import SetupFault
from gateway.records.engine import connect
from gateway.records.store import reading


async def test_a_file_that_is_no_database_is_to_be_restored(tmp_path: Path) -> None:
    (tmp_path / "offhook.db").write_text("This was a database once, and is long enough to be looked at as one.")
    with pytest.raises(SetupFault, match=r"is not a database. Restore the file, or move it away"):
        async with reading(f"sqlite:///{tmp_path}/offhook.db"):
            pass


def test_a_file_that_others_own_is_told_before_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "offhook.db").touch()
    monkeypatch.setattr("gateway.records.engine.os.access", lambda *_: False)
    with pytest.raises(SetupFault, match=r"can't be read \(Permission denied\). Run offhook as the user"):
        connect(f"sqlite:///{tmp_path}/offhook.db", writes=False)
