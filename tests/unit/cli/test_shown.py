from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.cli.shown import as_json, length, moment, number, short, since
from gateway.errors import SetupFault

NOW = datetime(2026, 11, 23, 20, 30, tzinfo=UTC).timestamp()
"""12:30 on a Monday in Los Angeles."""


@pytest.mark.parametrize(("written", "at"), [
    ("90m", "2026-11-23T19:00Z"), ("2h", "2026-11-23T18:30Z"), ("1.5 d", "2026-11-22T08:30Z"),
    ("today", "2026-11-23T08:00Z"),
    ("Yesterday", "2026-11-22T08:00Z"), ("2026-11-01", "2026-11-01T07:00Z"), ("2026-11-23 09:15", "2026-11-23T17:15Z"),
    ("9:15", "2026-11-23T17:15Z"), ("2026-11-23t09:15z", "2026-11-23T09:15Z"),
])  # fmt: skip
def test_since_reads_what_people_write(state: Path, written: str, at: str) -> None:
    assert since(written, NOW) == datetime.fromisoformat(at).timestamp()


@pytest.mark.parametrize("written", ["", "soon", "2026-13-01", "5", "25:00"])
def test_since_says_what_it_takes(written: str) -> None:
    with pytest.raises(SetupFault, match="yesterday"):
        since(written, NOW)


def test_a_moment_is_local_and_as_short_as_it_may_be(state: Path) -> None:
    shown = [moment(at, NOW) for at in (NOW - 60, NOW - 86400, NOW - 40 * 86400, NOW - 400 * 86400, None)]
    assert shown == ["12:29:00", "22 Nov 12:30", "14 Oct 13:30", "2025-10-19", "–"]


def test_lengths() -> None:
    assert [length(seconds) for seconds in (None, 0.4, 59.6, 3723.0)] == ["–", "0:00", "1:00", "1:02:03"]


def test_numbers_read_as_people_write_them() -> None:
    assert [number(value) for value in ("+15105550142", "echo", None, "a\x1bb")] == [
        "+1 510-555-0142", "echo", "withheld", "a b",
    ]  # fmt: skip


def test_short_ids() -> None:
    assert [short(call) for call in ("SCL_AbCdEfGh1234", "other-id-of-a-carrier")] == ["AbCdEfGh", "other-id"]


def test_json_writes_times_out_and_leaves_facts_alone() -> None:
    assert as_json({"at": 0.5, "fields": {"started": 1999}, "told": {"x": 0.0}, "list": [{"ended": None}]}) == {
        "at": "1970-01-01T00:00:00.500Z", "fields": {"started": 1999}, "told": {"x": "1970-01-01T00:00:00.000Z"},
        "list": [{"ended": None}],
    }  # fmt: skip
