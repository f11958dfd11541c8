"""What is fuzzed: each takes bytes, and must come back with findings, never with an exception of any other kind."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from gateway.app.catalogue import load as catalogue
from gateway.dialplan.csv_file import read as read_table
from gateway.dialplan.hours import build
from gateway.dialplan.load import load
from gateway.dialplan.model import Severity
from gateway.dialplan.numbers import read as read_pattern
from gateway.dialplan.route import Ask, decide
from gateway.dialplan.when import moment

NOW = datetime(2026, 11, 23, 17, tzinfo=UTC)
CATALOGUE = catalogue()
_HOME = Path(tempfile.mkdtemp(prefix="offhook-fuzz-"))


def plan(data: bytes) -> None:
    """A plan's file; one that is right must route any call."""
    (_HOME / "main.yaml").write_bytes(data)
    loaded = load(_HOME, CATALOGUE, NOW)
    errors = [one for one in loaded.findings if one.severity is Severity.ERROR]
    assert (loaded.plan is None) == bool(errors)
    for one in loaded.findings:
        assert one.place.line >= 1, one
        assert one.place.column >= 1, one
        assert one.what, one
    if loaded.plan is not None:
        for dialed in ("+15105550100", "demo", ""):
            decide(loaded.plan, Ask(dialed, None, NOW), traced=True)


def table(data: bytes) -> None:
    """A CSV file of numbers."""
    made, entries, findings = read_table(data, "numbers.csv", "US", ["sales"])
    assert len(made) or entries or findings


def hours(data: bytes) -> None:
    """Opening hours."""
    text = data.decode("utf-8", "replace")
    made, faults = build("x", open=text, timezone="America/New_York", holidays="US", closed_on=[text[:12]])
    assert made is not None or faults
    if made is not None:
        made.state(NOW)
        made.changes(NOW)


def number(data: bytes) -> None:
    """What stands left of a colon in `numbers`."""
    try:
        read_pattern(data.decode("utf-8", "replace"), "US")
    except ValueError as bad:
        assert str(bad).endswith((".", "country."))


def time(data: bytes) -> None:
    """A time as an operator writes it."""
    try:
        moment(data.decode("utf-8", "replace"), "America/New_York", NOW)
    except ValueError as bad:
        assert str(bad).endswith(".")


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "plan": plan,
    "table": table,
    "hours": hours,
    "number": number,
    "time": time,
}
